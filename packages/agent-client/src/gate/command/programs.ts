/** How a program that is known is judged. */
export interface Rule {
  /**
   * `look` tells what files hold, `names` only what they are called and how large, `print` neither; `change` makes or
   * changes the files it names; `run` does what the project says, which is code of the working directory.
   */
  kind: "look" | "names" | "print" | "change" | "run" | "never";
  /** Of what only tells: its harmless one-letter options, as `getopt` has them. With any other it is not known. */
  letters?: string;
  /** Words that make it something else. */
  never?: RegExp;
  /** Without operands it tells what nobody asked for. */
  needsWords?: boolean;
  /** Long options with a value of their own, which is no operand. */
  values?: RegExp;
  /** Operands before the files: patterns and the like. */
  skip?: number;
  /** More operands than these are written to. */
  reads?: number;
  why?: string;
}

const rules: Record<string, Rule> = {
  ...all("ls dir vdir", { kind: "names", letters: "aAbBcCdfFgGhHiI:klLmnNopqQrRsStT:uUvw:xXZ1" }),
  stat: { kind: "names", letters: "Lfc:t" },
  ...all("du df", { kind: "names", letters: "0aAB:cDd:hHiklLmPsSTt:vx" }),
  tree: { kind: "names", letters: "aACdDfFhiI:JL:nNpP:qQrsStuUv" },
  file: { kind: "names", letters: "bhiIkLNnprsv0" },
  ...all("which whereis type basename dirname realpath readlink pwd", {
    kind: "names",
    letters: "aefLmnpPqstvz",
  }),
  ...all("cat rev tac", { kind: "look", letters: "AbeEnstTuv" }),
  ...all("head tail", { kind: "look", letters: "0123456789c:fFn:qs:vz" }),
  ...all("wc cksum", { kind: "look", letters: "cmlLw" }),
  nl: { kind: "look", letters: "b:d:f:h:i:l:n:ps:v:w:" },
  ...all("cut paste join", { kind: "look", letters: "1:2:a:b:c:d:e:f:ij:no:st:v:z" }),
  column: { kind: "look", letters: "c:deH:N:o:R:s:tT:x" },
  ...all("fold fmt expand unexpand", { kind: "look", letters: "acg:p:st:uw:" }),
  ...all("od hexdump", { kind: "look", letters: "A:bcCde:ij:lN:n:os:t:vw:x" }),
  strings: { kind: "look", letters: "ae:fn:os:t:w", never: /^@/ },
  ...all("md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum sum", {
    kind: "look",
    letters: "bcrstwz",
  }),
  ...all("cmp diff comm", {
    kind: "look",
    letters: "0123456789abBcC:dEeF:iI:lnNpqrS:stTuU:wW:x:yz",
  }),
  ...all("zcat bzcat xzcat", { kind: "look", letters: "fkqv" }),
  ...all("grep egrep fgrep zgrep", {
    kind: "look",
    skip: 1,
    letters: "0123456789abcEFGhHiIlLnoPqrRsTuUvVwxyzZA:B:C:m:e:D:d:",
  }),
  rg: {
    kind: "look",
    skip: 1,
    letters: "0abcFhHiIlLnNoPpqsSuUvVwxA:B:C:m:t:T:g:j:e:M:r:d:E:.",
    values: /^--(type|type-not|glob|iglob|max-count|max-depth|sort)$/,
  },
  ag: { kind: "look", skip: 1, letters: "aciA:B:C:lLm:nQsSvwG:" },
  fd: { kind: "names", letters: "aHIiLlpsuFg0e:t:d:E:S:c:j:" },
  jq: {
    kind: "look",
    skip: 1,
    letters: "acCejMnrRsS",
    never: /\benv\b|\$ENV|\b(import|include)\b/,
  },
  yq: { kind: "look", skip: 1, letters: "cCjMno:p:Pr", never: /\b(load|env|strenv|eval|system)/ },
  sort: { kind: "look", letters: "bcCdfgGhik:mMnrRsS:t:uVz" },
  uniq: { kind: "look", reads: 1, letters: "cdDf:is:uw:z" },
  xxd: { kind: "look", reads: 1, letters: "abc:eEg:il:o:ps:u" },
  base64: { kind: "look", letters: "diw:" },
  tr: { kind: "print", letters: "cCdst" },
  // In a shell some of these look at a name's index, which may be a command.
  ...all("test [", {
    kind: "print",
    letters: "abcdefghknoprsuwxzGLNOSqtl",
    never: /^-[vR]$|\$\(|`/,
  }),
  date: { kind: "print", letters: "d:I:r:Ru", never: /^\d/ },
  ...all("true false sleep seq expr cal uname whoami id groups uptime", {
    kind: "print",
    letters: "0123456789aBf:gGhijmnoprsuvwyz",
  }),
  ...all("free nproc arch tty vmstat iostat", { kind: "print", letters: "abc:dghklmnNs:tvwxyz" }),
  ...all("lscpu lsblk lsusb locale", { kind: "print", letters: "abdefilmno:prtv" }),
  lspci: { kind: "print", letters: "kntv" },
  top: { kind: "print", letters: "1bcd:Hin:o:p:Su:" },
  pgrep: { kind: "print", letters: "acflnoP:u:U:vx" },
  ...all("jobs wait numfmt factor sw_vers getconf clear reset tput : exit return", {
    kind: "print",
    letters: "alnprs",
    never: /^(set-|-p$)/,
  }),
  ...all("shift break continue", { kind: "print", letters: "" }),
  // `-i` and `-n` make of a value what is run, or of a name another one.
  ...all("local readonly declare export typeset let", {
    kind: "print",
    letters: "aAgrx",
    needsWords: true,
  }),
  unset: { kind: "print", letters: "", needsWords: true, never: /[^a-z0-9_]/ },
  set: {
    kind: "print",
    letters: "euo:x",
    needsWords: true,
    never: /^(?!pipefail|errexit|nounset|xtrace)[a-z]+$/,
  },
  ps: {
    kind: "print",
    letters: "aAcC:deFfHjlLNo:p:qt:Tu:U:wx",
    never: /^[a-zA-Z]*e[a-zA-Z]*$|environ/i,
  },
  ...all("cd pushd popd", { kind: "names", letters: "LP" }),
  ...all("mkdir touch cp mv rmdir", { kind: "change", never: /^--(context|preserve-context)/ }),
  ...all("tee truncate split csplit gzip gunzip bzip2 bunzip2 xz unxz zstd", {
    kind: "change",
    never: /^(--filter|-S)/,
  }),
  unzip: { kind: "change", skip: 0 },
  zip: { kind: "change", never: /^(-T|--unzip-command|-TT|-m)/ },
  ...all("pytest tox nox ruff mypy pyright flake8 pylint black isort coverage", {
    kind: "run",
    never: /^(-p|-c$|--plugins?|--confcutdir|--rootdir|-o)/,
  }),
  ...all("tsc eslint biome prettier vitest jest mocha ava webpack vite rollup esbuild turbo nx", {
    kind: "run",
  }),
  ...all("make cmake ninja gradle gradlew mvn ant bazel just task rake rspec rubocop phpunit", {
    kind: "run",
    never: /^(--eval|-E$|-f|--file|--makefile|-C|[A-Z_.]+=|--rcfile|-I|--init-script)/,
  }),
  ...all("rustc gcc g++ clang javac gofmt rustfmt shellcheck hadolint yamllint markdownlint", {
    kind: "run",
    never: /^(-wrapper|-B|-fplugin|-specs|@)/,
  }),
  ...all("rm unlink shred srm wipe", { kind: "never", why: "deletes files for good" }),
  ...all(
    "dd mkfs fdisk sfdisk parted wipefs mkswap blkdiscard hdparm cryptsetup lvremove vgremove",
    {
      kind: "never",
      why: "overwrites disks",
    },
  ),
  ...all(
    "chmod chown chgrp setfacl chattr umask setcap visudo passwd chpasswd usermod useradd userdel",
    {
      kind: "never",
      why: "changes who may do what",
    },
  ),
  ...all("sudo doas su runuser pkexec gosu newgrp login chroot unshare nsenter", {
    kind: "never",
    why: "runs as somebody else",
  }),
  ...all("ssh scp sftp rsync ftp telnet nc ncat netcat socat mosh rclone croc magic-wormhole", {
    kind: "never",
    why: "reaches other machines",
  }),
  ...all("kill pkill killall skill shutdown reboot halt poweroff init telinit", {
    kind: "never",
    why: "ends programs or the machine",
  }),
  ...all("eval source . exec trap alias bind hash enable complete coproc", {
    kind: "never",
    why: "runs text, or gives names another meaning",
  }),
  ...all("crontab at batch anacron launchctl schtasks systemd-run", {
    kind: "never",
    why: "runs things later",
  }),
  ...all("mount umount insmod modprobe rmmod sysctl iptables nft ufw ip ifconfig route swapoff", {
    kind: "never",
    why: "changes the system",
  }),
  ...all(
    "vi vim nvim nano emacs ed ex pico less more zless zmore man screen tmux script expect gdb lldb strace ltrace",
    {
      kind: "never",
      why: "can run any command from within",
    },
  ),
  ...all(
    "psql mysql mariadb sqlite3 mongo mongosh redis-cli cqlsh sqlcmd dropdb createdb pg_restore",
    {
      kind: "never",
      why: "changes databases",
    },
  ),
  ...all(
    "aws gcloud az terraform tofu pulumi ansible ansible-playbook helm heroku vercel fly wrangler",
    {
      kind: "never",
      why: "changes machines that others use",
    },
  ),
  ...all(
    "npx bunx pipx uvx apt apt-get dpkg dnf yum rpm pacman apk zypper brew snap flatpak gem cpan",
    {
      kind: "never",
      why: "installs or runs software of others",
    },
  ),
  ...all("gpg openssl ssh-keygen ssh-add ssh-agent security pass secret-tool keytool age", {
    kind: "never",
    why: "handles keys",
  }),
  ...all("env printenv history", {
    kind: "never",
    why: "shows passwords that are in the environment",
  }),
  ...all("xdg-open open osascript wall write mail sendmail mutt xclip xsel pbpaste pbcopy", {
    kind: "never",
    why: "reaches other programs or people",
  }),
  ...all("reg diskpart format del erase rd takeown icacls bcdedit vssadmin wmic certutil mshta", {
    kind: "never",
    why: "changes the system",
  }),
};

function all(names: string, rule: Rule): Record<string, Rule> {
  return Object.fromEntries(names.split(" ").map((name) => [name, rule]));
}

export const ruleOf = (name: string): Rule | undefined => {
  if (name.startsWith("mkfs.")) return rules["mkfs"];
  return Object.hasOwn(rules, name) ? rules[name] : undefined;
};
