// `npx tsx --conditions=@countersign/source scripts/generate-config-docs.mjs`: .env.example and docs/configuration.md from the schema that the server reads.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configurationPage, envExample } from "../apps/broker/src/env-docs.ts";
import { root } from "./bootstrap.mjs";

mkdirSync(join(root, "docs"), { recursive: true });
writeFileSync(join(root, ".env.example"), envExample());
writeFileSync(join(root, "docs", "configuration.md"), configurationPage());
