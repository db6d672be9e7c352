/** Uploads in parts, as S3's operations begin, fill, list and end them. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { bytesOf, openS3, type S3World, textOf } from "./world.ts";

const LARGE = Buffer.alloc(5 * 1024 * 1024, "a");
const AT = { Bucket: "photos", Key: "film/one" };

async function begin(world: S3World, more: object = {}): Promise<string> {
  return (await world.call("CreateMultipartUpload", { ...AT, ...more })).UploadId ?? assert.fail("no id");
}

describe("an upload in parts", () => {
  it("becomes one object of all its parts", async (test) => {
    const world = await openS3(test);
    await world.make("photos");
    const UploadId = await begin(world, { ContentType: "video/mp4", Metadata: { a: "b" }, Tagging: "x=y" });
    const one = await world.call("UploadPart", { ...AT, UploadId, PartNumber: 1, Body: LARGE });
    const two = await world.call("UploadPart", { ...AT, UploadId, PartNumber: 7, Body: "end" });
    assert.equal(one.ETag, `"${createHash("md5").update(LARGE).digest("hex")}"`);
    const Parts = [
      { PartNumber: 1, ETag: one.ETag },
      { PartNumber: 7, ETag: two.ETag },
    ];
    const done = await world.call("CompleteMultipartUpload", { ...AT, UploadId, MultipartUpload: { Parts } });
    assert.match(done.ETag ?? "", /^"[0-9a-f]{32}-2"$/);
    assert.deepEqual([done.Location, done.Bucket, done.Key], ["http://127.0.0.1:4566/photos/film/one", AT.Bucket, AT.Key]);
    const read = await world.call("GetObject", AT);
    assert.deepEqual([read.ContentType, read.Metadata, read.TagCount, read.ContentLength], ["video/mp4", { a: "b" }, 1, LARGE.length + 3]);
    assert.deepEqual(await bytesOf(read.Body), Buffer.concat([LARGE, Buffer.from("end")]));
    const part = await world.call("GetObject", { ...AT, PartNumber: 2 });
    const end = LARGE.length + 2;
    assert.deepEqual([await textOf(part), part.ContentRange, part.PartsCount], ["end", `bytes ${LARGE.length}-${end}/${end + 1}`, 2]);
    assert.equal((await world.refusal("HeadObject", { ...AT, PartNumber: 3 })).name, "InvalidPartNumber");
    // Whoever asks again is told the same.
    assert.equal((await world.call("CompleteMultipartUpload", { ...AT, UploadId, MultipartUpload: { Parts } })).ETag, done.ETag);
    assert.equal(world.events.at(-1)?.name, "ObjectCreated:CompleteMultipartUpload");
  });

  it("has checksums of its parts, and one of them all", async (test) => {
    const world = await openS3(test);
    await world.make("photos");
    const UploadId = await begin(world, { ChecksumAlgorithm: "SHA256" });
    const sha = createHash("sha256").update(LARGE).digest();
    const one = await world.call("UploadPart", { ...AT, UploadId, PartNumber: 1, Body: LARGE, ChecksumSHA256: sha.toString("base64") });
    const two = await world.call("UploadPart", { ...AT, UploadId, PartNumber: 2, Body: "end" });
    assert.equal(one.ChecksumSHA256, sha.toString("base64"));
    const Parts = [one, two].map(({ ETag, ChecksumSHA256 }, index) => ({ PartNumber: index + 1, ETag, ChecksumSHA256 }));
    const done = await world.call("CompleteMultipartUpload", { ...AT, UploadId, MultipartUpload: { Parts } });
    const whole = createHash("sha256")
      .update(Buffer.concat([sha, Buffer.from(two.ChecksumSHA256 ?? "", "base64")]))
      .digest("base64");
    assert.deepEqual([done.ChecksumSHA256, done.ChecksumType], [`${whole}-2`, "COMPOSITE"]);
    const page = await world.call("GetObjectAttributes", {
      ...AT,
      ObjectAttributes: ["ObjectParts", "Checksum"],
      MaxParts: 1,
      PartNumberMarker: "1",
    });
    assert.deepEqual(page.ObjectParts, {
      TotalPartsCount: 2,
      PartNumberMarker: "1",
      MaxParts: 1,
      IsTruncated: false,
      Parts: [{ PartNumber: 2, Size: 3, ChecksumSHA256: two.ChecksumSHA256 }],
    });
    assert.equal(page.Checksum?.ChecksumSHA256, `${whole}-2`);
  });

  it("is listed with its parts, page by page", async (test) => {
    const world = await openS3(test);
    await world.make("photos");
    const UploadId = await begin(world, { StorageClass: "STANDARD_IA" });
    await world.call("CreateMultipartUpload", { Bucket: "photos", Key: "film two" });
    for (const PartNumber of [1, 2, 5]) await world.call("UploadPart", { ...AT, UploadId, PartNumber, Body: `part ${PartNumber}` });
    const first = await world.call("ListParts", { ...AT, UploadId, MaxParts: 2 });
    assert.deepEqual(
      first.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size]),
      [
        [1, 6],
        [2, 6],
      ],
    );
    assert.deepEqual([first.IsTruncated, first.NextPartNumberMarker, first.StorageClass, first.MaxParts], [true, "2", "STANDARD_IA", 2]);
    const rest = await world.call("ListParts", { ...AT, UploadId, PartNumberMarker: "2" });
    assert.deepEqual([rest.Parts?.map(({ PartNumber }) => PartNumber), rest.IsTruncated], [[5], false]);
    const none = await world.call("ListParts", { ...AT, UploadId, MaxParts: 0 });
    assert.deepEqual([none.Parts, none.IsTruncated], [[], false]);
    const uploads = await world.call("ListMultipartUploads", { Bucket: "photos", MaxUploads: 1, EncodingType: "url" });
    assert.deepEqual(
      [uploads.Uploads?.map(({ Key }) => Key), uploads.IsTruncated, uploads.NextKeyMarker],
      [["film+two"], true, "film+two"],
    );
    const { NextUploadIdMarker = "" } = uploads;
    const more = await world.call("ListMultipartUploads", { Bucket: "photos", KeyMarker: "film two", UploadIdMarker: NextUploadIdMarker });
    assert.deepEqual(
      more.Uploads?.map(({ Key, UploadId: id }) => [Key, id]),
      [[AT.Key, UploadId]],
    );
    const grouped = await world.call("ListMultipartUploads", { Bucket: "photos", Delimiter: "/" });
    assert.deepEqual([grouped.Uploads?.length, grouped.CommonPrefixes], [1, [{ Prefix: "film/" }]]);
  });

  it("takes parts from objects, whole or by a range", async (test) => {
    const world = await openS3(test);
    await world.make("photos");
    await world.put("photos", "source", LARGE.toString());
    await world.put("photos", "small", "0123456789");
    const UploadId = await begin(world);
    const one = await world.call("UploadPartCopy", { ...AT, UploadId, PartNumber: 1, CopySource: "photos/source" });
    const two = await world.call("UploadPartCopy", {
      ...AT,
      UploadId,
      PartNumber: 2,
      CopySource: "photos/small",
      CopySourceRange: "bytes=2-4",
    });
    const Parts = [one, two].map(({ CopyPartResult }, index) => ({ PartNumber: index + 1, ETag: CopyPartResult?.ETag }));
    await world.call("CompleteMultipartUpload", { ...AT, UploadId, MultipartUpload: { Parts } });
    assert.equal(await textOf(await world.call("GetObject", { ...AT, Range: "bytes=-4" })), "a234");
    const outside = { ...AT, UploadId, PartNumber: 3, CopySource: "photos/small", CopySourceRange: "bytes=2-10" };
    assert.equal((await world.refusal("UploadPartCopy", outside)).name, "InvalidArgument");
  });

  it("is refused where parts are not what they have to be", async (test) => {
    const world = await openS3(test);
    await world.make("photos");
    const UploadId = await begin(world);
    const one = await world.call("UploadPart", { ...AT, UploadId, PartNumber: 1, Body: "small" });
    const two = await world.call("UploadPart", { ...AT, UploadId, PartNumber: 2, Body: "end" });
    const [first, second] = [
      { PartNumber: 1, ETag: one.ETag },
      { PartNumber: 2, ETag: two.ETag },
    ];
    const cases = [
      [[first, second], "EntityTooSmall"],
      [[second, first], "InvalidPartOrder"],
      [[{ ...first, ETag: '"other"' }], "InvalidPart"],
      [[{ PartNumber: 3, ETag: one.ETag }], "InvalidPart"],
      [[], "MalformedXML"],
      [[{ PartNumber: 1 }], "MalformedXML"],
      [[{ PartNumber: 0, ETag: one.ETag }], "InvalidArgument"],
    ] as const;
    for (const [Parts, name] of cases) {
      const told = await world.refusal("CompleteMultipartUpload", { ...AT, UploadId, MultipartUpload: { Parts: [...Parts] } });
      assert.deepEqual([told.name, told.status], [name, 400], JSON.stringify(Parts));
    }
    const wrongSize = { ...AT, UploadId, MultipartUpload: { Parts: [first] }, MpuObjectSize: 4 };
    assert.equal((await world.refusal("CompleteMultipartUpload", wrongSize)).name, "InvalidRequest");
    for (const PartNumber of [0, 10_001, 1.5])
      assert.equal((await world.refusal("UploadPart", { ...AT, UploadId, PartNumber, Body: "" })).name, "InvalidArgument");
    const foreign = { ...AT, Key: "another", UploadId, PartNumber: 1, Body: "" };
    assert.equal((await world.refusal("UploadPart", foreign)).name, "NoSuchUpload");
    assert.equal((await world.refusal("UploadPart", { ...foreign, Key: AT.Key, UploadId: "../x" })).name, "NoSuchUpload");
    await world.call("AbortMultipartUpload", { ...AT, UploadId });
    for (const name of ["AbortMultipartUpload", "ListParts"] as const)
      assert.deepEqual((await world.refusal(name, { ...AT, UploadId })).members, { UploadId });
  });

  it("begins only with checksums that there can be", async (test) => {
    const world = await openS3(test);
    await world.make("photos");
    const full = await world.call("CreateMultipartUpload", { ...AT, ChecksumAlgorithm: "CRC64NVME" });
    assert.deepEqual([full.ChecksumAlgorithm, full.ChecksumType], ["CRC64NVME", "FULL_OBJECT"]);
    const cases = [
      [{ ChecksumAlgorithm: "SHA1", ChecksumType: "FULL_OBJECT" }, "InvalidRequest"],
      [{ ChecksumAlgorithm: "CRC64NVME", ChecksumType: "COMPOSITE" }, "InvalidRequest"],
      [{ ChecksumType: "COMPOSITE" }, "InvalidRequest"],
      [{ ChecksumAlgorithm: "XXHASH64" }, "NotImplemented"],
      [{ ObjectLockMode: "COMPLIANCE" }, "NotImplemented"],
    ] as const;
    for (const [more, name] of cases)
      assert.equal((await world.refusal("CreateMultipartUpload", { ...AT, ...(more as object) })).name, name, JSON.stringify(more));
  });
});
