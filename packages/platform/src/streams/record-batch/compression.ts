import { gunzipSync, zstdDecompressSync } from "node:zlib";
import type { Compression } from "./batch.ts";
import { decompressLz4 } from "./lz4.ts";
import { decompressSnappy } from "./snappy.ts";

export type Decompressed =
  | { readonly kind: "decompressed"; readonly bytes: Buffer }
  | { readonly kind: "corrupt" }
  | { readonly kind: "tooLarge" };

const COMPRESSIONS: readonly Compression[] = ["none", "gzip", "snappy", "lz4", "zstd"];

/** The compression that a batch's attributes name; undefined for a number that stands for none. */
export function compressionOf(number: number): Compression | undefined {
  return COMPRESSIONS[number];
}

/** At most `bytesMax` bytes: more are never held. */
export function decompress(compression: Compression, bytes: Buffer, bytesMax: number): Decompressed {
  switch (compression) {
    case "none":
      return bytes.length <= bytesMax ? { kind: "decompressed", bytes } : { kind: "tooLarge" };
    case "gzip":
      return byZlib(bytes, () => gunzipSync(bytes, { maxOutputLength: bytesMax, info: true }));
    case "zstd":
      return byZlib(bytes, () => zstdDecompressSync(bytes, { maxOutputLength: bytesMax, info: true }));
    case "snappy":
      return decompressSnappy(bytes, bytesMax);
    case "lz4":
      return decompressLz4(bytes, bytesMax);
  }
}

/** What Node gives for `info`, which its types do not tell. */
interface WithInfo {
  readonly buffer: Buffer;
  /** By its own count: of what it took in. */
  readonly engine: { readonly bytesWritten: number };
}

function byZlib(bytes: Buffer, work: () => Buffer): Decompressed {
  try {
    const { buffer, engine } = work() as unknown as WithInfo;
    // Bytes behind the end of what is compressed are left out here, and refused by clients.
    return engine.bytesWritten === bytes.length ? { kind: "decompressed", bytes: buffer } : { kind: "corrupt" };
  } catch (error) {
    const isOverBound = error instanceof RangeError && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
    return { kind: isOverBound ? "tooLarge" : "corrupt" };
  }
}
