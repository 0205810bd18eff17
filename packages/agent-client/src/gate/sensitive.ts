/**
 * Files that hold keys, passwords or sessions, and files that run by themselves later. Compared in lower case, because
 * some file systems take both, and after `\` became `/`.
 */
const secrets = [
  /(^|\/)\.(ssh|gnupg|aws|azure|kube|docker|password-store|config\/(gcloud|gh|hub|op|rclone))(\/|$)/,
  /(^|\/)\.(netrc|npmrc|pypirc|pgpass|my\.cnf|git-credentials|vault-token|htpasswd|envrc|s3cfg|boto)($|\W)/,
  /(^|\/|=)\.env(\.|$|\/)/,
  // Addresses of remotes may have a token in them.
  /(^|\/)(\.git\/(.*\/)?config(\.worktree)?|\.gitconfig|\.config\/git\/config)$/,
  /(^|\/)(id_(rsa|dsa|ecdsa|ed25519)|known_hosts|authorized_keys)\b/,
  /\.(pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg|ovpn|kubeconfig|tfstate)(\.|$)/,
  /(^|\/)g?shadow[-~]?$|(^|\/)(sudoers|master\.passwd|sam|ntds\.dit|krb5\.keytab)(\.|\/|$)/,
  /(^|\/)etc\/(passwd|security|pam\.d|ssl\/private|wireguard|crontab|cron\.)/,
  /(^|\/)(credentials?|secrets?|passwords?|tokens?|service[-_]?account)(\.[a-z]{2,5})?$/,
  /(^|\/)secrets?\//,
  /(^|\/)(keychains?|cookies|login data|logins\.json|key[34]\.db|wallet\.dat)(\/|$|-)/,
  /(^|\/)\.(mozilla|config\/(google-chrome|chromium|brave|microsoft-edge))\//,
  /(^|\/)\.?(bash|zsh|sh|python|psql|mysql|node_repl)_history$/,
  /^\/proc\/(?!(cpuinfo|meminfo|loadavg|uptime|version|stat|mounts|filesystems)$)|^\/(dev|sys|boot)\/(?!(null|stdin|stdout|stderr|zero)$)/,
];
const runsLater = [
  /(^|\/)\.(bash|z|zsh|ksh|csh|tcsh|fish|k?sh)?(rc|_?profile|_?login|_?logout|env|_aliases)$/,
  /(^|\/)\.(profile|inputrc|vimrc|exrc|tmux\.conf|xinitrc|xsession|xprofile|gdbinit|lldbinit|gitconfig|gitmodules|gitattributes|hgrc|curlrc|wgetrc|irbrc|pryrc|psqlrc|sqliterc|rprofile|emacs|dir-locals\.el|nvimrc|nvim\.lua)$/,
  // What makes a folder a repository of somebody's settings, and what builds, hooks and packagers take their own from.
  /(^|\/)(head|\.git)$/,
  /(^|\/)\.(pre-commit-config\.yaml|lefthook\.ya?ml|lintstagedrc|yarnrc\.yml|pnp\.c?js|pnpmfile\.c?js|bazelrc|travis\.yml|drone\.yml|woodpecker\.yml|mise\.toml|tool-versions|cargo\/config(\.toml)?)$/,
  /(^|\/)(lefthook\.yml|azure-pipelines\.yml|bitbucket-pipelines\.yml|cloudbuild\.ya?ml|mise\.toml|(site|user)customize\.py)$|\.(pth|desktop|code-workspace)$/,
  /(^|\/)\.config\/(autostart|systemd|fish|git)(\/|$)/,
  /(^|\/)\.git\/|(^|\/)\.(husky|githooks|github\/workflows|gitlab-ci\.yml|circleci|buildkite|vscode|idea|devcontainer)(\/|$)/,
  /(^|\/)(cron\.(d|daily|hourly|weekly|monthly)|init\.d|systemd|launchagents|launchdaemons|startup)\//,
  /(^|\/)(crontab|authorized_keys|ld\.so\.preload|rc\.local|jenkinsfile)$/,
  /(^|\/)(claude|agents|gemini|copilot-instructions)\.md$|(^|\/)\.(claude|cursor|mcp\.json|cursorrules)(\/|$)/,
];
const passwordKeepers =
  /1password|bitwarden|keepass|lastpass|dashlane|enpass|keeper|proton ?pass|keychain|seahorse|kwallet|authenticator|authy|passwords|wallet|metamask|ledger live/;

/** Whether a path, or a text that may hold one, names something of that kind. */
export function isSensitivePath(path: string): boolean {
  if (path === "") return false;
  const plain = plainPath(path);
  return [...secrets, ...runsLater].some((pattern) => pattern.test(plain));
}

/** What only runs later: harmless to read. */
export function holdsSecrets(path: string): boolean {
  if (path === "") return false;
  const plain = plainPath(path);
  return secrets.some((pattern) => pattern.test(plain));
}

export const keepsPasswords = (application: string): boolean =>
  passwordKeepers.test(application.normalize("NFKC").toLowerCase());

function plainPath(path: string): string {
  const parts: string[] = [];
  const slashed = path.normalize("NFKC").toLowerCase().replaceAll("\\", "/");
  for (const part of slashed.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "." && (part !== "" || parts.length === 0)) parts.push(part);
  }
  return parts.join("/");
}

/** Words on a control after which something leaves, is paid, is lost or is agreed to. */
const consequences =
  /\b(send|submit|pay|buy|order|purchase|checkout|check out|donate|bid|delete|remove|erase|discard|destroy|drop|wipe|trash|empty|confirm|accept|agree|allow|grant|authori[sz]e|approve|consent|continue with|publish|post|tweet|share|reply|forward|transfer|withdraw|deposit|trade|sell|sign|subscribe|unsubscribe|enrol|enroll|cancel|close account|deactivate|disable|enable|revoke|reset|format|restore|install|uninstall|upload|run|execute|deploy|merge|force|overwrite|replace|archive|invite|ban|block|report|log ?out|sign ?out|book|reserve|apply|place|proceed|yes|ok|done|finish|ship|release|rotate|regenerate)\b|\b(senden|absenden|bezahlen|zahlen|kaufen|bestellen|l[oö]schen|entfernen|best[aä]tigen|akzeptieren|zustimmen|erlauben|ver[oö]ffentlichen|teilen|[uü]berweisen|k[uü]ndigen|buchen|ja|weiter)\b|\b(envoyer|payer|acheter|commander|supprimer|effacer|confirmer|accepter|autoriser|publier|partager|valider|virer|oui|enviar|pagar|comprar|pedir|eliminar|borrar|confirmar|aceptar|permitir|publicar|compartir|transferir|s[ií]|inviare|invia|paga|acquista|ordina|elimina|cancella|conferma|accetta|consenti|pubblica|condividi|excluir|apagar|aceitar|verzenden|betalen|kopen|bestellen|verwijderen|bevestigen|accepteren|toestaan|delen)\b/;

/** A name that nobody here can read counts as one of them. */
export function soundsConsequential(name: string): boolean {
  const plain = name
    .normalize("NFKC")
    .replace(/[\p{Cf}\p{Mn}]/gu, "")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase();
  const letters = plain.match(/\p{L}/gu) ?? [];
  if (letters.some((letter) => !/\p{Script=Latin}/u.test(letter))) return true;
  return consequences.test(plain) || consequences.test(plain.replace(/[\W_]+/g, " "));
}
