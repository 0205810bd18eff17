import { readdirSync, readFileSync } from "node:fs";

/** All processes below one, read from /proc. Linux only. */
export function descendants(parent: number): number[] {
  const children = everyChild();
  const below = (pid: number): number[] =>
    (children.get(pid) ?? []).flatMap((child) => [child, ...below(child)]);
  return below(parent);
}

/** Those that one process started itself. */
export const childrenOf = (parent: number): number[] => everyChild().get(parent) ?? [];

function everyChild(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    const of = parentOf(Number(entry));
    if (of !== undefined) children.set(of, [...(children.get(of) ?? []), Number(entry)]);
  }
  return children;
}

function parentOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    // It ended between the two readings.
    return undefined;
  }
}

/** PostgreSQL's processes below this one: the server and whoever serves a connection now. */
export const databaseProcesses = (): number[] =>
  descendants(process.pid).filter((pid) => nameOf(pid).startsWith("postgres"));

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, "utf8");
  } catch {
    return "";
  }
}
