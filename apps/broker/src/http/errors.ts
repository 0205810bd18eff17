import { type ErrorCode, errorTable, ProtocolError } from "@countersign/shared";
import { HTTPException } from "hono/http-exception";
import { isUnavailable } from "../db/failures.js";
import type { Logger } from "../domain/ports.js";
import type { HttpContext } from "./context.js";

/** OAuth's words (RFC 6749 5.2, CIBA 11 and 13, RFC 9449 5) for our codes; whatever is not here is `invalid_request`. */
const oauthErrors: Partial<Record<ErrorCode, string>> = {
  invalid_client: "invalid_client",
  invalid_dpop_proof: "invalid_dpop_proof",
  invalid_token: "invalid_token",
  forbidden: "unauthorized_client",
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
}): Response {
  const [status, title] = errorTable[given.code];
  const { error, code, decision } = given;
  return new Response(
    JSON.stringify({
      error,
      error_description: title,
      code,
      ...(decision === undefined ? {} : { decision }),
    }),
    {
      status: oauthStatus(status),
      headers: {
        "content-type": "application/json",
        "cache-control": "no-store",
        ...retryAfter(status),
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
    },
  });
}

const retryAfter = (status: number): Record<string, string> =>
  status === 429 || status === 503 ? { "retry-after": "1" } : {};

/** Says little outside and all inside: the one place where a failure becomes an answer. */
export function createErrorHandler(log: Logger) {
  const answer = (c: HttpContext, code: ErrorCode): Response =>
    isOAuth(c.req.path)
      ? oauthError({ error: oauthErrors[code] ?? "invalid_request", code })
      : problemResponse(code);

  return {
    notFound: (c: HttpContext): Response => answer(c, "not_found"),
    onError: (error: Error, c: HttpContext): Response => {
      const code = codeOf(error);
      const fields = { method: c.req.method, route: c.req.routePath, code };
      if (code === "internal") log.error({ ...fields, err: error }, "unexpected failure");
      else if (code === "unavailable") log.warn({ ...fields, err: error.message }, "unavailable");
      else if (error instanceof ProtocolError) {
        log.info({ ...fields, reason: error.reason }, "refused");
      }
      return answer(c, code);
    },
  };
}

function codeOf(error: Error): ErrorCode {
  if (error instanceof ProtocolError) return error.code;
  if (error instanceof HTTPException && error.status === 413) return "too_large";
  return isUnavailable(error) ? "unavailable" : "internal";
}

const isOAuth = (path: string): boolean => path === "/token" || path === "/bc-authorize";
