/** What every screen has around it. */
export const appStrings = {
  app: "Countersign",
  loading: "Loading",
  retry: "Try again",
  back: "Back",
  cancel: "Cancel",
  copied: "Copied",
  notices: {
    offline: "No connection to the server. What you see may be out of date.",
    update: "A new version is ready.",
    updateNow: "Update",
  },
  tabs: { label: "Main", inbox: "Inbox", agents: "Agents", history: "History", you: "Settings" },
  failures: {
    canceled: "The passkey was not used. Nothing was sent; tap again when you are ready.",
    unreachable: "The server cannot be reached. Check the connection and try again.",
    unexpectedAnswer: "The server gave an answer that this app does not accept.",
    unknown: "Something went wrong on this device. Reload and try again.",
  },
  unreachable: {
    title: "No connection",
    text: (host: string) => `${host} cannot be reached from this phone.`,
    unknownTitle: "What is not known now",
    unknown: [
      "Whether an agent waits for your answer.",
      "Whether somebody else answered, or a request ran out.",
    ],
    sureTitle: "What is certain",
    sure: "This phone approves nothing while it is away. What nobody answers runs out.",
    retrying: "Looking again every few seconds.",
  },
  wrongAddress: {
    title: "Wrong address",
    text: (origin: string) =>
      `This server calls itself ${origin}. Open it there: passkeys work at that address only.`,
  },
  notFound: {
    title: "Nothing here",
    text: "There is no such page, or it is not yours to see.",
    home: "Go to the inbox",
  },
} as const;
