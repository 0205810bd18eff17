import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { createHome } from "./fixtures/agent.js";
import * as entry from "./index.js";

it("shows code in the README that names what the package has", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const codes = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = ""]) => code);
  for (const code of codes) {
    const [, names = ""] = /import \{([^}]*)\} from "@countersign\/agent-client"/.exec(code) ?? [];
    const values = names.split(",").map((name) => name.trim());
    const used = values.filter((name) => name !== "" && !name.startsWith("type "));
    expect(used).toContain("createClient");
    expect(Object.keys(entry)).toEqual(expect.arrayContaining(used));
  }
  const [code = ""] = codes;
  const client = await entry.createClient({
    brokerUrl: "https://approve.example.com",
    home: await createHome(),
  });
  const methods = [...code.matchAll(/client\.(\w+)/g)].map(([, method = ""]) => method);
  expect(methods).toEqual(["guard"]);
  expect(Object.keys(client)).toEqual(expect.arrayContaining(methods));
});

it("shows hands in the README that the package has", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const [, code = ""] = /```js\n([\s\S]*?)```/.exec(readme) ?? [];
  const called = [...code.matchAll(/(?<![.\w])([a-z]\w+)\(/g)].map(([, name = ""]) => name);
  expect(called.length).toBeGreaterThan(4);
  expect(Object.keys(entry)).toEqual(expect.arrayContaining(called));
});
