/** What the agent's screen showed after the action. */
export const afterPictureStrings = {
  title: "After the action",
  alt: "The agent's screen after the action",
  close: "Close",
  gone: "The agent took a picture after it, which is not kept here any more, or did not arrive.",
  unreachable: "The picture after it cannot be fetched now.",
  notSealed: "The picture after it was not sealed for this device.",
  altered: "The picture after it is not the one that the agent reported. It is not shown.",
} as const;
