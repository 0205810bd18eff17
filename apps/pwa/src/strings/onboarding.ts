/** From an invitation to a phone that is ready. */
export const onboardingStrings = {
  welcome: {
    title: "Approve from this phone",
    server: "You are invited by",
    lead: "When an agent here wants to do something dangerous, it asks you first. Your passkey is how you answer.",
    name: "Your name",
    nameHint: "Shown to the people and agents you work with.",
    create: "Create passkey",
    createHint: "Your passkey stays with you. The server only learns how to recognise it.",
    confirmTitle: "One more time",
    confirmLead: (name: string) =>
      `The passkey is made, ${name}. Confirm with it, so that it vouches for this phone.`,
    confirm: "Confirm with passkey",
    checking: "Checking the invitation",
    step: (step: number, of: number) => `Step ${step} of ${of}`,
    code: {
      title: "Type your invitation",
      lead: (host: string) => `It stands beside the link that you were given for ${host}.`,
      label: "Invitation",
      button: "Continue",
      signIn: "I have a passkey here already",
    },
    doneTitle: (name: string) => `You are set, ${name}`,
    doneInbox: "Go to the inbox",
  },
  install: {
    title: "Put it on your Home Screen",
    lead: (host: string) =>
      `Countersign at ${host} works best as an app: it opens at once, and its alerts reach you.`,
    button: "Install",
    ios: {
      open: "Tap Share, in the bar of the browser.",
      add: "Choose “Add to Home Screen”, then “Add”.",
      launch: "Open Countersign from your Home Screen. Go on there.",
      without: "On iPhone and iPad, alerts reach only the installed app.",
    },
    android: {
      open: "Open the browser's menu.",
      add: "Choose “Add to Home screen” or “Install app”.",
      launch: "Open Countersign from your Home Screen. Go on there.",
      without: "In the browser, alerts may arrive late.",
    },
    survives: "Your invitation comes along. Should the app ask for it, type this:",
    code: "Invitation",
    skip: "Go on in the browser",
  },
  start: {
    lead: "A few minutes now, and the first real request holds no surprise.",
    ready: "This phone is ready. Requests appear in the inbox by themselves.",
    done: "done",
    passkey: { label: "Passkey", text: "" },
    alerts: { label: "Alerts", text: "So that a request reaches you. Try one right away." },
    alertsTitle: "Let requests reach you",
    alertsLead:
      "An alert says who asks and how long there is. What it is about stays on this phone.",
    practice: { label: "Practise", text: "Deny one request, approve one. Nothing is sent." },
    codes: { label: "Recovery codes", text: "For the day when every phone is lost." },
    pair: { label: "Pair an agent", text: "Scan the code in the terminal, compare six digits." },
  },
} as const;
