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
    await writeFile(action, '{"tool":"rm","args":{"n":9007199254740993}}');
    expect(await countersign(home, "request", action, ...broker)).toMatchObject({ code: 2 });
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

  it("shows no text from outside as it came", () => {
    const reason = "\u202eno\u001b[31m";
    const words = inWords({ status: "denied", rid: "x", approver: "y", reason });
    expect(words).not.toContain("\u202e");
    expect(words).not.toContain("\u001b");
  });
});
