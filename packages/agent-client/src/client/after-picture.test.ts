import { fromBase64url, sha256Text } from "@countersign/shared";
import { describe, expect, it } from "vitest";
import { createPaired } from "../fixtures/agent.js";
import { withoutMetadata } from "../pictures/without-metadata.js";

const png = fromBase64url(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk-M_wHwAEBgIApD5fRAAAAABJRU5ErkJggg",
);
const proposal = { tool: "delete", args: { path: "/tmp/x" } };

/** A client whose requests are all approved, and what the broker got to see of a picture. */
async function approvingWorld() {
  const paired = await createPaired();
  const { broker, approver, client } = paired;
  const named: (string | undefined)[] = [];
  const uploaded = new Map<string, Uint8Array>();
  broker.state.intercept = (path, init) => {
    const [, sha256] = /^\/v1\/contexts\/(.+)$/.exec(path) ?? [];
    if (sha256) uploaded.set(sha256, new Uint8Array(init.body as Uint8Array<ArrayBuffer>));
    if (path.endsWith("/outcome")) {
      const [, payload = ""] = JSON.parse(String(init.body)).outcome.split(".");
      named.push(JSON.parse(Buffer.from(payload, "base64url").toString()).sealed_sha256);
    }
    return undefined;
  };
  const onPending = ({ rid }: { rid: string }) => {
    const held = broker.requests.get(rid);
    if (!held) throw new Error("not requested");
    void approver.approve(held).then((approval) => {
      broker.yes(rid, broker.honestEvidence(rid, [approval]));
    });
  };
  return { ...paired, client, named, uploaded, onPending };
}

describe("the after-picture", () => {
  it("is in the answer, and goes to the approver's device sealed for this request, before its outcome", async () => {
    const { client, approver, broker, named, uploaded, onPending } = await approvingWorld();
    const result = await client.guard(proposal, () => "done", {
      onPending,
      afterPicture: async () => png,
    });
    expect(result).toMatchObject({ status: "approved", outcome: "succeeded", afterPicture: png });
    if (result.status !== "approved") throw new Error("not approved");
    const [sealedSha256 = ""] = named;
    const octets = uploaded.get(sealedSha256) ?? new Uint8Array();
    expect(sha256Text(octets)).toBe(sealedSha256);
    const opened = await approver.device.openAfterPicture(octets, {
      rid: result.rid,
      sealedSha256,
    });
    // Written anew, as every picture that leaves.
    const bytes = withoutMetadata(png);
    expect(opened).toMatchObject({ bytes, screenshot: { width: 1, mime: "image/png" } });
    const calls = broker.state.calls.slice(-2);
    expect(calls).toEqual([
      `PUT /v1/contexts/${sealedSha256}`,
      `POST /v1/requests/${result.rid}/outcome`,
    ]);
  });

  it("of what failed is there as well", async () => {
    const { client, named, onPending } = await approvingWorld();
    const fail = () => {
      throw new Error("no");
    };
    const result = await client.guard(proposal, fail, { onPending, afterPicture: () => png });
    expect(result).toMatchObject({ outcome: "failed", afterPicture: png });
    expect(named).toEqual([expect.any(String)]);
  });

  it("that cannot be taken, is no picture, or finds no broker, costs no outcome", async () => {
    const { client, broker, named, onPending } = await approvingWorld();
    const broken = new Error("no screen");
    const none = await client.guard(proposal, () => 1, {
      onPending,
      afterPicture: () => Promise.reject(broken),
    });
    expect(none).toMatchObject({ outcome: "succeeded", afterPictureError: broken });
    const text = new TextEncoder().encode("no picture");
    const odd = await client.guard(proposal, () => 1, { onPending, afterPicture: () => text });
    expect(odd).toMatchObject({
      outcome: "succeeded",
      afterPicture: text,
      afterPictureError: { code: "invalid_options" },
    });
    let executed = false;
    const watched = broker.state.intercept;
    broker.state.intercept = (path, init) => {
      const refused = executed && path.includes("/contexts/");
      return refused ? Response.json({}, { status: 403 }) : watched?.(path, init);
    };
    const unsent = await client.guard(
      proposal,
      () => {
        executed = true;
      },
      { onPending, afterPicture: () => png },
    );
    expect(unsent).toMatchObject({ outcome: "succeeded", afterPicture: png });
    expect(named).toEqual([undefined, undefined, expect.any(String)]);
  });

  it("is sealed for nobody when the key chain cannot be had: the outcome goes without", async () => {
    const { client, broker, named, onPending } = await approvingWorld();
    let executed = false;
    const watched = broker.state.intercept;
    broker.state.intercept = (path, init) => {
      const away = executed && path.includes("/approvers/");
      return away ? Response.json({}, { status: 503 }) : watched?.(path, init);
    };
    const result = await client.guard(
      proposal,
      () => {
        executed = true;
      },
      { onPending, afterPicture: () => png },
    );
    expect(result).toMatchObject({ outcome: "succeeded", afterPicture: png });
    expect(named).toEqual([undefined]);
  });

  it("of a report in steps is refused early where no phone could show it, and nothing is reported", async () => {
    const { client, ask, approver, broker, named } = await approvingWorld();
    const { rid, held } = await ask();
    broker.yes(rid, broker.honestEvidence(rid, [await approver.approve(held)]));
    await client.wait(rid);
    await client.claim(rid);
    const text = new TextEncoder().encode("no picture");
    await expect(
      client.report(rid, { status: "succeeded", afterPicture: text }),
    ).rejects.toMatchObject({ code: "invalid_options" });
    expect(named).toEqual([]);
    await client.report(rid, { status: "succeeded", afterPicture: png });
    expect(named).toEqual([expect.any(String)]);
  });
});
