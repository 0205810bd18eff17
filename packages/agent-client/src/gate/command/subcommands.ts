import { isHarmlessOption } from "./options.js";
import { green, red, say, unknown, type Verdict, worst, yellow } from "./verdict.js";
import { type Place, readPath } from "./words.js";

/** Programs whose first word says what they do. What is in no list is unknown, or red where that is said. */
interface Family {
  green?: RegExp;
  yellow?: RegExp;
  red?: RegExp;
  /** Options before the first word, and words that make any of it red. */
  options?: RegExp;
  never?: RegExp;
  /** Harmless one-letter options, as `getopt` has them: with any other, nothing of it is known. */
  letters: string;
}

const versions = /^(-v|-V|--version|version|-h|--help|help)$/;

const families: Record<string, Family> = {
  git: {
    letters: "0123456789aA:bB:cC:dDehilmM:n:opqrsS:tuU:vwWzEFGL:",
    green:
      /^(status|log|diff|show|blame|ls-files|ls-tree|rev-parse|rev-list|describe|shortlog|cat-file|merge-base|name-rev|count-objects|check-ignore|whatchanged|grep|version|diff-tree|for-each-ref|show-ref|cherry|annotate)$/,
    yellow: /^(add|commit|fetch|pull|switch|init|mv|stash|cherry-pick|revert|merge|clone|notes)$/,
    red: /^(push|reset|clean|rm|rebase|filter-branch|filter-repo|restore|gc|prune|reflog|update-ref|update-index|replace|submodule|worktree|am|apply|bisect|difftool|mergetool|config|credential|daemon|instaweb|send-email|symbolic-ref|read-tree|checkout-index|fast-import|maintenance|hook|bundle|archive|remote-https|p4|svn|subtree|lfs)$/,
    options: /^(--no-pager|-P|-p|--paginate|--no-optional-locks|--literal-pathspecs)$/,
    never:
      /^(-c|--config-env|--exec-path|--git-dir|--work-tree|--output|--ext-diff|--textconv|-O|--open-files-in-pager|--upload-pack|--receive-pack|-u|--template|--no-verify|--amend|--force|-f|--edit-description|--namespace|--no-index|--exec|-x|--reference|--separate-git-dir|--no-gpg-sign|--author|--filters)/,
  },
  npm: {
    letters: "alsw:",
    green: /^(ls|list|la|ll|outdated|view|info|show|why|explain|root|prefix|bin|ping|-v)$/,
    yellow: /^(search|test|t|tst|run|run-script|start|stop|ci|audit|pack|fund|dedupe|rebuild|ddp)$/,
    red: /^(install|i|add|update|up|uninstall|rm|remove|publish|unpublish|deprecate|exec|x|init|create|link|login|logout|adduser|token|owner|access|dist-tag|config|set|org|team|profile|hook|edit|explore|cache|version)$/,
    never:
      /^(--script-shell|--prefix|-g|--global|--userconfig|--registry|--node-options|--fix|--force)/,
  },
  deno: { letters: "q", yellow: /^(test|fmt|lint|check|task|bench)$/, red: /./ },
  bun: { letters: "q", yellow: /^(test|run|build)$/, red: /./ },
  pip: {
    letters: "louv",
    green: /^(list|show|freeze|check)$/,
    red: /^(install|uninstall|download|wheel|config|cache)$/,
  },
  cargo: {
    letters: "ae:ij:p:qrv",
    green: /^(tree|metadata|locate-project|pkgid|-V)$/,
    yellow: /^(build|b|test|t|check|c|clippy|fmt|run|r|bench|doc|clean)$/,
    red: /^(install|uninstall|publish|yank|login|owner|add|remove)$/,
    never: /^--config/,
  },
  go: {
    // One hyphen or two before a whole name: `run` reads them.
    letters: "",
    green: /^(version|list|doc)$/,
    yellow: /^(build|test|vet|fmt|run|mod|clean)$/,
    red: /^(install|get|generate|env|tool)$/,
    never: /^-(exec|toolexec|vettool|ldflags|gcflags|asmflags|gccgoflags|overlay)/,
  },
  docker: {
    letters: "af:ln:qst",
    green: /^(ps|images|version|info|stats|top|port)$/,
    yellow: /^(logs|inspect|history|diff|search)$/,
    red: /^(run|exec|rm|rmi|kill|stop|start|restart|push|cp|system|volume|network|compose|swarm|stack|secret|save|load|import|export|commit|build|pull|login|plugin|context)$/,
  },
  kubectl: {
    letters: "Ac:fl:n:o:pw",
    green: /^(version|cluster-info|api-resources|api-versions|explain)$/,
    yellow: /^(get|describe|top|logs)$/,
    red: /^(delete|apply|create|replace|patch|edit|scale|rollout|exec|run|cp|drain|cordon|taint|label|annotate|expose|port-forward|proxy|attach|debug|config|auth|set|autoscale)$/,
    never: /secret|^(--kubeconfig|--as|--token|--raw)/i,
  },
  hostnamectl: { letters: "", green: /^status$/, red: /./ },
  timedatectl: { letters: "", green: /^(status|show|list-timezones)$/, red: /./ },
  systemctl: {
    letters: "alnpqt:o:",
    green:
      /^(status|is-active|is-enabled|is-failed|list-units|list-unit-files|list-timers|show|cat)$/,
    red: /./,
  },
  journalctl: {
    letters: "abefg:kn:o:p:rS:t:u:U:x",
    yellow: /^[^-]|^-(u|n|b|f|k|e|x|p|-since|-until|-no-pager|-unit)/,
    never: /^--(vacuum|rotate|flush|sync)/,
  },
  gh: {
    letters: "a:B:cH:l:L:q:R:s:S:t:",
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

export function judgeSubcommand(name: string, words: readonly string[], place: Place): Verdict {
  const kind = sameAs[name] ?? name;
  const family = families[kind] as Family;
  if (words.length === 1 && versions.test(words[0] ?? "")) return green;
  const called = `${name} ${say(words[0] ?? "")}`.trim();
  const bad = family.never && words.find((word) => family.never?.test(word));
  if (bad !== undefined) return red(`${name} with ${say(bad)}`);
  let at = 0;
  while (family.options?.test(words[at] ?? "")) at += 1;
  const elsewhere = name === "git" && words[at] === "-C" ? (words[at + 1] ?? "/") : ".";
  if (elsewhere !== ".") at += 2;
  const verb = words[at];
  if (verb === undefined && name !== "git") return unknown(`${name} alone`);
  const judged = name === "git" ? git(words.slice(at)) : byList(family, verb ?? "", called);
  return worst([
    judged,
    readPath(elsewhere, place),
    ...restOf(kind, family, words.slice(at), place),
  ]);
}

/** Options that are not known, and operands that lead elsewhere. What follows `--` is a script's own affair. */
function restOf(kind: string, family: Family, words: readonly string[], place: Place): Verdict[] {
  const end = words.indexOf("--");
  const own = end < 0 || kind === "git" ? words : words.slice(0, end);
  const isHarmless = (word: string): boolean =>
    kind === "go" ? goOption.test(word) : isHarmlessOption(word, family.letters);
  return own.slice(1).map((word) => {
    if (word.startsWith("-"))
      return isHarmless(word) ? green : unknown(`${kind} with ${say(word)}`);
    // A colon names a revision's file in git, and another machine everywhere else.
    const leads = kind === "git" ? false : /:\/\/|^[\w.@-]+:/.test(word);
    return leads && kind !== "kubectl" && kind !== "docker"
      ? unknown(`${kind} with ${say(word)}`)
      : readPath(word, place);
  });
}

const goOption =
  /^-(v|json|m|f|run|race|cover|count|short|bench|benchmem|timeout|deps|test|e|find|all)(=|$)/;

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
      if (rest.length === 0) return green;
      // Addresses may have a password in them.
      return operands.length === 0 || operands[0] === "get-url"
        ? yellow(`${called} may show passwords`)
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
    case "var":
      return yellow(`${called} may show passwords`);
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
