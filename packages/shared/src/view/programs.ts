/** How a program is given text that it runs as a program. */
export interface Interpreter {
  /** The option before code on its command line. */
  code: RegExp;
  /** The same option with the code behind it in one word. */
  joined?: RegExp;
  /** Options whose value is the next word. */
  valued?: RegExp;
}

/** Not awk, sed and jq: their programs are small and seldom harmful, and they read text for a living. */
const interpreters: Record<string, Interpreter> = {
  ...named("sh bash dash zsh ksh ash fish busybox", {
    code: /^-[A-Za-z]*c[A-Za-z]*$/,
    valued: /^[-+][A-Za-z]*[oO][A-Za-z]*$/,
  }),
  ...named("python pypy", {
    code: /^-[A-Za-z]*c$/,
    joined: /^-[BEIOPSbdhiqsuvx]*c(.+)/s,
    valued: /^-[WX]$/,
  }),
  ...named("node bun deno nodejs", {
    code: /^(-[a-z]*[ep]|--eval|--print|eval)$/,
    joined: /^--(?:eval|print)=(.+)/s,
  }),
  perl: { code: /^-[A-Za-z]*[eE]$/, joined: /^-[WTXacnlpstuw0-9]*[eE](.+)/s },
  ...named("ruby lua osascript Rscript elixir", {
    code: /^-[A-Za-z]*e$/,
    joined: /^-[acnlpsw0-9]*e(.+)/s,
  }),
  php: { code: /^-[A-Za-z]*r$/, joined: /^-r(.+)/s },
  ...named("pwsh powershell", { code: /^[-/](c|command|e|ec|enc|encodedcommand)$/i }),
};
export const shells = ["sh", "bash", "dash", "zsh", "ksh", "ash"];

/** Programs that run the program named later on their command line. */
const wrappers = words(
  "sudo doas su env nohup nice ionice time timeout xargs exec command builtin setsid stdbuf chroot unshare watch parallel find flock script docker podman kubectl ssh systemd-run runuser",
);

const effects: Record<string, string> = {
  ...named("rm rmdir unlink shred", "deletes files"),
  ...named("dd mkfs fdisk parted wipefs", "overwrites disks"),
  ...named("mv cp install rsync tee truncate ln tar unzip", "writes files"),
  ...named("chmod chown chgrp setfacl", "changes who may use files"),
  ...named("curl wget nc ncat socat ftp sftp scp telnet", "talks to the network"),
  ...named("ssh docker podman kubectl", "runs commands elsewhere"),
  ...named("sudo doas su runuser", "runs as another user"),
  ...named("kill pkill killall", "ends programs"),
  ...named("shutdown reboot halt poweroff systemctl service", "stops or starts services"),
  ...named("crontab at", "runs things later"),
  ...named(
    "apt apt-get dnf yum brew npm npx pip pip3 gem cargo",
    "installs or runs software of others",
  ),
  ...named("xargs find parallel", "runs a command on what it finds"),
  ...named("git svn hg", "changes versioned files"),
};

function named<T>(names: string, value: T): Record<string, T> {
  return Object.fromEntries(words(names).map((name) => [name, value]));
}

function words(text: string): string[] {
  return text.split(" ");
}

/** `/usr/bin/python3.12` -> `python3` */
export const programName = (word: string): string => {
  const name = word.slice(word.lastIndexOf("/") + 1);
  return name
    .replace(/^(python|pypy|ruby|perl|lua|php|node)(\d?)[\d.]*$/, "$1$2")
    .replace(/\.exe$/i, "");
};

const own = <T>(record: Record<string, T>, name: string): T | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined;

/** By its name without a version: `python3`, `lua5`. */
export const interpreterOf = (name: string): Interpreter | undefined =>
  own(interpreters, name.replace(/\d+$/, ""));
export const isWrapper = (name: string): boolean => wrappers.includes(name);
export const effectOf = (name: string): string | undefined =>
  own(effects, name) ?? (name.startsWith("mkfs.") ? "overwrites disks" : undefined);
