import { randomBytes, randomId, sha256Text, toBase64url, utf8 } from "@countersign/shared";
import type { SoftAgent } from "@countersign/test-kit/soft-agent";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Connection, connect } from "./db/client.js";
import { purgeSealed } from "./db/retention.js";
import { enrolledPhone, pairedWorld, startTestBroker, type TestBroker } from "./testing/harness.js";

// What an agent's outcome names is kept for the approvers who were asked, as long as the request's context.

let broker: TestBroker;
let connection: Connection;
let phone: SoftPhone;
let agent: SoftAgent;

beforeAll(async () => {
  broker = await startTestBroker();
  connection = connect(broker.databaseUrl);
  ({ phone, agent } = await pairedWorld(broker));
});
afterAll(async () => {
  await connection.close();
  await broker.drop();
});

/** Ciphertext is text to the broker, whatever it says. */
async function upload() {
  const octets = utf8(toBase64url(randomBytes(300)));
  const sha256 = sha256Text(octets);
  const answer = await agent.call("PUT", `/v1/contexts/${sha256}`, octets);
  expect(answer.status).toBe(200);
  return { octets, sha256 };
}

async function redeemed(given: Parameters<SoftAgent["request"]>[0] = {}) {
  const request = await agent.request(given);
  await phone.approve(request.rid);
  await agent.poll(request.rid);
  return request;
}

async function report(
  request: Awaited<ReturnType<typeof redeemed>>,
  claims: Parameters<SoftAgent["outcomeOf"]>[1],
) {
  const outcome = await agent.outcomeOf(request, claims);
  return agent.call("POST", `/v1/requests/${request.rid}/outcome`, { outcome });
}

const fetchIt = (by: SoftPhone, rid: string, sha256: string) =>
  by.call("GET", `/app/requests/${rid}/contexts/${sha256}`);

it("is served to an approver who was asked, octet for octet, and to nobody else", async () => {
  const request = await redeemed();
  const { octets, sha256 } = await upload();
  expect((await fetchIt(phone, request.rid, sha256)).status).toBe(404);
  expect((await report(request, { sealed_sha256: sha256 })).status).toBe(200);
  const answer = await fetchIt(phone, request.rid, sha256);
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(octets);
  expect(answer.headers.get("cache-control")).toBe("no-store");

  const other = await enrolledPhone(broker, "Bob", phone);
  expect((await fetchIt(other, request.rid, sha256)).status).toBe(404);
  expect((await fetchIt(phone, randomId(), sha256)).status).toBe(404);
  const another = await redeemed();
  expect((await fetchIt(phone, another.rid, sha256)).status).toBe(404);
});

it("holds up no outcome when it did not arrive, and is taken from no other request", async () => {
  const request = await redeemed();
  const missing = sha256Text(randomBytes(8));
  expect((await report(request, { sealed_sha256: missing })).status).toBe(200);
  expect((await fetchIt(phone, request.rid, missing)).status).toBe(404);
  const second = await redeemed();
  expect((await report(second, { sealed_sha256: request.sealedSha256 })).status).toBe(200);
  expect((await fetchIt(phone, second.rid, request.sealedSha256)).status).toBe(404);
  expect((await fetchIt(phone, request.rid, request.sealedSha256)).status).toBe(200);
});

it("has a time of its own, beside that of the request's context and picture", async () => {
  const picture = randomBytes(50);
  const screenshot = {
    sha256: sha256Text(picture),
    mime: "image/png" as const,
    width: 1,
    height: 1,
  };
  const unseen = await agent.request({ picture, screenshot });
  const request = await redeemed();
  await phone.deny(unseen.rid);
  const before = sha256Text(unseen.sealedPicture ?? new Uint8Array());
  const { sha256 } = await upload();
  await report(request, { sealed_sha256: sha256 });
  const left = async () => [
    (await fetchIt(phone, request.rid, request.sealedSha256)).status,
    (await fetchIt(phone, unseen.rid, before)).status,
    (await fetchIt(phone, request.rid, sha256)).status,
  ];
  await purgeSealed(connection.db, { contexts: 3600, pictures: 3600 });
  expect(await left()).toEqual([200, 200, 200]);
  await purgeSealed(connection.db, { contexts: -1, pictures: 3600 });
  expect(await left()).toEqual([404, 404, 200]);
  await purgeSealed(connection.db, { contexts: 3600, pictures: -1 });
  expect(await left()).toEqual([404, 404, 404]);
});
