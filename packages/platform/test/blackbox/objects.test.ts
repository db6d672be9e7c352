/** Objects as programs meet them: the SDK for JavaScript against a real server. Other clients: `object-clients.test.ts`. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { describe, test } from "node:test";
import { crc32 } from "node:zlib";
import { type ChecksumAlgorithm, type CompletedPart, NoSuchKey, type PutObjectCommandInput, S3ServiceException } from "@aws-sdk/client-s3";
import { seededRandom } from "../../src/base/index.ts";
import { startServerWithClients } from "../support/javascript-clients.ts";
import { known } from "./javascript/cases.ts";

const { clients } = await startServerWithClients();
const { s3 } = clients;

const MB = 1024 * 1024;
const ALGORITHMS: readonly ChecksumAlgorithm[] = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"];
const random = seededRandom(20_261_121);
const bytesOf = (length: number): Buffer =>
  Buffer.from(Uint32Array.from({ length: Math.ceil(length / 4) }, () => random.next() * 2 ** 32).buffer).subarray(0, length);
const sha256 = (...bytes: readonly Uint8Array[]): Buffer => bytes.reduce((hash, each) => hash.update(each), createHash("sha256")).digest();
const big = bytesOf(17 * MB);

async function bucket(Bucket: string, versioned = false): Promise<string> {
  await s3.createBucket({ Bucket });
  if (versioned) await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
  return Bucket;
}

const put = (Bucket: string, Key: string, Body: PutObjectCommandInput["Body"] = "x", more: Partial<PutObjectCommandInput> = {}) =>
  s3.putObject({ Bucket, Key, Body, ...more });
const textOf = async (Bucket: string, Key: string, VersionId?: string): Promise<string> =>
  known((await s3.getObject({ Bucket, Key, VersionId })).Body).transformToString();

/** Pieces of a size that nobody's buffers have. */
const stream = (bytes: Buffer): Readable => {
  const pieces = Array.from({ length: Math.ceil(bytes.length / 70_001) }, (_, index) =>
    bytes.subarray(index * 70_001, (index + 1) * 70_001),
  );
  return Readable.from(pieces, { objectMode: false });
};

/** Asserts that it is refused by that name and status. */
const refused = (call: Promise<unknown>, name: string, status: number): Promise<void> =>
  assert.rejects(call, (error: unknown) => {
    assert.ok(error instanceof S3ServiceException, String(error));
    assert.deepEqual([error.name, error.$metadata.httpStatusCode], [name, status]);
    return true;
  });

/** What this client calls an answer without a body. */
const NO_NAME = "Unknown";

/** A digest that the SDK does not know. */
const digestIn = (answer: object, algorithm: string): unknown => (answer as Record<string, unknown>)[`Checksum${algorithm}`];

describe("every checksum", () => {
  const text = Buffer.from("水 and bytes ".repeat(3_000));

  test("is checked and told, of a body at hand and of a stream with its checksum behind it", async () => {
    const Bucket = await bucket("checksums");
    const expected: Record<string, string> = { CRC32: base64Of(crc32(text)), SHA256: sha256(text).toString("base64") };
    for (const ChecksumAlgorithm of ALGORITHMS) {
      const whole = await put(Bucket, "whole", text, { ChecksumAlgorithm });
      const how = { ChecksumAlgorithm, ContentLength: text.length, ContentEncoding: "x-own" };
      const streamed = await put(Bucket, "streamed", stream(text), how);
      const told = digestIn(whole, ChecksumAlgorithm);
      assert.equal(told, digestIn(streamed, ChecksumAlgorithm), ChecksumAlgorithm);
      assert.equal(told, expected[ChecksumAlgorithm] ?? told);
      // The client computes it again, and would refuse another.
      const got = await s3.getObject({ Bucket, Key: "streamed", ChecksumMode: "ENABLED" });
      assert.ok(text.equals(await known(got.Body).transformToByteArray()));
      // How it travelled is not how it is encoded.
      assert.deepEqual([digestIn(got, ChecksumAlgorithm), got.ContentEncoding], [told, "x-own"]);
    }
  });

  test("that is another's is refused, and nothing is stored", async () => {
    const Bucket = await bucket("wrong-checksums");
    const wrong = { ChecksumCRC32: "AAAAAA==", ChecksumSHA256: sha256(Buffer.from("other")).toString("base64") };
    for (const [name, value] of Object.entries(wrong)) await refused(put(Bucket, "k", text, { [name]: value }), "BadDigest", 400);
    await refused(put(Bucket, "k", text, { ContentMD5: createHash("md5").update("other").digest("base64") }), "BadDigest", 400);
    await refused(put(Bucket, "k", text, { ChecksumCRC32: "short" }), "InvalidRequest", 400);
    assert.equal((await s3.listObjectsV2({ Bucket })).KeyCount, 0);
  });
});

function base64Of(crc: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc);
  return bytes.toString("base64");
}

describe("an upload in parts by streams", () => {
  const parts = [big.subarray(0, 5 * MB), big.subarray(5 * MB, 11 * MB), big.subarray(11 * MB, 16 * MB), big.subarray(16 * MB)];

  /** Uploads `big`, two parts at a time and the last first. */
  async function upload(Bucket: string, Key: string, ChecksumAlgorithm: ChecksumAlgorithm, ChecksumType: "FULL_OBJECT" | "COMPOSITE") {
    const { UploadId } = await s3.createMultipartUpload({ Bucket, Key, ChecksumAlgorithm, ChecksumType });
    const send = async (index: number): Promise<CompletedPart> => {
      const Body = known(parts[index]);
      const sent = { Bucket, Key, UploadId, PartNumber: index + 1, ChecksumAlgorithm, ContentLength: Body.length };
      const answer = await s3.uploadPart({ ...sent, Body: stream(Body) });
      const name = `Checksum${ChecksumAlgorithm}` as const;
      return { PartNumber: index + 1, ETag: answer.ETag, [name]: answer[name] };
    };
    const Parts = [...(await Promise.all([send(3), send(1)])), ...(await Promise.all([send(2), send(0)]))];
    Parts.sort((a, b) => known(a.PartNumber) - known(b.PartNumber));
    return s3.completeMultipartUpload({ Bucket, Key, UploadId, MultipartUpload: { Parts }, ChecksumType });
  }

  test("has the checksum of the whole, or that of its parts' checksums, and comes back byte for byte", async () => {
    const Bucket = await bucket("in-parts");
    const full = await upload(Bucket, "full", "CRC32", "FULL_OBJECT");
    assert.deepEqual([full.ChecksumCRC32, full.ChecksumType], [base64Of(crc32(big)), "FULL_OBJECT"]);
    const composite = await upload(Bucket, "composite", "SHA256", "COMPOSITE");
    const digests = parts.map((part) => sha256(part));
    assert.deepEqual([composite.ChecksumSHA256, composite.ChecksumType], [`${sha256(...digests).toString("base64")}-4`, "COMPOSITE"]);
    assert.match(full.ETag ?? "", /^"[0-9a-f]{32}-4"$/u);
    for (const Key of ["full", "composite"]) {
      const got = await s3.getObject({ Bucket, Key, ChecksumMode: "ENABLED" });
      assert.ok(big.equals(await known(got.Body).transformToByteArray()), Key);
    }
    const [first] =
      (await s3.getObjectAttributes({ Bucket, Key: "composite", ObjectAttributes: ["ObjectParts"] })).ObjectParts?.Parts ?? [];
    assert.deepEqual([first?.Size, first?.ChecksumSHA256], [5 * MB, known(digests[0]).toString("base64")]);
  });

  test("can be read from anywhere in it, over the edges of its parts too", async () => {
    const ranges: readonly (readonly [string, number, number])[] = [
      ["bytes=0-0", 0, 1],
      ["bytes=-5", big.length - 5, big.length],
      [`bytes=${5 * MB - 3}-${5 * MB + 2}`, 5 * MB - 3, 5 * MB + 3],
      [`bytes=${16 * MB - 1}-`, 16 * MB - 1, big.length],
      [`bytes=7-${big.length * 2}`, 7, big.length],
    ];
    for (const [Range, start, end] of ranges) {
      const got = await s3.getObject({ Bucket: "in-parts", Key: "full", Range });
      assert.equal(got.ContentRange, `bytes ${start}-${end - 1}/${big.length}`);
      assert.ok(big.subarray(start, end).equals(await known(got.Body).transformToByteArray()), Range);
    }
    const part = await s3.getObject({ Bucket: "in-parts", Key: "full", PartNumber: 2 });
    assert.equal(part.PartsCount, 4);
    assert.ok(known(parts[1]).equals(await known(part.Body).transformToByteArray()));
    await refused(s3.getObject({ Bucket: "in-parts", Key: "full", Range: `bytes=${big.length}-` }), "InvalidRange", 416);
  });

  test("is refused where a part is too small, out of order, or of another upload", async () => {
    const Bucket = await bucket("bad-parts");
    const { UploadId } = await s3.createMultipartUpload({ Bucket, Key: "k" });
    const other = await s3.createMultipartUpload({ Bucket, Key: "other" });
    const sent: CompletedPart[] = [];
    for (const PartNumber of [1, 2])
      sent.push({ PartNumber, ETag: (await s3.uploadPart({ Bucket, Key: "k", UploadId, PartNumber, Body: "small" })).ETag });
    const complete = (Parts: CompletedPart[], id = UploadId) =>
      s3.completeMultipartUpload({ Bucket, Key: "k", UploadId: id, MultipartUpload: { Parts } });
    await refused(complete(sent), "EntityTooSmall", 400);
    await refused(complete(sent.toReversed()), "InvalidPartOrder", 400);
    await refused(complete(sent, other.UploadId), "NoSuchUpload", 404);
    await refused(s3.uploadPart({ Bucket, Key: "k", UploadId, PartNumber: 10_001, Body: "x" }), "InvalidArgument", 400);
    assert.equal((await s3.listObjectsV2({ Bucket })).KeyCount, 0);
  });
});

describe("a condition", () => {
  test("of reading says 304 or 412", async () => {
    const Bucket = await bucket("read-if");
    const { ETag } = await put(Bucket, "k");
    const ask = (more: object) => s3.getObject({ Bucket, Key: "k", ...more });
    await refused(ask({ IfNoneMatch: ETag }), NO_NAME, 304);
    await refused(ask({ IfMatch: '"other"' }), "PreconditionFailed", 412);
    await refused(ask({ IfUnmodifiedSince: new Date(0) }), "PreconditionFailed", 412);
    await refused(
      ask({ IfModifiedSince: new Date(Date.UTC(2100, 0)) }).then(() => ask({ IfNoneMatch: ETag })),
      NO_NAME,
      304,
    );
    assert.equal((await ask({ IfMatch: ETag, IfNoneMatch: '"other"' })).ContentLength, 1);
  });

  test("of writing lets one of many through", async () => {
    const Bucket = await bucket("write-if");
    const race = await Promise.allSettled(Array.from({ length: 16 }, (_, n) => put(Bucket, "k", String(n), { IfNoneMatch: "*" })));
    const won = race.flatMap((each, n) => (each.status === "fulfilled" ? [n] : []));
    assert.deepEqual([won.length, await textOf(Bucket, "k")], [1, String(won[0])]);
    const { ETag } = await s3.headObject({ Bucket, Key: "k" });
    const swaps = await Promise.allSettled(Array.from({ length: 8 }, (_, n) => put(Bucket, "k", `new ${n}`, { IfMatch: ETag })));
    assert.equal(swaps.filter(({ status }) => status === "fulfilled").length, 1);
    await refused(put(Bucket, "missing", "x", { IfMatch: ETag }), "NoSuchKey", 404);
  });
});

describe("many at one key", () => {
  test("leave one of what they wrote, whole, with its own tag", async () => {
    const Bucket = await bucket("contended");
    const bodies = Array.from({ length: 24 }, (_, n) => Buffer.alloc(1_000 + n * 3_000, n));
    const stored = await Promise.all(bodies.map((body) => put(Bucket, "k", body)));
    const { Body, ETag } = await s3.getObject({ Bucket, Key: "k" });
    const won = stored.findIndex((each) => each.ETag === ETag);
    assert.ok(known(bodies[won]).equals(await known(Body).transformToByteArray()));
  });

  test("do not disturb who reads it: what is overwritten and deleted meanwhile is read to its end", async () => {
    const Bucket = await bucket("read-meanwhile");
    await put(Bucket, "k", big);
    const { Body } = await s3.getObject({ Bucket, Key: "k" });
    const reading = known(Body) as Readable;
    const chunks: Buffer[] = [];
    for await (const chunk of reading) {
      chunks.push(chunk as Buffer);
      if (chunks.length > 1) continue;
      await put(Bucket, "k", "other");
      await s3.deleteObject({ Bucket, Key: "k" });
    }
    assert.ok(big.equals(Buffer.concat(chunks)));
    await assert.rejects(textOf(Bucket, "k"), NoSuchKey);
  });
});

test("a copy is one of its own: with its source's headers or with others, and not onto itself without a change", async () => {
  const Bucket = await bucket("copies");
  const { ETag } = await put(Bucket, "猫 一", "meow", { ContentType: "text/cat", Metadata: { by: "Ada" }, Tagging: "kind=cat" });
  const CopySource = `${Bucket}/${encodeURIComponent("猫 一")}`;
  await s3.copyObject({ Bucket, Key: "same", CopySource });
  await s3.copyObject({
    Bucket,
    Key: "other",
    CopySource,
    MetadataDirective: "REPLACE",
    TaggingDirective: "REPLACE",
    ContentType: "text/dog",
  });
  await s3.deleteObject({ Bucket, Key: "猫 一" });
  const [same, other] = await Promise.all(["same", "other"].map((Key) => s3.headObject({ Bucket, Key })));
  assert.deepEqual([same?.ContentType, same?.Metadata, same?.ETag], ["text/cat", { by: "Ada" }, ETag]);
  assert.deepEqual([other?.ContentType, other?.Metadata], ["text/dog", {}]);
  const { TagSet } = await s3.getObjectTagging({ Bucket, Key: "other" });
  assert.deepEqual(TagSet, []);
  assert.equal(await textOf(Bucket, "same"), "meow");
  await refused(s3.copyObject({ Bucket, Key: "same", CopySource: `${Bucket}/same` }), "InvalidRequest", 400);
  await refused(s3.copyObject({ Bucket, Key: "k", CopySource: `${Bucket}/same`, CopySourceIfNoneMatch: ETag }), "PreconditionFailed", 412);
  await refused(s3.copyObject({ Bucket, Key: "k", CopySource: "nobody-made-this-bucket/same" }), "NoSuchBucket", 404);
  await refused(s3.copyObject({ Bucket, Key: "k", CopySource: "%FF" }), "InvalidArgument", 400);
});

test("versions: an overwritten one can be read, a marker hides them all, and removing the marker brings the last one back", async () => {
  const Bucket = await bucket("versioned", true);
  const first = await put(Bucket, "k", "one");
  const second = await put(Bucket, "k", "two");
  const { VersionId: marker } = await s3.deleteObject({ Bucket, Key: "k" });
  await assert.rejects(textOf(Bucket, "k"), NoSuchKey);
  assert.deepEqual([await textOf(Bucket, "k", first.VersionId), await textOf(Bucket, "k", second.VersionId)], ["one", "two"]);
  await refused(s3.getObject({ Bucket, Key: "k", VersionId: marker }), "MethodNotAllowed", 405);
  await s3.deleteObject({ Bucket, Key: "k", VersionId: marker });
  assert.equal(await textOf(Bucket, "k"), "two");
  await s3.deleteObject({ Bucket, Key: "k", VersionId: second.VersionId });
  assert.equal(await textOf(Bucket, "k"), "one");
  await refused(s3.getObject({ Bucket, Key: "k", VersionId: `${known(first.VersionId).slice(0, -1)}_` }), "NoSuchVersion", 404);
  await refused(s3.deleteBucket({ Bucket }), "BucketNotEmpty", 409);
  // Suspended, what is written takes the place of the version without an id only.
  await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Suspended" } });
  await put(Bucket, "k", "three");
  assert.equal((await put(Bucket, "k", "four")).VersionId, "null");
  const { Versions = [] } = await s3.listObjectVersions({ Bucket });
  assert.deepEqual(
    Versions.map(({ VersionId }) => VersionId),
    ["null", first.VersionId],
  );
});

describe("a key", () => {
  const longest = "水".repeat(341) + "x";
  const keys = [
    ...["..", "../up", "a/../b", "./a", "a//b", "//", "/leading", "trailing/", "a b", "a+b", "100%", "%41", "a&b=c", "a?b#c", "quo'te\""],
    ...[
      "照片/猫 一.jpg",
      "😀",
      "é",
      "e\u0301",
      "new\nline",
      "tab\t",
      "<xml>&amp;",
      "\u0001control",
      "back\\slash",
      "~!@$^*()_-=;:,|[]{}`",
      longest,
    ],
  ];

  test("may be any text of 1,024 bytes: it is found by its name and listed as it is", async () => {
    const Bucket = await bucket("keys");
    assert.equal(Buffer.byteLength(longest), 1_024);
    await Promise.all(keys.map((Key) => put(Bucket, Key, `body of ${Key}`)));
    for (const Key of keys) assert.equal(await textOf(Bucket, Key), `body of ${Key}`, JSON.stringify(Key));
    const { Contents = [] } = await s3.listObjectsV2({ Bucket, EncodingType: "url" });
    const listed = Contents.map(({ Key }) => decodeURIComponent(known(Key).replaceAll("+", " ")));
    assert.deepEqual(listed.toSorted(), keys.toSorted());
    assert.deepEqual(
      listed,
      keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))),
      "by their bytes",
    );
    const copied = keys.filter((key) => !key.includes("\n"));
    for (const Key of copied) await s3.copyObject({ Bucket, Key: "copy", CopySource: `${Bucket}/${encodeURIComponent(Key)}` });
    const { Deleted = [], Errors } = await s3.deleteObjects({
      Bucket,
      Delete: { Objects: [...keys, "copy"].filter((key) => key !== "\u0001control").map((Key) => ({ Key })) },
    });
    assert.deepEqual([Deleted.length, Errors], [keys.length, undefined]);
    await s3.deleteObject({ Bucket, Key: "\u0001control" });
    assert.equal((await s3.listObjectsV2({ Bucket })).KeyCount, 0);
  });

  test("of 1,025 bytes, or with a NUL, is refused by name", async () => {
    const Bucket = await bucket("no-keys");
    await refused(put(Bucket, `${longest}y`), "KeyTooLongError", 400);
    await refused(put(Bucket, "a\0b"), "InvalidURI", 400);
    await refused(s3.getObject({ Bucket, Key: `${longest}y` }), "KeyTooLongError", 400);
    assert.equal((await s3.listObjectsV2({ Bucket })).KeyCount, 0);
  });
});
