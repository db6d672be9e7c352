import assert from "node:assert/strict";
import { test } from "node:test";
import { crc32c } from "../../../src/base/index.ts";
import { committedBatches } from "../../../src/sources/stream/external/external-log.ts";
import { encodeBatch, readRecords } from "../../../src/streams/index.ts";

const TRANSACTIONAL = 0x10;
const CONTROL = 0x30;
/** A record of one letter takes eight bytes; the fourth is its offset within the batch, doubled. */
const SECOND_DELTA_AT = 61 + 8 + 3;

interface Shape {
  readonly attributes?: number;
  readonly producer?: bigint;
  /** Offsets that the log has lost: before the second of two records of one letter, and behind it. */
  readonly gone?: readonly [number, number];
}

function batch(baseOffset: number, values: readonly string[], { attributes = 0, producer = -1n, gone = [0, 0] }: Shape = {}): Buffer {
  const bytes = encodeBatch(
    values.map((value) => ({ key: undefined, value: Buffer.from(value), timestamp: 5_000 })),
    { baseOffset, now: 0 },
  );
  bytes.writeInt16BE(attributes, 21);
  bytes.writeInt32BE(values.length - 1 + gone[0] + gone[1], 23);
  if (gone[0] > 0) bytes.writeInt8(2 * (1 + gone[0]), SECOND_DELTA_AT);
  bytes.writeBigInt64BE(producer, 43);
  bytes.writeUInt32BE(crc32c(bytes.subarray(21), 0), 17);
  return bytes;
}

const read = (recordSet: Buffer, aborted: { producerId: bigint; firstOffset: number }[] = []) =>
  committedBatches({ recordSet, aborted }, 9_000).map((each) => [
    each.lastOffset,
    ...readRecords(each).map(({ offset, value }) => `${offset}:${String(value)}`),
  ]);

test("offsets that a compacted log has lost are passed with the batch that had them", () => {
  const gap = batch(10, ["a", "b"], { gone: [2, 1] });
  assert.deepEqual(read(Buffer.concat([gap, batch(20, ["c"])])), [
    [14, "10:a", "13:b"],
    [20, "20:c"],
  ]);
});

test("records of transactions that were given up, and marks of them, are passed; those that were committed count", () => {
  const recordSet = Buffer.concat([
    batch(0, ["gone"], { attributes: TRANSACTIONAL, producer: 7n }),
    batch(1, ["kept"], { attributes: TRANSACTIONAL, producer: 8n }),
    batch(2, ["plain"]),
    batch(3, ["abort"], { attributes: CONTROL, producer: 7n }),
    batch(4, ["commit"], { attributes: CONTROL, producer: 8n }),
    batch(5, ["again"], { attributes: TRANSACTIONAL, producer: 7n }),
  ]);
  assert.deepEqual(read(recordSet, [{ producerId: 7n, firstOffset: 0 }]), [[0], [1, "1:kept"], [2, "2:plain"], [3], [4], [5, "5:again"]]);
});

test("an answer that is cut within a batch is read up to it; one that is damaged is not read at all", () => {
  const [first, second] = [batch(0, ["a"]), batch(1, ["b"])];
  assert.deepEqual(read(Buffer.concat([first, second.subarray(0, 40)])), [[0, "0:a"]]);
  const damaged = Buffer.from(first);
  damaged.writeUInt8(damaged.readUInt8(damaged.length - 2) ^ 1, damaged.length - 2);
  for (const bad of [damaged, first.subarray(0, 30), Buffer.concat([damaged, second])])
    assert.throws(() => read(bad), { code: "Throttled" });
});

test("a record is as old as its producer says, and never from the future", () => {
  const at = (now: number) => committedBatches({ recordSet: batch(0, ["a"]), aborted: [] }, now)[0]?.appendedAt;
  assert.deepEqual([at(9_000), at(1_000)], [5_000, 1_000]);
});
