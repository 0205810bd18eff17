import { expect, test } from "vitest";
import { choicesFor, mustPick } from "./pick-code.js";

const day = 24 * 3600;
const askedAt = 1_800_000_000;
const opened = (count: number, at: number) =>
  Array.from({ length: count }, (_, index) => ({
    rid: `r${index}`,
    agent: "a",
    at,
    wrongPicks: 0,
  }));
const known = {
  pairedAt: askedAt - 2 * day,
  askedAt,
  rid: "this",
  agentJkt: "a",
  arrivals: opened(3, askedAt - day),
  inbox: [],
  always: false,
};
const waiting = (rid: string, secondsAgo: number, client_id = "a") => ({
  rid,
  client_id,
  created_at: askedAt - secondsAgo,
});

test("an agent that this phone knows well has its code compared", () => {
  expect(mustPick(known)).toBe(false);
});

test("a new agent's code is picked: paired within a day, or one of its first three requests", () => {
  expect(mustPick({ ...known, pairedAt: askedAt - day + 1 })).toBe(true);
  expect(mustPick({ ...known, arrivals: opened(2, askedAt - day) })).toBe(true);
  const ofOthers = opened(9, askedAt - day).map((one) => ({ ...one, agent: "b" }));
  expect(mustPick({ ...known, arrivals: ofOthers })).toBe(true);
});

test("in a burst of one agent the code is picked, whether this phone opened the others or not", () => {
  expect(mustPick({ ...known, inbox: [waiting("x", 10)] })).toBe(false);
  expect(mustPick({ ...known, inbox: [waiting("x", 10), waiting("y", 119)] })).toBe(true);
  expect(mustPick({ ...known, inbox: [waiting("x", 10), waiting("y", 121)] })).toBe(false);
  expect(mustPick({ ...known, inbox: [waiting("x", 10), waiting("y", 9, "b")] })).toBe(false);
  expect(mustPick({ ...known, arrivals: opened(3, askedAt - 60) })).toBe(true);
});

test("who asks for it picks every time", () => {
  expect(mustPick({ ...known, always: true })).toBe(true);
});

test("of three different codes one is right, at any place", () => {
  const places = [0, 0, 0];
  for (let round = 0; round < 300; round++) {
    const choices = choicesFor("7K3-M9Q");
    expect(new Set(choices).size).toBe(3);
    for (const choice of choices)
      expect(choice).toMatch(/^[0-9A-HJKMNP-TV-Z]{3}-[0-9A-HJKMNP-TV-Z]{3}$/);
    places[choices.indexOf("7K3-M9Q")] = (places[choices.indexOf("7K3-M9Q")] ?? 0) + 1;
  }
  for (const count of places) expect(count).toBeGreaterThan(50);
});
