import { type Executor, InvalidCall } from "../gate/executor.js";
import type { Changing } from "./changing.js";
import { ExecutionError } from "./execution-error.js";
import { describeFileCall } from "./file-describe.js";
import { performFileCall } from "./file-effects.js";
import { changesOf, fileTools, readFileCall } from "./file-tools.js";
import type { Roots } from "./roots.js";
import { writePath } from "./virtual-path.js";

/**
 * Files below the roots, by `vfs://<root>/...`: the tools `file.*` and `folder.*` of `docs/actions.md`, and
 * `folder.list`. Nothing outside a root is reached, whatever is put in the way and whenever; what was approved by
 * content is done with that content or not at all.
 */
export function fileExecutor({ roots }: { roots: Roots }): Executor & Changing {
  return {
    tools: fileTools,
    changes: (call) => changesOf(readFileCall(call)).map(writePath),
    describe: (call) => refusing(() => describeFileCall(roots, readFileCall(call))),
    async execute(action) {
      return { value: await performFileCall(roots, readFileCall(action), action) };
    },
  };
}

/** Before there is an action, what cannot be done is a call that is refused. */
async function refusing<T>(describe: () => Promise<T>): Promise<T> {
  try {
    return await describe();
  } catch (error) {
    if (error instanceof ExecutionError) throw new InvalidCall(error.code, { cause: error });
    throw error;
  }
}
