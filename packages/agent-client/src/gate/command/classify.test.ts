import { describe, expect, it } from "vitest";
import { systemClock } from "../../clock.js";
import { commandExecutor } from "../../executors/command-executor.js";
import { createRoots, signal } from "../../fixtures/roots.js";
import { weighFacts } from "../facts.js";

/** What the gate makes of a call to the command executor. */
async function createJudge() {
  const { roots } = await createRoots();
  const executor = await commandExecutor({ roots, sandbox: "none" });
  return async (tool: string, args: object) => {
    const described = await executor.describe({ tool, args: args as never }, { signal });
    const moment = {
      ...{ home: "/nowhere", agent: "agent", session: "session", clock: systemClock },
      ...{ depth: 0, sessionCalls: 0, earlierDenials: 0 },
    };
    return weighFacts(described, moment).command?.tier;
  };
}

describe("what is given beside a command", () => {
  it.each([
    { PATH: "/srv/project/bin" },
    { LD_PRELOAD: "/srv/project/evil.so" },
    { GIT_EXTERNAL_DIFF: "/srv/project/evil" },
    { BASH_ENV: "/srv/project/evil" },
    { HOME: "/srv/project/evil" },
  ])("counts as what stands before it: %j", async (env) => {
    const judge = await createJudge();
    expect(await judge("shell.exec", { command: "git diff" })).toBe("green");
    expect(await judge("shell.exec", { command: "git diff", env: { LANG: "de" } })).toBe("green");
    expect(await judge("shell.exec", { command: "git diff", env })).toBe("red");
    expect(await judge("process.run", { program: "git", args: ["diff"], env })).toBe("red");
  });

  it("is names that nobody looked at, for what reads names", async () => {
    const judge = await createJudge();
    expect(await judge("shell.exec", { command: "xargs cat", stdin: ".env" })).toBe("red");
    expect(await judge("process.run", { program: "xargs", args: ["cat"], stdin: ".env" })).toBe(
      "red",
    );
    expect(await judge("process.run", { program: "sh", args: ["build.sh"], stdin: "id" })).toBe(
      "red",
    );
    expect(await judge("shell.exec", { command: "wc -l", stdin: "one" })).toBe("green");
  });
});
