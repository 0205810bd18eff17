import { randomBytes } from "node:crypto";
import type { TestProject } from "vitest/node";
import { dropDatabasesOf, startPostgres } from "./postgres-server.js";

/** One PostgreSQL for the whole run. `TEST_DATABASE_URL` names one that is there already. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const run = `countersign_test_${randomBytes(4).toString("hex")}`;
  const existing = process.env["TEST_DATABASE_URL"];
  if (existing) {
    project.provide("postgres", { url: existing, run });
    return () => dropDatabasesOf(run, existing);
  }
  const server = await startPostgres();
  project.provide("postgres", { url: server.url, run });
  return () => server.stop();
}
