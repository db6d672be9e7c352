import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { deflateRawSync, gzipSync, zstdCompressSync } from "node:zlib";
import fc from "fast-check";
import { crc32c } from "../../src/base/index.ts";
import { checkBatch, encodeBatch, readRecords, splitBatches } from "../../src/streams/index.ts";
import type { BatchFault, BatchLimits, CheckedBatch, NewRecord } from "../../src/streams/index.ts";

interface Fixture {
  readonly records: readonly {
    readonly timestamp: number;
    readonly key: string | null;
    readonly value: string | null;
    readonly headers: readonly (readonly [string, string | null])[];
  }[];
  readonly batches: readonly { readonly name: string; readonly batch: string }[];
  readonly large: readonly { readonly name: string; readonly batch: string; readonly sha256: string }[];
}

const FOLDER = new URL("../fixtures/record-batches/", import.meta.url);
const fixture = JSON.parse(readFileSync(new URL("batches.json", FOLDER), "utf8")) as Fixture;
const LIMITS: BatchLimits = { batchBytesMax: 16 * 2 ** 20, recordBytesMax: 2 ** 20 };

const bytesOf = (text: string | null): Buffer | undefined => (text === null ? undefined : Buffer.from(text, "base64"));

function checked(bytes: Buffer, limits = LIMITS): CheckedBatch {
  const outcome = checkBatch(bytes, limits);
  assert.equal(outcome.kind, "checked", outcome.kind === "fault" ? outcome.message : "");
  return outcome as CheckedBatch;
}

function refused(bytes: Buffer, limits = LIMITS): BatchFault["fault"] {
  const outcome = checkBatch(bytes, limits);
  assert.equal(outcome.kind, "fault");
  return (outcome as BatchFault).fault;
}

/** The same batch with its header or records changed, under the checksum that it has then. */
function resealed(batch: Buffer, change: (header: Buffer) => void, records = batch.subarray(61)): Buffer {
  const header = Buffer.from(batch.subarray(0, 61));
  header.writeInt32BE(61 - 12 + records.length, 8);
  change(header);
  const whole = Buffer.concat([header, records]);
  whole.writeUInt32BE(crc32c(whole.subarray(21), 0), 17);
  return whole;
}

describe("a batch of another program", () => {
  for (const { name, batch } of fixture.batches) {
    test(`is read as what was put into it: ${name}`, () => {
      const bytes = Buffer.from(batch, "base64");
      const { count, maxTimestamp, producerId, producerEpoch, baseSequence } = checked(bytes);
      assert.equal(count, fixture.records.length);
      assert.equal(maxTimestamp, 1_700_000_300_000);
      assert.deepEqual([producerId, producerEpoch, baseSequence], name === "numbered producer" ? [4711n, 3, 90] : [-1n, -1, -1]);
      assert.deepEqual(
        readRecords({ bytes }),
        fixture.records.map(({ timestamp, key, value, headers }, offset) => ({
          offset,
          timestamp,
          key: bytesOf(key),
          value: bytesOf(value),
          headers: headers.map(([header, text]) => [header, bytesOf(text)]),
        })),
      );
    });
  }
  for (const { name, batch, sha256 } of fixture.large) {
    test(`is read over many blocks: ${name}`, () => {
      const bytes = Buffer.from(batch, "base64");
      checked(bytes);
      const [record] = readRecords({ bytes });
      assert.equal(
        createHash("sha256")
          .update(record?.value ?? "")
          .digest("hex"),
        sha256,
      );
    });
  }
  test("that names the time of arrival gives it to each of its records", () => {
    const { batch, decoded } = JSON.parse(readFileSync(new URL("kafkajs-gzip.json", FOLDER), "utf8")) as {
      readonly batch: string;
      readonly decoded: { readonly maxTimestamp: number; readonly records: readonly { readonly value: string }[] };
    };
    const bytes = Buffer.from(batch, "hex");
    checked(bytes);
    const records = readRecords({ bytes });
    assert.deepEqual(
      records.map(({ timestamp, value }) => [timestamp, value?.toString()]),
      decoded.records.map(({ value }) => [decoded.maxTimestamp, value]),
    );
  });
});

describe("a batch that is made here", () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  const optional = fc.option(bytes, { nil: undefined });
  const record: fc.Arbitrary<NewRecord> = fc.record({
    key: optional,
    value: optional,
    headers: fc.array(fc.tuple(fc.string({ maxLength: 20, unit: "grapheme" }), optional), { maxLength: 3 }),
    timestamp: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  });
  test("is read as what was put into it", () => {
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 20 }), fc.nat(2 ** 31), (records, baseOffset) => {
        const batch = encodeBatch(records, { baseOffset, now: 1 });
        const { count, maxTimestamp } = checked(batch);
        assert.equal(count, records.length);
        assert.equal(maxTimestamp, Math.max(...records.map(({ timestamp }) => timestamp ?? 0)));
        assert.deepEqual(
          readRecords({ bytes: batch }),
          records.map(({ key, value, headers, timestamp }, index) => ({
            offset: baseOffset + index,
            timestamp,
            key: key && Buffer.from(key),
            value: value && Buffer.from(value),
            headers: (headers ?? []).map(([name, content]) => [name, content && Buffer.from(content)]),
          })),
        );
      }),
    );
  });
  test("gives records without a time that of their arrival", () => {
    const batch = encodeBatch([{ key: undefined, value: Buffer.from("a") }], { baseOffset: 0, now: 1_234 });
    assert.equal(readRecords({ bytes: batch })[0]?.timestamp, 1_234);
  });
});

/** A byte of a number that says nothing but that another one follows. */
const FIVE_EMPTY = [0x80, 0x80, 0x80, 0x80, 0x80];
const one = (header: Buffer): void => {
  header.writeInt32BE(0, 23);
  header.writeInt32BE(1, 57);
};

describe("a batch is refused", () => {
  const plain = Buffer.from(fixture.batches[0]?.batch ?? "", "base64");
  const cases: readonly (readonly [string, BatchFault["fault"], () => Buffer, BatchLimits?])[] = [
    ["when it is larger than the limit", "tooLarge", () => plain, { ...LIMITS, batchBytesMax: plain.length - 1 }],
    ["when one of its records is", "tooLarge", () => plain, { ...LIMITS, recordBytesMax: 1_999 }],
    ["when it is of an older format", "unsupportedMagic", () => resealed(plain, (header) => header.writeInt8(1, 16))],
    ["when it is cut off", "corrupt", () => plain.subarray(0, plain.length - 1)],
    ["when it has no header", "corrupt", () => plain.subarray(0, 60)],
    ["when its checksum is another one", "corrupt", () => Buffer.concat([plain.subarray(0, plain.length - 1), Buffer.of(0xff)])],
    ["when its compression is none", "unsupportedCompression", () => resealed(plain, (header) => header.writeInt16BE(5, 21))],
    ["when it is not compressed as it says", "corrupt", () => resealed(plain, (header) => header.writeInt16BE(1, 21))],
    ["when it belongs to a transaction", "transactional", () => resealed(plain, (header) => header.writeInt16BE(0x10, 21))],
    ["when it has no records", "invalidRecord", () => resealed(plain, (header) => header.writeInt32BE(0, 57))],
    [
      "when it counts more records than it has",
      "invalidRecord",
      () => resealed(plain, (header) => (header.writeInt32BE(46, 57), header.writeInt32BE(45, 23))),
    ],
    [
      "when it counts fewer",
      "invalidRecord",
      () => resealed(plain, (header) => (header.writeInt32BE(44, 57), header.writeInt32BE(43, 23))),
    ],
    ["when its records' numbers have gaps", "invalidRecord", () => resealed(plain, (header) => header.writeInt32BE(45, 23))],
    [
      "when a length is written in more bytes than clients read",
      "invalidRecord",
      // Three bytes of value, of which the length has seven.
      () => resealed(plain, one, Buffer.concat([Buffer.of(30, 0, 0, 0, 1, 0x86, ...FIVE_EMPTY, 0), Buffer.from("abc"), Buffer.of(0)])),
    ],
    [
      "when something stands behind what is compressed",
      "corrupt",
      () =>
        resealed(plain, (header) => header.writeInt16BE(4, 21), Buffer.concat([zstdCompressSync(plain.subarray(61)), Buffer.alloc(8, 7)])),
    ],
    ["when a record's time is none", "invalidTimestamp", () => resealed(plain, (header) => header.writeBigInt64BE(-(2n ** 60n), 27))],
  ];
  for (const [name, fault, make, limits] of cases) test(name, () => assert.equal(refused(make(), limits ?? LIMITS), fault));

  test("when it is a bomb, before its content is held", () => {
    const zeros = Buffer.alloc(80 * 2 ** 20);
    const lz4Bomb = Buffer.concat([
      Buffer.from("04224d186070", "hex"),
      Buffer.of(0x73),
      ...Array.from({ length: 11 }, () => {
        // A block whose one match is of 4 MiB of zeros.
        const block = Buffer.concat([Buffer.of(0x1f, 0, 1, 0), Buffer.alloc(16_500, 255), Buffer.of(0, 0x10, 0)]);
        const length = Buffer.alloc(4);
        length.writeUInt32LE(block.length);
        return Buffer.concat([length, block]);
      }),
      Buffer.alloc(4),
    ]);
    const snappyBomb = Buffer.concat([Buffer.of(0x80, 0x80, 0x80, 0x40), Buffer.alloc(1_000)]);
    for (const [codec, records] of [
      [1, gzipSync(zeros)],
      [4, zstdCompressSync(zeros)],
      [3, lz4Bomb],
      [2, snappyBomb],
    ] as const)
      assert.equal(refused(resealed(plain, (header) => header.writeInt16BE(codec, 21), records)), "tooLarge", `compression ${codec}`);
    assert.equal(refused(resealed(plain, (header) => header.writeInt16BE(1, 21), deflateRawSync(zeros))), "corrupt");
  });
});

test("a batch of few bytes takes little memory wherever it is read: its records and their headers are bounded", () => {
  const bare = (count: number): NewRecord[] => Array.from({ length: count }, () => ({ key: undefined, value: undefined }));
  const zipped = (records: readonly NewRecord[]): Buffer => {
    const batch = encodeBatch(records, { baseOffset: 0, now: 0 });
    return resealed(batch, (header) => header.writeInt16BE(1, 21), gzipSync(batch.subarray(61)));
  };
  assert.equal(checked(zipped(bare(100_000))).count, 100_000);
  assert.equal(refused(zipped(bare(100_001))), "tooLarge");
  const headers = Array.from({ length: 125_000 }, () => ["", undefined] as const);
  const [record = { key: undefined, value: undefined }] = bare(1);
  assert.equal(
    checked(
      zipped([
        { ...record, headers },
        { ...record, headers },
      ]),
    ).count,
    2,
  );
  assert.equal(
    refused(
      zipped([
        { ...record, headers },
        { ...record, headers },
        { ...record, headers: headers.slice(0, 1) },
      ]),
    ),
    "tooLarge",
  );
});

test("a batch with any of its bytes changed is checked without an exception, and what passes can be read", () => {
  const all = fixture.batches.map(({ batch }) => Buffer.from(batch, "base64"));
  let passed = 0;
  fc.assert(
    fc.property(
      fc.nat(all.length - 1),
      fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }),
      fc.option(fc.nat(), { nil: undefined }),
      (which, changes, cut) => {
        const source = all[which] ?? Buffer.alloc(0);
        const mutant = Buffer.from(source.subarray(0, cut === undefined ? source.length : 61 + (cut % (source.length - 61))));
        // Behind the length and the checksum, which would otherwise refuse nearly all.
        for (const [at, value] of changes) mutant[21 + (at % (mutant.length - 21))] = value;
        const outcome = checkBatch(
          resealed(mutant, () => undefined),
          LIMITS,
        );
        if (outcome.kind === "fault") return;
        passed += 1;
        assert.equal(readRecords({ bytes: outcome.bytes }).length, outcome.count);
      },
    ),
    { numRuns: 4_000 },
  );
  assert.ok(passed > 10, `${passed} mutants passed: the checks were not reached`);
});

test("a record set is split into its batches, and what is left over into one that is none", () => {
  const [first, second] = [1, 2].map((n) => encodeBatch([{ key: undefined, value: Buffer.alloc(n) }], { baseOffset: 0, now: 0 })) as [
    Buffer,
    Buffer,
  ];
  assert.deepEqual(splitBatches(Buffer.alloc(0)), []);
  assert.deepEqual(splitBatches(Buffer.concat([first, second])), [first, second]);
  assert.deepEqual(splitBatches(Buffer.concat([first, second.subarray(0, 20)])), [first, second.subarray(0, 20)]);
  const endless = Buffer.from(second);
  endless.writeInt32BE(-5, 8);
  assert.deepEqual(splitBatches(Buffer.concat([endless, first])), [Buffer.concat([endless, first])]);
});
