import { visible } from "@countersign/shared";
import type { Story, StoryEvent } from "./story.js";

/** A story for a person at a terminal. @param names how the broker calls approvers, by id */
export function sayStory(story: Story, names: ReadonlyMap<string, string>): string {
  const who = (approver: string) => `${visible(names.get(approver) ?? "unknown")} (${approver})`;
  return [
    `Request ${story.rid}, ${story.tier}, of agent ${story.agent}`,
    ...story.events.map((event) => {
      const when = event.at === undefined ? " ".repeat(20) : timeOf(event.at);
      const place = event.log_index === undefined ? "" : `  [log ${event.log_index}]`;
      return `${when}  ${sayEvent(event, who)}${place}`;
    }),
  ].join("\n");
}

export const timeOf = (seconds: number): string =>
  new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

function sayEvent(event: StoryEvent, who: (approver: string) => string): string {
  switch (event.event) {
    case "proposed": {
      const call = `proposed: ${visible(event.tool)} ${visible(JSON.stringify(event.args))}`;
      return [call, ...event.reasons.map((reason) => `because ${visible(reason)}`)].join("; ");
    }
    case "seen":
      return "seen: opened on a phone";
    case "approved":
      return `approved by ${who(event.approver)}`;
    case "denied":
      return `denied by ${who(event.approver)}${sayReason(event.reason)}`;
    case "ended":
      return `ended: ${event.status}${event.approver === undefined ? "" : ` by ${who(event.approver)}`}${sayCode(event.code)}${sayReason(event.reason)}`;
    case "executed":
      return "executed: the approval was used";
    case "outcome":
      return `outcome ${event.n}: ${event.status}${sayCode(event.code)}`;
    case "undone":
      return `undone, outcome ${event.n}`;
  }
}

const sayCode = (code: string | undefined): string =>
  code === undefined ? "" : ` (${visible(code)})`;
const sayReason = (reason: string | undefined): string =>
  reason === undefined ? "" : `, who says: ${visible(reason)}`;
