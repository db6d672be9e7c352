import { createHash } from "node:crypto";

/** Bytes of a file name that a name may become before its digest stands for it; file systems allow 255. */
const FILE_NAME_BYTES_MAX = 200;

/** A name of a group or stream as a file name: itself, percent-encoded, or `~` and its digest when that is too long. */
export function fileNameOf(name: string): string {
  const encoded = encodeURIComponent(name).replaceAll(".", "%2E").replaceAll("~", "%7E");
  if (encoded.length <= FILE_NAME_BYTES_MAX) return encoded;
  return `~${createHash("sha256").update(name).digest("hex")}`;
}
