import { parse, type RequestHint, requestHint, tokenResponse } from "@countersign/shared";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";

export interface StreamedEvent {
  id: number | undefined;
  event: string;
  data: unknown;
}

export interface EventReader {
  status: number;
  events: StreamedEvent[];
  comments: string[];
  /** Resolves when the stream has ended, however that happened. */
  ended: Promise<void>;
  close(): void;
}

/** Reads server-sent events until it is closed. */
export function readEvents(response: Response): EventReader {
  const events: StreamedEvent[] = [];
  const comments: string[] = [];
  const reader = response.body?.getReader();
  const consume = async (): Promise<void> => {
    let text = "";
    for (;;) {
      const chunk = await reader?.read();
      if (!chunk || chunk.done) return;
      text += Buffer.from(chunk.value).toString("utf8");
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) readBlock(block, events, comments);
    }
  };
  return {
    status: response.status,
    events,
    comments,
    ended: consume().catch(() => {}),
    close: () => {
      reader?.cancel().catch(() => {});
    },
  };
}

function readBlock(block: string, events: StreamedEvent[], comments: string[]): void {
  const fields = new Map(block.split("\n").map(splitField));
  const comment = fields.get("");
  if (comment !== undefined) comments.push(comment);
  const id = fields.get("id");
  const event = fields.get("event");
  if (event === undefined) return;
  events.push({
    id: id === undefined ? undefined : Number(id),
    event,
    data: JSON.parse(fields.get("data") ?? "null"),
  });
}

function splitField(line: string): [string, string] {
  const colon = line.indexOf(":");
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}

/** An agent's stream, from where it left off if it says so. */
export async function readAgentEvents(
  origin: string,
  agent: SoftAgent,
  lastEventId?: number,
): Promise<EventReader> {
  const answer = await agent.form("/token", { grant_type: "client_credentials" });
  const { access_token: token } = parse(tokenResponse, await answer.json());
  const response = await fetch(`${origin}/v1/events`, {
    headers: {
      authorization: `DPoP ${token}`,
      dpop: await agent.dpop("GET", "/v1/events", token),
      ...(lastEventId === undefined ? {} : { "last-event-id": String(lastEventId) }),
    },
  });
  return readEvents(response);
}

/** What a stream said about one request, in order. */
export const statesOf = (reader: EventReader, rid: string): string[] =>
  reader.events
    .map(({ data }): RequestHint => parse(requestHint, data))
    .filter((hint) => hint.rid === rid)
    .map(({ state }) => state);
