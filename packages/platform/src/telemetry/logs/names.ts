import { createHash } from "node:crypto";
import type { Instant } from "../../base/index.ts";

/** Bytes of a file name that a name may become before its digest stands for it; file systems allow 255. */
const FILE_NAME_BYTES_MAX = 200;

/** The stream of one instance's lines, as its handler's context names it: `2026/01/31/[$LATEST]<instance>`. */
export function logStreamName(functionVersion: string, instanceId: string, startedAt: Instant): string {
  const day = new Date(startedAt).toISOString().slice(0, 10).replaceAll("-", "/");
  return `${day}/[${functionVersion}]${instanceId.replaceAll("-", "")}`;
}

/** A name of a group or stream as a file name: itself, percent-encoded, or `~` and its digest when that is too long. */
export function fileNameOf(name: string): string {
  const encoded = encodeURIComponent(name).replaceAll(".", "%2E").replaceAll("~", "%7E");
  if (encoded.length <= FILE_NAME_BYTES_MAX) return encoded;
  return `~${createHash("sha256").update(name).digest("hex")}`;
}
