import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Client, createClient } from "@countersign/agent-client";
import { type Json, ProtocolError } from "@countersign/shared";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openDatabase, type Sql } from "../apps/broker/src/testing/attack.js";
import {
  enrolledPhone,
  startTestBroker,
  type TestBroker,
} from "../apps/broker/src/testing/harness.js";
import { readTrust } from "../packages/agent-client/src/cli/audit/trust.js";
import { verifyEvidenceFile } from "../packages/agent-client/src/cli/audit/verify-evidence.js";
import { settled } from "./support/log-tampering.js";

// What an auditor has: the command line, evidence in a file, and the keys that an agent pinned.

const programOf = (path: string) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const command = programOf("packages/agent-client/bin/countersign.js");
const example = programOf("examples/verify-evidence/dist/main.js");

let broker: TestBroker;
let sql: Sql;
let phone: SoftPhone;
let home: string;
let client: Client;

const run = (program: string, args: readonly string[], state = home) =>
  new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const env = { ...process.env, COUNTERSIGN_HOME: state };
    const child = execFile(process.execPath, [program, ...args], { env }, (_, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
const audit = (...args: string[]) => run(command, ["audit", ...args]);

beforeAll(async () => {
  broker = await startTestBroker();
  sql = openDatabase(broker);
  phone = await enrolledPhone(broker, "Ada\u202e");
  home = await mkdtemp(join(tmpdir(), "countersign-audit-"));
  client = await createClient({ brokerUrl: broker.site.origin, home });
  let digits = Promise.resolve("");
  await client.pair({
    name: "agent",
    onLink: (link) => {
      digits = phone.acceptPairing(link).then((accepted) => accepted.digits());
    },
    confirmDigits: () => digits,
  });
});
afterAll(async () => {
  await sql.end();
  await broker.drop();
  await rm(home, { recursive: true, force: true });
});

/** Something that was asked, approved and done. @returns its id */
async function doSomething(): Promise<string> {
  let rid = "";
  const proposal = { tool: "file.delete", args: { path: "/tmp/\u001b[31mx" } };
  const guarded = await client.guard(proposal, () => "done", {
    reasons: ["it is old"],
    onPending: (pending) => {
      rid = pending.rid;
      void phone.approve(rid);
    },
  });
  expect(guarded).toMatchObject({ status: "approved" });
  await settled(sql);
  return rid;
}

const keysOf = async () => {
  const { stdout } = await audit("keys", "--json");
  const { log_key, approvers } = JSON.parse(stdout);
  return { logKey: log_key as string, approverKey: approvers[0].key as string };
};

describe("the story of a request", () => {
  it("is told in its order, proved by the log, with nothing of it as a terminal would take it", async () => {
    const rid = await doSomething();
    const { code, stdout } = await audit("show", rid);
    expect(code).toBe(0);
    const told = [
      "proposed: file.delete",
      "seen",
      "approved by Ada",
      "executed",
      "outcome 1: succeeded",
    ];
    const places = told.map((words) => stdout.indexOf(words));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    for (const hostile of ["\u001b", "\u202e"]) expect(stdout).not.toContain(hostile);
    expect(stdout.match(/\[log \d+\]/g)).toHaveLength(4);
  });

  it("says that it was denied, by whom and why", async () => {
    const asked = await client.request({ tool: "pay", args: { amount: 1 } });
    if (asked.status !== "pending") throw new Error(asked.status);
    const answer = client.wait(asked.rid);
    await phone.deny(asked.rid, "not now");
    expect(await answer).toMatchObject({ status: "denied" });
    await settled(sql);
    const { code, stdout } = await audit("show", asked.rid);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/denied by Ada.*not now/)]);
  });

  it("is not told of people by a broker whose record of the log was changed", async () => {
    const rid = await doSomething();
    await sql`update leaf set salt = digest where rid = ${rid} and kind = 'approve'`;
    const [{ code, stdout }, exported] = await Promise.all([audit("show", rid), audit("export")]);
    expect([code, exported.code]).toEqual([15, 15]);
    expect(stdout).toContain("proves nothing (log_invalid)");
    expect(stdout).not.toContain("approved by");
  });

  it("is exported for each request, oldest first, between two times", async () => {
    const lines = (await audit("export")).stdout.trim().split("\n");
    const stories = lines.map((line) => JSON.parse(line));
    const times = stories.map(({ events }) => events[0].at as number);
    expect(stories.length).toBeGreaterThan(2);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(new Set(stories.map(({ agent }) => agent)).size).toBe(1);
    const soon = new Date(Date.now() + 60_000).toISOString();
    expect((await audit("export", "--since", soon)).stdout).toBe("");
  });
});

describe("evidence in a file", () => {
  it("is verified by the command and by a program without a line of the product, to whoever has the keys", async () => {
    const rid = await doSomething();
    const file = join(home, "evidence.json");
    expect((await audit("show", rid, "--save", file)).code).toBe(0);
    const own = await audit("verify", file);
    expect([own.code, own.stdout]).toEqual([
      0,
      expect.stringContaining(`approved, request ${rid}`),
    ]);
    const { logKey, approverKey } = await keysOf();
    const nobody = join(home, "nobody");
    const flags = ["audit", "verify", file, "--log-key", logKey, "--approver-key"];
    expect(await run(command, [...flags, approverKey], nobody)).toMatchObject({ code: 0 });
    // Whoever names no approver has not been shown that anything is wrong.
    expect(await run(command, flags.slice(0, -1), nobody)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--approver-key"),
    });
    const lines = (await readFile(programOf("examples/verify-evidence/src/main.ts"), "utf8")).split(
      "\n",
    );
    // The last of them is empty.
    expect(lines.length - 1).toBeLessThan(150);
    expect(await run(example, [file, logKey, approverKey])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`request ${rid}`),
    });
    const another = "A".repeat(43);
    expect((await run(command, [...flags, another], nobody)).code).toBe(15);
    expect((await run(example, [file, logKey, another])).code).not.toBe(0);
    expect((await run(example, [file, `${logKey.slice(0, -6)}AAAAA=`, approverKey])).code).not.toBe(
      0,
    );
  });

  it("proves nothing with one letter changed in anything that it is made of", async () => {
    const given = JSON.parse(await readFile(join(home, "evidence.json"), "utf8"));
    const trust = await readTrust({ home });
    const { logKey, approverKey } = await keysOf();
    /** Not signed by anybody: the secret of a pairing's link, a hint of passkeys, what came after the decision. */
    const isFree = (path: string) => {
      const leaf = /^leaves\.(\d+)\./.exec(path)?.[1];
      const kind = leaf === undefined ? "" : given.leaves[Number(leaf)].record.kind;
      return /\.mac$|userHandle$/.test(path) || (leaf !== undefined && kind !== "approve");
    };
    const paths = stringsIn(given).filter((path) => !isFree(path));
    expect(paths.length).toBeGreaterThan(25);
    const believed: string[] = [];
    for (const [at, path] of paths.entries()) {
      const changed = Buffer.from(JSON.stringify(withOtherLetter(given, path)));
      const verdict = await verifyEvidenceFile(changed, trust).catch((error: Error) => error);
      if (!(verdict instanceof ProtocolError)) believed.push(`command: ${path}`);
      // A pairing is for the command to look at.
      if (at % 3 !== 0 || path.startsWith("pairings.")) continue;
      const file = join(home, "changed.json");
      await writeFile(file, changed);
      const { code } = await run(example, [file, logKey, approverKey]);
      if (code === 0) believed.push(`example: ${path}`);
    }
    expect(believed).toEqual([]);
  });
});

const stringsIn = (value: Json, path = ""): string[] => {
  if (typeof value === "string") return [path.slice(1)];
  if (value === null || typeof value !== "object") return [];
  return Object.entries(value).flatMap(([name, inner]) =>
    stringsIn(inner as Json, `${path}.${name}`),
  );
};

/** In the middle, where base64url has no bits that nobody reads. */
function withOtherLetter(value: Json, path: string): Json {
  const copy = structuredClone(value);
  const names = path.split(".");
  const last = names.pop() as string;
  const holder = names.reduce(
    (inner: Json, name) => (inner as Record<string, Json>)[name] as Json,
    copy,
  );
  const text = (holder as Record<string, string>)[last] as string;
  const at = Math.floor(text.length / 2);
  const letter = text[at] === "A" ? "B" : "A";
  (holder as Record<string, string>)[last] = text.slice(0, at) + letter + text.slice(at + 1);
  return copy;
}
