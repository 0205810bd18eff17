import { readFileSync } from "node:fs";
import { EmbeddedPostgresError } from "@countersign/embedded-postgres";
import pino from "pino";
import { renderUnicodeCompact } from "uqr";
import { runCommand } from "./command.js";
import { describeFailure } from "./db/failures.js";
import { readEnvironment, StartupError } from "./env.js";
import { armFault, faultsAreBuiltIn } from "./faults.js";
import { start } from "./start.js";

const started = performance.now();

/** Secrets of containers come as files. */
function environmentVariables(): Record<string, string | undefined> {
  const file = process.env["DATABASE_URL_FILE"];
  if (file === undefined || file === "") return process.env;
  try {
    return { ...process.env, DATABASE_URL: readFileSync(file, "utf8").trim() };
  } catch (cause) {
    throw new StartupError(
      "invalid_configuration",
      "The file that DATABASE_URL_FILE names cannot be read. Check its path and who may read it.",
      { cause },
    );
  }
}

async function main(): Promise<void> {
  if (faultsAreBuiltIn) armFault(process.env["FAULT"]);
  const env = readEnvironment(environmentVariables());
  const argv = process.argv.slice(2);
  if (argv.length > 0) {
    process.stdout.write(`${await runCommand(env, argv)}\n`);
    return;
  }
  const log = pino({ level: env.LOG_LEVEL, base: null, timestamp: pino.stdTimeFunctions.isoTime });
  const broker = await start(env, log);
  let stopping = false;
  const stop = async (): Promise<void> => {
    if (stopping) return;
    stopping = true;
    await broker.stop();
    process.exit(0);
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  announce(broker.site.origin, broker.firstInvitation);
}

function announce(origin: string, firstInvitation: string | undefined): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const lines = [`Countersign is ready at ${origin} (${seconds} s).`];
  if (firstInvitation) {
    lines.push(
      "",
      "Nobody has enrolled yet. Open this link once, on the phone that will approve:",
      "",
      `  ${firstInvitation}`,
      ...(origin.startsWith("https:") ? ["", renderUnicodeCompact(firstInvitation)] : []),
      "",
      `Where the app is already installed, type the invitation there: ${firstInvitation.split("#").at(-1)}`,
    );
  }
  if (origin.startsWith("http:")) {
    lines.push(
      "",
      "This is a trial on one machine and protects nothing: whoever approves sits where the agent runs.",
      "For a phone: set PUBLIC_URL to an https address that leads here (docker-compose.yml brings Caddy for that).",
    );
  }
  process.stdout.write(`${lines.join("\n")}\n`);
}

main().catch((error: unknown) => {
  const known = error instanceof StartupError || error instanceof EmbeddedPostgresError;
  process.stderr.write(
    `${known ? `${error.message} (${error.code})` : describeFailure(error)["message"]}\n`,
  );
  process.exit(1);
});
