import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { createHome } from "../fixtures/agent.js";
import { describe as inWords } from "./describe.js";

const main = fileURLToPath(new URL("main.ts", import.meta.url));

/** The command as a process of its own, without a terminal. */
function countersign(home: string, ...args: string[]) {
  const node = ["--import", "tsx", "--conditions=@countersign/source", main, ...args];
  const env = { ...process.env, COUNTERSIGN_HOME: home };
  return new Promise<{ code: number; stdout: string; stderr: string }>((resolve) => {
    const child = execFile(process.execPath, node, { env }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe("countersign", () => {
  it("refuses with a code of its own, in words and as JSON", async () => {
    const home = await createHome();
    const broker = ["--broker", "http://localhost:4000"];
    const action = join(home, "action.json");
    await writeFile(action, '{"tool":"rm","args":{}}');
    const asked = await countersign(home, "request", action, ...broker, "--json");
    expect(JSON.parse(asked.stdout)).toEqual({ status: "refused_by_policy", code: "not_paired" });
    expect(asked.code).toBe(14);
    const inexact = join(home, "inexact.json");
    await writeFile(inexact, '{"tool":"rm","args":{"n":9007199254740993}}');
    expect(await countersign(home, "request", inexact, ...broker)).toMatchObject({ code: 2 });
    const tooLong = await countersign(home, "request", action, ...broker, "--expires", "601");
    expect(tooLong).toMatchObject({ code: 2, stderr: expect.stringContaining("600") });
    const plain = await countersign(home, "unpair", "--broker", "http://approve.example.com");
    expect(plain).toMatchObject({ code: 2, stderr: expect.stringContaining("brokerUrl") });
    const unpaired = await countersign(home, "unpair", "nobody", ...broker);
    expect(unpaired).toMatchObject({ code: 1, stdout: "" });
  });

  it("pairs at a terminal only, and with a broker that it was told", async () => {
    const home = await createHome();
    const piped = await countersign(
      home,
      "pair",
      "--name",
      "x",
      "--broker",
      "http://localhost:4000",
    );
    expect(piped).toMatchObject({ code: 2, stdout: "" });
    expect(piped.stderr).toContain("terminal");
    expect(await countersign(home, "wait", "x")).toMatchObject({ code: 2 });
  });

  it("ends wrong use as such, whoever finds it", async () => {
    const home = await createHome();
    const wrong = [["pair"], ["policy", "explain"], ["sing"]];
    const ended = await Promise.all(wrong.map((args) => countersign(home, ...args)));
    for (const one of ended) {
      expect(one).toMatchObject({ code: 2, stdout: "" });
      expect(one.stderr).toContain("--help");
    }
  });

  it("passes over no word that it does not know, so that no check is left out by a slip", async () => {
    const home = await createHome();
    const broker = ["--broker", "http://localhost:4000"];
    const wrong = [
      ["audit", "verify", "https://x.example", "--aginst", "mirror"],
      ["audit", "verify", "https://x.example", "--against"],
      ["audit", "verify", "https://x.example", "--against", ""],
      ["audit", "verify", "https://x.example", "--against", "--json"],
      ["request", "action.json", ...broker, "--quorom", "2"],
      ["request", "action.json", "more.json", ...broker],
      ["--json", "wait", "x".repeat(22), ...broker],
      ["unpair", "x".repeat(22), ...broker, "--json=yes"],
      ["policy", "explain", "rm", "-rf", "/"],
    ];
    const ended = await Promise.all(wrong.map((args) => countersign(home, ...args)));
    expect(ended.map(({ code }) => code)).toEqual(wrong.map(() => 2));
    for (const { stdout, stderr } of ended) {
      expect(stdout).toBe("");
      expect(stderr).toContain("--help");
    }
    // A thumbprint may begin as an option does. Without a log's key it is the next thing that is missing.
    const hyphen = ["audit", "verify", home, "--approver-key", `-${"x".repeat(41)}A`];
    expect((await countersign(home, ...hyphen)).stderr).toContain("--log-key");
    // Files with evidence may be as many as there are.
    const many = await countersign(home, "audit", "verify", "one.json", "two.json");
    expect(many.stderr).toContain("--log-key");
  });

  it("runs a policy's table, and says what is not as expected", async () => {
    const home = await createHome();
    const table = join(home, "table.json");
    await writeFile(table, '{"commands":{"green":["rm -rf \u202e/"]}}');
    const [own, wrong] = await Promise.all([
      countersign(home, "policy", "test", "--json"),
      countersign(home, "policy", "test", table),
    ]);
    expect(own.code).toBe(0);
    expect(JSON.parse(own.stdout)).toMatchObject({ wrong: [], missed: 0 });
    expect(wrong).toMatchObject({ code: 1, stderr: "" });
    expect(wrong.stdout).toContain("expected green, got red");
    expect(wrong.stdout).not.toContain("\u202e");
  });

  it("refuses a policy that is none, with where and why", async () => {
    const home = await createHome();
    const file = join(home, "own.cedar");
    await writeFile(file, '@id("x")\npermit (principal, action, resource);');
    const refused = await countersign(home, "policy", "test", "--policy", file);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toMatch(/own\.cedar:1:1: .*@tier/);
  });

  it("explains what a policy makes of a command, and of a call in a file", async () => {
    const home = await createHome();
    const red = await countersign(home, "policy", "explain", "git push --force", "--json");
    expect(red.code).toBe(0);
    expect(JSON.parse(red.stdout)).toMatchObject({
      tier: "red",
      reasons: expect.arrayContaining([expect.stringContaining("command: git")]),
    });
    const call = join(home, "call.json");
    await writeFile(
      call,
      '{"family":"read","resource":{"type":"File","id":"a","attributes":{"path":"a"}}}',
    );
    const green = await countersign(home, "policy", "explain", `@${call}`);
    expect(green.code).toBe(0);
    expect(green.stdout).toContain("green\n  files-look");
  });

  it("undoes nothing that it knows nothing of", async () => {
    const home = await createHome();
    const broker = ["--broker", "http://localhost:4000", "--json"];
    const { code, stdout } = await countersign(home, "undo", "x".repeat(22), ...broker);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ status: "error", code: "not_paired" });
  });

  it("shows no text from outside as it came", () => {
    const reason = "\u202eno\u001b[31m";
    const words = inWords({ status: "denied", rid: "x", approver: "y", reason });
    expect(words).not.toContain("\u202e");
    expect(words).not.toContain("\u001b");
  });
});
