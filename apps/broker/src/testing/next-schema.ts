import { cp, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrationsFolder } from "../own-database.js";

/** The schema of a next version: this one's, and a migration that only adds. @returns a folder, for the caller to delete */
export async function nextSchema(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "countersign-next-"));
  await cp(migrationsFolder, folder, { recursive: true });
  const path = join(folder, "meta", "_journal.json");
  const journal = JSON.parse(await readFile(path, "utf8")) as { entries: object[] };
  const tag = `${String(journal.entries.length).padStart(4, "0")}_next`;
  const entry = { idx: journal.entries.length, version: "7", when: Date.now(), tag };
  journal.entries.push({ ...entry, breakpoints: true });
  await writeFile(path, JSON.stringify(journal));
  const added = [
    `alter table "authorization_request" add column "next_note" text;`,
    `alter table "leaf" add column "next_note" text not null default '';`,
    `alter table "decision" add column "next_note" text;`,
    `alter table "pairing" add column "next_note" text;`,
    `alter table "sealed_context" add column "next_note" text;`,
    `create table "next_thing" ("id" text primary key not null);`,
  ];
  await writeFile(join(folder, `${tag}.sql`), added.join("--> statement-breakpoint\n"));
  return folder;
}
