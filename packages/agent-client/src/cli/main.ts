import { stripVTControlCharacters } from "node:util";
import { visible } from "@countersign/shared";
import { defineCommand, runCommand, runMain } from "citty";
import { audit } from "./audit/audit.js";
import { verify } from "./audit/verify.js";
import { exitCodes } from "./exit-codes.js";
import { requireKnownWords } from "./known-words.js";
import { pair } from "./pair.js";
import { policy } from "./policy.js";
import { request } from "./request.js";
import { resolve } from "./resolve.js";
import { UsageError } from "./session.js";
import { undo } from "./undo.js";
import { unpair } from "./unpair.js";
import { wait } from "./wait.js";

const countersign = defineCommand({
  meta: {
    name: "countersign",
    description: `Ask a person on the phone before something dangerous is done.
Exit codes: 0 go on, 1 failed, 2 wrong use, 10 denied, 11 expired, 12 canceled, 13 unreachable,
14 refused by policy, 15 integrity mismatch, 16 unknown, 17 used before, 18 frozen by an approver`,
  },
  subCommands: { pair, unpair, request, wait, resolve, undo, policy, audit },
});

const rawArgs = process.argv.slice(2);
if (rawArgs.some((word) => word === "--help" || word === "-h")) {
  await runMain(countersign);
} else {
  try {
    await requireKnownWords(countersign, rawArgs, new Set([verify]));
    // `runMain` would end wrong use with 1, which says that something failed.
    await runCommand(countersign, { rawArgs });
  } catch (error) {
    const isWrongUse = error instanceof UsageError || isFromCitty(error);
    if (!isWrongUse) throw error;
    const said = visible(stripVTControlCharacters(error.message));
    process.stderr.write(`${said}\n\`countersign --help\` says more.\n`);
    process.exitCode = exitCodes.usage;
  }
}

function isFromCitty(error: unknown): error is Error {
  return error instanceof Error && error.name === "CLIError";
}
