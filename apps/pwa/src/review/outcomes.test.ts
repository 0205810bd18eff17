import {
  type AuthorizationRequest,
  type Outcome,
  publicJwk,
  randomId,
  randomNonce,
  signOutcome,
  thumbprint,
} from "@countersign/shared";
import { expect, test } from "vitest";
import { verifyOutcomes } from "./outcomes.js";

async function createKey() {
  const { publicKey, privateKey } = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign", "verify"],
  );
  const jwk = await publicJwk(publicKey);
  return { jwk, kid: thumbprint(jwk), privateKey };
}

const request = {
  rid: randomId(),
  arHash: randomNonce(),
  detail: { ctx: randomNonce() },
} as AuthorizationRequest;
const outcome: Outcome = {
  rid: request.rid,
  ar_hash: request.arHash,
  ctx: request.detail.ctx,
  n: 1,
  status: "succeeded",
  started_at: 1,
  ended_at: 2,
};

test("an outcome counts under the paired agent's key only", async () => {
  const [agent, other] = [await createKey(), await createKey()];
  const own = await signOutcome(outcome, agent);
  const forged = await signOutcome(outcome, other);
  expect(await verifyOutcomes([own], request, agent.jwk)).toEqual([outcome]);
  expect(await verifyOutcomes([forged], request, agent.jwk)).toEqual([null]);
});

test.each([
  ["request", { rid: randomId() }],
  ["signed request", { ar_hash: randomNonce() }],
  ["action", { ctx: randomNonce() }],
  ["place", { n: 2 }],
])("an outcome of another %s is not shown as this one's", async (_what, changed) => {
  const agent = await createKey();
  const jws = await signOutcome({ ...outcome, ...changed }, agent);
  expect(await verifyOutcomes([jws], request, agent.jwk)).toEqual([null]);
});
