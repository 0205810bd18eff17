import { utf8 } from "../../bytes.js";
import { sha256Text } from "../../hash.js";
import { findings } from "../address.js";
import { type Descriptor, field, optional, said } from "../descriptor.js";

const path = field.path("path");

/** `file.*` and `folder.*`. A change brings the text before and after, and is shown as their difference. */
export const files: Readonly<Record<string, Descriptor>> = {
  "file.write": {
    fields: {
      path,
      before: optional({ word: "before", shape: "text", kind: "before" }),
      content: { word: "content", shape: "text", kind: "after" },
    },
    sentence: ({ path: file, before }) =>
      before === undefined
        ? `Write the file ${said(file)}; what it held before is lost`
        : `Change the file ${said(file)}`,
    about: ({ path: file, before }, { preconditions }) => {
      const isProven = preconditions.some(
        ({ kind, subject, sha256 }) =>
          kind === "file" && subject === file && sha256 === sha256Text(utf8(String(before))),
      );
      return findings(
        "args.before",
        before === undefined || isProven
          ? []
          : ["What the file held before is the model's word only"],
      );
    },
  },
  "file.edit": {
    fields: {
      path,
      before: { word: "before", shape: "text", kind: "before" },
      after: { word: "after", shape: "text", kind: "after" },
      replace_all: optional(field.boolean("everywhere")),
    },
    sentence: ({ path: file }) => `Change a part of the file ${said(file)}`,
  },
  "file.append": {
    fields: { path, content: field.code("content") },
    sentence: ({ path: file }) => `Add to the end of the file ${said(file)}`,
  },
  "file.read": { fields: { path }, sentence: ({ path: file }) => `Read the file ${said(file)}` },
  "file.delete": {
    fields: { path: field.paths("path") },
    sentence: ({ path: file }) => `Delete the file ${said(file)}`,
  },
  "file.move": {
    fields: {
      from: field.path("from"),
      to: field.path("to"),
      overwrite: optional(field.boolean("overwrite")),
    },
    sentence: ({ from, to }) => `Move ${said(from)} to ${said(to)}`,
  },
  "file.copy": {
    fields: {
      from: field.path("from"),
      to: field.path("to"),
      overwrite: optional(field.boolean("overwrite")),
    },
    sentence: ({ from, to }) => `Copy ${said(from)} to ${said(to)}`,
  },
  "folder.create": {
    fields: { path },
    sentence: ({ path: at }) => `Create the folder ${said(at)}`,
  },
  "folder.delete": {
    fields: { path, recursive: optional(field.boolean("with everything in it")) },
    sentence: ({ path: at, recursive }) =>
      `Delete the folder ${said(at)}${recursive === true ? " and everything in it" : " if it is empty"}`,
  },
};
