/** How a program that is known is judged. */
export interface Rule {
  /**
   * `look` tells what files hold, `names` only what they are called and how large, `print` neither; `change` makes or
   * changes the files it names; `run` does what the project says, which is code of the working directory.
   */
  kind: "look" | "names" | "print" | "change" | "run" | "never";
  /** Options that make it something else. */
  never?: RegExp;
  /** Without operands it tells what nobody asked for. */
  needsWords?: boolean;
  /** Options with a value of their own, which is no operand. */
  values?: RegExp;
  /** Operands before the files: patterns and the like. */
  skip?: number;
  /** More operands than these are written to. */
  reads?: number;
  why?: string;
}

const rules: Record<string, Rule> = {
  ...all(
    "ls dir vdir stat du df tree file which whereis type basename dirname realpath readlink pwd",
    {
      kind: "names",
      never: /^(-o|--output|-C|--compile|-m|--magic-file)/,
    },
  ),
  ...all(
    "cat head tail wc nl tac rev cut column fold fmt expand unexpand od hexdump strings cksum",
    {
      kind: "look",
    },
  ),
  ...all(
    "md5sum sha1sum sha224sum sha256sum sha384sum sha512sum b2sum sum cmp diff comm join paste",
    {
      kind: "look",
    },
  ),
  ...all("zcat zgrep bzcat xzcat zless", { kind: "look" }),
  ...all("grep egrep fgrep", { kind: "look", skip: 1, values: /^-[ABCm]$/ }),
  rg: {
    kind: "look",
    skip: 1,
    never: /^--(pre|hostname-bin|search-zip|config)/,
    values: /^(-[ABCmtTgj]|--(type|type-not|glob|iglob|max-count|max-depth|sort))$/,
  },
  ag: { kind: "look", skip: 1, never: /^--pager/ },
  fd: { kind: "names", never: /^(-x|-X|--exec)/ },
  jq: {
    kind: "look",
    skip: 1,
    never: /^-(-?[A-Za-z-]*(from-file|rawfile|slurpfile)|[a-z]*[fL])|\benv\b|\$ENV/,
  },
  yq: { kind: "look", skip: 1, never: /^(-i|--inplace|-s|--split)/ },
  sort: { kind: "look", never: /^(-[a-zA-Z]*o|--output|--compress|-T|--temporary|--files0)/ },
  uniq: { kind: "look", reads: 1, values: /^-[fsw]$/ },
  xxd: { kind: "look", reads: 1, values: /^-[lsco]$/, never: /^-r/ },
  base64: { kind: "look" },
  tr: { kind: "print" },
  ...all("echo printf true false test [ sleep seq expr date cal uname whoami id groups uptime", {
    kind: "print",
    never: /^(-s|--set|--file|-f\/)/,
  }),
  ...all("free nproc lscpu lsblk lsusb lspci arch tty locale pgrep top vmstat iostat jobs wait", {
    kind: "print",
  }),
  ...all("numfmt factor sw_vers hostnamectl timedatectl getconf clear reset tput : exit return", {
    kind: "print",
    never: /^set-/,
  }),
  ...all("shift break continue", { kind: "print" }),
  ...all("set local readonly declare export unset typeset let", {
    kind: "print",
    needsWords: true,
    never: /^-p/,
  }),
  ps: { kind: "print", never: /^[a-zA-Z]*e[a-zA-Z]*$/ },
  ...all("cd pushd popd", { kind: "names" }),
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
    "vi vim nvim nano emacs ed ex pico less more man screen tmux script expect gdb lldb strace ltrace",
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
