/** One kind of load, in a process of its own. */
export interface Load {
  /** Makes keys and signatures for so many runs ahead, so that the measurement does not pay for them. */
  prepare(count: number): Promise<void>;
  /** One whole run from what was prepared. */
  one(): Promise<void>;
  /** The processes of the server under load, whose CPU time is what a run costs. */
  pids: readonly number[];
  close(): Promise<void>;
}

export interface LoadResult {
  milliseconds: number;
  /** Of the load generator itself, and of the server that it loads. */
  cpuMilliseconds: number;
  serverCpuMilliseconds: number;
  /** Of each run, in milliseconds. */
  took: number[];
}

export type LoadKind = "countersign" | "oidc" | "bare-sql";

export interface LoadOptions {
  kind: LoadKind;
  /** The server's origin as it knows itself, and the ports of its processes. */
  origin?: string;
  ports?: number[];
  pids?: number[];
  databaseUrl?: string;
  /** How many agents with an approver each. */
  pairs?: number;
  /** The peer with the same checks as ours: signed requests and DPoP too. */
  alike?: boolean;
}

export type ToLoad =
  | { open: LoadOptions }
  | { prepare: number }
  | { run: { count: number; inFlight: number } }
  | { close: true };

export type FromLoad = { done: true } | { result: LoadResult } | { failed: string };
