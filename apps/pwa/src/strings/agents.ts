/** Agents that this phone trusts, and stopping one. */
export const agentsStrings = {
  agents: {
    title: "Agents",
    pair: "Pair an agent",
    empty: "No agents yet",
    emptyText: "Pair one to let it ask for your approval.",
    on: "on",
    pairedAt: (date: string) => `Paired ${date}`,
    lastSeen: (date: string) => `last seen ${date}`,
    ended: "The server no longer knows this pairing.",
    elsewhereTitle: "Not proved to this phone",
    elsewhere:
      "The server names these agents, but nothing that your devices signed proves their keys here. This phone cannot approve for them.",
    unpair: "Unpair",
    unpairTitle: (name: string) => `Unpair ⟪${name}⟫?`,
    unpairText:
      "It can no longer ask you. To be certain, also run “countersign unpair” at the agent: that needs no server.",
    unpairConfirm: "Unpair this agent",
  },
  freeze: {
    frozen: "Frozen: it can ask and execute nothing.",
    freeze: "Freeze",
    title: (name: string) => `Freeze ⟪${name}⟫?`,
    text: "Everything that it waits for is denied, and it can ask for nothing more. Lifting the freeze takes your passkey.",
    confirm: "Freeze this agent",
    lift: "Lift",
    liftTitle: (name: string) => `Let ⟪${name}⟫ go on?`,
    liftText: "It may ask for your approval again. What was denied stays denied.",
    liftConfirm: "Lift with passkey",
  },
} as const;
