import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TLSSocket } from "node:tls";
import { createDatabase, type TestDatabase } from "@countersign/test-kit/postgres";
import { startTcpProxy, type TcpProxy } from "@countersign/test-kit/tcp-proxy";
import { makeCertificate } from "@countersign/test-kit/test-certificate";
import { sql } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { migrationsFolder } from "../own-database.js";
import { migrate } from "../testing/harness.js";
import { type Connection, connect } from "./client.js";
import { hear } from "./ear.js";
import { describeFailure, isUnavailable, isUniqueViolation } from "./failures.js";
import { migrateDatabase } from "./migrate.js";
import { brokerRole } from "./roles.js";
import { rows } from "./rows.js";

let database: TestDatabase;
const closing: (() => Promise<void>)[] = [];

beforeEach(async () => {
  database = await createDatabase(migrate);
});
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await database.drop();
});

function open(max: number, { url = database.url, role }: { url?: string; role?: string } = {}) {
  const connection = connect(url, { max, ...(role === undefined ? {} : { role }) });
  closing.push(connection.close);
  return connection;
}

const socketPath = () => `${decodeURIComponent(new URL(database.url).hostname)}/.s.PGSQL.5432`;
const urlAt = (host: string, port: number) =>
  `postgres://postgres@${host}:${port}${new URL(database.url).pathname}`;

/** A line to the database that can break, and its URL. */
async function openLine(): Promise<{ line: TcpProxy; url: string }> {
  const line = await startTcpProxy(() => ({ path: socketPath() }));
  closing.push(line.close);
  return { line, url: urlAt("127.0.0.1", line.port) };
}

/** The database behind TLS, as PostgreSQL speaks it: asked for in the clear, then begun. */
async function openTls(certificate: { key: string; cert: string }): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      const secure = new TLSSocket(socket, { isServer: true, ...certificate });
      secure.on("error", () => {});
      secure.pipe(createConnection(socketPath())).pipe(secure);
      socket.write("S");
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(async () => {
    server.close();
  });
  return urlAt("localhost", (server.address() as AddressInfo).port);
}

const ask = ({ db }: Connection) => rows(db, sql`select 1 as one`);
const outcomeOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    (found) => JSON.stringify(found),
    (error: unknown) => (isUnavailable(error) ? "unavailable" : String(error)),
  );
const answered = JSON.stringify([{ one: 1 }]);

const endOthers = ({ db }: Connection) =>
  rows(
    db,
    sql`select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()
      and application_name = 'countersign-broker' and datname = current_database()`,
  );

describe("connections that an administrator ends", () => {
  it("cost the calls on them, and nothing else, however new they are", async () => {
    const own = open(4);
    const admin = open(1);
    const unheard: unknown[] = [];
    const onRejection = (error: unknown) => unheard.push(error);
    process.on("unhandledRejection", onRejection);
    let over = false;
    const outcomes = new Set<string>();
    const keepAsking = async () => {
      while (!over) outcomes.add(await outcomeOf(ask(own)));
    };
    const calls = Promise.all(Array.from({ length: 8 }, keepAsking));
    const began = performance.now();
    const isOver = (milliseconds: number) => performance.now() - began > milliseconds;
    // On a slow machine a call may not come between two of these for a while.
    while (!isOver(3000) || (outcomes.size < 2 && !isOver(15_000))) await endOthers(admin);
    over = true;
    await calls;
    process.off("unhandledRejection", onRejection);
    expect(unheard).toEqual([]);
    expect(outcomes).toEqual(new Set([answered, "unavailable"]));
  });

  it("in the middle of an answer leave nothing of it in the next one", async () => {
    const own = open(1);
    // Wider than the server's buffer, so that the first rows are sent while the others are still to come.
    const cut = outcomeOf(
      rows(
        own.db,
        sql`select repeat('x', 20000) as wide, pg_sleep(0.3)::text from generate_series(1, 30)`,
      ),
    );
    const admin = open(1);
    const answering = () =>
      rows(
        admin.db,
        sql`select from pg_stat_activity where datname = current_database()
          and pid <> pg_backend_pid() and query like '%pg_sleep%'`,
      );
    await expect.poll(async () => (await answering()).length).toBe(1);
    await sleep(1000);
    await endOthers(admin);
    expect(await cut).toBe("unavailable");
    await expect.poll(() => outcomeOf(ask(own))).toBe(answered);
  });
});

it("answers a call or fails it, in whatever moment its connection is reset", async () => {
  const { line, url } = await openLine();
  const own = open(1, { url });
  const outcomes = new Set<string>();
  for (let round = 0; round < 48; round++) {
    outcomes.add(await outcomeOf(ask(own)));
    line.cut("reset");
    // Later each time, by turns of the loop: before the driver hears of it, meanwhile, and after.
    for (let turn = 0; turn < round % 8; turn++) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    outcomes.add(await outcomeOf(ask(own)));
  }
  expect(outcomes).toEqual(new Set([answered, "unavailable"]));
});

it("gives up a database that says nothing any more, and is back as soon as that is", async () => {
  const { line, url } = await openLine();
  const own = open(1, { url });
  const speaker = open(1);
  const hints: (string | undefined)[] = [];
  const ear = hear(url, "news", (payload) => hints.push(payload));
  closing.push(ear.close);
  const tell = (word: string) => rows(speaker.db, sql`select pg_notify('news', ${word})`);
  const told = (word: string) => async () => (await tell(word)) && hints.includes(word);
  await expect.poll(told("before")).toBe(true);
  expect(await outcomeOf(ask(own))).toBe(answered);
  line.block("up", "down");
  await tell("lost");
  const calls = [outcomeOf(ask(own)), outcomeOf(ask(own))];
  expect(await Promise.all(calls)).toEqual(["unavailable", "unavailable"]);
  line.heal();
  expect(await outcomeOf(ask(own))).toBe(answered);
  await expect.poll(told("after")).toBe(true);
  expect(hints).not.toContain("lost");
  // Whenever it listens anew it says so: what came meanwhile has to be read.
  expect(hints.filter((payload) => payload === undefined)).toHaveLength(2);
});

it("keeps a connection whose statement was refused", async () => {
  const own = open(1);
  const serverProcess = () => rows(own.db, sql`select pg_backend_pid() as pid`);
  const before = await serverProcess();
  const refused = rows(
    own.db,
    sql`insert into setting (name, value) values ('a', '1'), ('a', '2')`,
  );
  await expect(refused).rejects.toSatisfy(isUniqueViolation);
  expect(await serverProcess()).toEqual(before);
});

it("tells a call that found no free connection for long enough", async () => {
  const own = open(1);
  const sleepFor = (seconds: number) =>
    outcomeOf(rows(own.db, sql`select pg_sleep(${seconds}::float8)::text as slept`));
  const slept = JSON.stringify([{ slept: "" }]);
  const calls = [sleepFor(4.5), sleepFor(1), outcomeOf(ask(own))];
  expect(await Promise.all(calls)).toEqual([slept, slept, "unavailable"]);
  expect(await outcomeOf(ask(own))).toBe(answered);
});

it("answers after a migration changed what its prepared statements return", async () => {
  const own = open(1);
  const owner = open(1);
  await rows(owner.db, sql`create table changing (n int)`);
  const read = () => rows(own.db, sql`select n from changing`);
  expect(await read()).toEqual([]);
  await rows(owner.db, sql`alter table changing alter n type text`);
  await rows(owner.db, sql`insert into changing values ('one')`);
  expect(await read()).toEqual([{ n: "one" }]);
  expect(await read()).toEqual([{ n: "one" }]);
});

it("names a statement by its text alone, whoever prepares it and when", async () => {
  const own = open(1);
  await ask(own);
  const [prepared] = await rows<{ name: string; statement: string }>(
    own.db,
    sql`select name, statement from pg_prepared_statements where statement = 'select 1 as one'`,
  );
  const hash = createHash("sha256")
    .update(prepared?.statement ?? "")
    .digest("base64url");
  expect(prepared?.name).toBe(hash);
});

it("leaves no connection behind that did not get through its sign-in", async () => {
  const connected = new Set<Socket>();
  // As PostgreSQL asks for a password, in a way that the driver does not know.
  const mechanisms = Buffer.from("NEW\0\0");
  const asking = Buffer.alloc(9);
  asking.write("R");
  asking.writeInt32BE(8 + mechanisms.length, 1);
  asking.writeInt32BE(10, 5);
  const server = createServer((socket) => {
    connected.add(socket);
    socket.on("error", () => {}).on("close", () => connected.delete(socket));
    socket.once("data", () => socket.write(Buffer.concat([asking, mechanisms])));
    socket.resume();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(async () => void server.close());
  const own = open(2, { url: urlAt("127.0.0.1", (server.address() as AddressInfo).port) });
  const calls = Array.from({ length: 6 }, () => outcomeOf(ask(own)));
  expect(new Set(await Promise.all(calls))).toEqual(new Set(["unavailable"]));
  await expect.poll(() => connected.size).toBe(0);
});

it("takes a fault of this program for no lost connection", async () => {
  const endless: Record<string, unknown> = {};
  endless["self"] = endless;
  await expect(open(1).db.query("select $1::jsonb", [endless])).rejects.toThrow(TypeError);
});

it("goes by the URL, whatever the environment says to clients of PostgreSQL", async () => {
  vi.stubEnv("PGSSLMODE", "require");
  vi.stubEnv("PGOPTIONS", "-c search_path=nowhere");
  await migrateDatabase(database.url, migrationsFolder);
  const path = sql`select current_setting('search_path') as path`;
  expect(await rows(open(1).db, path)).toEqual([{ path: '"$user", public' }]);
  vi.unstubAllEnvs();
});

it("works as its role, whatever settings the URL brings", async () => {
  const url = `${database.url}?application_name=other&options=${encodeURIComponent("-c role=postgres -c work_mem=7MB")}`;
  const [found] = await rows(
    open(1, { url, role: brokerRole }).db,
    sql`select current_user as "user", current_setting('work_mem') as memory,
      current_setting('application_name') as application`,
  );
  expect(found).toEqual({ user: brokerRole, memory: "7MB", application: "countersign-broker" });
});

it("speaks TLS with a database whose certificate it can check, and with no other", async () => {
  const directory = await mkdtemp(join(tmpdir(), "countersign-tls-"));
  closing.push(() => rm(directory, { recursive: true }));
  const trusting = async (certificate: { key: string; cert: string }) => {
    const file = join(directory, "root.pem");
    await writeFile(file, certificate.cert);
    const url = await openTls(certificate);
    return {
      untrusted: `${url}?sslmode=verify-full`,
      trusted: `${url}?sslmode=verify-full&sslrootcert=${file}`,
    };
  };
  const ours = await trusting(makeCertificate(["localhost"]));
  const failureAt = (url: string) => ask(open(1, { url })).then(() => ({}), describeFailure);
  expect(await outcomeOf(ask(open(1, { url: ours.trusted })))).toBe(answered);
  expect(await failureAt(ours.untrusted)).toMatchObject({
    message: expect.stringMatching("self-signed"),
  });
  const { trusted } = await trusting(makeCertificate(["other.example"]));
  expect(await failureAt(trusted)).toMatchObject({ message: expect.stringMatching("altnames") });
});
