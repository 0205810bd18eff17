import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failToStart, startBrokerProcess } from "@countersign/test-kit/broker-process";
import { createDatabase, startPostgres, type TestDatabase } from "@countersign/test-kit/postgres";
import { createSoftPhone } from "@countersign/test-kit/soft-phone";
import { sql } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { requireSoundDatabase } from "./checks.js";
import { connect } from "./db/client.js";
import { rows } from "./db/rows.js";
import { readEnvironment, siteOf } from "./env.js";
import { configurationPage, envExample } from "./env-docs.js";
import { migrate } from "./testing/harness.js";

let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase(migrate);
});
afterAll(() => database.drop());

/** One line on stderr, a code at its end, and nothing that only a programmer reads. */
async function expectRefusal(
  variables: Record<string, string>,
  code: string,
  says: RegExp,
  nodeOptions?: string,
): Promise<void> {
  const ended = await failToStart({ PORT: "0", ...variables }, nodeOptions);
  expect(ended.stderr).toMatch(new RegExp(`^[A-Z].*\\. ?\\(${code}\\)\\n$`));
  expect(ended.stderr).toMatch(says);
  expect(ended.stderr).not.toMatch(/\n {4}at |node:internal|Error:/);
  expect(ended.code).toBe(1);
  expect(ended.stdout).toBe("");
}

const here = (): Record<string, string> => ({ DATABASE_URL: database.url });

describe("the process refuses to start, and says what to do, when", () => {
  it("its port is in use", async () => {
    const other: Server = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as { port: number };
    await expectRefusal({ ...here(), PORT: String(port) }, "port_in_use", /set PORT to a free one/);
    other.close();
  });

  it.each([
    ["http on a name", "http://approve.example.org", /must start with https/],
    ["an IP address", "https://192.168.1.5", /host name.*not work on an IP address/],
    ["an IPv6 address", "https://[::1]:8787", /host name.*not work on an IP address/],
    ["a bare name", "https://nas", /full domain name/],
    ["a path", "https://approve.example.org/app", /origin only/],
    ["no URL", "approve.example.org", /PUBLIC_URL/],
  ])("PUBLIC_URL is %s", async (_what, url, says) => {
    const code = url.startsWith("http") ? "unsafe_public_url" : "invalid_configuration";
    await expectRefusal({ ...here(), PUBLIC_URL: url }, code, says);
  });

  it("a number is none", async () => {
    await expectRefusal({ ...here(), PORT: "eighty" }, "invalid_configuration", /^PORT is not/);
  });

  it.each([
    ["does not answer", "postgres://nobody@127.0.0.1:1/none"],
    ["has no such name", "postgres://nobody@database.invalid/none"],
  ])("DATABASE_URL %s", async (_what, url) => {
    await expectRefusal({ DATABASE_URL: url }, "database_unreachable", /Check host, port, name/);
  });

  it.each([
    ["is no URL", "nonsense", /looks like postgres:/],
    [
      "asks for TLS in a way that the driver passes over",
      "postgres://u@h/d?ssl=no-verify",
      /sslmode/,
    ],
    ["names a certificate that is not there", "postgres://u@h/d?sslrootcert=/nowhere", /a file/],
  ])("DATABASE_URL %s", async (_what, url, says) => {
    await expectRefusal({ DATABASE_URL: url }, "database_url_unusable", says);
  });

  it("the server has no database of that name", async () => {
    const url = new URL(database.url);
    url.pathname = "/absent";
    await expectRefusal({ DATABASE_URL: url.href }, "database_unreachable", /Check host/);
  });

  it("DATABASE_URL_FILE names no file", async () => {
    await expectRefusal(
      { DATABASE_URL_FILE: "/nowhere/url" },
      "invalid_configuration",
      /DATABASE_URL_FILE/,
    );
  });

  it("the database may lose what it acknowledged: synchronous_commit", async () => {
    const lax = await createDatabase(migrate);
    const { db, close } = connect(lax.url);
    const name = new URL(lax.url).pathname.slice(1);
    await rows(db, sql`alter database ${sql.identifier(name)} set synchronous_commit = off`);
    await close();
    await expectRefusal(
      { DATABASE_URL: lax.url },
      "database_not_durable",
      /Set synchronous_commit = on/,
    );
    await lax.drop();
  });

  it("something keeps back what its connections are to work as", async () => {
    const asOwner = connect(database.url);
    const found = await requireSoundDatabase(asOwner.db, Date.now).catch((error) => error);
    expect(found).toMatchObject({ code: "database_settings_lost" });
    await asOwner.close();
  });

  it("the database may lose what it acknowledged: fsync", async () => {
    const lax = await startPostgres({ fsync: "off" });
    await expectRefusal({ DATABASE_URL: lax.url }, "database_not_durable", /Set fsync = on/);
    await lax.stop();
  });

  it.each([
    ["two minutes from the database's", 120, /clock and the database's are 120 s apart/],
    ["in the last century", -30 * 365 * 86_400, /clock shows 19\d\d.*Set it right/],
  ])("its clock is %s", async (_what, seconds, says) => {
    const shift = `const now = Date.now.bind(Date); Date.now = () => now() + ${seconds * 1000};`;
    const preload = `--import=data:text/javascript,${encodeURIComponent(shift)}`;
    await expectRefusal(here(), "clock_wrong", says, preload);
  });

  it("another process has its data directory", async () => {
    const directory = await mkdtemp(join(tmpdir(), "countersign-test-"));
    await chmod(directory, 0o711);
    const first = await startBrokerProcess({ DATA_DIR: directory });
    await expectRefusal(
      { DATA_DIR: directory },
      "data_directory_in_use",
      /stop it first, or choose another data directory/,
    );
    expect((await fetch(`${first.origin}/readyz`)).status).toBe(200);
    expect(await first.stop()).toBe(0);
    await rm(directory, { recursive: true, force: true });
  });

  it("its host name changed after somebody had enrolled, but not before", async () => {
    const own = await createDatabase(migrate);
    const elsewhere = { DATABASE_URL: own.url, PUBLIC_URL: "https://approve.example.org" };
    await (await startBrokerProcess(elsewhere)).stop();
    const broker = await startBrokerProcess({ DATABASE_URL: own.url });
    const phone = await createSoftPhone({ origin: broker.origin });
    await phone.enrol(broker.firstInvitation ?? "", "Ada");
    await broker.stop();
    await expectRefusal(
      elsewhere,
      "relying_party_changed",
      /was on localhost and is now on approve\.example\.org.*Set it back/,
    );
    const again = await startBrokerProcess({ DATABASE_URL: own.url });
    expect(again.firstInvitation).toBeUndefined();
    await again.stop();
    await own.drop();
  });
});

describe("a started process", () => {
  it("takes its database's address from a file, and ends in order", async () => {
    const directory = await mkdtemp(join(tmpdir(), "countersign-test-"));
    const file = join(directory, "url");
    await writeFile(file, `${database.url}\n`);
    const broker = await startBrokerProcess({ DATABASE_URL_FILE: file });
    expect(broker.firstInvitation).toContain(`${broker.origin}/enrol#`);
    expect(await broker.stop()).toBe(0);
    await rm(directory, { recursive: true, force: true });
  });
});

describe("the configuration", () => {
  it("accepts a name with https, and localhost without", () => {
    expect(siteOf("https://approve.example.org")).toEqual({
      issuer: "https://approve.example.org",
      rp_id: "approve.example.org",
      origin: "https://approve.example.org",
    });
    expect(siteOf("http://localhost:8787").rp_id).toBe("localhost");
  });

  it("takes an empty variable for none", () => {
    expect(readEnvironment({ DATABASE_URL: "", PORT: "" })).toMatchObject({ PORT: 8787 });
  });

  it.each([
    [".env.example", envExample],
    ["docs/configuration.md", configurationPage],
  ])(
    "is what %s says: run `npx tsx --conditions=@countersign/source scripts/generate-config-docs.mjs`",
    async (path, make) => {
      const committed = await readFile(new URL(`../../../${path}`, import.meta.url), "utf8");
      expect(committed).toBe(make());
    },
  );
});
