// What every command at the root runs first. Plain Node without dependencies, because on a fresh clone there are none.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const stamp = join(root, "node_modules", ".cache", "countersign", "installed");

/** Prints one sentence that says what to do, and ends. */
export function fail(sentence) {
  process.stderr.write(`\n${sentence}\n`);
  process.exit(1);
}

/** Runs a program of an installed package and returns its exit code. */
export function runTool(tool, args, env = {}) {
  return run(join(root, "node_modules", ".bin", tool), args, env);
}

export function runNode(args) {
  return run(process.execPath, args);
}

export function install() {
  requireNode();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === lockfileHash()) {
    return;
  }
  console.log("Installing what is missing (about a minute the first time) ...");
  // Not `npm ci`: it would throw away a working node_modules at every change of the lockfile.
  if (npm(["install", "--include=dev", "--no-audit", "--no-fund"]) !== 0) {
    fail(
      "Installing failed: check that the npm registry can be reached and the disk is not full, then run the same command again.",
    );
  }
  mkdirSync(join(stamp, ".."), { recursive: true });
  writeFileSync(stamp, lockfileHash());
}

/** @param {string[]} packages the workspaces wanted, all if empty; what they depend on is built with them */
export function build(packages = []) {
  console.log("Building (seconds, and nothing if nothing changed) ...");
  const filters = packages.map((name) => `--filter=${name}`);
  if (turbo(["build", "--output-logs=errors-only", ...filters]) !== 0) {
    fail("The build failed: the error is above.");
  }
}

export function turbo(args) {
  return runTool("turbo", ["run", "--ui=stream", ...args], {
    TURBO_TELEMETRY_DISABLED: "1",
    TURBO_NO_UPDATE_NOTIFIER: "1",
  });
}

function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major < 20 || (major === 20 && minor < 19)) {
    fail(
      `Countersign needs Node.js 20.19 or later, and this is ${process.versions.node}: install a newer one from https://nodejs.org.`,
    );
  }
}

function lockfileHash() {
  return createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
}

/** The npm that started this script, where one did: another may be first in PATH. */
function npm(args) {
  const cli = process.env.npm_execpath;
  return cli?.endsWith(".js") ? run(process.execPath, [cli, ...args]) : run("npm", args);
}

function run(command, args, env = {}) {
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
  });
  if (error) {
    fail(`${command} could not be started: ${error.message}`);
  }
  return status ?? 1;
}
