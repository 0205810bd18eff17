import { type ErrorCode, errorTable, ProtocolError } from "@countersign/shared";
import { HTTPException } from "hono/http-exception";
import { describeFailure, isUnavailable, isUnstorable } from "../db/failures.js";
import type { Logger } from "../domain/ports.js";
import type { HttpContext } from "./context.js";

/** OAuth's words (RFC 6749 5.2, CIBA 11 and 13, RFC 9449 5) for our codes; whatever is not here is `invalid_request`. */
const oauthErrors: Partial<Record<ErrorCode, string>> = {
  invalid_client: "invalid_client",
  invalid_dpop_proof: "invalid_dpop_proof",
  invalid_token: "invalid_token",
  forbidden: "unauthorized_client",
  frozen: "access_denied",
  slow_down: "slow_down",
  expired: "expired_token",
  unavailable: "temporarily_unavailable",
  internal: "server_error",
};

/** OAuth clients read nothing but this form (RFC 6749 section 5.2). */
export function oauthError(given: {
  error: string;
  code: ErrorCode;
  decision?: unknown;
  freeze?: unknown;
}): Response {
  const [status, title] = errorTable[given.code];
  const { error, code, decision, freeze } = given;
  return new Response(
    JSON.stringify({
      error,
      error_description: title,
      code,
      ...(decision === undefined ? {} : { decision }),
      ...(freeze === undefined ? {} : { freeze }),
    }),
    {
      status: oauthStatus(status),
      headers: {
        "content-type": "application/json",
        "cache-control": "no-store",
        ...retryAfter(status),
        ...closing(status),
      },
    },
  );
}

const oauthStatus = (status: number): number =>
  [401, 429, 500, 503].includes(status) ? status : 400;

/** RFC 9457, for everything that is not OAuth. */
function problemResponse(code: ErrorCode): Response {
  const [status, title] = errorTable[code];
  return new Response(JSON.stringify({ type: "about:blank", title, status, code }), {
    status,
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...retryAfter(status),
      ...closing(status),
      ...challenge(code),
    },
  });
}

/** What a client of a protected resource reads to know what was wrong (RFC 9449 section 7.1). */
const challenge = (code: ErrorCode): Record<string, string> =>
  code === "invalid_token" || code === "invalid_dpop_proof"
    ? { "www-authenticate": `DPoP error="${code}", algs="ES256"` }
    : code === "auditor_required"
      ? { "www-authenticate": "Bearer" }
      : {};

const retryAfter = (status: number): Record<string, string> =>
  status === 429 || status === 503 ? { "retry-after": "1" } : {};

/** The rest of a body that is too large stays unread, so the connection is good for nothing more. */
const closing = (status: number): Record<string, string> =>
  status === 413 ? { connection: "close" } : {};

/** A refusal in the form that callers of this path read. */
export const refusal = (path: string, code: ErrorCode): Response =>
  isOAuth(path)
    ? oauthError({ error: oauthErrors[code] ?? "invalid_request", code })
    : problemResponse(code);

/** Says little outside and all inside: the one place where a failure becomes an answer. */
export function createErrorHandler(log: Logger) {
  return {
    notFound: (c: HttpContext): Response => refusal(c.req.path, "not_found"),
    onError: (error: Error, c: HttpContext): Response => {
      const code = codeOf(error);
      const fields = { method: c.req.method, route: c.req.routePath, code };
      if (code === "internal")
        log.error({ ...fields, err: describeFailure(error) }, "unexpected failure");
      else if (code === "unavailable")
        log.warn({ ...fields, err: describeFailure(error) }, "unavailable");
      else if (error instanceof ProtocolError) {
        log.info({ ...fields, address: c.get("clientAddress"), reason: error.reason }, "refused");
      }
      return refusal(c.req.path, code);
    },
  };
}

function codeOf(error: Error): ErrorCode {
  if (error instanceof ProtocolError) return error.code;
  if (error instanceof HTTPException && error.status === 413) return "too_large";
  if (isUnstorable(error)) return "invalid_encoding";
  return isUnavailable(error) ? "unavailable" : "internal";
}

const isOAuth = (path: string): boolean => path === "/token" || path === "/bc-authorize";
