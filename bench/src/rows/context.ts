import { randomFillSync } from "node:crypto";
import { mkdtemp, open, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sha256Text, toBase64url, utf8 } from "@countersign/shared";
import { accepted, createHttpClient } from "../load/http.js";
import { cpuMilliseconds, interleave, median, ratioOf } from "../measure.js";
import { atLeast, atMost, milliseconds, perSecond, type Row, rate } from "../row.js";
import { seedPairs } from "../system/pairs.js";
import { clientToken } from "../system/request.js";
import { startBrokers } from "../system/server.js";

const size = 256 * 1024;
const inFlight = 4;

/** base64url, as nearly all of a sealed context is. */
const sealedLike = (): Uint8Array =>
  utf8(toBase64url(randomFillSync(new Uint8Array((size * 3) / 4))));

/** Sealed contexts of 256 KiB taken in durably, against files of the same size. */
export const context: Row = {
  name: "context",
  async run(bench) {
    const server = await bench.databases();
    const brokers = await startBrokers(await server.database());
    const rounds = bench.smoke ? 1 : 4;
    const count = bench.smoke ? 8 : 128;
    // An agent may have eight that no request names yet.
    const pairs = await seedPairs(brokers.databaseUrl, brokers.origin, (rounds * count) / 8);
    const http = createHttpClient(brokers.origin, brokers.ports[0] ?? 0, inFlight);
    const folder = await mkdtemp(join(tmpdir(), "countersign-bench-"));
    const uploads: { octets: Uint8Array; path: string; headers: Record<string, string> }[] = [];
    for (const pair of pairs) {
      const token = await clientToken(pair, http);
      for (let index = 0; index < 8; index++) {
        const octets = sealedLike();
        const path = `/v1/contexts/${sha256Text(octets)}`;
        const dpop = await pair.agent.dpop("PUT", path, token);
        uploads.push({ octets, path, headers: { authorization: `DPoP ${token}`, dpop } });
      }
    }
    const each = async <Item>(items: readonly Item[], work: (item: Item) => Promise<void>) => {
      const left = [...items];
      const began = performance.now();
      const worker = async () => {
        for (let item = left.pop(); item !== undefined; item = left.pop()) await work(item);
      };
      await Promise.all(Array.from({ length: inFlight }, worker));
      return rate(items.length, performance.now() - began);
    };
    const [pid = 0] = brokers.pids;
    const cpu: number[] = [];
    let taken = 0;
    const octets = sealedLike();
    try {
      const found = await interleave(rounds, {
        ours: async () => {
          const batch = uploads.slice(taken, taken + count);
          taken += count;
          const before = cpuMilliseconds(pid);
          const result = await each(batch, async (upload) => {
            accepted("put", await http.call("PUT", upload.path, upload.headers, upload.octets));
          });
          cpu.push((cpuMilliseconds(pid) - before) / count);
          return result;
        },
        files: () =>
          each([...Array(count).keys()], async (index) => {
            const path = join(folder, String(index));
            const file = await open(`${path}.unfinished`, "w");
            await file.write(octets);
            await file.datasync();
            await file.close();
            await rename(`${path}.unfinished`, path);
          }),
      });
      return {
        lines: [
          {
            what: "256 KiB contexts stored, 4 in flight",
            ours: perSecond(median(found.ours)),
            against: `write + fdatasync + rename ${perSecond(median(found.files))}`,
            ratio: ratioOf(found.ours, found.files),
            goal: atLeast(0.5),
          },
          {
            what: "broker's CPU for one of them",
            ours: milliseconds(median(cpu)),
            against: "0.6 ms, a fixed bound",
            ratio: median(cpu) / 0.6,
            goal: atMost(1),
          },
        ],
      };
    } finally {
      await http.close();
      await brokers.stop();
      await rm(folder, { recursive: true });
    }
  },
};
