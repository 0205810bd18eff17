import { isIP } from "node:net";
import * as z from "zod";
import { isPushHost } from "./domain/push-endpoint.js";

const wholeNumber = (minimum: number, maximum: number) =>
  z.coerce.number().int().min(minimum).max(maximum);

function isNetwork(entry: string): boolean {
  const [address = "", prefix, ...rest] = entry.split("/");
  const bits = isIP(address) === 6 ? 128 : 32;
  const sound = prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= bits);
  return isIP(address) !== 0 && sound && rest.length === 0;
}

/** Everything that can be configured. The descriptions become .env.example and the docs. */
export const environment = z.object({
  PUBLIC_URL: z
    .url()
    .optional()
    .describe(
      "The one address under which phones and agents reach this server, as https://host. Passkeys belong to its host name. Without it: http://localhost:PORT, a trial on one machine.",
    ),
  PORT: wholeNumber(0, 65_535).default(8787).describe("The port to listen on."),
  HOST: z
    .string()
    .default("127.0.0.1")
    .describe("The address to listen on. Behind a proxy in a container: 0.0.0.0."),
  DATABASE_URL: z
    .string()
    .optional()
    .describe(
      "A PostgreSQL database. Without it a server of its own starts, with its data under DATA_DIR.",
    ),
  DATABASE_URL_FILE: z
    .string()
    .optional()
    .describe("A file that holds DATABASE_URL, for container secrets."),
  DATA_DIR: z
    .string()
    .optional()
    .describe(
      "Where the server of its own keeps its data. Default: /var/lib/countersign as root, else ~/.local/share/countersign.",
    ),
  CONTEXT_RETENTION_HOURS: wholeNumber(0, 24 * 365)
    .default(24)
    .describe(
      "How long a sealed screen and action stay after their request was settled, in hours.",
    ),
  PICTURE_RETENTION_HOURS: wholeNumber(0, 24 * 365)
    .default(24)
    .describe(
      "How long a sealed picture of what came of it stays after the last report about its request, in hours.",
    ),
  RECORD_RETENTION_DAYS: wholeNumber(1, 3650)
    .default(365)
    .describe(
      "How long requests, decisions, reports and the log's records of them stay after they were settled, in days. The log's tree stays for good; it holds salted hashes only.",
    ),
  PENDING_PER_AGENT: wholeNumber(1, 1000)
    .default(3)
    .describe("How many requests one agent may have open at a time."),
  ALERTS_PER_AGENT: wholeNumber(0, 1000)
    .default(3)
    .describe(
      "How many alerts one agent may send one approver in ten minutes. Later requests wait in the inbox without one.",
    ),
  TRUSTED_PROXIES: z
    .string()
    .default("")
    .transform((text) => text.split(",").flatMap((entry) => entry.trim() || []))
    .refine(
      (entries) => entries.every(isNetwork),
      "give addresses or networks, separated by commas",
    )
    .describe(
      "Addresses or networks of proxies whose X-Forwarded-For counts, separated by commas.",
    ),
  PUSH_HOSTS: z
    .string()
    .default("")
    .transform((text) => text.split(",").flatMap((entry) => entry.trim().toLowerCase() || []))
    .refine((entries) => entries.every(isPushHost), "give host names, separated by commas")
    .describe(
      "Push services beside those of Apple, Google, Microsoft and Mozilla, as host names separated by commas; *.example.org covers all names below it. Alerts go to public addresses only.",
    ),
  VAPID_SUBJECT: z
    .string()
    .regex(
      /^(?:mailto:[^\s@]+@[^\s@]+\.[^\s@]+|https:\/\/[^\s/]+\.\S+)$/,
      "give a mailto: or https: address",
    )
    .optional()
    .describe(
      "Where push services reach whoever runs this server, as mailto:you@example.org or https://. Default: PUBLIC_URL.",
    ),
  LOG_LEVEL: z
    .enum(["debug", "info", "warn", "error", "silent"])
    .default("info")
    .describe("How much is logged."),
});

export type Environment = z.infer<typeof environment>;

/** A start that must not go on, with a sentence that says what to do. */
export class StartupError extends Error {
  override readonly name = "StartupError";
  readonly code: string;

  constructor(code: string, sentence: string, options?: { cause?: unknown }) {
    super(sentence, options);
    this.code = code;
  }
}

/** @throws StartupError `invalid_configuration` */
export function readEnvironment(variables: Record<string, string | undefined>): Environment {
  const given = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined && value !== ""),
  );
  const result = environment.safeParse(given);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new StartupError(
    "invalid_configuration",
    `${issue?.path.join(".") ?? "The configuration"} is not usable: ${issue?.message ?? "unknown"}. Correct it and start again.`,
  );
}

export interface PublicSite {
  issuer: string;
  rp_id: string;
  origin: string;
}

/**
 * Issuer, origin and relying-party id from the one public URL.
 * @throws StartupError `unsafe_public_url`
 */
export function siteOf(publicUrl: string): PublicSite {
  const url = new URL(publicUrl);
  const local = url.hostname === "localhost" || url.hostname.endsWith(".localhost");
  const refuse = (why: string): never => {
    throw new StartupError("unsafe_public_url", `PUBLIC_URL ${why}`);
  };
  if (url.protocol !== "https:" && !(url.protocol === "http:" && local)) {
    refuse(
      "must start with https://, or be http://localhost for a trial on one machine: passkeys work nowhere else.",
    );
  }
  if (/^[\d.]+$/.test(url.hostname) || url.hostname.startsWith("[")) {
    refuse(
      "must have a host name: passkeys do not work on an IP address. Use http://localhost or a domain.",
    );
  }
  if (!local && !url.hostname.includes(".")) {
    refuse(
      "must have a full domain name, such as https://approve.example.org: browsers give a bare name no passkeys.",
    );
  }
  if (
    url.pathname !== "/" ||
    url.search !== "" ||
    url.hash !== "" ||
    url.username !== "" ||
    url.password !== ""
  ) {
    refuse(
      "must be an origin only, such as https://approve.example.org, without path, query or password.",
    );
  }
  return { issuer: url.origin, rp_id: url.hostname, origin: url.origin };
}

/** RFC 8292 section 2.1: a contact. Apple refuses a subject on localhost, so that a trial names nobody instead. */
export const vapidSubjectOf = (env: Environment, site: PublicSite): string =>
  env.VAPID_SUBJECT ??
  (site.origin.startsWith("https:") ? site.origin : "mailto:nobody@countersign.invalid");
