import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { combineCrc, createChecksum, readChecksumValue, type CombinableAlgorithm } from "../../src/objects/checksums/index.ts";
import { CHECKSUM_ALGORITHMS, type ChecksumAlgorithm } from "../../src/objects/version.ts";

const COMBINABLE: readonly CombinableAlgorithm[] = ["CRC32", "CRC32C", "CRC64NVME"];

function checksum(algorithm: ChecksumAlgorithm, ...pieces: readonly Uint8Array[]): Buffer {
  const sum = createChecksum(algorithm);
  for (const piece of pieces) sum.update(piece);
  return sum.digest();
}

/** Bit by bit, as polynomials are divided. */
function crcByDefinition(algorithm: CombinableAlgorithm, whole: Uint8Array): string {
  const [width, polynomial] = { CRC32: [32n, 0xedb88320n], CRC32C: [32n, 0x82f63b78n], CRC64NVME: [64n, 0x9a6c9329ac4bc9b5n] }[
    algorithm
  ] as [bigint, bigint];
  const ones = (1n << width) - 1n;
  let crc = ones;
  for (const byte of whole) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >> 1n) ^ (crc & 1n ? polynomial : 0n);
  }
  return (crc ^ ones).toString(16).padStart(Number(width) / 4, "0");
}

const base64 = (algorithm: ChecksumAlgorithm, text: string): string => checksum(algorithm, Buffer.from(text)).toString("base64");
const bytes = fc.uint8Array({ maxLength: 300 });

describe("a checksum", () => {
  it("of 123456789 is the published check value", () => {
    const values = CHECKSUM_ALGORITHMS.map((algorithm) => checksum(algorithm, Buffer.from("123456789")).toString("hex"));
    assert.deepEqual(values, [
      "cbf43926",
      "e3069283",
      "ae8b14860a799888",
      "f7c3bc1d808e04732adf679965ccc34ca7ae3441",
      "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225",
    ]);
  });

  it("is what AWS's clients send", () => {
    assert.equal(base64("CRC32", "hello tls"), "QnX7fg==");
    assert.equal(base64("CRC64NVME", "hello"), "M3eFcAZSQlc=");
    assert.equal(base64("CRC32", ""), "AAAAAA==");
    assert.equal(base64("CRC32C", "a".repeat(66_560)), "sOO8/Q==");
  });

  it("is that of its definition, however the bytes are cut and wherever they lie in their buffer", () => {
    for (const algorithm of COMBINABLE) {
      fc.assert(
        fc.property(fc.array(bytes, { maxLength: 6 }), fc.nat(20), (pieces, offset) => {
          const whole = Buffer.concat([Buffer.alloc(offset), ...pieces]).subarray(offset);
          const expected = crcByDefinition(algorithm, whole);
          assert.equal(checksum(algorithm, whole).toString("hex"), expected);
          assert.equal(checksum(algorithm, ...pieces).toString("hex"), expected);
        }),
        { seed: 3, numRuns: 150 },
      );
    }
  });

  it("of a whole follows from its parts' values and lengths", () => {
    for (const algorithm of COMBINABLE) {
      fc.assert(
        fc.property(fc.array(bytes, { maxLength: 8 }), (pieces) => {
          const parts = pieces.map((piece) => ({ value: checksum(algorithm, piece), bytes: piece.byteLength }));
          assert.deepEqual(combineCrc(algorithm, parts), checksum(algorithm, ...pieces));
        }),
        { seed: 5, numRuns: 300 },
      );
    }
  });

  it("of parts that are gigabytes long follows too: joining is associative", () => {
    const lengths = [5 * 1024 ** 3, 5 * 1024 ** 3 - 1, 7, 2 ** 33 + 12_345];
    for (const algorithm of COMBINABLE) {
      const parts = lengths.map((length, index) => ({ value: checksum(algorithm, Buffer.from(`part ${index}`)), bytes: length }));
      const [first, second, ...rest] = parts as [(typeof parts)[0], (typeof parts)[0], ...typeof parts];
      const front = { value: combineCrc(algorithm, [first, second]), bytes: first.bytes + second.bytes };
      const back = { value: combineCrc(algorithm, rest), bytes: rest.reduce((sum, part) => sum + part.bytes, 0) };
      assert.deepEqual(combineCrc(algorithm, [front, back]), combineCrc(algorithm, parts));
    }
  });
});

describe("a checksum's text", () => {
  it("is read where it is the base64 of as many bytes as the algorithm has", () => {
    for (const algorithm of CHECKSUM_ALGORITHMS) {
      const value = checksum(algorithm, Buffer.from("x"));
      assert.deepEqual(readChecksumValue(algorithm, value.toString("base64")), value);
    }
    for (const text of ["", "AAAAAA", "AAAAAAA=", "AAAAAB==", "AAAA", "AAAAAA== ", "!AAAAAA==", "A".repeat(1_000_000)])
      assert.equal(readChecksumValue("CRC32", text), undefined, text.slice(0, 20));
  });
});
