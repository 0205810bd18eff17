import { setTimeout as sleep } from "node:timers/promises";
import {
  evidence,
  fromBase64url,
  parse,
  parseLogProof,
  randomNonce,
  toBase64url,
  verifyCheckpoint,
  verifyLogged,
} from "@countersign/shared";
import { naiveInclusion, naiveRoot, naiveTile } from "@countersign/shared/naive-tree";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "../db/client.js";
import { attackedWorld, type World } from "../testing/attack.js";
import { startTestBroker } from "../testing/harness.js";
import { expectSoundLog } from "../testing/log-check.js";
import { writeLeaf } from "../testing/write-leaf.js";

let world: World;
let logKey: string;
/** Every entry of the log, in order, as the database has them. */
let entries: Uint8Array[];

const get = (path: string) => fetch(`${world.broker.site.origin}/log/${path}`);
const octets = async (path: string) => new Uint8Array(await (await get(path)).arrayBuffer());

beforeAll(async () => {
  world = await attackedWorld();
  logKey = (
    (await (await fetch(`${world.broker.site.origin}/app/site`)).json()) as { log_key: string }
  ).log_key;
  const { db, close } = connect(world.broker.databaseUrl);
  for (let n = 0; n < 20; n++) {
    await Promise.all(Array.from({ length: 30 }, () => writeLeaf(db, "A".repeat(43))));
  }
  const waiting = () => world.sql`select 1 from leaf where log_index is null`;
  while ((await waiting()).length > 0) await sleep(50);
  await expectSoundLog(db);
  await close();
  const rows = await world.sql`select entry from log_entry order by index`;
  entries = rows.map(({ entry }) => new Uint8Array(fromBase64url(entry)));
}, 60_000);
afterAll(() => world.close());

describe("the log that anybody can read", () => {
  it("has a checkpoint of now, signed by the key that pairings pin", async () => {
    const response = await get("checkpoint");
    expect(response.headers.get("content-type")).toBe("text/plain; charset=utf-8");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const checkpoint = await verifyCheckpoint(await response.text(), logKey);
    expect(checkpoint).toMatchObject({
      size: entries.length,
      root: toBase64url(naiveRoot(entries)),
    });
  });

  it("serves the tiles that its entries compute to, whole and in part, to be kept for ever", async () => {
    const size = entries.length;
    const paths = ["000", "001", `002.p/${size - 512}`, "000.p/1", "001.p/200", "002.p/3"];
    for (const path of paths) {
      const [index = 0, width = 256] = path.split(".p/").map(Number);
      expect(await octets(`tile/0/${path}`)).toEqual(
        new Uint8Array(naiveTile(0, index, width, entries)),
      );
      const bundle = entries
        .slice(index * 256, index * 256 + width)
        .flatMap((entry) => [0, entry.length, ...entry]);
      expect(await octets(`tile/entries/${path}`)).toEqual(Uint8Array.from(bundle));
    }
    expect(await octets("tile/1/000.p/2")).toEqual(new Uint8Array(naiveTile(1, 0, 2, entries)));
    const { headers } = await get("tile/0/000");
    expect(headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(headers.get("content-type")).toBe("application/octet-stream");
  });

  it.each([
    "tile/0/003",
    "tile/0/002",
    "tile/0/002.p/255",
    "tile/1/000",
    "tile/1/000.p/3",
    "tile/2/000.p/1",
    "tile/63/000",
    "tile/64/000",
    "tile/0/0",
    "tile/0/000.p/256",
    "tile/0/x000/000",
    "tile/0/x999/x999/x999/x999/999",
    "tile/entries/003.p/1",
    "tile/0/%2e%2e/000",
    "tile/",
    "",
    "checkpoint/",
    "entries",
  ])("has no /log/%s", async (path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ code: "not_found" });
  });
});

/** Keeps every approval out of the tree. @returns what ends that */
async function holdHead(): Promise<() => Promise<void>> {
  const held = await world.sql.pool.connect();
  await held.query("begin; select from log_head for update");
  return async () => {
    await held.query("rollback");
    held.release();
  };
}

describe("an approval and the log", () => {
  it("is not handed out before its leaf is under a checkpoint, and is as soon as it is", async () => {
    const { agent, phone } = world;
    const request = await agent.request();
    const letGo = await holdHead();
    const deciding = phone.approve(request.rid);
    const state = async () => (await agent.status(request.rid)).state;
    await expect.poll(state).toBe("approved");

    const short = new AbortController();
    const early = agent.poll(request.rid, { signal: short.signal }).then(({ status }) => status);
    setTimeout(() => short.abort(), 1500);
    expect(await early.catch(() => "nothing")).toBe("nothing");
    expect(await state()).toBe("approved");

    const waiting = agent.poll(request.rid);
    await letGo();
    const answer = await waiting;
    expect(answer.status).toBe(200);
    expect(await deciding).toBe("approved");
  });

  it("is not what a denial waits for: a no needs no place in the log", async () => {
    const { agent, phone } = world;
    const request = await agent.request();
    const letGo = await holdHead();
    // The head stays taken for as long as a statement may wait for it.
    const stalled = sleep(4000).then(() => "stalled");
    expect(await Promise.race([phone.deny(request.rid), stalled])).toBe("denied");
    const { body } = await agent.poll(request.rid);
    expect(body).toMatchObject({ error: "access_denied", decision: { decision: "deny" } });
    await letGo();
  });

  it("comes with proofs of every leaf that a checkpoint covers", async () => {
    const { agent, phone } = world;
    const request = await agent.request();
    await phone.approve(request.rid);
    const { body } = await agent.poll(request.rid);
    const { leaves } = body["evidence"] as {
      leaves: { record: Parameters<typeof verifyLogged>[0]; proof?: string }[];
    };
    expect(leaves.map(({ record }) => record.kind)).toEqual([
      "request",
      "open",
      "approve",
      "redeem",
    ]);
    const rows = await world.sql`select entry from log_entry order by index`;
    const now = rows.map(({ entry }) => new Uint8Array(fromBase64url(entry)));
    for (const { record, proof } of leaves.slice(0, 3)) {
      const { size, root } = await verifyLogged(record, proof ?? "", logKey);
      const { index, hashes } = parseLogProof(proof ?? "");
      expect(hashes).toEqual(naiveInclusion(index, now.slice(0, size)));
      expect(root).toBe(toBase64url(naiveRoot(now.slice(0, size))));
    }
  });

  it("comes with what an agent reads, however often a session opened the request", async () => {
    const { agent, phone, sql } = world;
    const request = await agent.request();
    const opened = Array.from({ length: 400 }, () => ({ entry: randomNonce() }));
    await sql`insert into leaf (kind, rid, digest, salt, entry)
      select 'open', ${request.rid}, entry, entry, entry
      from jsonb_to_recordset(${JSON.stringify(opened)}) as l(entry text)`;
    await phone.approve(request.rid);
    const { body } = await agent.poll(request.rid);
    const { leaves } = parse(evidence, body["evidence"]);
    expect(leaves.map(({ record }) => record.kind)).toContain("approve");
  });

  it("keeps its key and its name for as long as its database lives", async () => {
    const again = await startTestBroker({ databaseUrl: world.broker.databaseUrl });
    const site = (await (await fetch(`${again.site.origin}/app/site`)).json()) as object;
    expect(site).toMatchObject({ log_key: logKey });
    await again.stop();
  });
});
