import type { Json } from "@countersign/shared";
import * as z from "zod/mini";
import { InvalidCall } from "../gate/executor.js";
import { parseVirtualPath, type VirtualPath, writePath } from "./virtual-path.js";

const path = z.pipe(
  z.string(),
  z.transform((text) => parseVirtualPath(text)),
);
const overwrite = z.optional(z.boolean());

/** The arguments of `docs/actions.md`, one file for each call: a list of paths would be judged as one. */
const schemas = {
  "file.read": z.strictObject({ path }),
  "folder.list": z.strictObject({ path }),
  "file.write": z.strictObject({ path, before: z.optional(z.string()), content: z.string() }),
  "file.edit": z.strictObject({
    path,
    before: z.string().check(z.minLength(1)),
    after: z.string(),
    replace_all: z.optional(z.boolean()),
  }),
  "file.append": z.strictObject({ path, content: z.string() }),
  "file.delete": z.strictObject({ path }),
  "file.move": z.strictObject({ from: path, to: path, overwrite }),
  "file.copy": z.strictObject({ from: path, to: path, overwrite }),
  "folder.create": z.strictObject({ path }),
  "folder.delete": z.strictObject({ path, recursive: z.optional(z.boolean()) }),
};

export type FileTool = keyof typeof schemas;
export type FileCall = {
  [Tool in FileTool]: { tool: Tool; args: z.infer<(typeof schemas)[Tool]> };
}[FileTool];

export const fileTools = Object.keys(schemas) as FileTool[];

/** @throws InvalidCall `arguments_invalid`, `path_invalid` */
export function readFileCall({ tool, args }: { tool: string; args: Json }): FileCall {
  const known = fileTools.find((name) => name === tool);
  if (!known) throw new InvalidCall("tool_unknown");
  const parsed = z.safeParse(schemas[known], args);
  if (!parsed.success) throw new InvalidCall("arguments_invalid");
  return { tool: known, args: parsed.data } as FileCall;
}

/** What a call may change: what has to be kept to take it back. */
export function changesOf({ tool, args }: FileCall): VirtualPath[] {
  switch (tool) {
    case "file.read":
    case "folder.list":
      return [];
    case "file.move":
      return [args.from, args.to];
    case "file.copy":
      return [args.to];
    default:
      return [args.path];
  }
}

/** What a call is about first of all; of a copy or move that is where it goes. */
export const subjectOf = ({ args }: FileCall): VirtualPath => ("to" in args ? args.to : args.path);

/** @throws InvalidCall `nested` for a move or copy onto or into itself */
export function requireApartPaths(from: VirtualPath, to: VirtualPath): void {
  const [outer, inner] = [`${writePath(from)}/`, `${writePath(to)}/`];
  if (inner.startsWith(outer) || outer.startsWith(inner)) throw new InvalidCall("nested");
}
