import {
  fromBase64url,
  ProtocolError,
  parseManifest,
  type RenderedRequest,
  render,
  viewHash,
} from "@countersign/shared";

/** From a manifest's octets to the hash of its view, as the phone does it; the code of a refusal where there is none. */
export function viewHashOf(manifest: string, request: RenderedRequest): string {
  try {
    const parsed = parseManifest(fromBase64url(manifest));
    return viewHash(render(parsed, request), parsed.salt);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return error.code;
  }
}

Object.assign(globalThis, { viewHashOf });
