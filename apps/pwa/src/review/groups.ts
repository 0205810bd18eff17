import type { Row, View } from "@countersign/shared";

/** The order in which a review shows its rows. The claim of the model comes last. */
export const groupNames = [
  "warnings",
  "action",
  "rules",
  "circumstances",
  "picture",
  "claim",
] as const;
export type GroupName = (typeof groupNames)[number];

/** First label member of the rows that stand in a group; rows of an unknown kind stand with the circumstances. */
const groupOfLabel: Record<string, GroupName> = {
  "captured at": "picture",
  screenshot: "picture",
  reasons: "rules",
  tier: "rules",
  approvers: "rules",
  quorum: "rules",
  expires: "rules",
  "agent says": "claim",
};

/**
 * Sorts the rows of a view under headings, all but the sentence, which stands above them. Each row stands under
 * exactly one: nothing that is signed goes unseen.
 */
export function groupRows(view: View): Record<GroupName, Row[]> {
  const groups: Record<GroupName, Row[]> = {
    warnings: [],
    action: [],
    circumstances: [],
    picture: [],
    rules: [],
    claim: [],
  };
  // The arguments, and what is derived from them, end with the tool: the renderer's order, whatever their labels.
  const actionEnd = view.findIndex(([label]) => label === "tool");
  for (const [index, row] of view.entries()) {
    if (row[3] === "sentence") continue;
    if (row[3] === "warning") groups.warnings.push(row);
    else groups[index <= actionEnd ? "action" : groupOf(row[0])].push(row);
  }
  return groups;
}

function groupOf(label: string): GroupName {
  const first = /^[a-z]+( (says|at))?/.exec(label)?.[0] ?? "";
  return Object.hasOwn(groupOfLabel, first) ? (groupOfLabel[first] as GroupName) : "circumstances";
}
