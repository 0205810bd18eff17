import { type Bytes, readPictureHeader, type Screenshot, sha256Text } from "@countersign/shared";
import { ClientError } from "../errors.js";
import { withoutMetadata } from "../pictures/without-metadata.js";

/**
 * A picture as the phone will accept it: by its own header, since what a caller calls a picture is not asked, and
 * without anything that is not the picture.
 * @returns null when the bytes are no still PNG, JPEG or WebP of a size that a phone can show
 */
export function readPicture(given: Uint8Array): { bytes: Bytes; screenshot: Screenshot } | null {
  const bytes = withoutMetadata(given);
  const header = bytes && readPictureHeader(bytes);
  return header && { bytes, screenshot: { sha256: sha256Text(bytes), ...header } };
}

/** @throws ClientError `invalid_options` for what is no such picture */
export function requirePicture(given: Uint8Array): NonNullable<ReturnType<typeof readPicture>> {
  const picture = given instanceof Uint8Array ? readPicture(given) : null;
  if (!picture) throw new ClientError("invalid_options", { detail: "afterPicture" });
  return picture;
}
