import type { CameraProblem } from "../camera/camera.js";

/** Pairing an agent, by camera or by link. */
export const pairingStrings = {
  pairCommand: "countersign pair",
  pair: {
    title: "Pair an agent",
    lead: "At the agent's machine, run this command. It shows a code to scan, and a link.",
    or: "or paste the link",
    resuming: (name: string) => `Going on with the pairing with ⟪${name}⟫`,
    unfinished: (name: string) => `Pairing with ⟪${name}⟫ is not finished.`,
    goOn: "Go on",
    link: "Pairing link",
    linkHint: "It stays on this phone and is never sent.",
    wrongLink: "This is not a pairing link of this server.",
    looking: "Looking for the agent",
    expired: "This link has run out. Make a new one at the agent.",
    used: "This link was already used. Make a new one at the agent.",
    offerTitle: "This agent wants to pair",
    offerText:
      "Its key matches the link. Pair it only if you started this yourself, just now, at that machine.",
    button: "Pair",
    accepting: "Sending your answer",
    waiting: "Waiting for the agent to check your answer",
    digitsTitle: "Type these digits at the agent",
    digitsText: "Type them into the terminal where you ran the command. You have three tries.",
    digitsWait: "Waiting for the digits",
    liveTitle: "Paired",
    liveText: (name: string) => `⟪${name}⟫ may now ask for your approval.`,
    liveInbox: "Go to the inbox",
    endedTitle: "Not paired",
    endedText: "The agent ended the pairing, or its time ran out. Nothing was kept.",
    startOver: "Start over",
    name: "Agent",
    host: "Machine",
    key: "Key",
  },
  camera: {
    open: "Scan with the camera",
    close: "Stop the camera",
    label: "What the camera sees",
    aim: "Hold the code in the frame.",
    foreign: "That is another code. Look for the one in the terminal.",
    problems: {
      refused: "The camera is not allowed. Allow it in the settings, or paste the link below.",
      missing: "There is no camera to use here. Paste the link below.",
    } satisfies Record<CameraProblem, string>,
  },
} as const;
