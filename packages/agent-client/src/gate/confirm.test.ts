import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Question } from "./confirm.js";
import { spokenConfirm, type Utterance } from "./confirm-spoken.js";
import { terminalConfirm } from "./confirm-terminal.js";
import { readReply } from "./reply.js";

const action: Question["action"] = {
  v: 1,
  tool: "file.move",
  args: { to: "b\u202e" },
  preconditions: [],
  reversible: true,
};
const question = { action, reasons: ["policy:files-move"] };

describe("a reply in words", () => {
  it.each([
    "yes",
    "Yes.",
    "y",
    "OK",
    "okay, go ahead" /* two words for it */,
    "um, yes please",
    "yes yes",
    "Ja!",
    "oui",
    "sí",
  ])("is a yes only where all of it is one: %s", (text) =>
    expect(readReply(text)).toBe(text === "okay, go ahead" ? "unclear" : "yes"),
  );

  it.each(["no", "No!", "nope", "no, yes", "don't", "stop", "wait, yes", "Nein", "non", "n"])(
    "is a no where it begins with one: %s",
    (text) => expect(readReply(text)).toBe("no"),
  );

  it.each([
    "yes but not that one",
    "maybe",
    "yes and delete the rest",
    "I said yes to the other",
    "yesterday",
    "not sure",
    "is it ok?",
  ])("is unclear where it is neither: %s", (text) => expect(readReply(text)).toMatch(/unclear|no/));

  it("is no answer where nothing is said", () => {
    for (const text of ["", " ", "...", "?"]) expect(readReply(text)).toBe("no_answer");
  });
});

describe("asking at a terminal", () => {
  function open() {
    const input = new PassThrough();
    const output = new PassThrough();
    const shown = { text: "" };
    output.on("data", (chunk: Buffer) => {
      shown.text += chunk.toString();
    });
    return { input, shown, confirm: terminalConfirm({ input, output }) };
  }
  const shownIn = async (shown: { text: string }, text: string) => {
    while (!shown.text.includes(text)) await new Promise((resolve) => setTimeout(resolve, 5));
  };

  it("takes the answer that is typed after the question, with hostile text escaped", async () => {
    const { input, shown, confirm } = open();
    const asked = confirm(question, { signal: new AbortController().signal });
    await shownIn(shown, "(yes/no)");
    input.write("yes\n");
    expect(await asked).toBe("yes");
    expect(shown.text).not.toContain("\u202e");
  });

  it("takes nothing that was typed before it, and no answer for none", async () => {
    const { input, shown, confirm } = open();
    input.write("yes\n");
    const aborting = new AbortController();
    const asked = confirm(question, { signal: aborting.signal });
    await shownIn(shown, "(yes/no)");
    setTimeout(() => aborting.abort(), 50);
    expect(await asked).toBe("no_answer");
  });
});

describe("asking aloud", () => {
  function open() {
    let say: (utterance: Utterance) => void = () => {};
    const confirm = spokenConfirm({
      ask: async () => {},
      listen: (onUtterance) => {
        say = onUtterance;
        return () => {};
      },
    });
    const person = (text: string, final = true) => say({ speaker: "person", text, final });
    return { confirm, person, say: (utterance: Utterance) => say(utterance) };
  }
  const begun = () => new Promise((resolve) => setTimeout(resolve, 10));

  it("takes a yes of the person's that stands", async () => {
    const { confirm, person } = open();
    const asked = confirm(question, { signal: AbortSignal.timeout(10_000) });
    await begun();
    person("yes");
    expect(await asked).toBe("yes");
  });

  it("takes a yes back when a no follows it", async () => {
    const { confirm, person } = open();
    const asked = confirm(question, { signal: AbortSignal.timeout(10_000) });
    await begun();
    person("yes");
    person("no wait", false);
    expect(await asked).toBe("no");
  });

  it.each([
    ["the agent's own voice", { speaker: "agent", text: "yes", final: true }],
    ["half a word", { speaker: "person", text: "yes", final: false }],
    ["silence", { speaker: "person", text: "", final: true }],
  ] as const)("takes no answer from %s", async (_, utterance) => {
    const { confirm, say } = open();
    const asked = confirm(question, { signal: AbortSignal.timeout(1_500) });
    await begun();
    say(utterance);
    expect(await asked).toBe("no_answer");
  });

  it("says that it was unclear", async () => {
    const { confirm, person } = open();
    const asked = confirm(question, { signal: AbortSignal.timeout(200) });
    await begun();
    person("maybe the other one");
    expect(await asked).toBe("unclear");
  });
});
