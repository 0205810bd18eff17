import { expect, test } from "vitest";
import { createInvitation, normalizeInvitation } from "./invitation.js";

test("an invitation has 80 bits in an alphabet that survives reading aloud", () => {
  const invitations = new Set(Array.from({ length: 200 }, createInvitation));
  expect(invitations.size).toBe(200);
  for (const invitation of invitations) {
    expect(invitation).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
  }
});

test("however an invitation is typed, it is the same one", () => {
  expect(normalizeInvitation(" 0a1b-c2d3 efgh-jkmn ")).toBe("0A1BC2D3EFGHJKMN");
  expect(normalizeInvitation("OAlBC2D3EFGHJKMN")).toBe("0A1BC2D3EFGHJKMN");
  expect(normalizeInvitation(normalizeInvitation("oa-ib"))).toBe("0A1B");
});
