import { unwatchFile, watchFile } from "node:fs";
import { readFile } from "node:fs/promises";
import { ClientError } from "../../errors.js";
import type { Logger } from "../../logger.js";
import { defaultPolicy, readShipped } from "./default.js";
import { type LoadedPolicy, loadPolicy, type PolicyText } from "./load.js";

/** Paths of a policy of one's own. */
export interface PolicyFiles {
  /** Cedar. */
  file: string;
  /** Default: the schema that ships with the package. */
  schema?: string;
}

/** @throws ClientError `policy_invalid` for a file that cannot be read */
export async function readPolicyFiles(files: PolicyFiles | undefined): Promise<PolicyText> {
  if (!files) return defaultPolicy();
  return {
    policy: await read(files.file),
    schema:
      files.schema === undefined
        ? await readShipped("schema.cedarschema")
        : await read(files.schema),
    names: { policy: files.file, schema: files.schema ?? "schema.cedarschema" },
  };
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    throw new ClientError("policy_invalid", { cause, detail: `${path} cannot be read` });
  }
}

const lookEveryMs = 1_000;
let gates = 0;

/** A policy that follows its files. Of each gate two are held at most: the one that counts, and the one to come. */
export async function openPolicy(files: PolicyFiles | undefined, logger: Logger) {
  const name = `gate-${gates++}`;
  let loads = 0;
  const load = async (): Promise<LoadedPolicy> => {
    const text = await readPolicyFiles(files);
    const loaded = await loadPolicy(text, `${name}-${loads % 2}`);
    loads += 1;
    return loaded;
  };
  let current = await load();
  let reloading: Promise<void> = Promise.resolve();

  function reload(): Promise<void> {
    const done = reloading.then(async () => {
      current = await load();
      logger.info("the policy was read again", { rules: current.rules.size });
    });
    reloading = done.catch(() => {});
    return done;
  }

  const paths = files ? [files.file, ...(files.schema === undefined ? [] : [files.schema])] : [];
  const onChange = () => {
    reload().catch((error: unknown) => {
      const code = error instanceof ClientError ? error.code : "unreadable";
      logger.warn("the policy is bad, and the one before it still counts", { code });
    });
  };
  for (const path of paths) {
    watchFile(path, { interval: lookEveryMs, persistent: false }, onChange);
  }

  return {
    current: () => current,
    reload,
    close: () => {
      for (const path of paths) unwatchFile(path, onChange);
    },
  };
}
