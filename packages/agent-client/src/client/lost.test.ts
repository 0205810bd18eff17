import { sha256Text, utf8 } from "@countersign/shared";
import { encode } from "fast-png";
import { describe, expect, it } from "vitest";
import { createHome, createPaired, pairWith, site } from "../fixtures/agent.js";
import { createApprover } from "../fixtures/approver.js";
import { createFakeBroker } from "../fixtures/fake-broker.js";
import { createClient } from "./create-client.js";

/** A clock that a test moves. */
function createClock() {
  const moved = { ms: 0 };
  const clock = {
    now: () => Date.now() + moved.ms,
    monotonic: () => performance.now() + moved.ms,
  };
  return { clock, moved };
}

type Paired = Awaited<ReturnType<typeof createPaired>>;

async function approved({ ask, broker, approver, client }: Paired) {
  const { rid, held } = await ask();
  broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
  expect(await client.wait(rid)).toMatchObject({ status: "approved" });
  expect(await client.claim(rid)).toMatchObject({ status: "claimed" });
  return rid;
}

/** Says yes to whatever is asked next, as a person would. */
const approving =
  ({ broker, approver }: Pick<Paired, "broker" | "approver">) =>
  ({ rid }: { rid: string }) => {
    const held = broker.requests.get(rid);
    if (!held) throw new Error("not requested");
    void approver.approve(held).then((approval) => {
      broker.yes(rid, broker.honestEvidence(rid, [approval]));
    });
  };

const outcomeNumber = (init: RequestInit): number => {
  const [, payload = ""] = JSON.parse(String(init.body)).outcome.split(".");
  return JSON.parse(Buffer.from(payload, "base64url").toString()).n;
};

describe("an outcome", () => {
  it("never overtakes the one before it, and is never given up for coming too early", async () => {
    const paired = await createPaired();
    const { broker, client, open } = paired;
    const rid = await approved(paired);
    const sent: number[] = [];
    const taken: number[] = [];
    broker.state.intercept = (path, init) => {
      if (!path.endsWith("/outcome")) return undefined;
      const n = outcomeNumber(init);
      sent.push(n);
      // Away for the first, as a client sees it: a refusal for now, which is not waited for here.
      if (sent.length === 1) return Response.json({ code: "unavailable" }, { status: 401 });
      if (n > taken.length + 1) {
        return Response.json(
          { type: "about:blank", title: "", status: 409, code: "outcome_out_of_order" },
          { status: 409 },
        );
      }
      taken.push(n);
      return undefined;
    };
    await client.report(rid, { status: "succeeded" });
    await client.report(rid, { status: "rolled_back" });
    await (await open()).recover();
    expect(taken).toEqual([1, 2]);
  });

  it("out of order for the broker is sent again at the next start", async () => {
    const paired = await createPaired();
    const { broker, client, open } = paired;
    const rid = await approved(paired);
    let refusing = true;
    broker.state.intercept = (path) =>
      refusing && path.endsWith("/outcome")
        ? Response.json(
            { type: "about:blank", title: "", status: 409, code: "outcome_out_of_order" },
            { status: 409 },
          )
        : undefined;
    await client.report(rid, { status: "succeeded" });
    refusing = false;
    await (await open()).recover();
    expect(broker.state.outcomes).toMatchObject([{ n: 1, status: "succeeded" }]);
  });

  it("that finds no broker is told when there is one again, without a new start", async () => {
    const paired = await createPaired();
    const { broker, client } = paired;
    const [one, two] = [await approved(paired), await approved(paired)];
    let away = true;
    const gone = { status: 503, headers: { "retry-after": "3600" } };
    broker.state.intercept = (path) =>
      away && path.endsWith("/outcome") ? new Response("", gone) : undefined;
    await client.report(one, { status: "succeeded" });
    await client.report(two, { status: "failed" });
    expect(broker.state.outcomes).toEqual([]);
    away = false;
    const told = () => broker.state.outcomes.map(({ status }) => status);
    await expect.poll(told, { timeout: 30_000 }).toEqual(["succeeded", "failed"]);
  });

  it("succeeded is told and handed out when its result cannot be put into octets", async () => {
    const { broker, client, approver } = await createPaired();
    const error = new Error("serialise");
    const guarded = await client.guard({ tool: "t", args: {} }, () => "done", {
      onPending: approving({ broker, approver }),
      resultOf: () => {
        throw error;
      },
    });
    expect(guarded).toMatchObject({ outcome: "succeeded", value: "done", resultError: error });
    expect(broker.state.outcomes).toMatchObject([{ n: 1, status: "succeeded" }]);
  });

  it("is reported in a second step after the request was let go", async () => {
    const paired = await createPaired();
    const { client, broker } = paired;
    const rid = await approved(paired);
    expect(await client.report(rid, { status: "succeeded" })).toEqual({ n: 1 });
    expect(await client.report(rid, { status: "rolled_back" })).toEqual({ n: 2 });
    expect(broker.state.outcomes).toMatchObject([{ n: 1 }, { n: 2, status: "rolled_back" }]);
    expect(await client.claim(rid)).toMatchObject({ status: "reported" });
  });
});

describe("a guard", () => {
  it("takes its request back when nobody could be shown the match code", async () => {
    const { broker, client } = await createPaired();
    const guarded = client.guard({ tool: "t", args: {} }, () => "done", {
      onPending: () => {
        throw new Error("no display");
      },
    });
    await expect(guarded).rejects.toThrow("no display");
    expect(broker.state.canceled).toEqual([...broker.requests.keys()]);
  });

  it("asks again about a subject however long, and however it is shown", async () => {
    let world = "a";
    const { broker, client, approver } = await createPaired({
      preconditions: { text: async () => sha256Text(utf8(world)) },
    });
    const subject = "\u200b".repeat(900);
    const guarded = await client.guard(
      { tool: "t", args: {}, preconditions: [{ kind: "text", subject }] },
      () => "done",
      {
        onPending: (pending) => {
          approving({ broker, approver })(pending);
          world = "b";
        },
      },
    );
    expect(guarded).toMatchObject({ status: "approved", value: "done" });
  });
});

describe("waiting", () => {
  it("ends by the agent's own deadline, whatever pause the broker asks for", async () => {
    const { clock, moved } = createClock();
    const { broker, client, ask } = await createPaired({ clock });
    const { rid } = await ask(undefined, { expiresInSeconds: 2 });
    moved.ms = 1_000;
    broker.state.intercept = (path) =>
      path === "/token"
        ? new Response("", { status: 503, headers: { "retry-after": "3600" } })
        : undefined;
    expect(await client.wait(rid)).toEqual({ status: "expired", rid });
  });

  it("of two processes does not end what the other one was given", async () => {
    const { ask, broker, approver, client, open } = await createPaired();
    const { rid, held } = await ask();
    const winner = await open();
    broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    expect(await winner.resume(rid)).toMatchObject({ status: "approved" });
    broker.no(rid, { error: "invalid_grant" });
    const lost = { status: "unreachable", rid, code: "invalid_grant" };
    expect(await client.wait(rid)).toEqual(lost);
    expect(await winner.claim(rid)).toMatchObject({ status: "claimed" });
    expect(await client.wait(rid)).toEqual({ status: "unknown", rid, code: "in_progress" });
  });
});

describe("a picture", () => {
  const png = (shade: number) =>
    encode({ width: 1, height: 1, channels: 1, depth: 8, data: Uint8Array.of(shade) });

  it("and the measurements are of the same world, or nobody is asked", async () => {
    let world = 0;
    const moving = { page: async () => sha256Text(utf8(String(world))) };
    const { broker, client } = await createPaired({ preconditions: moving });
    const proposal = { tool: "t", args: {}, preconditions: [{ kind: "page", subject: "x" }] };
    const screenshot = async () => png(++world);
    expect(await client.request(proposal, { screenshot })).toEqual({
      status: "refused_by_policy",
      code: "precondition_unstable",
    });
    expect(broker.requests.size).toBe(0);
    const settling = async () => {
      world = 5;
      return png(5);
    };
    expect(await client.request(proposal, { screenshot: settling })).toMatchObject({
      status: "pending",
    });
  });
});

it("what no phone could show is sealed for nobody", async () => {
  const { client, broker } = await createPaired();
  const args = { ["n".repeat(1_000_000)]: Array(100_000).fill(0) };
  expect(await client.request({ tool: "t", args })).toEqual({
    status: "refused_by_policy",
    code: "too_large",
  });
  expect(broker.requests.size).toBe(0);
});

describe("an unpairing by another process", () => {
  it.each(["confirm", "/v1/approvers/"])(
    "stands while a pairing comes to its end (%s)",
    async (moment) => {
      const broker = createFakeBroker(site);
      const home = await createHome();
      const options = { brokerUrl: site.issuer, home, fetch: broker.fetch };
      const [client, other] = [await createClient(options), await createClient(options)];
      const approver = await createApprover(site, broker.log.vkey);
      let unpaired = 0;
      broker.state.intercept = async (path) => {
        if (!path.includes(moment) || unpaired > 0) return undefined;
        unpaired += 1;
        await other.unpair(approver.id);
        return undefined;
      };
      await expect(pairWith(client, broker, approver)).rejects.toMatchObject({
        code: "pairing_canceled",
      });
      expect(unpaired).toBe(1);
      expect(await other.approvers()).toEqual([]);
    },
  );

  it("is not undone by the pairing before, when one made anew fails", async () => {
    const { broker, client, approver, open } = await createPaired();
    const other = await open();
    broker.state.intercept = async (path) => {
      if (!path.endsWith("/confirm")) return undefined;
      await other.unpair(approver.id);
      return Response.json({ code: "pairing_stale" }, { status: 409 });
    };
    await expect(pairWith(client, broker, approver)).rejects.toMatchObject({
      code: "pairing_failed",
    });
    expect(await other.approvers()).toEqual([]);
  });

  it("that never was leaves the pairing before in place, when one made anew fails", async () => {
    const { broker, client, approver } = await createPaired();
    const before = await client.approvers();
    broker.state.intercept = (path) =>
      path.endsWith("/confirm")
        ? Response.json({ code: "pairing_stale" }, { status: 409 })
        : undefined;
    await expect(pairWith(client, broker, approver)).rejects.toMatchObject({
      code: "pairing_failed",
    });
    expect(await client.approvers()).toEqual(before);
  });
});
