import { randomId } from "@countersign/shared";
import { expect, it, onTestFinished } from "vitest";
import { topics } from "../domain/ports.js";
import { createEventBus } from "./event-bus.js";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

it("reads and tells again, at nobody's further word, what came while it did and just after", async () => {
  let [reads, told] = [0, 0];
  const line = {
    read: async () => {
      reads += 1;
      if (reads === 1) throw new Error("connection lost");
      return [];
    },
    notify: async () => {
      told += 1;
    },
  };
  const bus = createEventBus(line, silent);
  // No reading of every second, which would find all the same.
  bus.stop();
  for (let count = 2; count < 6; count++) {
    await new Promise((resolve) => setImmediate(resolve));
    bus.publish({ rid: randomId(), state: "denied", approvers: [] });
    await expect.poll(() => reads).toBe(count);
  }
  await expect.poll(() => told).toBe(4);
});

it("wakes who waits for an approval's place in the log, of which no change tells", () => {
  const line = { read: async () => [], notify: async () => {} };
  const bus = createEventBus(line, silent);
  onTestFinished(bus.stop);
  const rid = randomId();
  let heard = 0;
  bus.subscribe(topics.request(rid), () => {
    heard += 1;
  });
  bus.publish({ rid, approvers: [] });
  expect(heard).toBe(1);
});
