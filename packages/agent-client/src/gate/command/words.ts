import { realpathSync } from "node:fs";
import { resolve } from "node:path";
import type { Word } from "@countersign/shared";
import { holdsSecrets, isSensitivePath } from "../sensitive.js";
import { green, red, say, type Verdict, worst, yellow } from "./verdict.js";

/** Where a command runs. Without `cwd` links cannot be followed, and names are taken as they stand. */
export interface Place {
  cwd?: string | undefined;
  /** All of its environment, as far as somebody asked for it. */
  env?: Readonly<Record<string, string>> | undefined;
  /** What it is given to read: written by whoever wrote the command. */
  isFed?: boolean | undefined;
  /** One of the plain variables may have been given another value. */
  isRenamed?: boolean | undefined;
}

/** Variables whose values tell nothing and lead nowhere else. */
const plainVariables: Record<string, string> = {
  HOME: "~",
  PWD: ".",
  USER: "user",
  "?": "0",
  "#": "0",
  $: "1",
  LINENO: "1",
  RANDOM: "1",
  SECONDS: "1",
};

/** Whether a text says one of their names otherwise than to use it: to set it, most likely. */
export const renamesPlain = (text: string): boolean =>
  /(^|[^\w${])(HOME|PWD|USER|LINENO|RANDOM|SECONDS)\b/.test(text);

/**
 * What a word stands for as far as it can be told beforehand: its value, a value with plain variables filled in, or a
 * pattern that matches only names in or below the working directory. Undefined for everything else.
 */
export function readWord({ text, value }: Word, { isRenamed }: Place): string | undefined {
  if (value !== undefined) return value;
  if (isRenamed && text.includes("$")) return undefined;
  const unquoted = text.replace(/^"(.*)"$/s, "$1");
  if (/[`'"\\]|\$\(|<\(|>\(/.test(unquoted)) return undefined;
  const filled = unquoted.replace(/\$\{(\w+|[?#$])\}|\$(\w+|[?#$])/g, (all, braced, bare) => {
    const name = braced ?? bare;
    return Object.hasOwn(plainVariables, name) ? (plainVariables[name] as string) : all;
  });
  if (filled.includes("$")) return undefined;
  if (!/[*?[\]{}!]/.test(filled)) return filled;
  // A pattern may match anything that looks like it: those that could name hidden files or lead out are not told.
  return /^[\w*][\w*./+@%-]*$/.test(filled) && !/(^|\/)\./.test(filled) ? filled : undefined;
}

/** Names of which a pattern must not be the way to reach them. */
const secretNames =
  "id_rsa id_dsa id_ecdsa id_ed25519 server.key server.pem client.p12 credentials credentials.json secrets.json secrets.yml passwords.txt passwd shadow authorized_keys known_hosts token.json wallet.dat logins.json cookies".split(
    " ",
  );

function matchesSecret(path: string): boolean {
  const pattern = path.slice(path.lastIndexOf("/") + 1);
  // All files, or all of a kind, are asked for as such.
  if (!pattern.includes("*") || /^\*(\.\w+)?$/.test(pattern)) return false;
  const parts = pattern.split("*").map((part) => part.replace(/[.+]/g, "\\$&"));
  const regex = new RegExp(`^${parts.join(".*")}$`, "i");
  return secretNames.some((name) => regex.test(name));
}

/** Environment variables whose names say that their value is nobody's business. */
export const isSecretName = (name: string): boolean =>
  /(secret|token|key|pass(word|wd|phrase)?|cred|auth|session|cookie|private|dsn|database_url|sas|jwt)/i.test(
    name,
  );

/** A file that is read by what it holds. */
export function readPath(path: string, place: Place): Verdict {
  return worst(spellings(path, place).map((spelling) => readOne(spelling, place)));
}

function readOne(path: string, place: Place): Verdict {
  if (holdsSecrets(path) || matchesSecret(path))
    return red(`names keys, passwords or sessions: ${say(path)}`);
  if (isHarmless(path) || !leavesPlace(path, place)) return green;
  return yellow(`reads outside its directory: ${say(path)}`);
}

/** A file or directory of which only names, sizes and times are told. */
export function namePath(path: string, place: Place): Verdict {
  const secret = spellings(path, place).some(holdsSecrets);
  return secret ? red(`names keys, passwords or sessions: ${say(path)}`) : green;
}

/** A file that is made or changed. */
export function writePath(path: string, place: Place): Verdict {
  return worst(
    spellings(path, place).map((spelling) => {
      if (["/dev/null", "/dev/stdout", "/dev/stderr"].includes(spelling)) return green;
      if (isSensitivePath(spelling)) {
        return red(`writes keys, settings or what runs by itself: ${say(path)}`);
      }
      if (/^\/tmp\/[\w.-]+$/.test(spelling)) return yellow(`writes ${say(path)}`);
      if (leavesPlace(spelling, place)) return red(`writes outside its directory: ${say(path)}`);
      return yellow(`writes ${say(path)}`);
    }),
  );
}

/** The path as it stands, and where it leads when it is there already: a link is what it points to. */
function spellings(path: string, { cwd }: Place): string[] {
  if (cwd === undefined || path.startsWith("~")) return [path];
  try {
    return [path, realpathSync(resolve(cwd, path))];
  } catch {
    return [path];
  }
}

function leavesPlace(path: string, { cwd }: Place): boolean {
  if (cwd !== undefined && path.startsWith("/")) {
    const inside = resolve(path);
    let root = cwd;
    try {
      root = realpathSync(cwd);
    } catch {
      // As it stands, then.
    }
    return ![cwd, root].some((base) => inside === base || inside.startsWith(`${base}/`));
  }
  if (/^[/~]/.test(path)) return true;
  let depth = 0;
  for (const part of path.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "." && part !== "") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

const isHarmless = (path: string): boolean =>
  /^\/(dev\/(null|stdin|zero)|etc\/(os-release|hostname|hosts|timezone|issue|lsb-release|debian_version|shells)|proc\/(cpuinfo|meminfo|loadavg|uptime|version))$|^\/usr\/share\/(doc|man|dict)\/[\w./+-]*$/.test(
    path,
  ) && !path.includes("..");

/** Every place in an option's text where a path could stand. */
export const piecesOf = (word: string): string[] => [
  ...new Set([word, ...word.split(/[=,:@]/), word.replace(/^-\w/, "")]),
];
