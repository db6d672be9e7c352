import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { encodeParts, partRange, PARTS_MAX, PartsList } from "../../../src/objects/parts-list.ts";
import type { BodyPart } from "../../../src/objects/version.ts";
import { md5Of } from "./world.ts";

const partOf = (index: number, bytes: number, checksum?: string): BodyPart => ({
  ...{ file: index.toString(16).padStart(32, "0"), bytes, md5: md5Of(String(index)) },
  ...(checksum === undefined ? {} : { checksum }),
});

test("a list of parts reads as it was written", () => {
  for (const checksum of [undefined, "4waSgw==", "9vAV6VyHoPs="]) {
    const parts = [5_242_880, 0, 7].map((bytes, index) => partOf(index, bytes, checksum));
    const list = new PartsList(encodeParts(parts));
    assert.deepEqual([...list], parts);
    assert.deepEqual([list.count, list.bytes], [3, 5_242_887]);
  }
});

test("a list of 10,000 parts of 5 GiB with SHA-256 is below 2 MiB", () => {
  const sha256 = Buffer.alloc(32, 7).toString("base64");
  const row = encodeParts(Array.from({ length: PARTS_MAX }, (_, index) => partOf(index, 5 * 1024 ** 3, sha256)));
  assert.ok(row.length <= 2 * 1024 * 1024, `${row.length} bytes`);
  const list = new PartsList(row);
  assert.equal(list.bytes, PARTS_MAX * 5 * 1024 ** 3);
  assert.deepEqual(list.part(9_999), partOf(9_999, 5 * 1024 ** 3, sha256));
});

test("a range is in the same pieces as a plain walk over the parts finds", () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 12 });
  fc.assert(
    fc.property(sizes, fc.nat(), fc.nat(), (lengths, first, second) => {
      const list = new PartsList(encodeParts(lengths.map((bytes, index) => partOf(index, bytes))));
      if (list.bytes === 0) return assert.deepEqual([...list.pieces()], []);
      const [start = 0, end = 0] = [first % list.bytes, second % list.bytes].toSorted((a, b) => a - b);
      const bytesOfAll = lengths.flatMap((bytes, index) => Array.from({ length: bytes }, (_, offset) => `${index}:${offset}`));
      const read: string[] = [];
      for (const { part, range } of list.pieces({ start, end })) {
        const index = Number.parseInt(part.file, 16);
        assert.ok(part.bytes > 0, "a file without bytes is not opened");
        if (range) assert.ok(range.start > 0 || range.end < part.bytes - 1, "a whole file has no range");
        const whole = { start: 0, end: part.bytes - 1 };
        for (let offset = (range ?? whole).start; offset <= (range ?? whole).end; offset += 1) read.push(`${index}:${offset}`);
      }
      assert.deepEqual(read, bytesOfAll.slice(start, end + 1));
    }),
    { seed: 20_261_121 },
  );
});

test("a part is found by its place", () => {
  const list = new PartsList(encodeParts([5, 0, 3].map((bytes, index) => partOf(index, bytes))));
  assert.deepEqual(partRange(list, 1), { range: { start: 0, end: 4 }, count: 3 });
  assert.deepEqual(partRange(list, 2), { range: undefined, count: 3 });
  assert.deepEqual(partRange(list, 3), { range: { start: 5, end: 7 }, count: 3 });
  for (const number of [0, 4, -1, 1.5, Number.NaN]) assert.equal(partRange(list, number), undefined);
});
