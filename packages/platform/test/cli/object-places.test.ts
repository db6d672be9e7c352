/** What `lambent objects` means by its arguments and shows while it works: pure, without a server. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { deferred, ManualClock } from "../../src/base/index.ts";
import { CommandFailure } from "../../src/cli/errors.ts";
import { inParallel } from "../../src/cli/in-parallel.ts";
import {
  bucketPathText,
  contentTypeOf,
  folderPrefix,
  keyFor,
  openProgress,
  readBucketPath,
  readPlace,
  stepsOf,
} from "../../src/cli/objects/index.ts";
import { progressText, Rate } from "../../src/cli/objects/progress-text.ts";
import { partBytesFor } from "../../src/cli/objects/sending.ts";

const MB = 1024 * 1024;

test("a bucket's object is told from a file by s3:// or by a bucket's name and a colon", () => {
  const inBucket = (bucket: string, key: string) => ({ kind: "bucket", bucket, key });
  const local = (path: string) => ({ kind: "local", path });
  assert.deepEqual(readPlace("photos:cat.jpg"), inBucket("photos", "cat.jpg"));
  assert.deepEqual(readPlace("photos:"), inBucket("photos", ""));
  assert.deepEqual(readPlace("photos:a:b/c\nd"), inBucket("photos", "a:b/c\nd"));
  assert.deepEqual(readPlace("s3://photos/a:b//c"), inBucket("photos", "a:b//c"));
  assert.deepEqual(readPlace("s3://photos"), inBucket("photos", ""));
  assert.deepEqual(readPlace("-"), { kind: "standard" });
  for (const path of ["./photos:cat.jpg", "a/photos:cat.jpg", "photos", "/photos", "C:/cat.jpg", "Photos:cat.jpg", "s3:/photos"])
    assert.deepEqual(readPlace(path), local(path), path);
  for (const text of ["", "s3://", "s3:///key", "s3://P/key"])
    assert.throws(
      () => readPlace(text),
      (error) => error instanceof CommandFailure && error.exit === "usage",
      text,
    );
});

test("where only buckets are meant, a slash says as much as a colon", () => {
  assert.deepEqual(readBucketPath("photos"), { bucket: "photos", key: "" });
  for (const text of ["photos/2026/a:b", "photos:2026/a:b", "s3://photos/2026/a:b"])
    assert.deepEqual(readBucketPath(text), { bucket: "photos", key: "2026/a:b" }, text);
  const bucket = fc.constantFrom("photos", "my.bucket-1", "000", "a".repeat(63));
  fc.assert(
    fc.property(bucket, fc.string({ unit: "binary" }), (name, key) => {
      assert.deepEqual(readPlace(bucketPathText({ bucket: name, key })), { kind: "bucket", bucket: name, key });
      assert.deepEqual(readBucketPath(bucketPathText({ bucket: name, key })), { bucket: name, key });
    }),
    { numRuns: 200, seed: 6 },
  );
});

test("a key that would lead out of a folder is no path", () => {
  assert.deepEqual(stepsOf("a/b c/ü.jpg"), ["a", "b c", "ü.jpg"]);
  for (const key of ["", "/etc/passwd", "../a", "a/../b", "a/..", "./a", "a//b", "a/", "a\0b", "a\\..\\b"])
    assert.equal(stepsOf(key), undefined, key);
});

test("a file goes into a folder of the bucket under its own name", () => {
  assert.deepEqual(
    ["", "a/", "a"].map((key) => keyFor(key, "cat.jpg")),
    ["cat.jpg", "a/cat.jpg", "a"],
  );
  assert.deepEqual(["", "a/", "a"].map(folderPrefix), ["", "a/", "a/"]);
});

test("what a file is, is told by the end of its name, and not guessed", () => {
  assert.equal(contentTypeOf("a/CAT.JPG"), "image/jpeg");
  assert.equal(contentTypeOf("archive.tar.gz"), "application/gzip");
  for (const name of ["", "jpg", "a.jpg/b", "a.constructor", "a."]) assert.equal(contentTypeOf(name), undefined, name);
});

test("ten thousand parts are enough for S3's largest object, and small ones keep small parts", () => {
  assert.equal(partBytesFor(65 * MB), 16 * MB);
  for (const bytes of [160_000 * MB, 160_000 * MB + 1, 5 * 1024 * 1024 * MB]) {
    assert.ok(Math.ceil(bytes / partBytesFor(bytes)) <= 10_000);
    assert.equal(partBytesFor(bytes) % MB, 0);
  }
});

test("progress says how far, how fast and how long still", () => {
  const progress = { label: "cat.jpg", doneBytes: 3 * MB, totalBytes: 4 * MB, bytesPerSecond: 0.5 * MB };
  assert.equal(progressText(progress, 100), `  cat.jpg  ${"█".repeat(18)}${"░".repeat(6)}   75 %  3.0 MB of 4.0 MB  512.0 KB/s  2 s left`);
  assert.equal(progressText(progress, 40), "  cat.jpg   75 %  3.0 MB of 4.0 MB");
  assert.equal(progressText({ ...progress, totalBytes: undefined }, 100), "  cat.jpg  3.0 MB  512.0 KB/s");
  assert.match(progressText({ ...progress, doneBytes: 4 * MB - 1 }, 100), / 99 % /u, "what is not done is not said to be");
  assert.match(progressText({ ...progress, totalBytes: 0, doneBytes: 0, bytesPerSecond: undefined }, 100), /100 %  0 B of 0 B$/u);
  fc.assert(
    fc.property(fc.string(), fc.nat(), fc.option(fc.nat(), { nil: undefined }), fc.nat(200), (label, doneBytes, totalBytes, columns) => {
      assert.ok(progressText({ label, doneBytes, totalBytes, bytesPerSecond: 7 }, columns).length <= columns);
    }),
    { numRuns: 200, seed: 6 },
  );
});

test("the rate is that of the last seconds", () => {
  const rate = new Rate();
  assert.equal(rate.perSecond(), undefined);
  rate.note(0, 0);
  assert.equal(rate.perSecond(), undefined);
  rate.note(1_000, 100);
  assert.equal(rate.perSecond(), 100);
  for (let second = 2; second <= 10; second += 1) rate.note(second * 1_000, 100 + (second - 1) * 1_000);
  assert.equal(rate.perSecond(), 1_000, "what was slow at the beginning is past");
});

test("the bar is drawn ten times a second at most, and gone when it ends", async () => {
  const clock = new ManualClock();
  const written: string[] = [];
  const bar = openProgress("cat.jpg", clock, { columns: 80, write: (text: string) => written.push(text) });
  bar.expect(1_000);
  for (let chunk = 0; chunk < 500; chunk += 1) bar.advance(1);
  assert.equal(written.length, 0);
  await clock.advance(100);
  assert.equal(written.length, 1);
  assert.match(written[0] ?? "", /^\r\u001B\[K {2}cat\.jpg .* 50 % /u);
  bar.advance(1);
  bar.end();
  bar.end();
  await clock.advance(1_000);
  assert.deepEqual(written.slice(1), ["\r\u001B[K"]);
  openProgress("cat.jpg", clock, undefined).advance(1);
});

test("so many at once and no more; the first failure begins nothing further and waits for what is under way", async () => {
  let under = 0;
  let most = 0;
  const gate = deferred<void>();
  const begun: number[] = [];
  const all = inParallel([1, 2, 3, 4, 5, 6], 3, async (item) => {
    begun.push(item);
    under += 1;
    most = Math.max(most, under);
    if (item === 2) {
      under -= 1;
      throw new CommandFailure("failed", "second", "");
    }
    await gate.promise;
    under -= 1;
  });
  setImmediate(() => gate.resolve());
  await assert.rejects(all, /second/u);
  assert.equal(under, 0);
  assert.ok(most <= 3);
  assert.ok(!begun.includes(6), String(begun));
});
