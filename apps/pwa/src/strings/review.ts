import type { GroupName } from "../review/groups.js";

/** The review of one request, up to the answer. */
export const reviewStrings = {
  review: {
    title: "Review",
    wants: "wants to act",
    timeLeft: (time: string) => `${time} left`,
    timeUp: "Time is up",
    sentence: {
      undo: "It can be undone.",
      noUndo: "It cannot be undone.",
    },
    groups: {
      warnings: "Mind this",
      action: "What would run",
      circumstances: "Circumstances",
      picture: "How it was captured",
      rules: "Why you are asked, and the terms",
      claim: "The agent says",
    } satisfies Record<GroupName, string>,
    provenance: { model: "from the model", policy: "policy", library: "agent's library" },
    marks: (count: number) =>
      count === 1 ? "1 hidden character made visible" : `${count} hidden characters made visible`,
    emptyValue: "(empty)",
    unfold: (size: string) => `Show ${size}`,
    size: (characters: number, lineBreaks: number) =>
      lineBreaks > 0
        ? `${characters} more characters (${lineBreaks} lines)`
        : `${characters} more characters`,
    lines: (count: number, sign: " " | "-" | "+") =>
      `${count} more ${{ " ": "unchanged", "-": "removed", "+": "added" }[sign]} lines`,
    diff: { same: "unchanged", removed: "removed", added: "added" },
    pictureFrom: "Picture from",
    pictureTaken: (age: string) => `, taken ${age} ago`,
    pictureAlt: "The agent's screen when it asked",
    target: "The outlined place is where it would act.",
    targetOutside: "The place where it would act is outside this picture.",
    noPicture: "No picture. The agent sent none with this request.",
    pictureBroken: "The picture cannot be shown. Approve stays off.",
    zoom: {
      label: "Zoom",
      in: "Zoom in",
      out: "Zoom out",
      target: "Show where it would act",
    },
    matchCode: "Match code",
    matchHint: "The agent's side shows the same",
    pick: {
      title: "Which code does the agent's side show?",
      wrong: "Not that one. Look at the agent's side: another wrong code denies this request.",
      right: "You found it among three",
      deniedReason: "The match code was picked wrongly twice.",
    },
    approve: { faceId: "Approve with Face ID", passkey: "Approve with passkey" },
    showUnread: "Show what is left",
    deny: "Deny",
    waits: {
      picture: "Approve wakes when the picture is there",
      scroll: "Not everything seen yet.",
      unfold: "Unfold everything to approve",
      pick: "Pick the agent's code to approve",
      ceremony: "Getting ready to approve",
      settle: "Just a moment",
      busy: "Waiting for the passkey",
      ready: "Look at everything, then decide",
    },
    cannotApprove: "This cannot be approved",
    notes: ["Seen before", "Shown now"],
    onlyDeny: "You can deny it, or leave it to expire.",
    sheet: {
      title: "Deny this request?",
      choices: {
        notNow: { label: "Not now", text: "The agent learns that you said no, and nothing else." },
        wrong: {
          label: "Wrong action",
          text: "Tell the agent what is wrong, so that it can do better.",
        },
        notMe: {
          label: "This wasn't me",
          text: "Freeze the agent: it can ask for nothing until you lift it.",
        },
      },
      reason: "Reason",
      hint: "The agent gets to read it. The server can read it too.",
      freezeText: (agent: string) =>
        `Everything that ⟪${agent}⟫ waits for is denied as well. Lifting the freeze takes your passkey.`,
      button: "Deny this request",
      freezeButton: "Freeze and deny",
    },
    frozenReason: "This was not me.",
    sending: "Sending",
    unsent: "Your answer may not have arrived.",
    sendAgain: "Send again",
    contextGone: "What it contained is no longer kept.",
  },
} as const;
