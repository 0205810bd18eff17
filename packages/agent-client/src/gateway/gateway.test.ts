import { stat, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import type { Json } from "@countersign/shared";
import { describe, expect, it, onTestFinished } from "vitest";
import { fileExecutor } from "../executors/file-executor.js";
import { createRoots, signal } from "../fixtures/roots.js";
import type { ToolCall } from "../gate/executor.js";
import { atDepth, currentDepth } from "../gate/perform.js";
import { createGateway } from "./gateway.js";
import type { Grant } from "./grants.js";

const grant: Grant = {
  ...{ tools: ["file.read", "file.copy"], resources: ["vfs://project/open/", "vfs://project/a"] },
  ...{ expiresInSeconds: 60, maxUses: 5, perMinute: 5 },
};

async function createSocket() {
  const world = await createRoots();
  await writeFile(join(world.project, "a"), "one");
  await writeFile(join(world.project, "secret"), "no");
  const executor = fileExecutor({ roots: world.roots });
  const ran: ToolCall[] = [];
  const depths: number[] = [];
  let now = 0;
  const gateway = await createGateway({
    gate: {
      async run(call, { within }) {
        const refused = (code: string) => ({ status: "refused_by_policy", code });
        const described = await executor.describe(call, { signal }).catch(() => undefined);
        if (!described) return refused("path_invalid");
        if (within?.(described) === false) return refused("not_granted");
        ran.push(call);
        depths.push(currentDepth());
        return { status: "executed", outcome: "succeeded", value: 1, decision: { id: "inner" } };
      },
    },
    clock: { now: () => now, monotonic: () => now },
  });
  onTestFinished(() => gateway.close());
  return {
    ...{ ...world, gateway, ran, depths, advance: (ms: number) => (now += ms) },
    ask: (token: string, tool: string, args: Json) =>
      post(gateway.socket, token, JSON.stringify({ tool, args })),
  };
}

function post(socketPath: string, token: string, body: string) {
  return new Promise<{ status: number | undefined; body: unknown }>((resolve, reject) => {
    const sent = request(
      {
        ...{ socketPath, path: "/call", method: "POST", signal },
        headers: { authorization: `Bearer ${token}` },
      },
      async (response) => {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({
          status: response.statusCode,
          body: JSON.parse(Buffer.concat(chunks).toString()),
        });
      },
    );
    sent.on("error", reject).end(body);
  });
}

const read = { path: "vfs://project/a" };

describe("a capability token", () => {
  it("is worth a question to the gate, whose answer is the answer", async () => {
    const { gateway, ask, ran } = await createSocket();
    const answer = await ask(gateway.grant(grant), "file.read", read);
    expect(answer).toEqual({
      ...{ status: 200, body: { status: "executed", outcome: "succeeded", value: 1 } },
    });
    expect(ran).toEqual([{ tool: "file.read", args: read }]);
  });

  it("is worth nothing for another tool, or for anything that it was not given for", async () => {
    const { gateway, ask, ran, project } = await createSocket();
    await writeFile(join(project, "ab"), "");
    const token = gateway.grant({ ...grant, maxUses: 100, perMinute: 100 });
    const refused: [string, Json][] = [
      ["file.delete", read],
      ["no.such.tool", read],
      ["file.read", { path: "vfs://project/secret" }],
      ["file.read", { path: "vfs://project/ab" }],
      ["file.copy", { from: "vfs://project/secret", to: "vfs://project/a", overwrite: true }],
      ["file.copy", { from: "vfs://project/a", to: "vfs://project/elsewhere" }],
    ];
    for (const [tool, args] of refused) {
      expect(await ask(token, tool, args)).toEqual({ status: 403, body: { code: "not_granted" } });
    }
    const up = await ask(token, "file.read", { path: "vfs://project/open/../secret" });
    expect(up).toMatchObject({ status: 200, body: { code: "path_invalid" } });
    expect(ran).toEqual([]);
  });

  it("is as deep in calls within calls as where it was given, and never none", async () => {
    const { gateway, ask, depths } = await createSocket();
    await ask(gateway.grant(grant), "file.read", read);
    await ask(
      atDepth(4, () => gateway.grant(grant)),
      "file.read",
      read,
    );
    expect(depths).toEqual([1, 4]);
  });

  it("ends by use, by time and by word", async () => {
    const { gateway, ask, ran, advance } = await createSocket();
    const invalid = { status: 401, body: { code: "token_invalid" } };
    expect(await ask("nonsense", "file.read", read)).toEqual(invalid);
    const twice = gateway.grant({ ...grant, maxUses: 2 });
    await ask(twice, "file.read", read);
    await ask(twice, "file.read", { path: "vfs://project/secret" });
    expect(await ask(twice, "file.read", read)).toEqual(invalid);
    const short = gateway.grant(grant);
    advance(60_000);
    expect(await ask(short, "file.read", read)).toEqual(invalid);
    const revoked = gateway.grant(grant);
    gateway.revoke(revoked);
    expect(await ask(revoked, "file.read", read)).toEqual(invalid);
    expect(ran).toHaveLength(1);
  });

  it("is used no faster than it may be, whoever asks at once", async () => {
    const { gateway, ask, ran, advance } = await createSocket();
    const token = gateway.grant({ ...grant, maxUses: 100, perMinute: 3, expiresInSeconds: 600 });
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ask(token, "file.read", read)),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(7);
    advance(60_000);
    expect(await ask(token, "file.read", read)).toMatchObject({ status: 200 });
    expect(ran).toHaveLength(4);
  });

  it("is refused for what is no call, and made for nothing that has no bounds", async () => {
    const { gateway, ran } = await createSocket();
    const token = gateway.grant({ ...grant, maxUses: 100, perMinute: 100 });
    for (const body of ["", "{", '{"tool":"a","tool":"b","args":{}}', '{"tool":"file.read"}']) {
      expect(await post(gateway.socket, token, body)).toMatchObject({ status: 400 });
    }
    expect(ran).toEqual([]);
    for (const unbounded of [
      { expiresInSeconds: 3601 },
      { maxUses: Number.POSITIVE_INFINITY },
      { perMinute: 0 },
      { resources: [""] },
      { tools: [] },
    ]) {
      expect(() => gateway.grant({ ...grant, ...unbounded })).toThrow();
    }
  });

  it("is asked for where only this user can go, and nowhere once that is closed", async () => {
    const { gateway } = await createSocket();
    expect((await stat(gateway.directory)).mode & 0o777).toBe(0o700);
    const token = gateway.grant(grant);
    await gateway.close();
    await expect(post(gateway.socket, token, "{}")).rejects.toThrow();
  });
});
