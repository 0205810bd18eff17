// Writes docs/actions.md from the descriptors: which tools have words of their own on the phone, and their arguments.
// Run with `npx tsx packages/shared/scripts/generate-action-docs.mjs`, then format; a test compares.
import { writeFileSync } from "node:fs";
import { descriptors } from "../src/view/describe.ts";

const shapes = { texts: "text or list of texts", map: "object of texts", any: "anything" };

function argument([member, { shape, optional }]) {
  return `\`${member}${optional ? "?" : ""}\` ${shapes[shape] ?? shape}`;
}

function actionDocs() {
  const rows = [...descriptors].map(
    ([tool, { fields }]) => `| \`${tool}\` | ${Object.entries(fields).map(argument).join("; ")} |`,
  );
  return `# Actions that the phone has words for

Any \`tool\` with any JSON in \`args\` can be asked for, and all of it is shown. An action whose tool and arguments have
exactly the shapes below is also told in one plain sentence, with what is dangerous about it first. Anything else is
shown as "Unrecognised action", raw. Arguments beyond those listed are shown and said to be unknown.

Put in whatever changes the effect: what is not in the action is neither shown nor signed. Texts to be replaced come
with the text before, so that the difference can be shown; give \`file.write\` a precondition of kind \`file\`, or its
\`before\` is said to be the model's word only. Amounts are whole minor units: 1234 with \`EUR\` is 12.34 EUR.

| tool | arguments |
|---|---|
${rows.join("\n")}
| \`mcp.<server>.<tool>\` | anything: a tool of an MCP server. Its effect is not known, and the screen says so |
`;
}

writeFileSync(new URL("../../../docs/actions.md", import.meta.url), actionDocs());
