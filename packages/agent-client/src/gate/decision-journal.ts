import { hash, randomBytes } from "node:crypto";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import type { Tier } from "@countersign/shared";
import { openPrivateDirectory } from "../home/durable-file.js";

/** What was decided, or what came of it. No arguments: `call` is a hash under a key that nobody keeps. */
export type DecisionRecord =
  | {
      kind: "decision";
      id: string;
      tool: string;
      call: string;
      tier?: Tier;
      family?: string;
      resource?: string;
      rules: readonly string[];
    }
  | { kind: "outcome"; id: string; status: string; outcome?: string; code?: string; rid?: string };

export interface DecisionJournal {
  /** Names a call, so that its repetitions in this session can be told. */
  nameOf(text: string): string;
  /** Buffered: a crash may lose the last moments of what was green. @throws what kept it from writing before */
  append(record: DecisionRecord): void;
  /** On disk when this resolves, with all that came before it. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

const flushAfterMs = 200;
const flushAtCharacters = 64 * 1024;

/** One file for each session, `decisions/<session>.jsonl`, only ever added to. */
export async function openDecisionJournal(
  home: string,
  session: string,
  now: () => number,
): Promise<DecisionJournal> {
  const directory = join(home, "decisions");
  await openPrivateDirectory(directory);
  const file = await open(join(directory, `${session}.jsonl`), "ax", 0o600);
  const key = randomBytes(32).toString("base64url");
  let buffer = "";
  let timer: NodeJS.Timeout | undefined;
  let writing = Promise.resolve();
  let failure: unknown;

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const text = buffer;
    buffer = "";
    if (text !== "") {
      writing = writing
        .then(() => write(file, text))
        .catch((error: unknown) => {
          failure ??= error;
        });
    }
    return writing;
  }

  function assertWhole(): void {
    if (failure !== undefined) throw failure;
  }

  return {
    nameOf: (text) => hash("sha256", key + text, "base64url").slice(0, 22),
    append(record) {
      assertWhole();
      buffer += `${JSON.stringify({ v: 1, at: now(), ...record })}\n`;
      if (buffer.length > flushAtCharacters) void flush();
      timer ??= setTimeout(() => void flush(), flushAfterMs).unref();
    },
    async sync() {
      await flush();
      assertWhole();
      await file.datasync();
    },
    async close() {
      await flush();
      await file.close();
      assertWhole();
    },
  };
}

const write = async (file: FileHandle, text: string): Promise<void> => {
  await file.appendFile(text);
};
