import { expect, it } from "vitest";
import { watchStreams } from "./stream-watch.js";

/** Notes what a stream is told, in its order. */
function listener() {
  const heard: string[] = [];
  const stream = {
    watched: () => heard.push("watched"),
    changed: () => heard.push("changed"),
    end: () => heard.push("end"),
  };
  return { heard, stream };
}

it("tells a stream when its holder is first looked at, is another, and is no more", async () => {
  const versions = new Map([["ada", "1"]]);
  const watch = watchStreams(async () => new Map(versions));
  const { heard, stream } = listener();
  const stop = watch.add("ada", stream);
  await expect.poll(() => heard).toEqual(["watched"]);
  versions.set("ada", "2");
  watch.check();
  await expect.poll(() => heard).toEqual(["watched", "changed"]);
  versions.delete("ada");
  watch.check();
  await expect.poll(() => heard).toEqual(["watched", "changed", "end"]);
  stop();
});

it("takes nobody for gone while the database says nothing", async () => {
  let reads = 0;
  const watch = watchStreams(async () => {
    reads += 1;
    if (reads === 1) throw new Error("away");
    return new Map([["ada", "1"]]);
  });
  const { heard, stream } = listener();
  const stop = watch.add("ada", stream);
  await expect.poll(() => heard).toEqual(["watched"]);
  expect(reads).toBeGreaterThan(1);
  stop();
});
