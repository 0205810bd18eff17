/** Who put a value there: the agent's library, the policy, or the model. */
export type Provenance = "library" | "policy" | "model";

/**
 * What a value is, so that a screen can show it as such. Never a reason to leave a row out.
 *
 * | kind | value |
 * |---|---|
 * | `sentence` | what would happen, in our words; what is not ours stands between `⟪` and `⟫` |
 * | `warning` | what is dangerous or cannot be told, likewise |
 * | `fact` | what we derived from a value, likewise |
 * | `text`, `number` | as it is; a number in JSON's form |
 * | `command`, `code` | a shell command; any other text for a machine |
 * | `before`, `after` | a text and, in the next row, the one in its place: show their difference. `after` alone is all new |
 * | `address`, `path`, `person` | a URL; a file or folder; a recipient or payee. Isolate it and keep its order left to right |
 * | `host`, `domain` | where a URL or an address leads; the part of it that somebody registered, after its host |
 * | `money` | an amount in major units with its currency |
 */
export type Kind =
  | "sentence"
  | "warning"
  | "fact"
  | "text"
  | "number"
  | "command"
  | "code"
  | "before"
  | "after"
  | "address"
  | "path"
  | "person"
  | "host"
  | "domain"
  | "money";

/**
 * One line of the review (protocol section 3, object 5). A value that is the model's alone, whatever its label; the
 * label of a leaf ends in its path, `args.to[0]`, before which a descriptor may have put its own word: `to: args.to[0]`.
 */
export type Row = readonly [label: string, value: string, provenance: Provenance, kind: Kind];
export type View = readonly Row[];
