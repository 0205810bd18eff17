import * as z from "zod";
import { environment } from "./env.js";

interface Setting {
  name: string;
  description: string;
  /** What it takes, in words. */
  takes: string;
  fallback: string | undefined;
}

const heading =
  "Made from the descriptions in apps/broker/src/env.ts by `npx tsx --conditions=@countersign/source scripts/generate-config-docs.mjs`.";

/** Whoever puts a shorter retention into `.env` has to know that nothing would come of it. */
const unread =
  "For `set -a; . ./FILE; set +a` or systemd's EnvironmentFile: the server reads its environment, and no file by itself.";

/** `.env.example`: every setting, switched off, with what it does. */
export function envExample(): string {
  const blocks = settings().map(
    ({ name, description, fallback }) =>
      `${wrap(description)
        .map((line) => `# ${line}`)
        .join("\n")}\n#${name}=${fallback ?? ""}\n`,
  );
  return `# ${heading}\n${wrap(unread)
    .map((line) => `# ${line}`)
    .join("\n")}\n\n${blocks.join("\n")}`;
}

/** `docs/configuration.md`. */
export function configurationPage(): string {
  const rows = settings().map(
    ({ name, description, takes, fallback }) =>
      `| \`${name}\` | ${takes} | ${fallback === undefined ? "" : `\`${fallback}\``} | ${description.replaceAll("|", "\\|")} |`,
  );
  return [
    "# Configuration",
    "",
    `<!-- ${heading} -->`,
    "",
    "The server is configured by environment variables. It checks them at the start and says in one sentence what is wrong.",
    "It reads no `.env`. With docker compose, `.env` only fills in `DOMAIN` and `BACKUP_USER` of `docker-compose.yml`: put a setting under `environment:` of the service `broker`.",
    "",
    "| variable | takes | default | |",
    "|---|---|---|---|",
    ...rows,
    "",
  ].join("\n");
}

function settings(): Setting[] {
  const { properties = {} } = z.toJSONSchema(environment, { io: "input", unrepresentable: "any" });
  return Object.entries(properties).map(([name, schema]) => {
    if (typeof schema === "boolean") throw new Error(`${name} has no schema`);
    const { description, default: fallback } = schema;
    if (!description) throw new Error(`${name} has no description`);
    return {
      name,
      description,
      takes: takenBy(schema),
      fallback: fallback === undefined || fallback === "" ? undefined : String(fallback),
    };
  });
}

function takenBy(schema: z.core.JSONSchema.JSONSchema): string {
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(", ");
  if (schema.minimum !== undefined || schema.maximum !== undefined) {
    return `${schema.minimum} to ${schema.maximum}`;
  }
  return schema.format === "uri" ? "a URL" : "text";
}

function wrap(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines.at(-1) ?? "";
    if (last !== "" && last.length + word.length > 96) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}
