/**
 * Formats of secrets that their issuers publish so that they can be found, pinned with the renderer. Only what cannot
 * be anything else: a fixed start and a length, no entropy and no guess by a member's name.
 */
export const secretFormats: readonly (readonly [name: string, pattern: string])[] = [
  ["GitHub token", "gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"],
  ["GitLab token", "gl(?:pat|ptt|dt|rt|cbt|soat|oas)-[\\w-]{20,64}"],
  ["AWS access key", "A[KS]IA[A-Z2-7]{16}"],
  ["Google key", "AIza[\\w-]{35}|GOCSPX-[\\w-]{28}"],
  ["Slack token", "xox[abeoprs]-[A-Za-z0-9-]{20,250}|xapp-[A-Za-z0-9-]{20,250}"],
  ["Stripe key", "[rs]k_(?:live|test)_[A-Za-z0-9]{20,250}|whsec_[A-Za-z0-9]{32,64}"],
  ["Anthropic key", "sk-ant-[\\w-]{20,250}"],
  ["OpenAI key", "sk-(?:proj|svcacct|admin)-[\\w-]{40,250}|sk-[A-Za-z0-9]{48}"],
  ["npm token", "npm_[A-Za-z0-9]{36}"],
  ["PyPI token", "pypi-AgE[\\w-]{50,250}"],
  ["SendGrid key", "SG\\.[\\w-]{22}\\.[\\w-]{43}"],
  ["Hugging Face token", "hf_[A-Za-z]{34}"],
  ["DigitalOcean token", "do[opr]_v1_[a-f0-9]{64}"],
  ["Docker token", "dckr_pat_[\\w-]{27}"],
  ["Vault token", "hv[bs]\\.[\\w-]{24,250}"],
  ["Shopify token", "shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"],
  ["age key", "AGE-SECRET-KEY-1[A-Z0-9]{58}"],
  // A label of a host has at most 63 characters and a public last one 24: what is told as a token leads nowhere.
  ["JSON Web Token", "eyJ[\\w-]{10,8000}\\.eyJ[\\w-]{10,8000}\\.[\\w-]{43,1000}"],
];
