import { sha256 as digest } from "@noble/hashes/sha2.js";
import type { Bytes } from "./bytes.js";

/** Plain SHA-256. In browsers, where WebCrypto would answer later only; Node takes sha256-node.ts in its place. */
export const sha256 = (bytes: Uint8Array): Bytes => digest(bytes) as Bytes;
