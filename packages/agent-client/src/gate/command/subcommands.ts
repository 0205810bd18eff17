import { green, red, say, unknown, type Verdict, yellow } from "./verdict.js";

/** Programs whose first word says what they do. What is in no list is unknown, or red where that is said. */
interface Family {
  green?: RegExp;
  yellow?: RegExp;
  red?: RegExp;
  /** Options before the first word, and options that make any of it red. */
  options?: RegExp;
  never?: RegExp;
}

const versions = /^(-v|-V|--version|version|-h|--help|help)$/;

const families: Record<string, Family> = {
  git: {
    green:
      /^(status|log|diff|show|blame|ls-files|ls-tree|rev-parse|rev-list|describe|shortlog|cat-file|merge-base|name-rev|count-objects|check-ignore|whatchanged|grep|version|help|diff-tree|for-each-ref|show-ref|cherry|var|annotate)$/,
    yellow: /^(add|commit|fetch|pull|switch|init|mv|stash|cherry-pick|revert|merge|clone|notes)$/,
    red: /^(push|reset|clean|rm|rebase|filter-branch|filter-repo|restore|gc|prune|reflog|update-ref|update-index|replace|submodule|worktree|am|apply|bisect|difftool|mergetool|config|credential|daemon|instaweb|send-email|symbolic-ref|read-tree|checkout-index|fast-import|maintenance|hook|bundle|archive|remote-https|p4|svn|subtree|lfs)$/,
    options: /^(--no-pager|-P|-p|--paginate|--no-optional-locks|--literal-pathspecs)$/,
    never:
      /^(-c|--config-env|--exec-path|--git-dir|--work-tree|--output|--ext-diff|--textconv|-O|--open-files-in-pager|--upload-pack|--receive-pack|-u|--template|--no-verify|--amend|--force|-f|--edit-description|--namespace|--no-index|--exec|-x|--reference|--separate-git-dir|--no-gpg-sign|--author|--filters)/,
  },
  npm: {
    green: /^(ls|list|la|ll|outdated|view|info|show|search|why|explain|root|prefix|bin|ping|-v)$/,
    yellow: /^(test|t|tst|run|run-script|start|stop|ci|audit|pack|fund|dedupe|rebuild|ddp)$/,
    red: /^(install|i|add|update|up|uninstall|rm|remove|publish|unpublish|deprecate|exec|x|init|create|link|login|logout|adduser|token|owner|access|dist-tag|config|set|org|team|profile|hook|edit|explore|cache|version)$/,
    never:
      /^(--script-shell|--prefix|-g|--global|--userconfig|--registry|--node-options|--fix|--force)/,
  },
  deno: { green: /^info$/, yellow: /^(test|fmt|lint|check|task|bench)$/, red: /./ },
  bun: { yellow: /^(test|run|build)$/, red: /./ },
  pip: {
    green: /^(list|show|freeze|check)$/,
    red: /^(install|uninstall|download|wheel|config|cache)$/,
  },
  cargo: {
    green: /^(tree|metadata|locate-project|pkgid|-V)$/,
    yellow: /^(build|b|test|t|check|c|clippy|fmt|run|r|bench|doc|clean)$/,
    red: /^(install|uninstall|publish|yank|login|owner|add|remove)$/,
    never: /^--config/,
  },
  go: {
    green: /^(version|list|doc)$/,
    yellow: /^(build|test|vet|fmt|run|mod|clean)$/,
    red: /^(install|get|generate|env|tool)$/,
    never: /^-(exec|toolexec|vettool|ldflags|gcflags|asmflags|gccgoflags|overlay)/,
  },
  docker: {
    green: /^(ps|images|version|info|stats|top|port|search)$/,
    yellow: /^(logs|inspect|history|diff)$/,
    red: /^(run|exec|rm|rmi|kill|stop|start|restart|push|cp|system|volume|network|compose|swarm|stack|secret|save|load|import|export|commit|build|pull|login|plugin|context)$/,
  },
  kubectl: {
    green: /^(version|cluster-info|api-resources|api-versions|explain)$/,
    yellow: /^(get|describe|top|logs)$/,
    red: /^(delete|apply|create|replace|patch|edit|scale|rollout|exec|run|cp|drain|cordon|taint|label|annotate|expose|port-forward|proxy|attach|debug|config|auth|set|autoscale)$/,
    never: /secret|^(--kubeconfig|--as|--token|--raw)/i,
  },
  systemctl: {
    green:
      /^(status|is-active|is-enabled|is-failed|list-units|list-unit-files|list-timers|show|cat)$/,
    red: /./,
  },
  journalctl: {
    yellow: /^[^-]|^-(u|n|b|f|k|e|x|p|-since|-until|-no-pager|-unit)/,
    never: /^--(vacuum|rotate|flush|sync)/,
  },
  gh: {
    green: /^(status|version)$/,
    yellow: /^(pr|issue|run|repo|release|search|label)$/,
    red: /^(auth|api|secret|variable|ssh-key|gpg-key|gist|codespace|extension|alias|config|workflow|cache|ruleset)$/,
    never:
      /^(create|merge|close|delete|edit|comment|review|reopen|ready|lock|transfer|fork|clone|sync|archive|rename|upload|download|cancel|rerun|checkout|develop|pin|unpin|set-default|-w|--web)$/,
  },
};
const sameAs: Record<string, string> = {
  pnpm: "npm",
  yarn: "npm",
  pip3: "pip",
  podman: "docker",
  k: "kubectl",
};

export const hasSubcommands = (name: string): boolean =>
  Object.hasOwn(families, name) || Object.hasOwn(sameAs, name);

export function judgeSubcommand(name: string, words: readonly string[]): Verdict {
  const family = families[sameAs[name] ?? name] as Family;
  if (words.length === 1 && versions.test(words[0] ?? "")) return green;
  const called = `${name} ${say(words[0] ?? "")}`.trim();
  const bad = family.never && words.find((word) => family.never?.test(word));
  if (bad !== undefined) return red(`${name} with ${say(bad)}`);
  let at = 0;
  while (family.options?.test(words[at] ?? "")) at += 1;
  if (name === "git" && words[at] === "-C") return git(words.slice(at + 2));
  if (name === "git") return git(words.slice(at));
  const verb = words[at];
  if (verb === undefined) return unknown(`${name} alone`);
  return byList(family, verb, called);
}

function byList(family: Family, verb: string, called: string): Verdict {
  if (family.green?.test(verb)) return green;
  if (family.yellow?.test(verb)) return yellow(`${called} changes or runs what is here`);
  if (family.red?.test(verb)) {
    return red(`${called} changes what others see, or cannot be taken back`);
  }
  return unknown(`${called} is not known`);
}

/** Words that only look in some places, and change something in others. */
function git(words: readonly string[]): Verdict {
  const [verb = "", ...rest] = words;
  const operands = rest.filter((word) => !word.startsWith("-"));
  const called = `git ${say(verb)}`;
  const family = families["git"] as Family;
  switch (verb) {
    case "branch":
    case "tag":
      if (
        rest.some((word) =>
          /^-[a-zA-Z]*[dDmMcCfsu]|^--(delete|move|copy|force|set|unset|sign)/.test(word),
        )
      ) {
        return /-v|--list/.test(rest.join(" ")) && operands.length === 0
          ? green
          : red(`${called} takes names away`);
      }
      return operands.length === 0 || rest.includes("--list") || rest.includes("-l")
        ? green
        : yellow(`${called} makes a name`);
    case "remote":
      return operands.length === 0 || operands[0] === "get-url"
        ? green
        : red(`${called} leads elsewhere`);
    case "stash":
      if (operands[0] === "list" || operands[0] === "show") return green;
      if (operands[0] === "drop" || operands[0] === "clear")
        return red(`${called} ${operands[0]} throws away`);
      return yellow(`${called} moves changes`);
    case "reflog":
      return operands.length === 0 || operands[0] === "show" ? green : red(`${called} throws away`);
    case "checkout":
      if (
        rest.includes("--") ||
        rest.includes(".") ||
        rest.some((word) => /^-[^bB-]|^--f/.test(word))
      ) {
        return red(`${called} throws changes away`);
      }
      return rest.some((word) => /\.\w+$|\//.test(word) && !rest.includes("-b"))
        ? red(`${called} may throw changes away`)
        : yellow(`${called} changes the working tree`);
    case "worktree":
    case "submodule":
      return operands[0] === "list" || operands[0] === "status"
        ? green
        : red(`${called} changes trees`);
    case "config":
      return rest.length > 0 && /^(--get|--list|-l|get|list)$/.test(rest[0] ?? "")
        ? yellow(`${called} may show passwords`)
        : red(`${called} sets what git runs`);
    case "switch":
      return rest.some((word) => /^(--discard|-C|--force)/.test(word))
        ? red(`${called} throws changes away`)
        : yellow(`${called} changes the working tree`);
    case "clone":
      return operands.length <= 2 && /^https:\/\/[\w.-]+\/[\w./~-]+$/.test(operands[0] ?? "")
        ? yellow("fetches a repository")
        : red("clones from where cannot be told");
    case "fetch":
    case "pull":
      return operands.every((word) => /^[\w./-]+$/.test(word) && !word.startsWith("/"))
        ? yellow(`${called} fetches`)
        : red(`${called} from where cannot be told`);
    case "":
      return green;
    default:
      return byList(family, verb, called);
  }
}
