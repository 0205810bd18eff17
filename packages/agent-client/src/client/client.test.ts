import { describe, expect, it } from "vitest";
import { createPaired } from "../fixtures/agent.js";

describe("the path from a proposal to one execution", () => {
  it("executes an approved action once, from the approved bytes, and reports it", async () => {
    const { broker, client, approver } = await createPaired();
    const executed: unknown[] = [];
    const guarded = await client.guard(
      { tool: "delete", args: { path: "/tmp/x" } },
      (action) => {
        executed.push(action.args);
        return "done";
      },
      {
        onPending: ({ rid }) => {
          const held = broker.requests.get(rid);
          if (!held) throw new Error("not requested");
          void approver
            .approve(held)
            .then((approval) => broker.yes(rid, broker.honestEvidence(rid, [approval])));
        },
      },
    );
    expect(guarded).toMatchObject({ status: "approved", outcome: "succeeded", value: "done" });
    expect(executed).toEqual([{ path: "/tmp/x" }]);
    expect(broker.state.outcomes).toEqual([{ n: 1, status: "succeeded" }]);
  });
});
