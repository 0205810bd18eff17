import { randomNonce } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { createClient } from "../client/create-client.js";
import { createHome, createPaired, pairWith, site } from "../fixtures/agent.js";
import { createApprover, type FakeApprover } from "../fixtures/approver.js";
import { createFakeBroker } from "../fixtures/fake-broker.js";
import type { PairOptions } from "./pair.js";

async function createUnpaired(clockMs = { wall: 0 }) {
  const broker = createFakeBroker(site);
  const home = await createHome();
  const clock = { now: () => Date.now() + clockMs.wall, monotonic: () => performance.now() };
  const client = await createClient({
    brokerUrl: site.issuer,
    home,
    fetch: broker.fetch,
    clock,
  });
  const approver = await createApprover(site, broker.log.vkey);
  const pair = (
    confirmDigits: PairOptions["confirmDigits"],
    forge?: Parameters<FakeApprover["accept"]>[2],
  ) =>
    client.pair({
      name: "test agent",
      confirmDigits,
      onLink: (link) => {
        const [pairing] = [...broker.pairings.values()];
        if (!pairing) throw new Error("nothing was offered");
        void approver.accept(link, pairing.offer, forge).then((acceptance) => {
          Object.assign(pairing, { acceptance, state: "accepted" });
        });
      },
    });
  const revealed = () => [...broker.pairings.values()].some(({ nonce }) => nonce !== undefined);
  return { broker, client, approver, pair, revealed };
}

describe("a pairing", () => {
  it("pins exactly the keys that signed, after the person typed the digits", async () => {
    const { client, broker, approver } = await createPaired();
    expect(await client.approvers()).toMatchObject([{ approver: approver.id }]);
    expect([...broker.pairings.values()]).toMatchObject([{ state: "live" }]);
  });

  it("pins nothing after three wrong tries", async () => {
    const { client, pair, broker } = await createUnpaired();
    const asked: number[] = [];
    const wrong: PairOptions["confirmDigits"] = async ({ triesLeft }) => {
      asked.push(triesLeft);
      return "0000000";
    };
    await expect(pair(wrong)).rejects.toMatchObject({ code: "digits_wrong" });
    expect(asked).toEqual([3, 2, 1]);
    expect(await client.approvers()).toEqual([]);
    expect([...broker.pairings.values()]).toMatchObject([{ state: "ended" }]);
  });

  it("ends after ten minutes by the agent's own clock, whatever was typed", async () => {
    const clockMs = { wall: 0 };
    const { client, pair } = await createUnpaired(clockMs);
    const late = pair(async () => {
      clockMs.wall = 600_001;
      return "000000";
    });
    await expect(late).rejects.toMatchObject({ code: "pairing_expired" });
    expect(await client.approvers()).toEqual([]);
  });

  it("reveals no nonce to an acceptance that does not verify", async () => {
    const other = randomNonce();
    const forgeries: Parameters<FakeApprover["accept"]>[2][] = [
      { mac: other },
      { statement: (honest) => ({ ...honest, commit: other }) },
      { statement: (honest) => ({ ...honest, agent_jkt: other }) },
      { statement: (honest) => ({ ...honest, agent_name: "another" }) },
      { statement: (honest) => ({ ...honest, pairing_id: other }) },
      { statement: (honest) => ({ ...honest, origin: "https://evil.example" }) },
      {
        statement: (honest) => ({
          ...honest,
          credential: { ...honest.credential, be: !honest.credential.be },
        }),
      },
      {
        statement: (honest) => ({
          ...honest,
          device: { ...honest.device, sig_jwk: honest.device.enc_jwk },
        }),
      },
    ];
    for (const forgery of forgeries) {
      const { client, pair, revealed } = await createUnpaired();
      const asked = pair(async () => "000000", forgery);
      await expect(asked).rejects.toMatchObject({ code: "pairing_failed" });
      expect(revealed()).toBe(false);
      expect(await client.approvers()).toEqual([]);
    }
  });

  it("refuses other keys for a known approver until it is unpaired", async () => {
    const { client, broker, approver } = await createPaired();
    const impostor = await createApprover(site, broker.log.vkey);
    const forge = {
      statement: (
        honest: Parameters<
          NonNullable<NonNullable<Parameters<FakeApprover["accept"]>[2]>["statement"]>
        >[0],
      ) => ({ ...honest, approver: approver.id }),
    };
    await expect(pairWith(client, broker, impostor, forge)).rejects.toMatchObject({
      code: "keys_changed",
    });
    await client.unpair(approver.id);
    await pairWith(client, broker, impostor, forge);
    expect(await client.approvers()).toMatchObject([{ approver: approver.id }]);
  });

  it("refuses keys that another approver is paired with", async () => {
    const { client, broker, approver } = await createPaired();
    const forge = {
      statement: (
        honest: Parameters<
          NonNullable<NonNullable<Parameters<FakeApprover["accept"]>[2]>["statement"]>
        >[0],
      ) => ({ ...honest, approver: randomNonce() }),
    };
    await expect(pairWith(client, broker, approver, forge)).rejects.toMatchObject({
      code: "keys_shared",
    });
  });
});

describe("unpairing", () => {
  it("is certain at once, with a broker that does not answer, for approvals on their way too", async () => {
    const { client, broker, approver, ask } = await createPaired();
    const { rid, held } = await ask();
    broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    expect(await client.wait(rid)).toMatchObject({ status: "approved" });
    broker.state.intercept = (path) => {
      if (path.startsWith("/v1/pairings")) throw new TypeError("fetch failed");
      return undefined;
    };
    expect(await client.unpair(approver.id)).toEqual({ brokerTold: false });
    expect(await client.approvers()).toEqual([]);
    expect(await client.claim(rid)).toMatchObject({
      status: "integrity_mismatch",
      code: "invalid_binding:approver_not_pinned",
    });
  });
});
