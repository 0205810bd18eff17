import { findings, nothing } from "../address.js";
import { aboutCommand, aboutProgramCall } from "../command.js";
import { type Descriptor, field, onScreen, optional, said } from "../descriptor.js";

/** `shell.exec` with a `command` for a shell; `process.run` with a `program` and its `args`, no shell between. */
export const commands: Readonly<Record<string, Descriptor>> = {
  "shell.exec": {
    fields: {
      command: { word: "command", shape: "text", kind: "command", about: aboutCommand },
      cwd: optional(field.path("folder")),
      stdin: optional(field.code("input")),
      env: optional(field.map("environment")),
      timeout_ms: optional(field.number("time limit in ms")),
    },
    sentence: ({ command, cwd }, action) =>
      `Run the command ${said(command, "command")}${inFolder(cwd ?? action.cwd)}`,
  },
  "process.run": {
    fields: {
      program: { word: "program", shape: "text", kind: "command" },
      args: { word: "argument", shape: "texts" },
      cwd: optional(field.path("folder")),
      stdin: optional(field.code("input")),
      env: optional(field.map("environment")),
    },
    sentence: ({ program, cwd }, action) =>
      `Run the program ${said(program, "command")}${inFolder(cwd ?? action.cwd)}`,
    about: ({ program, args }) =>
      aboutProgramCall(
        "args.program",
        [program, args].flat().filter((one) => typeof one === "string"),
      ),
  },
  "sql.execute": {
    fields: {
      statement: field.code("SQL"),
      database: optional(field.text("database")),
      parameters: optional(field.any("parameter")),
    },
    sentence: ({ database }) =>
      `Run SQL${database === undefined ? "" : ` in the database ${said(database)}`}`,
    about: () =>
      findings("args.statement", ["SQL is shown whole, not read: look for what it changes"]),
  },
  "keyboard.type": {
    fields: { text: field.text("text") },
    sentence: ({ text }, action) => `Type ${said(text, "text")}${onScreen(action)}`,
    about: ({ text }) =>
      /[\n\r]/.test(String(text))
        ? findings("args.text", ["Types line breaks: each may run or send what was typed"])
        : nothing,
  },
};

const inFolder = (folder: unknown): string =>
  typeof folder === "string" ? ` in the folder ${said(folder)}` : "";
