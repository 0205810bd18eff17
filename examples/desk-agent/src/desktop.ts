import { execFile, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { type Client, createClient, createGate, desktopExecutor } from "@countersign/agent-client";
import type { AutoPhone } from "./auto-phone.js";
import { require, step } from "./steps.js";

const run = promisify(execFile);
const title = "The agent's own window";

/**
 * The same gate on a real desktop, where `DISPLAY` names one and `xdotool`, `xprop`, `xwd` and `xev` are there. The
 * agent opens a window of its own and asks to click in it.
 * @throws Error unless the window was clicked once, after the approval
 */
export async function clickOnDesktop(given: {
  brokerUrl: string;
  home: string;
  phone: AutoPhone;
  pair: (desk: { client: Client }, phone: AutoPhone) => Promise<void>;
}): Promise<void> {
  const { brokerUrl, home, phone, pair } = given;
  const desktop = desktopExecutor();
  const client = await createClient({ brokerUrl, home, preconditions: desktop.measures });
  await pair({ client }, phone);
  const window = spawn("xev", ["-name", title, "-geometry", "300x200+80+60", "-event", "button"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  let clicks = 0;
  createInterface({ input: window.stdout }).on("line", (line) => {
    if (line.startsWith("ButtonPress")) clicks += 1;
  });
  let approved: Promise<unknown> | undefined;
  const gate = await createGate({
    client,
    executors: [desktop],
    onPending: ({ matchCode }) => {
      step(`gate: red, may I click on this desktop? Code ${matchCode}`);
      require(clicks === 0, "it was clicked before anybody approved");
      approved = phone.approve(matchCode);
    },
  });
  try {
    const [x, y] = await middleOf(title);
    const answer = await gate.run({ tool: "mouse.click", args: { x, y } });
    await approved;
    require(answer.status === "approved" &&
      answer.outcome === "succeeded", "no click was approved");
    await new Promise((resolve) => setTimeout(resolve, 500));
    require(clicks === 1, `the window got ${clicks} clicks`);
    step("agent: clicked once on the desktop, after its approval");
  } finally {
    await gate.close();
    window.kill();
  }
}

async function middleOf(name: string): Promise<[x: number, y: number]> {
  const { stdout: id } = await run("xdotool", [
    "search",
    "--sync",
    "--onlyvisible",
    "--name",
    name,
  ]);
  const { stdout } = await run("xdotool", ["getwindowgeometry", "--shell", id.trim()]);
  const [x = 0, y = 0, width = 0, height = 0] = ["X", "Y", "WIDTH", "HEIGHT"].map((member) =>
    Number(new RegExp(`^${member}=(\\d+)$`, "m").exec(stdout)?.[1] ?? 0),
  );
  return [x + Math.floor(width / 2), y + Math.floor(height / 2)];
}
