import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { isLambentError } from "../../src/base/index.ts";
import { decodeCbor, encodeCbor } from "../../src/wire/codec/cbor.ts";

const SEED = 20_261_121;
const hex = (text: string): Buffer => Buffer.from(text, "hex");

describe("CBOR", () => {
  // From RFC 8949, appendix A.
  for (const [bytes, value] of [
    ["00", 0],
    ["1818", 24],
    ["1903e8", 1000],
    ["1a000f4240", 1_000_000],
    ["1b000000e8d4a51000", 1_000_000_000_000],
    ["20", -1],
    ["3903e7", -1000],
    ["f90000", 0],
    ["f93c00", 1],
    ["f97bff", 65_504],
    ["f90001", 5.960464477539063e-8],
    ["fa47c35000", 100_000],
    ["fb3ff199999999999a", 1.1],
    ["f97c00", Number.POSITIVE_INFINITY],
    ["f97e00", Number.NaN],
    ["f4", false],
    ["f5", true],
    ["f6", null],
    ["f7", null],
    ["c11a514b67b0", new Date(1_363_896_240_000)],
    ["c1fb41d452d9ec200000", new Date(1_363_896_240_500)],
    ["d82076687474703a2f2f7777772e6578616d706c652e636f6d", "http://www.example.com"],
    ["4401020304", hex("01020304")],
    ["62c3bc", "ü"],
    ["83010203", [1, 2, 3]],
    ["5f42010243030405ff", hex("0102030405")],
    ["7f657374726561646d696e67ff", "streaming"],
    ["9f018202039f0405ffff", [1, [2, 3], [4, 5]]],
  ] as const) {
    test(`${bytes} reads as ${String(value)}`, () => assert.deepEqual(decodeCbor(hex(bytes)), value));
  }

  test("maps of both lengths have null prototypes and ordinary keys", () => {
    for (const bytes of ["a1695f5f70726f746f5f5f01", "bf695f5f70726f746f5f5f01ff"]) {
      const map = decodeCbor(hex(bytes)) as object;
      assert.equal(Object.getPrototypeOf(map), null);
      assert.deepEqual(Object.entries(map), [["__proto__", 1]]);
    }
  });

  for (const [what, bytes] of [
    ["nothing", ""],
    ["text cut off", "62c3"],
    ["text that is not UTF-8", "62ffff"],
    ["a list longer than its bytes", "9affffffff00"],
    ["a map longer than its bytes", "bbffffffffffffffff"],
    ["an unended list", "9f01"],
    ["bytes after the end", "0000"],
    ["a reserved length", "1c"],
    ["an unknown simple value", "f8ff"],
    ["a key that is not text", "a10101"],
    ["a time that is text", "c16161"],
    ["a break by itself", "ff"],
    ["a part of another kind", "5f6161ff"],
    ["lists nested without end", "81".repeat(100_000)],
  ] as const) {
    test(`${what} is refused as MalformedRequest`, () => {
      assert.throws(
        () => decodeCbor(hex(bytes)),
        (error) => isLambentError(error, "MalformedRequest"),
      );
    });
  }

  test("what was written is read back", () => {
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: "grapheme" }),
        fc.double({ noNaN: true }),
        fc.maxSafeInteger(),
        fc.boolean(),
        fc.constant(null),
        fc.uint8Array().map((bytes) => Buffer.from(bytes)),
        fc.integer({ min: -8e12, max: 8e12 }).map((time) => new Date(time)),
        fc.array(tie("tree")),
        fc.dictionary(fc.string(), tie("tree"), { noNullPrototype: false }).map((map) => Object.assign(Object.create(null), map) as object),
      ),
    }));
    fc.assert(
      fc.property(tree, (value) => assert.deepEqual(decodeCbor(encodeCbor(value)), value)),
      { seed: SEED, numRuns: 300 },
    );
  });
});
