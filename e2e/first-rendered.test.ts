import {
  contextHash,
  type Decision,
  fromBase64url,
  hash,
  parseStatement,
  type RequestDetail,
  render,
  viewHash,
} from "@countersign/shared";
import type { SoftAgent, SoftRequest } from "@countersign/test-kit/soft-agent";
import type { Page, Route } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { approveButton, awake, openRequest, pickCode, readTheRest } from "./support/reviewing.js";
import { startWorld, type World } from "./support/world.js";

// Something between the phone and the broker answers differently the second time. What was rendered first is what
// is shown on, and what is signed.

let world: World;
let page: Page;
let agent: SoftAgent;

beforeAll(async () => {
  world = await startWorld();
  ({ page, agent } = world);
});
afterAll(() => world.close());

type Asked = Awaited<ReturnType<SoftAgent["request"]>>;

const swaps: [string, (detail: RequestDetail, other: RequestDetail) => Partial<RequestDetail>][] = [
  ["another request of the same agent", (_, other) => other],
  ["another request under the same id", ({ rid }, other) => ({ ...other, rid })],
  ["another nonce", (_, { req_nonce }) => ({ req_nonce })],
  ["another agent", () => ({ client_id: "A".repeat(43) })],
  ["another quorum, and approvals there are not", () => ({ quorum: 9, approvals: 8 })],
  [
    "another tier, or a later end",
    (detail) => ({ tier: "green", expires_at: detail.expires_at + 900 }),
  ],
];

it.each(swaps)(
  "a proxy that answers with %s changes nothing of what is signed",
  async (_name, swap) => {
    const harmless: Asked = await agent.request({
      tool: "folder.create",
      args: { path: "/srv/new" },
    });
    const other = await agent.request({
      tool: "folder.delete",
      args: { path: "/srv", recursive: true },
    });
    const otherDetail = await detailOf(other);
    let fetched = 0;
    const swapDetail = async (route: Route) => {
      fetched++;
      const response = await route.fetch();
      const detail = (await response.json()) as RequestDetail;
      const body = fetched === 1 ? detail : { ...detail, ...swap(detail, otherDetail) };
      await route.fulfill({ response, json: body });
    };
    await page.route(`**/app/requests/${harmless.rid}`, swapDetail);

    await openRequest(page, harmless.rid);
    const shown = await contents();
    // Whatever makes the app look again: a hint, or its coming to the front.
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await expect.poll(() => fetched).toBeGreaterThan(1);
    await page.waitForTimeout(200);
    expect(await contents()).toBe(shown);
    expect(shown).toContain("/srv/new");

    await pickCode(page, harmless.matchCode);
    await readTheRest(page);
    await awake(page);
    const posted = page.waitForRequest("**/decisions");
    await approveButton(page).click();
    const sent = await posted;
    expect(new URL(sent.url()).pathname).toBe(`/app/requests/${harmless.rid}/decisions`);
    const decision = sent.postDataJSON() as Extract<Decision, { decision: "approve" }>;
    const statement = parseStatement(fromBase64url(decision.statement));
    expect(statement).toMatchObject({
      ar_hash: arHashOf(harmless),
      ctx: contextHash(harmless.manifestBytes),
      view_hash: viewHashOf(harmless),
      req_nonce: harmless.reqNonce,
      exec_by: harmless.claims.exp,
      agent_jkt: agent.clientId,
    });
    await page.getByText("You approved").waitFor();
    expect((await agent.status(harmless.rid)).state).toBe("approved");
    expect((await agent.status(other.rid)).state).toBe("pending");
    await page.unrouteAll({ behavior: "ignoreErrors" });
    await agent.poll(harmless.rid);
    await cancel(other);
  },
);

it("sealed octets that are others from the start are not shown at all", async () => {
  const mine = await agent.request();
  const other = await agent.request({ args: { path: "/srv" } });
  await page.route(`**/app/requests/${mine.rid}/context`, (route) =>
    route.fulfill({ body: Buffer.from(other.sealed), contentType: "application/octet-stream" }),
  );
  await page.goto(`/requests/${mine.rid}`);
  await page.getByTestId("cannot-approve").waitFor();
  expect(await approveButton(page).count()).toBe(0);
  expect(await page.getByText("/srv").count()).toBe(0);
});

/** @returns a promise, and what resolves it */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

const cancel = ({ rid }: SoftRequest) => agent.call("POST", `/v1/requests/${rid}/cancel`, {});

it("what became of a request while it was being opened is told as soon as it is open", async () => {
  const request = await agent.request();
  const { opened, open } = gate();
  await page.route(`**/app/requests/${request.rid}/context`, async (route) => {
    await opened;
    await route.continue();
  });
  // By hints alone: here the app does not look by itself, every five or thirty seconds.
  await page.addInitScript((rid) => {
    if (!location.pathname.endsWith(rid)) return;
    const { setTimeout: begin } = window;
    const begun = (then: () => void, ms = 0) => (ms % 5000 === 0 && ms > 0 ? 0 : begin(then, ms));
    Object.assign(window, { setTimeout: begun });
  }, request.rid);
  const told = page.waitForResponse(`**/app/requests/${request.rid}`);
  await page.goto(`/requests/${request.rid}`);
  await told;
  await cancel(request);
  // The hint of it finds nothing open.
  await page.waitForTimeout(3000);
  open();
  await page.getByText("The agent withdrew").waitFor();
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

it("of two answers about a request the older one never has the last word", async () => {
  const request = await agent.request();
  await openRequest(page, request.rid);
  const { opened, open } = gate();
  let answers = 0;
  await page.route(`**/app/requests/${request.rid}`, async (route) => {
    const response = await route.fetch();
    if (++answers === 1) await opened;
    await route.fulfill({ response });
  });
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await expect.poll(() => answers).toBe(1);
  await cancel(request);
  await page.getByText("The agent withdrew").waitFor();
  const older = page.waitForResponse(`**/app/requests/${request.rid}`);
  open();
  await older;
  await page.waitForTimeout(500);
  expect(await page.getByText("The agent withdrew").count()).toBe(1);
  await page.unrouteAll({ behavior: "ignoreErrors" });
});

const contents = () =>
  page.evaluate(() =>
    document.querySelector(".contents")?.outerHTML.replace(/taken \d+ s ago/, ""),
  );

const arHashOf = ({ jws }: SoftRequest): string =>
  hash("request", fromBase64url(jws.split(".")[1] ?? ""));

function viewHashOf({ manifest, claims }: SoftRequest): string {
  const [detail] = claims.authorization_details;
  return viewHash(render(manifest, { detail, claims }), manifest.salt);
}

const detailOf = ({ rid }: SoftRequest): Promise<RequestDetail> =>
  page.evaluate((id) => fetch(`/app/requests/${id}`).then((answer) => answer.json()), rid);
