import { maxSealedBytes, parse, randomNonce, sha256Text, tokenResponse } from "@countersign/shared";
import { createSoftAgent, type SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { connect } from "./db/client.js";
import { limits } from "./domain/limits.js";
import { createRateLimits } from "./http/limits.js";
import { pairedWorld, startTestBroker, type TestBroker } from "./testing/harness.js";

let broker: TestBroker;
let phone: SoftPhone;
let agent: SoftAgent;

beforeAll(async () => {
  broker = await startTestBroker();
  ({ phone, agent } = await pairedWorld(broker));
});
afterAll(() => broker.drop());

const cancelAll = async (rids: string[]): Promise<void> => {
  for (const rid of rids) await agent.call("POST", `/v1/requests/${rid}/cancel`, {});
};

describe("a body", () => {
  const big = JSON.stringify({ filler: "x".repeat(limits.bodyBytes) });

  it.each([
    "/token",
    "/bc-authorize",
    "/v1/pairings",
    "/v1/pairings/x/reveal",
    "/v1/requests/x/outcome",
    "/app/nonces",
    "/app/session",
    "/app/approvers",
    "/app/requests/x/decisions",
    "/app/pairings/x/acceptance",
  ])("over 64 KiB is refused at %s, announced or not", async (path) => {
    for (const chunked of [false, true]) {
      const response = await fetch(`${broker.site.origin}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", origin: broker.site.origin },
        body: chunked ? new Blob([big]).stream() : big,
        ...(chunked ? { duplex: "half" } : {}),
      } as RequestInit);
      expect(response.status, `chunked: ${chunked}`).toBe(
        path === "/token" || path === "/bc-authorize" ? 400 : 413,
      );
      expect(await response.json()).toMatchObject({ code: "too_large" });
    }
  });

  it("may be a sealed context of the largest picture, and no more", async () => {
    const put = (octets: Uint8Array) =>
      agent.call("PUT", `/v1/contexts/${sha256Text(octets)}`, octets);
    expect((await put(new Uint8Array(maxSealedBytes).fill(0x20))).status).toBe(200);
    const refused = await put(new Uint8Array(maxSealedBytes + 1));
    expect(refused.status).toBe(413);
    expect(await refused.json()).toMatchObject({ code: "too_large" });
  });
});

describe("an agent", () => {
  it("has three requests open at most, and is told so", async () => {
    const open = [await agent.request(), await agent.request(), await agent.request()];
    const fourth = await agent.prepare();
    await agent.upload(fourth);
    const refused = await agent.authorize(fourth);
    expect(refused.status).toBe(429);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(await refused.json()).toMatchObject({ code: "too_many_pending" });
    await phone.deny(open[0]?.rid ?? "");
    expect((await agent.authorize(fourth)).status).toBe(200);
    await cancelAll([...open, fourth].map(({ rid }) => rid));
  });

  it("has three at most when it asks for many at once", async () => {
    for (let round = 0; round < 4; round++) {
      const many = await Promise.all(Array.from({ length: 7 }, () => agent.prepare()));
      for (const request of many) expect((await agent.upload(request)).status).toBe(200);
      const answers = await Promise.all(many.map((request) => agent.authorize(request)));
      const statuses = answers.map(({ status }) => status).sort();
      expect(statuses).toEqual([200, 200, 200, 429, 429, 429, 429]);
      await cancelAll(many.map(({ rid }) => rid));
      // What was refused is asked again, so that no context stays unnamed.
      for (const [index, request] of many.entries()) {
        if (answers[index]?.status !== 200) {
          expect((await agent.authorize(request)).status).toBe(200);
          await cancelAll([request.rid]);
        }
      }
    }
  });

  it("has what belongs to eight requests with pictures waiting at most, and may repeat the upload of each", async () => {
    const fresh = await createSoftAgent({ origin: broker.site.origin });
    await fresh.pairWith(phone);
    const picture = new TextEncoder().encode("not looked at by a broker");
    const screenshot = {
      sha256: sha256Text(picture),
      mime: "image/png",
      width: 1,
      height: 1,
    } as const;
    const nine = await Promise.all(
      Array.from({ length: 9 }, () => fresh.prepare({ picture, screenshot })),
    );
    for (const request of nine.slice(0, 8)) expect((await fresh.upload(request)).status).toBe(200);
    const [first, ninth] = [nine[0], nine[8]];
    if (!first || !ninth) throw new Error("too few");
    const refused = await fresh.call("PUT", `/v1/contexts/${ninth.sealedSha256}`, ninth.sealed);
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ code: "slow_down" });
    expect((await fresh.upload(first)).status).toBe(200);
    expect((await fresh.authorize(first)).status).toBe(200);
    expect((await fresh.upload(ninth)).status).toBe(200);
  });

  it("makes 3000 calls a minute at most", async () => {
    const { db, close } = connect(broker.databaseUrl);
    const { agent: count } = createRateLimits({ db, reserved: db });
    const key = randomNonce();
    for (let call = 0; call < 3000; call++) await count(key);
    await expect(count(key)).rejects.toMatchObject({ code: "slow_down" });
    await expect(count(randomNonce())).resolves.toBeUndefined();
    await close();
  });
});

describe("an address", () => {
  const nonce = (headers: Record<string, string> = {}) =>
    fetch(`${broker.site.origin}/app/nonces`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: broker.site.origin, ...headers },
      body: JSON.stringify({ purpose: "login" }),
    });

  it("of whom nobody knows is answered 300 times a minute, whatever it says it is", async () => {
    let refused: Response | undefined;
    for (let call = 0; call <= 300 && !refused; call++) {
      const response = await nonce({ "x-forwarded-for": `203.0.113.${call % 250}` });
      if (response.status === 429) refused = response;
    }
    expect(await refused?.json()).toMatchObject({ code: "slow_down" });
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
    expect(Number(refused?.headers.get("retry-after"))).toBeLessThanOrEqual(60);
    // Who is known is counted by name: a flood of strangers locks nobody out.
    const granted = await agent.form("/token", { grant_type: "client_credentials" });
    parse(tokenResponse, await granted.json());
    await expect(phone.inbox()).resolves.toBeDefined();
  });

  it("offers 60 pairings a minute", async () => {
    const stranger = await createSoftAgent({ origin: broker.site.origin });
    const statuses: number[] = [];
    for (let call = 0; call <= 60; call++) {
      statuses.push((await stranger.call("POST", "/v1/pairings", { offer: "x" })).status);
    }
    expect(statuses.at(-1)).toBe(429);
    expect(statuses.filter((status) => status !== 429).length).toBeLessThanOrEqual(60);
  });
});
