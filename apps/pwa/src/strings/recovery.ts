/** Recovery codes: made on one phone, used on another when every phone is lost. */
export const recoveryStrings = {
  title: "Recovery codes",
  lead: "With a code you get this account back on a new phone, after every other one is lost.",
  facts: [
    "A code gives back the account, and power over no agent: each of them is paired anew.",
    "Its use withdraws everything that waits, and takes 24 hours.",
    "Every phone of yours says so at once, and can stop it.",
  ],
  left: (left: number) =>
    left === 0 ? "You have no codes." : left === 1 ? "1 code is left." : `${left} codes are left.`,
  make: "Make codes",
  makeNew: "Make new codes",
  replaces: "New codes end the old ones.",
  notEnrolled: "Codes are made on a phone that may decide.",
  lost: "Your codes may or may not be in force: the answer was lost. Make new ones, and keep only those.",
  madeLead:
    "Write them down, print them, or put them into a password manager. They are shown only now.",
  sheet: (host: string, name: string, date: string) =>
    `Countersign recovery codes for ${name} at ${host}, made ${date}. Each works once.`,
  copy: "Copy",
  print: "Print",
  kept: "I have kept them",
  pendingTitle: "Somebody is recovering this account",
  pendingText: (started: string, ready: string) =>
    `A recovery code was used on ${started}. From ${ready} on, whoever has it can take the account over.`,
  pendingStop: "If that is not you, stop it. Then make new codes: theirs may be known to others.",
  stop: "Stop the recovery",
  stopped: "Stopped. If somebody else has your codes, make new ones now.",
  useTitle: "Get your account back",
  useLead:
    "This is for when every phone and passkey is lost. It withdraws everything that waits for you, tells every phone of the account, and takes 24 hours.",
  code: "Recovery code",
  begin: "Begin the recovery",
  checking: "Checking the code",
  waitingTitle: (name: string) => `Under way, ${name}`,
  waitingLead: (ready: string) =>
    `Come back on ${ready}, or later within a week, with this same code.`,
  waitingFacts: [
    "What waited for you was withdrawn.",
    "Every phone of the account says that a recovery is under way, and can stop it until then.",
    "Keep the code: it is asked for again. This phone does not store it.",
  ],
  readyTitle: (name: string) => `Welcome back, ${name}`,
  readyLead:
    "A new passkey takes the place of everything before it: older passkeys, phones, codes and pairings end.",
  doorway: "Back to sign-in",
} as const;
