import { fileURLToPath } from "node:url";
import { createManifest, type RenderedRequest, renderers, toBase64url } from "@countersign/shared";
import { launchChromium } from "@countersign/test-kit/chromium";
import fc from "fast-check";
import { build, type Rolldown } from "vite";
import { expect, it } from "vitest";
import pwa from "../apps/pwa/vite.config.js";
import { anyAction } from "../packages/shared/src/view/any-action.js";
import { viewHashOf } from "./support/phone-view.js";

const actions = 10_000;
const batch = 1_000;
const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31);

const request: RenderedRequest = {
  detail: { renderer: renderers[0], tier: "red", approvers: ["AAAAAAAAAAAAAAAAAAAAAA"], quorum: 1 },
  claims: { exp: 1_800_000_000 },
};

/** The renderer as the app's own build makes it for phones. */
async function builtForPhones(): Promise<string> {
  const [built] = (await build({
    configFile: false,
    logLevel: "error",
    resolve: pwa.resolve ?? {},
    build: {
      write: false,
      target: pwa.build?.target ?? false,
      lib: {
        entry: fileURLToPath(new URL("support/phone-view.ts", import.meta.url)),
        formats: ["iife"],
        name: "phone",
      },
    },
  })) as Rolldown.RolldownOutput[];
  return built?.output[0].code ?? "";
}

it("the agent in Node and the phone in a real browser sign the same view of 10,000 actions", async () => {
  const browser = await launchChromium();
  const page = await browser.newPage();
  await page.addScriptTag({ content: await builtForPhones() });
  const named = anyAction.filter(([tool]) => tool.length > 0 && tool.length <= 200);
  const manifests = fc.sample(named, { numRuns: actions, seed }).map(([tool, args]) => {
    const action = { v: 1, tool, args, preconditions: [], reversible: false } as const;
    const { bytes } = createManifest({
      action: { ...action, preconditions: [] },
      reasons: [],
      capturedAt: 1_790_000_000,
    });
    return toBase64url(bytes);
  });
  let rendered = 0;
  for (let from = 0; from < actions; from += batch) {
    const part = manifests.slice(from, from + batch);
    const onPhone = page.evaluate(
      ({ part, request }) => {
        const phone = globalThis as unknown as { viewHashOf: typeof viewHashOf };
        return part.map((manifest) => phone.viewHashOf(manifest, request));
      },
      { part, request },
    );
    const atAgent = part.map((manifest) => viewHashOf(manifest, request));
    expect(await onPhone, `FUZZ_SEED=${seed}`).toEqual(atAgent);
    rendered += atAgent.filter((hash) => hash.length === 43).length;
  }
  expect(rendered).toBeGreaterThan(0.99 * actions);
  await browser.close();
});
