import { expect, it } from "vitest";
import { collectingLogger } from "./testing/attack.js";
import { startTestBroker } from "./testing/harness.js";

it("tells its operator that a clock was set wrong while it ran: agents are told that theirs is off", async () => {
  const { log, logged } = collectingLogger();
  let moved = 0;
  const broker = await startTestBroker({ log, now: () => Date.now() + moved });
  moved = 3_600_000;
  const told = () => logged.some((line) => line.includes("are 3600 s apart. Set both right"));
  await expect.poll(told).toBe(true);
  await broker.drop();
});
