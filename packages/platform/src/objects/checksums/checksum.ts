import { createHash, type Hash } from "node:crypto";
import { crc32 } from "node:zlib";
import { crc32c } from "../../base/index.ts";
import type { ChecksumAlgorithm } from "../version.ts";
import { addToCrc64nvme, type Crc64 } from "./crc64nvme.ts";

/**
 * The checksums that S3 clients send and ask for, computed while a body passes. Owns no I/O. The value of a checksum is its
 * bytes, highest first; on the wire they stand in base64.
 */

/** A checksum under way. */
export interface Checksum {
  update(bytes: Uint8Array): void;
  /** Of everything so far. Asked for once. */
  digest(): Buffer;
}

/** A checksum of nothing yet. */
export function createChecksum(algorithm: ChecksumAlgorithm): Checksum {
  switch (algorithm) {
    case "CRC32":
      return new Crc32Checksum(crc32);
    case "CRC32C":
      return new Crc32Checksum(crc32c);
    case "CRC64NVME":
      return new Crc64NvmeChecksum();
    case "SHA1":
      return hashChecksum(createHash("sha1"));
    case "SHA256":
      return hashChecksum(createHash("sha256"));
  }
}

const DIGEST_BYTES: Readonly<Record<ChecksumAlgorithm, number>> = { CRC32: 4, CRC32C: 4, CRC64NVME: 8, SHA1: 20, SHA256: 32 };

/** The bytes of a checksum in base64, or undefined where `text` is no value of this algorithm. */
export function readChecksumValue(algorithm: ChecksumAlgorithm, text: string): Buffer | undefined {
  // Much longer text need not be decoded to be refused.
  if (text.length > 44) return undefined;
  const bytes = Buffer.from(text, "base64");
  return bytes.byteLength === DIGEST_BYTES[algorithm] && bytes.toString("base64") === text ? bytes : undefined;
}

class Crc32Checksum implements Checksum {
  readonly #add: (bytes: Uint8Array, before: number) => number;
  #crc = 0;

  constructor(add: (bytes: Uint8Array, before: number) => number) {
    this.#add = add;
  }

  update(bytes: Uint8Array): void {
    this.#crc = this.#add(bytes, this.#crc);
  }

  digest(): Buffer {
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(this.#crc);
    return bytes;
  }
}

class Crc64NvmeChecksum implements Checksum {
  readonly #crc: Crc64 = { low: 0, high: 0 };

  update(bytes: Uint8Array): void {
    addToCrc64nvme(this.#crc, bytes);
  }

  digest(): Buffer {
    const bytes = Buffer.allocUnsafe(8);
    bytes.writeInt32BE(this.#crc.high, 0);
    bytes.writeInt32BE(this.#crc.low, 4);
    return bytes;
  }
}

function hashChecksum(hash: Hash): Checksum {
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.digest(),
  };
}
