import { visible } from "@countersign/shared";
import type { Claimed, NotApproved, Pending, RefusedByPolicy } from "../client/answer.js";

/** An answer in a sentence for a person at a terminal. Text from outside comes escaped. */
export function describe(answer: Claimed | NotApproved | Pending | RefusedByPolicy): string {
  switch (answer.status) {
    case "pending":
      return [
        `Match code ${answer.matchCode}: the phone shows the same one.`,
        `Good until ${answer.deadline.toISOString()}. Then: countersign wait ${answer.rid}`,
      ].join("\n");
    case "claimed":
      return ["Approved and yours to execute, once:", ...jsonLines(answer.action)].join("\n");
    case "denied":
      return answer.reason === undefined
        ? "Denied."
        : `Denied. The approver says: ${visible(answer.reason)}`;
    case "frozen":
      return "Frozen: an approver stopped this agent. It asks and executes nothing until they lift it on their phone.";
    case "expired":
      return "Expired: nobody answered in time. Nobody refused.";
    case "canceled":
      return "Canceled: the agent took the request back.";
    case "unreachable":
      return `Unreachable (${answer.code}): there is no answer that proves anything. Nothing may be executed.`;
    case "refused_by_policy":
      return sayRefusal(answer.code);
    case "integrity_mismatch":
      return [
        `Integrity mismatch (${visible(answer.code)}): nothing may be executed.`,
        ...answer.changed.map(
          ({ kind, subject }) => `changed: ${visible(kind)} ${visible(subject)}`,
        ),
        ...(answer.checkpoints
          ? [
              "The broker's log contradicts what this agent knew of it. Keep both, and tell the broker's operator:",
              ...noteLines(answer.checkpoints.remembered),
              "against",
              ...noteLines(answer.checkpoints.shown),
            ]
          : []),
      ].join("\n");
    case "unknown":
      return answer.code === "in_progress"
        ? "In progress: a process at work holds this approval."
        : `Unknown: execution began and nobody knows how it ended. Look, then: countersign resolve ${answer.rid} succeeded|failed|rolled_back`;
    case "reported":
      return `Used before. Outcome ${answer.outcome.n}: ${answer.outcome.status}.`;
  }
}

const noteLines = (note: string): string[] => note.split("\n").map((line) => `  ${visible(line)}`);

const remedies = new Map([
  ["not_paired", "This agent is paired with nobody: run `countersign pair`."],
  ["approver_not_paired", "Not all of them are paired: `countersign unpair` lists who is."],
  ["quorum_unreachable", "A quorum is at least 1, and no more than the approvers who are asked."],
  ["approver_without_device", "An approver has no device left: pair with them again."],
  ["too_large", "The action or its picture is too large to be shown."],
  ["picture_unreadable", "The picture is no PNG, JPEG or WebP."],
]);

function sayRefusal(code: string): string {
  const remedy = remedies.get(code);
  return `Refused (${visible(code)}): nobody was asked.${remedy === undefined ? "" : ` ${remedy}`}`;
}

/** Lines and indentation are ours: within a text JSON escapes what would end a line. */
const jsonLines = (value: unknown): string[] =>
  JSON.stringify(value, null, 2)
    .split("\n")
    .map((line) => {
      const text = line.trimStart();
      return " ".repeat(line.length - text.length) + visible(text);
    });
