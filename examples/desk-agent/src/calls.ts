import type { ToolCall } from "@countersign/agent-client";

/** What a model would propose on this desk, and its own words for it. */
export interface Proposed {
  call: ToolCall;
  claim: string;
}

/** Green: nobody needs to know. */
export const readReport: Proposed = {
  call: { tool: "file.read", args: { path: "vfs://desk/old-reports/january.txt" } },
  claim: "I look whether anybody still needs these reports.",
};
export const searchShop: Proposed = {
  call: { tool: "browser.type", args: { selector: "#search", text: "desk lamp" } },
  claim: "I look for the lamp that you asked for.",
};

/** Yellow: a word in passing. */
export const showDetails: Proposed = {
  call: { tool: "browser.click", args: { selector: "#details" } },
  claim: "I look at what the lamp is like.",
};

/** Red: a person, on the phone. */
export const deleteReports: Proposed = {
  call: { tool: "folder.delete", args: { path: "vfs://desk/old-reports", recursive: true } },
  claim: "I am tidying up: these reports are old and nobody needs them.",
};
export const payBasket: Proposed = {
  call: { tool: "browser.click", args: { selector: "#pay" } },
  claim: "The lamp is what you asked for, so I am buying it.",
};
