import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  browserExecutor,
  type Client,
  type Confirm,
  createClient,
  createGate,
  createTransactions,
  fileExecutor,
  type Gate,
  openRoots,
  type Pending,
} from "@countersign/agent-client";
import type { Page } from "playwright-core";

/** An agent's hands: a folder and a web page, and nothing of either but through a gate. */
export interface Desk {
  client: Client;
  /** The folder that the model knows as `vfs://desk/old-reports`. */
  reports: string;
  /** Once the agent is paired. */
  openGate(asking: Asking): Promise<Gate>;
  close(): Promise<void>;
}

export interface Asking {
  /** Asked in passing, where a call is yellow. */
  confirm: Confirm;
  /** Shown beside the agent; the phone shows the same code. */
  onPending: (pending: Pending) => void;
}

/** @param home the agent's own directory, where the model's hands do not reach */
export async function openDesk(page: Page, brokerUrl: string, home: string): Promise<Desk> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "countersign-demo-")));
  const reports = await writeReports(folder);
  const roots = await openRoots({ desk: folder });
  const browser = browserExecutor({ page });
  const client = await createClient({ brokerUrl, home, roots, preconditions: browser.measures });
  return {
    client,
    reports,
    async openGate({ confirm, onPending }) {
      const transactions = await createTransactions({ home, roots });
      const files = transactions.around(fileExecutor({ roots }));
      return createGate({ client, executors: [files, browser], confirm, onPending });
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

const months = ["january", "february", "march", "april", "may", "june", "july", "august"];

/** A folder of this agent's own making, with more in it to lose than is deleted in passing. */
async function writeReports(folder: string): Promise<string> {
  const reports = join(folder, "old-reports");
  await mkdir(reports);
  for (const month of months) {
    await writeFile(join(reports, `${month}.txt`), `Report for ${month}\n`);
  }
  return reports;
}
