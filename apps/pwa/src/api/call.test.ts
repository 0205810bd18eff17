import { afterEach, expect, test, vi } from "vitest";
import * as z from "zod/mini";
import { nowSeconds } from "../clock.js";
import { call } from "./call.js";

const anything = z.object({ options: z.unknown() });

function answerWith(body: string, init?: ResponseInit): void {
  vi.stubGlobal("fetch", async () => new Response(body, init));
}

afterEach(() => void vi.unstubAllGlobals());

test("an answer that carries a challenge, however deep, is refused whole", async () => {
  answerWith('{"options":{"publicKey":[{"challenge":"AAAA"}]}}');
  await expect(call(anything, "/app/x")).rejects.toMatchObject({ code: "unexpected_answer" });
  answerWith('{"options":{"publicKey":[{"chal":"AAAA"}]}}');
  await expect(call(anything, "/app/x")).resolves.toBeDefined();
});

test("a refusal keeps the server's code, and an unknown code is not passed on", async () => {
  const problem = { type: "about:blank", title: "t", status: 409, code: "ceremony_stale" };
  answerWith(JSON.stringify(problem), { status: 409 });
  await expect(call(anything, "/app/x")).rejects.toMatchObject({ code: "ceremony_stale" });
  answerWith(JSON.stringify({ ...problem, code: "toString" }), { status: 409 });
  await expect(call(anything, "/app/x")).rejects.toMatchObject({ code: "unexpected_answer" });
});

test("an answer of another shape is no answer", async () => {
  answerWith("<html>");
  await expect(call(anything, "/app/x")).rejects.toMatchObject({ code: "unexpected_answer" });
  answerWith("[]");
  await expect(call(anything, "/app/x")).rejects.toMatchObject({ code: "unexpected_answer" });
});

test("deadlines go by the server's clock", async () => {
  const server = new Date("2030-01-01T00:00:00Z");
  answerWith('{"options":1}', { headers: { date: server.toUTCString() } });
  await call(anything, "/app/x");
  expect(Math.abs(nowSeconds() - server.getTime() / 1000)).toBeLessThanOrEqual(2);
});
