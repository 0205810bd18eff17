/** The harmless requests on a new phone. */
export const practiceStrings = {
  practice: {
    title: "Practice",
    back: "Getting started",
    agent: "Practice agent",
    host: "this phone",
    application: "Practice",
    round: (round: number, of: number) => `Practice ${round} of ${of}.`,
    coach: {
      deny: "This would delete all photos. Have a look at everything, then tap Deny.",
      approve: "This one is harmless. Read it to its end, and Approve wakes up.",
    },
    requests: {
      deny: {
        tool: "folder.delete",
        args: { path: "/home/you/Photos", recursive: true },
        reason: "Deleting is dangerous",
        claim: "I will clean up a little.",
        picture: "Delete the folder “Photos”?",
        button: "Delete",
      },
      approve: {
        tool: "folder.create",
        args: { path: "/home/you/Practice" },
        reason: "You asked to practise",
        claim: "I make a folder for practice.",
        picture: "Make a folder “Practice”?",
        button: "Create",
      },
    },
    followed: {
      deny: "That is all it takes. The agent would have been told no, signed by this phone.",
      approve: "That was it. Your passkey signed exactly what you saw, and nothing else.",
    },
    other: {
      deny: "You approved. It was only practice: nothing was sent, and no photo was harmed.",
      approve: "You denied. That is always safe. Nothing was sent.",
    },
    next: "Continue",
    doneTitle: "Well done",
    doneText: "You have said no once and yes once. Real requests look just like these.",
  },
} as const;
