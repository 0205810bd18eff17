/** Programs that run text as a program, by what stands before code on their command line. */
const interpreters: Record<string, RegExp> = {
  ...named("sh bash dash zsh ksh ash fish busybox", /^-[A-Za-z]*c$/),
  ...named("python python2 python3 pypy", /^-[A-Za-z]*c$/),
  ...named("node bun deno nodejs", /^(-[a-z]*[ep]|--eval|--print|eval)$/),
  ...named("perl ruby lua osascript Rscript elixir", /^-[A-Za-z]*[eE]$/),
  php: /^-[A-Za-z]*r$/,
  ...named("pwsh powershell", /^[-/](c|command|e|ec|enc|encodedcommand)$/i),
  ...named("awk gawk mawk sed jq", /^-[A-Za-z]*[fe]$/),
};
export const shells = ["sh", "bash", "dash", "zsh", "ksh", "ash"];
/** Their first argument is a small program of its own that is seldom harmful, and they read text for a living. */
const filters = ["awk", "gawk", "mawk", "sed", "jq"];

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

export const codeFlagOf = (name: string): RegExp | undefined => own(interpreters, name);
export const isFilter = (name: string): boolean => filters.includes(name);
export const isWrapper = (name: string): boolean => wrappers.includes(name);
export const effectOf = (name: string): string | undefined =>
  own(effects, name) ?? (name.startsWith("mkfs.") ? "overwrites disks" : undefined);
