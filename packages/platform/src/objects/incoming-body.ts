/** A body on its way in: what of it is known before its first byte, and behind its last one. */
import type { ChecksumAlgorithm } from "./version.ts";

export interface IncomingBody {
  /** Read once. Throws `IncompleteBody` where its sender broke off, or what else is wrong with how it is written. */
  readonly source: AsyncIterable<Uint8Array> | Uint8Array;
  /** Bytes, without whatever framing they came in; undefined where nobody said. */
  readonly length?: number | undefined;
  /** Base64 of the MD5 it has to have (`Content-MD5`). */
  readonly md5?: string | undefined;
  /** Hex of the SHA-256 that its signature covers. */
  readonly signedSha256?: string | undefined;
  /** What is computed and kept; with a value, what it has to be. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value?: string | undefined } | undefined;
  /** Called behind the last byte: the checksum's value where it follows the body. */
  trailingChecksum?(): string | undefined;
}
