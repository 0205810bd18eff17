import { requestState } from "@countersign/shared";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type LifecycleEvent, lifecycle, terminalStates } from "./lifecycle.js";

const states = requestState.options;
const events = Object.keys(lifecycle) as LifecycleEvent[];
type State = (typeof states)[number];

const leads = (state: State, event: LifecycleEvent): State | undefined =>
  lifecycle[event].from.some((from) => from === state) ? lifecycle[event].to : undefined;

const anyState = fc.constantFrom(...states);
const anyHistory = fc.array(fc.constantFrom(...events), { maxLength: 30 });

/** The states a request goes through when these events come in this order; what does not apply changes nothing. */
function walk(from: State, history: readonly LifecycleEvent[]): State[] {
  const visited = [from];
  for (const event of history) {
    const state = visited.at(-1) ?? from;
    visited.push(leads(state, event) ?? state);
  }
  return visited;
}

describe("the life of a request", () => {
  it("lets nothing leave a terminal state", () => {
    fc.assert(
      fc.property(fc.constantFrom(...terminalStates), anyHistory, (state, history) => {
        expect(new Set(walk(state, history))).toEqual(new Set([state]));
      }),
    );
  });

  it("goes to approved by an approval only", () => {
    fc.assert(
      fc.property(anyState, fc.constantFrom(...events), (state, event) => {
        if (leads(state, event) === "approved") expect(event).toBe("approve");
      }),
    );
  });

  it("redeems nothing that was not approved, and nothing twice", () => {
    fc.assert(
      fc.property(anyHistory, (history) => {
        const visited = walk("pending", history);
        const redeemed = history.filter(
          (event, index) => event === "redeem" && visited[index] !== visited[index + 1],
        );
        expect(redeemed.length).toBeLessThanOrEqual(1);
        if (redeemed.length === 1) expect(visited).toContain("approved");
      }),
    );
  });

  it("never comes back to a state that it left", () => {
    fc.assert(
      fc.property(anyState, anyHistory, (state, history) => {
        const visited = walk(state, history).filter((at, index, all) => at !== all[index - 1]);
        expect(new Set(visited).size).toBe(visited.length);
      }),
    );
  });

  it("takes back neither a no nor a deadline by a later yes", () => {
    fc.assert(
      fc.property(anyHistory, anyHistory, (before, after) => {
        for (const ending of ["deny", "expire", "cancel"] as const) {
          const visited = walk("pending", [...before, ending, ...after]);
          const ended = visited[before.length + 1] as State;
          if (ended !== lifecycle[ending].to) continue;
          expect(visited.slice(before.length + 1)).not.toContain("approved");
          expect(visited.slice(before.length + 1)).not.toContain("redeemed");
        }
      }),
    );
  });

  it("names every state, and reaches every state from pending", () => {
    const reached = new Set<State>(["pending"]);
    for (const _ of states) {
      for (const state of [...reached]) {
        for (const event of events) reached.add(leads(state, event) ?? state);
      }
    }
    expect(reached).toEqual(new Set(states));
  });

  it("calls terminal what no other state follows", () => {
    const dead = states.filter((state) =>
      events.every((event) => [undefined, state].includes(leads(state, event))),
    );
    expect(dead.sort()).toEqual([...terminalStates].sort());
  });
});
