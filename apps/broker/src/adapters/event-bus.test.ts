import { randomId } from "@countersign/shared";
import { expect, it, onTestFinished } from "vitest";
import { topics } from "../domain/ports.js";
import { createEventBus } from "./event-bus.js";

const silent = { debug() {}, info() {}, warn() {}, error() {} };

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
