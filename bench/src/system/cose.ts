import { fromBase64url } from "@countersign/shared";

/** COSE_Key of an ES256 key, as SimpleWebAuthn takes it (RFC 9053 7.1.1). */
export const coseKey = (jwk: { x: string; y: string }): Buffer =>
  Buffer.concat([
    Buffer.from("a5010203262001215820", "hex"),
    fromBase64url(jwk.x),
    Buffer.from("225820", "hex"),
    fromBase64url(jwk.y),
  ]);
