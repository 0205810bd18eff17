import {
  canonicalBytes,
  type LogRecords,
  leafEntry,
  logRecords,
  parse,
  randomNonce,
  sha256Text,
  tokenResponse,
} from "@countersign/shared";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runCommand } from "./command.js";
import { deleteAuditor, insertAuditor } from "./db/auditors.js";
import { type Connection, connect } from "./db/client.js";
import { readEnvironment } from "./env.js";
import { access } from "./http/access.js";
import { attackedWorld, refusalOf, type World } from "./testing/attack.js";
import { rowsNaming } from "./testing/tenant-rows.js";

// Auditors: who reads the log's records, and nothing else.

let world: World;
let owner: Connection;

beforeAll(async () => {
  world = await attackedWorld();
  owner = connect(world.broker.databaseUrl, { max: 1 });
});
afterAll(async () => {
  await owner.close();
  await world.close();
});

const command = (...argv: string[]) =>
  runCommand(readEnvironment({ DATABASE_URL: world.broker.databaseUrl }), argv);

const tokenIn = (said: string): string => /^ {2}(\S+)$/m.exec(said)?.[1] ?? "";

const read = (authorization?: string, from = "0") =>
  fetch(`${world.broker.site.origin}/log/records?from=${from}`, {
    headers: authorization === undefined ? {} : { authorization },
  });

const allSequenced = () =>
  expect.poll(() => world.sql`select 1 from leaf where log_index is null`).toHaveLength(0);

describe("an auditor", () => {
  it("reads every record in the order of the tree, each the one that its entry hashes", async () => {
    const token = tokenIn(await command("auditor", "add", "Grace"));
    const { agent, phone, sql } = world;
    for (let n = 0; n < 2; n++) await phone.deny((await agent.request()).rid);
    // More than a page: each is a leaf of its own.
    for (let n = 0; n < 130; n++) {
      await insertAuditor(owner.db, { name: "More", hash: randomNonce() });
      await deleteAuditor(owner.db, "More");
    }
    await allSequenced();
    const entries = await sql`select entry from log_entry order by index`;
    const found: { index: number; entry: string }[] = [];
    for (let from: number | undefined = 0; from !== undefined; ) {
      const page: LogRecords = parse(
        logRecords,
        await (await read(`Bearer ${token}`, String(from))).json(),
      );
      expect(page.records.length).toBeLessThanOrEqual(256);
      found.push(...page.records.map(({ index, record }) => ({ index, entry: leafEntry(record) })));
      from = page.next;
    }
    expect(found.length).toBeGreaterThan(256);
    expect(found).toEqual(entries.map(({ entry }, index) => ({ index, entry })));
    await command("auditor", "remove", "Grace");
  }, 60_000);

  it("is made and ended each with a leaf that names the change to whoever knows it", async () => {
    const digest = (op: string) =>
      sha256Text(canonicalBytes({ v: 1, role: "auditor", op, name: "Joan" }));
    await command("auditor", "add", "Joan");
    await command("auditor", "remove", "Joan");
    const leaves =
      await world.sql`select digest from leaf where kind = 'role' order by seq desc limit 2`;
    expect(leaves.map((leaf) => leaf["digest"])).toEqual([digest("remove"), digest("add")]);
  });

  it("is not made when that cannot be logged, and a command that changes nothing leaves no leaf", async () => {
    const { sql } = world;
    const count = async () => (await sql`select 1 from leaf where kind = 'role'`).length;
    await sql`alter table leaf rename to leaf_away`;
    await expect(command("auditor", "add", "Unlogged")).rejects.toThrow();
    await sql`alter table leaf_away rename to leaf`;
    expect(await sql`select 1 from auditor where name = 'Unlogged'`).toHaveLength(0);
    await command("auditor", "add", "Twice");
    const before = await count();
    await expect(command("auditor", "add", "Twice")).rejects.toMatchObject({ code: "name_taken" });
    await expect(command("auditor", "remove", "Nobody")).rejects.toMatchObject({
      code: "name_unknown",
    });
    for (const argv of [["auditor"], ["auditor", "add"], ["auditor", "add", "a", "b"], ["x"]]) {
      await expect(command(...argv)).rejects.toMatchObject({ code: "wrong_use" });
    }
    expect(await count()).toBe(before);
    await command("auditor", "remove", "Twice");
  });

  it("is kept by the hash of a token that nobody can read back", async () => {
    const token = tokenIn(await command("auditor", "add", "Hashed"));
    expect(token).toHaveLength(43);
    expect(JSON.stringify(await rowsNaming(world.sql, [token]))).not.toContain(token);
    expect((await read(`Bearer ${token}`)).status).toBe(200);
    expect(world.logged.join()).not.toContain(token);
  });

  it("is ended at once, and only they", async () => {
    const ended = tokenIn(await command("auditor", "add", "Ended"));
    const stays = tokenIn(await command("auditor", "add", "Stays"));
    expect((await read(`Bearer ${ended}`)).status).toBe(200);
    await command("auditor", "remove", "Ended");
    expect(await refusalOf(read(`Bearer ${ended}`))).toBe("auditor_required");
    expect((await read(`Bearer ${stays}`)).status).toBe(200);
  });

  it("reads nothing else: no other route takes the token, as a bearer's, an agent's or a session", async () => {
    const token = tokenIn(await command("auditor", "add", "Curious"));
    const { origin } = world.broker.site;
    const { rid, sealedSha256 } = await world.agent.request();
    const proven = ["client", "agent", "key", "session"];
    const others = Object.entries(access).filter(([, kind]) => proven.includes(kind));
    expect(others.length).toBeGreaterThan(30);
    const ids = [rid, world.phone.approver(), world.agent.clientId];
    const before = await rowsNaming(world.sql, ids);
    for (const [route] of others) {
      const [method = "", path = ""] = route.split(" ");
      const target = path.replace(":rid", rid).replace(":sha256", sealedSha256);
      const isForm = ["/token", "/bc-authorize"].includes(path);
      for (const rights of [
        { authorization: `Bearer ${token}` },
        { authorization: `DPoP ${token}` },
        { cookie: `__Host-session=${token}` },
      ]) {
        const answer = await fetch(origin + target, {
          method,
          headers: {
            origin,
            "content-type": isForm ? "application/x-www-form-urlencoded" : "application/json",
            ...rights,
          },
          body: method === "GET" ? null : isForm ? `auth_req_id=${rid}` : "{}",
        });
        expect(answer.status, `${route} ${Object.keys(rights)}`).toBe(401);
      }
      await world.sql`truncate rate_bucket`;
    }
    expect(await rowsNaming(world.sql, ids)).toEqual(before);
  });
});

describe("the log's records", () => {
  it("are read by no other token, nor without one", async () => {
    const { agent, phone } = world;
    const answer = await agent.form("/token", { grant_type: "client_credentials" });
    const agents = parse(tokenResponse, await answer.json()).access_token;
    expect(agents.length).toBeGreaterThan(40);
    for (const given of [
      ...[undefined, "", "Bearer", "Bearer ", `Bearer ${randomNonce()}`, `Bearer ${agents}`],
      ...[`DPoP ${agents}`, "Basic QTpC"],
    ]) {
      expect(await refusalOf(read(given)), String(given)).toBe("auditor_required");
    }
    expect(await refusalOf(phone.call("GET", "/log/records"))).toBe("auditor_required");
    expect(await refusalOf(agent.call("GET", "/log/records"))).toBe("auditor_required");
  });

  it("begin at a place in the tree, or are refused", async () => {
    const token = tokenIn(await command("auditor", "add", "Exact"));
    for (const from of ["-1", "1.5", "x", "1e99", "9007199254740993"]) {
      expect((await read(`Bearer ${token}`, from)).status, from).toBe(400);
    }
    const beyond = await read(`Bearer ${token}`, "900000000000");
    expect(await beyond.json()).toEqual({ records: [] });
  });
});
