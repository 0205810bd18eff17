import { hash } from "node:crypto";
import type { Bytes } from "./bytes.js";

/** As the browser's in sha256.ts, in a tenth of its time. */
export const sha256 = (bytes: Uint8Array): Bytes => new Uint8Array(hash("sha256", bytes, "buffer"));
