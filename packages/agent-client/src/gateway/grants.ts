import { randomNonce, sha256Text } from "@countersign/shared";
import type { Clock } from "../clock.js";
import { ClientError } from "../errors.js";
import { currentDepth } from "../gate/perform.js";

/** What a sub-process may ask the gate for. It decides nothing: the gate does, as for everybody. */
export interface Grant {
  tools: readonly string[];
  /** Ids of resources; one that ends with `/` stands for all that begins with it. */
  resources: readonly string[];
  /** 1 to 3,600. */
  expiresInSeconds: number;
  maxUses: number;
  perMinute: number;
}

export type Use =
  | { ok: true; grant: Grant; depth: number }
  | { ok: false; code: "token_invalid" | "rate_limited" };

/** In memory alone: with the agent every token ends. Of a token only the hash is kept. */
export interface Grants {
  /** @returns the token: 32 random bytes @throws ClientError `invalid_options` */
  add(grant: Grant): string;
  /** Counts a use, whatever becomes of it. */
  use(token: string): Use;
  revoke(token: string): void;
}

interface Held {
  grant: Grant;
  /** How deep in calls within calls it was given: a sub-process asks from within one at least. */
  depth: number;
  endsAt: number;
  uses: number;
  /** When it was used in the last minute. */
  recent: number[];
}

const minuteMs = 60_000;

export function createGrants({ monotonic }: Pick<Clock, "monotonic">): Grants {
  const held = new Map<string, Held>();
  return {
    add(grant) {
      requireSound(grant);
      for (const [hash, { endsAt }] of held) if (endsAt <= monotonic()) held.delete(hash);
      const token = randomNonce();
      const endsAt = monotonic() + grant.expiresInSeconds * 1000;
      const depth = Math.max(1, currentDepth());
      held.set(sha256Text(Buffer.from(token)), { grant, depth, endsAt, uses: 0, recent: [] });
      return token;
    },
    use(token) {
      const found = held.get(sha256Text(Buffer.from(token)));
      const now = monotonic();
      if (!found || found.endsAt <= now || found.uses >= found.grant.maxUses) {
        return { ok: false, code: "token_invalid" };
      }
      found.recent = found.recent.filter((at) => at > now - minuteMs);
      if (found.recent.length >= found.grant.perMinute) return { ok: false, code: "rate_limited" };
      found.recent.push(now);
      found.uses++;
      return { ok: true, grant: found.grant, depth: found.depth };
    },
    revoke: (token) => void held.delete(sha256Text(Buffer.from(token))),
  };
}

function requireSound({ tools, resources, expiresInSeconds, maxUses, perMinute }: Grant): void {
  const isSound =
    tools.length > 0 &&
    resources.length > 0 &&
    !resources.includes("") &&
    expiresInSeconds >= 1 &&
    expiresInSeconds <= 3600 &&
    [maxUses, perMinute].every((count) => Number.isInteger(count) && count >= 1);
  if (!isSound) throw new ClientError("invalid_options", { detail: "grant" });
}

/** Whether all that a call touches is granted. */
export const covers = ({ resources }: Grant, touched: readonly string[]): boolean =>
  touched.every((id) =>
    resources.some((granted) => (granted.endsWith("/") ? id.startsWith(granted) : id === granted)),
  );
