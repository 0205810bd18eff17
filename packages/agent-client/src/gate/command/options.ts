/**
 * Options that only shape what is told. What is not here is not known to be harmless, however it is spelled: programs
 * take long options cut short, several letters in one word, and values without a space.
 */
const longNames = new Set(
  [
    "abbrev abbrev-commit abbrev-ref abort after after-context all all-features all-files all-match all-namespaces",
    "all-targets almost-all always ancestry-path and apparent-size arg argjson author-date-order basename before",
    "before-context bin binary block-size boot boundary branch branches brief bytes cached catalog cc characters check",
    "cherry-mark cherry-pick classify client color color-moved color-words colour column comments committer",
    "compact compact-output compact-summary contains container containers continue count date date-order",
    "decorate deleted delimiter depth deps diff-algorithm diff-filter dired dirstat dmesg edges",
    "email exact-match example exclude exclude-dir exclude-standard exit-code exit-status expression extended-regexp",
    "extension failed features field field-separator fields files-with-matches files-without-match",
    "find-copies find-renames first-parent fixed-strings follow format format-version full full-history full-name",
    "full-path full-time function-context get glob graph grep group group-directories-first heading heads header help",
    "hidden histogram human-readable ietf-json if-present iglob ignore-all-space ignore-blank-lines ignore-case",
    "ignore-leading-blanks ignore-space-at-eol ignore-space-change ignored include inode invert invert-match",
    "is-bare-repository is-inside-work-tree iso-8601 join-output json key kibibytes label latest left-right length lib",
    "limit line-buffered line-number line-regexp lines links list local locked log-size long loglevel match",
    "max-columns max-count max-depth max-width merged merges message min-depth minimal mtime name-only name-status",
    "namespace no-abbrev-commit no-color no-commit no-default-features no-deps no-edit no-ext-diff no-ff no-filename",
    "no-group no-headers no-heading no-ignore no-line-number no-merged no-merges no-messages no-notes no-pager no-patch",
    "no-renames no-stream no-tags no-textconv no-trunc no-walk not not-required notes null null-data null-input number",
    "numbered numeric-sort numeric-uid-gid numstat object-type offline oneline only-matching or others outdated package",
    "padding parseable patch patch-with-stat patience pcre2 perl-regexp points-at porcelain pretty previous priority",
    "production property prune quiet quote-name raw raw-output recursive reference ref relative release remotes repeated",
    "repo reverse rfc-3339 rfc-email selector shared short shortstat show-all show-control-chars show-current",
    "show-ends show-function show-labels show-notes show-prefix show-stash show-tabs show-toplevel silent",
    "simplify-by-decoration since size skip smart-case sort sort-by sort-keys source squeeze-blank stage",
    "staged stat state stats strip-trailing-cr suffix summarize summary symbolic symbolic-full-name tab tags tail test",
    "text threads time timeout timestamps to topo-order total type type-not unified unique unit universal-time unmerged",
    "unrestricted until untracked-files user utc value verbose verify version vimgrep walk-reflogs width",
    "with-filename word-diff word-diff-regex word-regexp words workspace workspaces zero zero-terminated",
    "ff-only squash staged-only signoff rebase frozen ff",
  ]
    .join(" ")
    .split(" "),
);

/** @param letters as `getopt` has them: a colon after those that take a value */
export function isHarmlessOption(word: string, letters: string): boolean {
  if (word === "-" || word === "--") return true;
  if (word.startsWith("--")) return longNames.has(/^--([^=]*)/.exec(word)?.[1] ?? "");
  for (let at = 1; at < word.length; at++) {
    const letter = word.charAt(at);
    const known = letter === ":" ? -1 : letters.indexOf(letter);
    if (known < 0) return false;
    if (letters.charAt(known + 1) === ":") return true;
  }
  return true;
}

/** Whether the word after this option is its value. */
export function takesNext(word: string, letters: string): boolean {
  if (word.startsWith("--") || !word.startsWith("-")) return false;
  const at = [...word].findIndex((letter, index) => index > 0 && letters.includes(`${letter}:`));
  return at > 0 && at === word.length - 1;
}
