import assert from "node:assert/strict";
import { test } from "node:test";
import * as zlib from "node:zlib";
import { allRecords, REALM, record, StreamWorld } from "./world.ts";
import { checkBatch, encodeBatch, readRecords } from "../../src/streams/index.ts";
import { crc32c } from "../../src/base/index.ts";

test("A stamped split", async () => {
  const world = await StreamWorld.open();
  const partition = await world.partition({ settings: { recordBytesMax: 10 * 2 ** 20 } });
  const value = Buffer.alloc(2 * 2 ** 20 - 100, 1);
  await partition.append([{ key: undefined, value }], { producer: "a-producer-with-a-name-that-is-rather-long", sequence: 1 });
  await world.restart();
  const again = await world.partition();
  const records = await allRecords(again);
  assert.equal(records.length, 1);
  const dup = await again.append([{ key: undefined, value }], { producer: "a-producer-with-a-name-that-is-rather-long", sequence: 1 });
  assert.equal(dup.duplicate, true);
  await world.close();
});

test("B tail memory", async () => {
  const world = await StreamWorld.open();
  const before = process.memoryUsage().arrayBuffers;
  for (let p = 0; p < 1; p++) {
    const partition = await world.partition({ settings: { recordBytesMax: 10 * 2 ** 20, retentionMs: -1 } });
    const value = Buffer.alloc(2 ** 20, 1);
    for (let n = 0; n < 60; n++) { await partition.append([{ key: undefined, value }]);  if(n%10==9) await partition.deleteBefore(partition.end); }
  }
  (globalThis as any).gc?.();
  await new Promise((r) => setImmediate(r));
  (globalThis as any).gc?.();
  console.log("B MiB", (process.memoryUsage().arrayBuffers - before) / 2 ** 20);
  await world.close();
});

function compressed(records: Buffer, count: number, kind: number): Buffer {
  const one = encodeBatch([record("x")], { baseOffset: 0, now: 5 });
  const body = kind === 1 ? zlib.gzipSync(records) : zlib.zstdCompressSync(records);
  const batch = Buffer.concat([one.subarray(0, 61), body]);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeInt16BE(kind, 21);
  batch.writeInt32BE(count - 1, 23);
  batch.writeInt32BE(count, 57);
  batch.writeUInt32BE(crc32c(batch.subarray(21), 0), 17);
  return batch;
}
test("C bomb of records", () => {
  for (const count of [10_000, 100_000, 250_000, 1_000_000, 3_000_000]) {
    const parts: Buffer[] = [];
    const all = encodeBatch(Array.from({ length: count }, () => ({ key: undefined, value: undefined, timestamp: 5 })), { baseOffset: 0, now: 5 }).subarray(61);
    parts.push(all);
    const batch = compressed(Buffer.concat(parts), count, 1);
    const begin = performance.now();
    const checked = checkBatch(batch, { batchBytesMax: 16 * 2 ** 20, recordBytesMax: 2 ** 20 });
    const mid = performance.now();
    (globalThis as any).gc?.();
    const m = process.memoryUsage();
    const records = checked.kind === "checked" ? readRecords({ bytes: batch }) : [];
    const n = process.memoryUsage();
    console.log("C", count, checked.kind, "bytes", batch.length, "check ms", mid - begin, "read ms", performance.now() - mid, records.length, "MB", (n.heapUsed - m.heapUsed) / 1e6);
  }
});
test("H zstd trailing", () => {
  const recs = encodeBatch([record("x"), record("y")], { baseOffset: 0, now: 5 }).subarray(61);
  const batch = compressed(recs, 2, 4);
  const t = Buffer.concat([batch, Buffer.from("garbage!")]);
  t.writeInt32BE(t.length - 12, 8);
  t.writeUInt32BE(crc32c(t.subarray(21), 0), 17);
  console.log("H", checkBatch(t, { batchBytesMax: 16 * 2 ** 20, recordBytesMax: 2 ** 20 }).kind);
  const info = zlib.zstdDecompressSync(t.subarray(61), { info: true } as any) as any;
  console.log(info.buffer?.length, info.engine?.bytesWritten, t.length - 61);
});
test("G long varint", () => {
  const one = encodeBatch([{ key: undefined, value: Buffer.from("abc"), timestamp: 5 }], { baseOffset: 0, now: 5 });
  // value length (3 -> zigzag 6) written in 7 bytes
  const body = Buffer.from([0 /*attr*/, 0, 0, 1 /*key null*/, 0x86, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 97, 98, 99, 0]);
  const batch = Buffer.concat([one.subarray(0, 61), Buffer.from([body.length * 2]), body]);
  batch.writeInt32BE(batch.length - 12, 8);
  batch.writeUInt32BE(crc32c(batch.subarray(21), 0), 17);
  console.log("G", JSON.stringify(checkBatch(batch, { batchBytesMax: 16 * 2 ** 20, recordBytesMax: 2 ** 20 }).kind));
});
void REALM;
