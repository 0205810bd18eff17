import {
  type Approval,
  canonicalBytes,
  type DeniedDecision,
  fromBase64url,
  hashBytes,
  type Purpose,
  parseStatement,
  randomId,
  randomNonce,
  type Statement,
  type Tree,
  toBase64url,
} from "@countersign/shared";
import type { CeremonyOverrides } from "@countersign/test-kit/soft-authenticator";
import type { SoftPhone } from "@countersign/test-kit/soft-phone";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  attackedWorld,
  codeOf,
  flip,
  positions,
  refusalOf,
  startAfresh,
  type World,
} from "../testing/attack.js";
import { enrolledPhone } from "../testing/harness.js";

let world: World;
let ada: SoftPhone;
/** Enrolled and paired like Ada; asked together with her only where a test says so. */
let eve: SoftPhone;

beforeAll(async () => {
  world = await attackedWorld();
  ada = world.phone;
  eve = await enrolledPhone(world.broker, "Eve", ada);
  await world.agent.pairWith(eve);
});
afterAll(() => world.close());
beforeEach(() => startAfresh(world));

const purposes: readonly Purpose[] = [
  ...([
    "context",
    "request",
    "view",
    "result",
    "match",
    "deny",
    "freeze",
    "login",
    "register",
  ] as const),
  ...([
    "pairing",
    "commit",
    "pair",
    "compare",
    "link",
    "credential",
    "device",
    "leaf",
    "practice",
  ] as const),
];

/** A request that waits for Ada, withdrawn when the test is over. */
async function asked<T>(
  act: (rid: string) => Promise<T>,
  given: Parameters<World["agent"]["request"]>[0] = {},
): Promise<T> {
  const { rid } = await world.agent.request({ approvers: [ada.approver()], ...given });
  try {
    return await act(rid);
  } finally {
    await world.agent.call("POST", `/v1/requests/${rid}/cancel`, {});
  }
}

const decide = (phone: SoftPhone, rid: string, decision: unknown) =>
  phone.call("POST", `/app/requests/${rid}/decisions`, decision);
const refused = (phone: SoftPhone, rid: string, decision: unknown) =>
  refusalOf(decide(phone, rid, decision));
const stateOf = async (rid: string) => (await world.agent.status(rid)).state;

/** The same approval with one byte changed, everywhere that a byte counts. */
function* bent(given: Approval): Generator<[string, Approval]> {
  for (const at of positions(given.statement, 40)) {
    yield [`statement ${at}`, { ...given, statement: flip(given.statement, at) }];
  }
  for (const at of positions(given.device_signature, 8)) {
    const device_signature = flip(given.device_signature, at);
    yield [`device_signature ${at}`, { ...given, device_signature }];
  }
  for (const part of ["clientDataJSON", "authenticatorData", "signature"] as const) {
    for (const at of positions(given.assertion.response[part], 12)) {
      const response = {
        ...given.assertion.response,
        [part]: flip(given.assertion.response[part], at),
      };
      yield [`${part} ${at}`, { ...given, assertion: { ...given.assertion, response } }];
    }
  }
  yield ["id", { ...given, assertion: { ...given.assertion, id: flip(given.assertion.id, 0) } }];
}

describe("an approval", () => {
  it("is refused with one byte changed, wherever", async () => {
    await asked(async (rid) => {
      const approval = await ada.signApproval(rid);
      for (const [where, decision] of bent(approval)) {
        expect((await decide(ada, rid, decision)).status, where).toBeGreaterThanOrEqual(400);
      }
      expect(await stateOf(rid)).toBe("pending");
      expect(await ada.decide(rid, approval)).toBe("approved");
    });
  });

  it("is refused with any member of S changed, though both keys sign it", async () => {
    await asked(async (rid) => {
      const other: Record<Exclude<keyof Statement, "view_hash">, unknown> = {
        v: 2,
        decision: "deny",
        issuer: "https://evil.example",
        rp_id: "evil.example",
        origin: "https://evil.example",
        rid: randomId(),
        cid: randomId(),
        approver: eve.approver(),
        ar_hash: randomNonce(),
        ctx: randomNonce(),
        renderer: "1",
        agent_jkt: randomNonce(),
        req_nonce: randomNonce(),
        broker_nonce: randomNonce(),
        checkpoint: { size: 1, root: randomNonce() },
        exec_by: 4_000_000_000,
        device_kid: eve.device.kid,
      };
      for (const [member, value] of Object.entries(other)) {
        const code = await codeOf(
          ada.approve(rid, { statement: (honest) => ({ ...honest, [member]: value }) }),
        );
        expect(code, member).toMatch(/^(invalid_binding|ceremony_stale|unknown_member)$/);
      }
      expect(await stateOf(rid)).toBe("pending");
    });
  });

  it("is refused under a tree that the log never had", async () => {
    await asked(async (rid) => {
      const others: ((own: Tree) => Tree)[] = [
        ({ size }) => ({ size, root: randomNonce() }),
        ({ size, root }) => ({ size: size - 1, root }),
        ({ root }) => ({ size: 0, root }),
        ({ root }) => ({ size: 2 ** 40, root }),
        ({ root }) => ({ size: Number.MAX_SAFE_INTEGER, root }),
      ];
      for (const other of others) {
        const statement = (honest: Statement) => ({
          ...honest,
          checkpoint: other(honest.checkpoint as Tree),
        });
        expect(await codeOf(ada.approve(rid, { statement }))).toBe("invalid_binding");
      }
      expect(await stateOf(rid)).toBe("pending");
    });
  });

  it("is refused with a member of S left out, set to null, or added", async () => {
    await asked(async (rid) => {
      const honest = parseStatement(fromBase64url((await ada.signApproval(rid)).statement));
      for (const member of Object.keys(honest)) {
        const without = (given: Statement) =>
          Object.fromEntries(Object.entries(given).filter(([name]) => name !== member));
        // The one optional member: a statement without it notarises nothing and is as good.
        if (member !== "checkpoint") {
          expect(await codeOf(ada.approve(rid, { statement: without })), member).toBe(
            "unknown_member",
          );
        }
        const nulled = (given: Statement) => ({ ...given, [member]: null });
        expect(await codeOf(ada.approve(rid, { statement: nulled })), member).toBe(
          "unknown_member",
        );
      }
      const added = (given: Statement) => ({ ...given, amount: 1 });
      expect(await codeOf(ada.approve(rid, { statement: added }))).toBe("unknown_member");
      expect(await stateOf(rid)).toBe("pending");
    });
  });

  it.each<CeremonyOverrides>([
    { crossOrigin: true },
    { topOrigin: "https://example.com" },
    { crossOrigin: false, topOrigin: "http://localhost" },
    { flags: { uv: false } },
    { flags: { up: false } },
    { flags: { be: false, bs: false } },
    { origin: "https://evil.example" },
    { rpId: "evil.example" },
    { type: "webauthn.create" },
    { extraClientData: { challenge: randomNonce() } },
    { tamperSignature: (der) => der.slice(0, -1) },
  ])("is refused when the authenticator answered %j", async (assertion) => {
    await asked(async (rid) => {
      expect(await codeOf(ada.approve(rid, { assertion }))).toBe("assertion_invalid");
      expect(await stateOf(rid)).toBe("pending");
    });
  });

  it("is refused when the assertion was made for another purpose", async () => {
    await asked(async (rid) => {
      const honest = await ada.signApproval(rid);
      const statement = fromBase64url(honest.statement);
      for (const purpose of purposes) {
        const assertion = await ada.authenticator.assert(hashBytes(purpose, statement));
        expect(await refused(ada, rid, { ...honest, assertion }), purpose).toBe(
          "assertion_invalid",
        );
      }
      expect(await stateOf(rid)).toBe("pending");
    });
  });

  it("is refused when the device signed for another purpose", async () => {
    await asked(async (rid) => {
      const honest = await ada.signApproval(rid);
      for (const purpose of purposes) {
        const device_signature = await ada.device.sign(purpose, fromBase64url(honest.statement));
        const code = await refused(ada, rid, { ...honest, device_signature });
        expect(code, purpose).toBe("device_signature_invalid");
      }
      expect(await stateOf(rid)).toBe("pending");
    });
  });

  it("is refused when it lacks one of its two signatures", async () => {
    await asked(async (rid) => {
      const { assertion, device_signature, ...rest } = await ada.signApproval(rid);
      expect(await refused(ada, rid, { ...rest, device_signature })).toBe("unknown_member");
      expect(await refused(ada, rid, { ...rest, assertion })).toBe("unknown_member");
      expect(await refused(ada, rid, { ...rest, assertion, device_signature: "" })).toBe(
        "unknown_member",
      );
    });
  });

  it("is refused when another person's passkey or device made a half of it", async () => {
    await asked(async (rid) => {
      const honest = await ada.signApproval(rid);
      const bytes = fromBase64url(honest.statement);
      const assertion = await eve.authenticator.assert(hashBytes("approve", bytes));
      expect(await refused(ada, rid, { ...honest, assertion })).toBe("credential_unknown");
      const renamed = { ...assertion, id: honest.assertion.id };
      expect(await refused(ada, rid, { ...honest, assertion: renamed })).toBe("assertion_invalid");
      const device_signature = await eve.device.sign("approve", bytes);
      const code = await refused(ada, rid, { ...honest, device_signature });
      expect(code).toBe("device_signature_invalid");
      expect(await stateOf(rid)).toBe("pending");
    });
  });

  it("is refused in another person's session", async () => {
    await asked(async (rid) => {
      const approval = await ada.signApproval(rid);
      expect(await refused(eve, rid, approval)).toBe("not_found");
    });
    const both = [ada.approver(), eve.approver()];
    await asked(
      async (rid) => {
        const approval = await ada.signApproval(rid);
        expect(await refused(eve, rid, approval)).toBe("ceremony_stale");
        const denial = await ada.signDenial(rid);
        expect(await refused(eve, rid, denial)).toBe("invalid_binding");
        expect(await stateOf(rid)).toBe("pending");
      },
      { approvers: both },
    );
  });
});

describe("one assertion", () => {
  it("serves one request", async () => {
    await asked(async (first) =>
      asked(async (second) => {
        const approval = await ada.signApproval(first);
        await ada.review(second);
        expect(await refused(ada, second, approval)).toBe("ceremony_stale");
        expect(await ada.decide(first, approval)).toBe("approved");
        expect(await refused(ada, second, approval)).toBe("ceremony_stale");
        expect(await stateOf(second)).toBe("pending");
      }),
    );
  });

  it("serves one ceremony", async () => {
    await asked(async (rid) => {
      const first = await ada.signApproval(rid);
      const second = await ada.signApproval(rid);
      expect(await refused(ada, rid, first)).toBe("ceremony_stale");
      const mixed: Approval = { ...second, assertion: first.assertion };
      expect(await refused(ada, rid, mixed)).toBe("assertion_invalid");
      const moved: Approval = { ...first, statement: second.statement };
      expect(await refused(ada, rid, moved)).toBe("assertion_invalid");
      expect(await stateOf(rid)).toBe("pending");
    });
  });

  it("counts once, however often and however much at once it is sent", async () => {
    await asked(async (rid) => {
      const approval = await ada.signApproval(rid);
      const sent = Array.from({ length: 20 }, async () =>
        (await decide(ada, rid, approval)).json(),
      );
      const answers = await Promise.all(sent);
      expect(new Set(answers.map((answer) => JSON.stringify(answer)))).toEqual(
        new Set([JSON.stringify({ rid, state: "approved" })]),
      );
      const decisions = await world.sql`select from decision where rid = ${rid}`;
      const leaves = await world.sql`select from leaf where rid = ${rid} and kind = 'approve'`;
      expect([decisions.length, leaves.length]).toEqual([1, 1]);
      expect(await world.agent.status(rid)).toMatchObject({ approvals: 1, state: "approved" });
    });
  });

  it("of each of two people makes a quorum of two, raced or not", async () => {
    await asked(
      async (rid) => {
        const approvals = [await ada.signApproval(rid), await eve.signApproval(rid)] as const;
        await Promise.all(
          Array.from({ length: 20 }, (_, index) =>
            index % 2 ? decide(ada, rid, approvals[0]) : decide(eve, rid, approvals[1]),
          ),
        );
        expect(await world.agent.status(rid)).toMatchObject({ approvals: 2, state: "approved" });
      },
      { approvers: [ada.approver(), eve.approver()], quorum: 2 },
    );
  });

  it("of one person is never a quorum of two", async () => {
    await asked(
      async (rid) => {
        const approval = await ada.signApproval(rid);
        await Promise.all(Array.from({ length: 10 }, () => decide(ada, rid, approval)));
        expect(await refusalOf(opened(ada, rid))).toBe("already_settled");
        expect(await world.agent.status(rid)).toMatchObject({ approvals: 1, state: "pending" });
      },
      { approvers: [ada.approver(), eve.approver()], quorum: 2 },
    );
  });
});

const opened = (phone: SoftPhone, rid: string, deviceKid = phone.device.kid) =>
  phone.call("POST", `/app/requests/${rid}/ceremony`, { device_kid: deviceKid });

describe("a ceremony", () => {
  it("ends when its time is over", async () => {
    await asked(async (rid) => {
      const approval = await ada.signApproval(rid);
      await world.sql`update ceremony set expires_at = now() - interval '1 second' where rid = ${rid}`;
      expect(await refused(ada, rid, approval)).toBe("ceremony_stale");
      expect(await stateOf(rid)).toBe("pending");
    });
  });

  it("ends when it was used, whatever the row says afterwards", async () => {
    await asked(async (rid) => {
      const approval = await ada.signApproval(rid);
      await world.sql`update ceremony set consumed_at = now() where rid = ${rid}`;
      expect(await refused(ada, rid, approval)).toBe("ceremony_stale");
    });
  });

  it("belongs to one person's device", async () => {
    await asked(
      async (rid) => {
        const { ceremony } = await eve.review(rid);
        const stolen = (honest: Statement) => ({
          ...honest,
          cid: ceremony.cid,
          broker_nonce: ceremony.broker_nonce,
        });
        expect(await codeOf(ada.approve(rid, { statement: stolen }))).toBe("ceremony_stale");
        const onEve = (honest: Statement) => ({ ...stolen(honest), device_kid: eve.device.kid });
        expect(await codeOf(ada.approve(rid, { statement: onEve }))).toBe("ceremony_stale");
        expect(await stateOf(rid)).toBe("pending");
      },
      { approvers: [ada.approver(), eve.approver()] },
    );
  });

  it("is opened on no device of others and on none that is unknown", async () => {
    await asked(async (rid) => {
      expect(await refusalOf(opened(ada, rid, eve.device.kid))).toBe("device_unknown");
      expect(await refusalOf(opened(ada, rid, randomNonce()))).toBe("device_unknown");
    });
  });

  it("takes no nonce of another kind", async () => {
    await asked(async (rid) => {
      const answer = await ada.call("POST", "/app/nonces", { purpose: "login" });
      const { broker_nonce } = (await answer.json()) as { broker_nonce: string };
      const swapped = (honest: Statement) => ({ ...honest, broker_nonce });
      expect(await codeOf(ada.approve(rid, { statement: swapped }))).toBe("ceremony_stale");
    });
  });

  it("does not outlive the pairing, the credential or the device", async () => {
    const revocations = [
      [
        (on: boolean) =>
          world.sql`update pairing set state = ${on ? "ended" : "live"} where approver = ${ada.approver()}`,
        /^(already_settled|ceremony_stale|forbidden)$/,
      ],
      [
        (on: boolean) =>
          world.sql`update credential set revoked_at = ${on ? new Date() : null} where approver = ${ada.approver()}`,
        /^(credential_unknown|unauthenticated)$/,
      ],
      [
        (on: boolean) =>
          world.sql`update device set revoked_at = ${on ? new Date() : null} where approver = ${ada.approver()}`,
        /^(device_unknown|unauthenticated)$/,
      ],
    ] as const;
    for (const [revoke, code] of revocations) {
      await asked(async (rid) => {
        const approval = await ada.signApproval(rid);
        await revoke(true);
        const given = await refused(ada, rid, approval);
        await revoke(false);
        expect(given).toMatch(code);
        expect(await stateOf(rid)).toBe("pending");
      });
    }
  });
});

describe("a denial", () => {
  it("is refused with one byte changed, wherever", async () => {
    await asked(async (rid) => {
      const denial = await ada.signDenial(rid, "no");
      for (const member of ["statement", "device_signature"] as const) {
        for (const at of positions(denial[member], 20)) {
          const code = await refused(ada, rid, { ...denial, [member]: flip(denial[member], at) });
          expect(code, `${member} ${at}`).toBeTruthy();
        }
      }
      expect(await stateOf(rid)).toBe("pending");
    });
  });

  it("is refused with any member of D changed, though the device signs it", async () => {
    await asked(async (rid) => {
      const honest = await ada.signDenial(rid);
      const members = JSON.parse(Buffer.from(honest.statement, "base64url").toString());
      const other: Record<string, unknown> = {
        v: 2,
        decision: "approve",
        issuer: "https://evil.example",
        approver: eve.approver(),
        rid: randomId(),
        agent_jkt: randomNonce(),
        device_kid: eve.device.kid,
        reason: null,
      };
      for (const [member, value] of Object.entries(other)) {
        const code = await refused(ada, rid, await deniedBy(ada, { ...members, [member]: value }));
        expect(code, member).toMatch(/^(invalid_binding|unknown_member|device_unknown)$/);
      }
      expect(await stateOf(rid)).toBe("pending");
    });
  });

  it("is refused when the device signed for another purpose", async () => {
    await asked(async (rid) => {
      const honest = await ada.signDenial(rid);
      for (const purpose of ["approve", ...purposes.filter((name) => name !== "deny")] as const) {
        const device_signature = await ada.device.sign(purpose, fromBase64url(honest.statement));
        const code = await refused(ada, rid, { ...honest, device_signature });
        expect(code, purpose).toBe("device_signature_invalid");
      }
    });
  });

  it("is no approval, and an approval is no denial", async () => {
    await asked(async (rid) => {
      const approval = await ada.signApproval(rid);
      const denial = await ada.signDenial(rid);
      const swapped = [
        { ...approval, statement: denial.statement },
        { ...approval, decision: "deny" },
        { ...denial, decision: "approve" },
        { ...denial, statement: approval.statement },
        {
          decision: "deny",
          statement: approval.statement,
          device_signature: approval.device_signature,
        },
        { ...approval, device_signature: denial.device_signature },
        { ...denial, decision: "maybe" },
      ];
      for (const decision of swapped) {
        expect((await decide(ada, rid, decision)).status).toBeGreaterThanOrEqual(400);
      }
      expect(await stateOf(rid)).toBe("pending");
    });
  });
});

const deniedBy = async (phone: SoftPhone, members: object): Promise<DeniedDecision> => {
  const statement = canonicalBytes(members);
  const device_signature = await phone.device.sign("deny", statement);
  return { decision: "deny", statement: toBase64url(statement), device_signature };
};

describe("what is settled", () => {
  it("takes no approval after a denial", async () => {
    await asked(async (rid) => {
      const approval = await ada.signApproval(rid);
      await ada.deny(rid);
      expect(await refused(ada, rid, approval)).toBe("already_settled");
      expect(await stateOf(rid)).toBe("denied");
    });
  });

  it("takes neither approval nor denial after it was canceled", async () => {
    await asked(async (rid) => {
      const [approval, denial] = [await ada.signApproval(rid), await ada.signDenial(rid)];
      await world.agent.call("POST", `/v1/requests/${rid}/cancel`, {});
      expect(await refused(ada, rid, approval)).toBe("already_settled");
      expect(await refused(ada, rid, denial)).toBe("already_settled");
      expect(await stateOf(rid)).toBe("canceled");
    });
  });

  it("takes neither approval nor denial after its deadline, swept or not", async () => {
    await asked(async (rid) => {
      const [approval, denial] = [await ada.signApproval(rid), await ada.signDenial(rid)];
      await world.sql`update authorization_request set expires_at = now() - interval '1 ms' where rid = ${rid}`;
      expect(await refused(ada, rid, approval)).toBe("expired");
      expect(await refused(ada, rid, denial)).toBe("expired");
      expect(await refusalOf(opened(ada, rid))).toBe("expired");
      expect(await stateOf(rid)).toBe("expired");
    });
  });

  it("hands out nothing after the deadline, though it was approved", async () => {
    await asked(async (rid) => {
      await ada.approve(rid);
      await world.sql`update authorization_request set expires_at = now() - interval '1 ms' where rid = ${rid}`;
      expect((await world.agent.poll(rid)).body).toMatchObject({ error: "expired_token" });
    });
  });

  it("lets a no win over a yes until redeemed", async () => {
    await asked(async (rid) => {
      const approval = await ada.signApproval(rid);
      await ada.decide(rid, approval);
      expect(await ada.deny(rid)).toBe("denied");
      expect((await decide(ada, rid, approval)).status).toBe(200);
      expect(await stateOf(rid)).toBe("denied");
      expect((await world.agent.poll(rid)).body).toMatchObject({
        error: "access_denied",
        decision: { decision: "deny" },
      });
    });
  });

  it("takes no decision after it was redeemed or reported", async () => {
    const request = await world.agent.request({ approvers: [ada.approver()] });
    const { rid } = request;
    await ada.approve(rid);
    await world.agent.poll(rid);
    for (const state of ["redeemed", "reported"]) {
      expect(await refused(ada, rid, await ada.signDenial(rid, state))).toBe("already_settled");
      expect(await refusalOf(opened(ada, rid))).toBe("already_settled");
      expect(await stateOf(rid)).toBe(state);
      const outcome = await world.agent.outcomeOf(request);
      await world.agent.call("POST", `/v1/requests/${rid}/outcome`, { outcome });
    }
  });

  it("stays denied when yes and no race, or is redeemed as approved: never both", async () => {
    for (let round = 0; round < 5; round++) {
      await asked(async (rid) => {
        await ada.approve(rid);
        const denial = await ada.signDenial(rid);
        const [polled, denied] = await Promise.all([
          world.agent.poll(rid),
          decide(ada, rid, denial),
        ]);
        expect(polled.status === 200).toBe(denied.status !== 200);
        expect(await stateOf(rid)).toBe(polled.status === 200 ? "redeemed" : "denied");
      });
    }
  });
});
