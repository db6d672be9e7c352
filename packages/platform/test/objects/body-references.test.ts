import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { OBJECT_BODIES, cellOf, NO_ATTRIBUTES } from "../../src/objects/index.ts";
import { CALLER, large, ObjectsWorld, put, upload } from "./world.ts";

void test("rows of a bucket say which files they refer to, of which length and MD5: all that there are, and none of an inline body", async (t) => {
  const world = await ObjectsWorld.open(t);
  const bucket = await world.make("photos", "enabled");
  await put(bucket, "noncurrent", large("1"));
  await put(bucket, "noncurrent", "\u0001\u0020\u0000 looks like a list of parts");
  await put(bucket, "empty", "");
  await upload(bucket, "parts", large("2", 30_000));
  await upload(bucket, "parts", large("3", 40_000));
  await bucket.delete("parts", { caller: CALLER });
  const { id } = await bucket.uploads.create("under way", NO_ATTRIBUTES, CALLER);
  await bucket.uploads.putPart("under way", id, 7, { source: large("4", 5) });
  const { record } = bucket;
  const cell = cellOf(record);
  assert.deepEqual([OBJECT_BODIES.isIn(cell), OBJECT_BODIES.isIn("000000000000.us-east-1/queue/photos/1")], [true, false]);
  const references = [...(await world.rows(record))].flatMap(([key, value]) => OBJECT_BODIES.of(cell, key, value));
  assert.deepEqual(references.map(({ file }) => file).sort(), await world.files());
  const digest = (mark: string, bytes: number): string => createHash("md5").update(large(mark, bytes)).digest("hex");
  const expected = [`20000 ${digest("1", 20_000)}`, `30000 ${digest("2", 30_000)}`, `40000 ${digest("3", 40_000)}`, `5 ${digest("4", 5)}`];
  assert.deepEqual(references.map(({ bytes, md5 }) => `${bytes} ${md5}`).sort(), expected);
  assert.ok(references.every(({ owner }) => owner === record.id));
});
