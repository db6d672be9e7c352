import assert from "node:assert/strict";
import { test } from "node:test";
import { gatheredBytesMax } from "../../src/storage/write-file.ts";

const MIB = 1024 * 1024;

test("P7: the more files are written at once, the less each of them gathers", () => {
  assert.deepEqual([1, 2, 128].map(gatheredBytesMax), [MIB, MIB, MIB]);
  assert.equal(gatheredBytesMax(1_024), 128 * 1024);
  assert.equal(gatheredBytesMax(10_000), 32 * 1024, "a write of next to nothing costs as much as one of this");
  for (let files = 1; files <= 20_000; files += 7) {
    assert.ok(gatheredBytesMax(files) * Math.min(files, 4_096) <= 128 * MIB);
    assert.ok(gatheredBytesMax(files + 1) <= gatheredBytesMax(files));
  }
});
