/** Storing, reading, copying and deleting objects, as the operations of S3 do it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { crc32 } from "node:zlib";
import { bytesOf, NOW, openS3, textOf } from "./world.ts";

const md5Of = (text: string): string => createHash("md5").update(text).digest("hex");
const crcOf = (text: string): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString("base64");
};
const LARGE = "0123456789".repeat(10_000);

describe("an object", () => {
  it("is told back as it was given", async (test) => {
    const { call, put, make } = await openS3(test);
    await make("photos");
    const stored = await put("photos", "a/cat 猫.jpg", "meow", {
      ContentType: "image/jpeg",
      CacheControl: "max-age=60",
      ContentDisposition: 'attachment; filename="cat.jpg"',
      ContentEncoding: "gzip,aws-chunked",
      ContentLanguage: "en",
      Expires: new Date("2030-01-01T00:00:00Z"),
      WebsiteRedirectLocation: "/elsewhere",
      Metadata: { Camera: "old", shot: "at night" },
      Tagging: "kind=cat&mood=good",
      StorageClass: "STANDARD_IA",
      ChecksumCRC32: crcOf("meow"),
    });
    assert.deepEqual(stored, {
      ETag: `"${md5Of("meow")}"`,
      VersionId: undefined,
      Expiration: undefined,
      ChecksumCRC32: crcOf("meow"),
      ChecksumType: "FULL_OBJECT",
      ServerSideEncryption: "AES256",
      SSEKMSKeyId: undefined,
      BucketKeyEnabled: undefined,
    });
    const read = await call("GetObject", { Bucket: "photos", Key: "a/cat 猫.jpg", ChecksumMode: "ENABLED" });
    assert.equal(await textOf(read), "meow");
    const { Body: _, ...told } = read;
    const given = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
    assert.deepEqual(given, {
      ETag: `"${md5Of("meow")}"`,
      LastModified: new Date(NOW),
      AcceptRanges: "bytes",
      ContentLength: 4,
      ContentType: "image/jpeg",
      CacheControl: "max-age=60",
      ContentDisposition: 'attachment; filename="cat.jpg"',
      ContentEncoding: "gzip",
      ContentLanguage: "en",
      Expires: new Date("2030-01-01T00:00:00Z"),
      WebsiteRedirectLocation: "/elsewhere",
      Metadata: { camera: "old", shot: "at night" },
      StorageClass: "STANDARD_IA",
      TagCount: 2,
      ServerSideEncryption: "AES256",
      ChecksumCRC32: crcOf("meow"),
      ChecksumType: "FULL_OBJECT",
    });
    const { Body: __, ...head } = {
      Body: undefined,
      ...(await call("HeadObject", { Bucket: "photos", Key: "a/cat 猫.jpg", ChecksumMode: "ENABLED" })),
    };
    assert.deepEqual(head, told);
    const plain = await call("HeadObject", { Bucket: "photos", Key: "a/cat 猫.jpg" });
    assert.equal(plain.ChecksumCRC32, undefined);
  });

  it("has S3's type where it was given none, and no class where it has the usual one", async (test) => {
    const { call, put, make } = await openS3(test);
    await make("photos");
    await put("photos", "a");
    const { ContentType, StorageClass, TagCount, ContentLength } = await call("HeadObject", { Bucket: "photos", Key: "a" });
    assert.deepEqual([ContentType, StorageClass, TagCount, ContentLength], ["binary/octet-stream", undefined, undefined, 0]);
  });

  it("is stored from bytes, text, nothing, and a body on its way in", async (test) => {
    const { call, make } = await openS3(test);
    await make("photos");
    async function* coming() {
      yield Buffer.from("in two ");
      yield Buffer.from("pieces");
    }
    const bodies = [
      [Buffer.from("bytes"), "bytes"],
      ["text", "text"],
      [undefined, ""],
      [{ source: coming(), length: 13 }, "in two pieces"],
      [{ source: Buffer.from(LARGE) }, LARGE],
    ] as const;
    for (const [Body, expected] of bodies) {
      await call("PutObject", { Bucket: "photos", Key: "a", Body });
      assert.equal(await textOf(await call("GetObject", { Bucket: "photos", Key: "a" })), expected);
    }
  });

  it("is not stored from a body that is not what was said of it", async (test) => {
    const { refusal, make, call } = await openS3(test);
    await make("photos");
    const put = { Bucket: "photos", Key: "a", Body: "meow" } as const;
    const cases = [
      [{ ContentMD5: createHash("md5").update("other").digest("base64") }, "BadDigest", 400],
      [{ ContentMD5: "not a digest" }, "InvalidDigest", 400],
      [{ ChecksumCRC32: crcOf("other") }, "BadDigest", 400],
      [{ ChecksumSHA256: "AAAA" }, "InvalidRequest", 400],
      [{ ChecksumCRC32: crcOf("meow"), ChecksumSHA1: "AAAA" }, "InvalidRequest", 400],
      [{ Body: { source: Buffer.from("meow"), length: 5 } }, "IncompleteBody", 400],
      [{ Body: { source: Buffer.from("meow"), signedSha256: "0".repeat(64) } }, "XAmzContentSHA256Mismatch", 400],
      [{ Body: { source: Buffer.from("meow"), length: 6 * 1024 ** 3 } }, "EntityTooLarge", 400],
      [{ Key: "k".repeat(1_025) }, "KeyTooLongError", 400],
      [{ Key: "a\0b" }, "InvalidURI", 400],
      [{ Metadata: { a: "x".repeat(2_048) } }, "MetadataTooLarge", 400],
      [{ Metadata: { a: "line\nbreak" } }, "InvalidArgument", 400],
      [{ Metadata: { "a b": "x" } }, "InvalidArgument", 400],
      [{ ContentType: "text/\u732b" }, "InvalidArgument", 400],
      [{ StorageClass: "COLD" as never }, "InvalidStorageClass", 400],
      [{ Tagging: "a=1&a=2" }, "InvalidArgument", 400],
      [{ WebsiteRedirectLocation: "elsewhere" }, "InvalidArgument", 400],
      [{ IfNoneMatch: '"abc"' }, "NotImplemented", 501],
      [{ SSECustomerAlgorithm: "AES256" }, "NotImplemented", 501],
      [{ ObjectLockMode: "GOVERNANCE" }, "NotImplemented", 501],
      [{ ObjectLockLegalHoldStatus: "ON" }, "NotImplemented", 501],
      [{ SSEKMSKeyId: "a-key" }, "InvalidArgument", 400],
      [{ Bucket: "nobodys" }, "NoSuchBucket", 404],
      [{ ExpectedBucketOwner: "111111111111" }, "AccessDenied", 403],
    ] as const;
    for (const [more, name, status] of cases) {
      const told = await refusal("PutObject", { ...put, ...more });
      assert.deepEqual([told.name, told.status], [name, status], JSON.stringify(more));
    }
    assert.deepEqual((await call("ListObjectsV2", { Bucket: "photos" })).KeyCount, 0);
  });

  it("is stored only where the writer's condition holds", async (test) => {
    const { call, put, refusal, make } = await openS3(test);
    await make("photos");
    const { ETag = "" } = await put("photos", "a", "one", { IfNoneMatch: "*" });
    const again = await refusal("PutObject", { Bucket: "photos", Key: "a", Body: "two", IfNoneMatch: "*" });
    assert.deepEqual([again.name, again.status, again.members], ["PreconditionFailed", 412, { Condition: "If-None-Match" }]);
    await put("photos", "a", "two", { IfMatch: ETag });
    assert.equal((await refusal("PutObject", { Bucket: "photos", Key: "a", Body: "three", IfMatch: ETag })).name, "PreconditionFailed");
    assert.equal((await refusal("PutObject", { Bucket: "photos", Key: "b", Body: "three", IfMatch: ETag })).name, "NoSuchKey");
    assert.equal(await textOf(await call("GetObject", { Bucket: "photos", Key: "a" })), "two");
  });

  it("is said to be encrypted as was asked, or as its bucket is", async (test) => {
    const { call, put, make } = await openS3(test);
    await make("photos");
    const asked = await put("photos", "a", "", { ServerSideEncryption: "aws:kms", SSEKMSKeyId: "key-1", BucketKeyEnabled: true });
    assert.deepEqual([asked.ServerSideEncryption, asked.SSEKMSKeyId, asked.BucketKeyEnabled], ["aws:kms", "key-1", true]);
    const Rules = [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "aws:kms", KMSMasterKeyID: "key-2" } } as const];
    await call("PutBucketEncryption", { Bucket: "photos", ServerSideEncryptionConfiguration: { Rules } });
    const usual = await put("photos", "b");
    assert.deepEqual([usual.ServerSideEncryption, usual.SSEKMSKeyId], ["aws:kms", "key-2"]);
    const { ServerSideEncryption, SSEKMSKeyId } = await call("HeadObject", { Bucket: "photos", Key: "b" });
    assert.deepEqual([ServerSideEncryption, SSEKMSKeyId], ["aws:kms", "key-2"]);
  });

  it("tells when a rule removes it", async (test) => {
    const { buckets, put, call, make } = await openS3(test);
    await make("photos");
    const filter = { prefix: "old/", tags: {} };
    await buckets.update("photos", (record) => ({ ...record, lifecycle: [{ id: "tidy up", enabled: true, filter, expireAfterDays: 3 }] }));
    const midnight = new Date((Math.floor(NOW / 86_400_000) + 4) * 86_400_000).toUTCString();
    const expected = `expiry-date="${midnight}", rule-id="tidy%20up"`;
    assert.equal((await put("photos", "old/a")).Expiration, expected);
    assert.equal((await call("HeadObject", { Bucket: "photos", Key: "old/a" })).Expiration, expected);
    assert.equal((await put("photos", "new/a")).Expiration, undefined);
  });
});

describe("reading an object", () => {
  it("gives a range of its bytes, from memory and from a file", async (test) => {
    const { call, put, refusal, make } = await openS3(test);
    await make("photos");
    for (const [Key, content] of [
      ["small", "0123456789"],
      ["large", LARGE],
    ] as const) {
      await put("photos", Key, content, { ChecksumCRC32: crcOf(content) });
      const size = content.length;
      const ranges = [
        ["bytes=2-5", content.slice(2, 6), `bytes 2-5/${size}`],
        ["bytes=-3", content.slice(-3), `bytes ${size - 3}-${size - 1}/${size}`],
        [`bytes=${size - 1}-`, content.slice(-1), `bytes ${size - 1}-${size - 1}/${size}`],
      ] as const;
      for (const [Range, expected, told] of ranges) {
        const read = await call("GetObject", { Bucket: "photos", Key, Range, ChecksumMode: "ENABLED" });
        assert.equal(await textOf(read), expected);
        // A checksum of all bytes would not fit these.
        assert.deepEqual([read.ContentRange, read.ContentLength, read.ChecksumCRC32], [told, expected.length, undefined]);
        const head = await call("HeadObject", { Bucket: "photos", Key, Range });
        assert.deepEqual([head.ContentRange, head.ContentLength], [told, expected.length]);
      }
      const all = await call("GetObject", { Bucket: "photos", Key, Range: "bytes=5-2" });
      assert.deepEqual([all.ContentRange, (await bytesOf(all.Body)).length], [undefined, size]);
      const refused = await refusal("GetObject", { Bucket: "photos", Key, Range: `bytes=${size}-` });
      assert.deepEqual([refused.name, refused.status, refused.headers?.["content-range"]], ["InvalidRange", 416, `bytes */${size}`]);
    }
  });

  it("by a part's number is all of an object that was stored whole", async (test) => {
    const { call, put, refusal, make } = await openS3(test);
    await make("photos");
    await put("photos", "a", "abc");
    const read = await call("GetObject", { Bucket: "photos", Key: "a", PartNumber: 1 });
    assert.deepEqual([await textOf(read), read.ContentRange, read.PartsCount], ["abc", "bytes 0-2/3", undefined]);
    assert.deepEqual((await refusal("GetObject", { Bucket: "photos", Key: "a", PartNumber: 2 })).status, 416);
    assert.equal((await refusal("GetObject", { Bucket: "photos", Key: "a", PartNumber: 0 })).name, "InvalidArgument");
    assert.equal((await refusal("GetObject", { Bucket: "photos", Key: "a", PartNumber: 1, Range: "bytes=0-1" })).name, "InvalidRequest");
  });

  it("answers 304 with what its reader keeps, and 412", async (test) => {
    const { put, refusal, make } = await openS3(test);
    await make("photos");
    const { ETag = "" } = await put("photos", "a", "abc");
    for (const name of ["GetObject", "HeadObject"] as const) {
      const known = await refusal(name, { Bucket: "photos", Key: "a", IfNoneMatch: ETag });
      assert.deepEqual([known.status, known.headers], [304, { etag: ETag, "last-modified": new Date(NOW).toUTCString() }]);
      assert.equal((await refusal(name, { Bucket: "photos", Key: "a", IfMatch: '"other"' })).status, 412);
    }
  });

  it("tells with a 304 how long it may be kept", async (test) => {
    const { put, refusal, make } = await openS3(test);
    await make("photos");
    const Expires = new Date(NOW + 60_000);
    const { ETag = "" } = await put("photos", "a", "abc", { CacheControl: "max-age=60", Expires });
    const { headers } = await refusal("GetObject", { Bucket: "photos", Key: "a", IfNoneMatch: ETag });
    assert.deepEqual([headers?.["cache-control"], headers?.["expires"]], ["max-age=60", Expires.toUTCString()]);
  });

  it("answers with the headers that a signed caller wants, and refuses such as are none", async (test) => {
    const { call, put, refusal, setPolicy, make } = await openS3(test);
    await make("photos");
    await put("photos", "a", "abc", { ContentType: "image/jpeg" });
    const wanted = {
      Bucket: "photos",
      Key: "a",
      ResponseContentType: "text/plain",
      ResponseContentDisposition: "inline",
      ResponseCacheControl: "no-store",
    };
    const { ContentType, ContentDisposition, CacheControl } = await call("GetObject", wanted);
    assert.deepEqual([ContentType, ContentDisposition, CacheControl], ["text/plain", "inline", "no-store"]);
    assert.equal((await refusal("GetObject", { ...wanted, ResponseContentType: "a\r\nset-cookie: b" })).name, "InvalidArgument");
    await setPolicy("photos", { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::photos/*" });
    assert.equal((await refusal("GetObject", wanted, { kind: "anonymous" })).name, "InvalidRequest");
  });

  it("tells attributes that are asked for", async (test) => {
    const { call, put, make } = await openS3(test);
    await make("photos");
    await put("photos", "a", "abc", { ChecksumCRC32: crcOf("abc") });
    const all = await call("GetObjectAttributes", {
      Bucket: "photos",
      Key: "a",
      ObjectAttributes: ["ETag", "Checksum", "ObjectParts", "StorageClass", "ObjectSize"],
    });
    assert.deepEqual(all, {
      LastModified: new Date(NOW),
      VersionId: undefined,
      ETag: md5Of("abc"),
      Checksum: { ChecksumCRC32: crcOf("abc"), ChecksumType: "FULL_OBJECT" },
      ObjectParts: undefined,
      StorageClass: "STANDARD",
      ObjectSize: 3,
    });
    const some = await call("GetObjectAttributes", { Bucket: "photos", Key: "a", ObjectAttributes: ["ObjectSize"] });
    assert.deepEqual([some.ObjectSize, some.ETag, some.StorageClass], [3, undefined, undefined]);
  });
});

describe("versions", () => {
  it("are told, found by their ids, and hidden by a delete marker", async (test) => {
    const { call, put, refusal, make } = await openS3(test);
    await make("photos", "Enabled");
    const { VersionId: first } = await put("photos", "a", "one");
    const { VersionId: second } = await put("photos", "a", "two");
    assert.ok(first && second && first !== second);
    const read = await call("GetObject", { Bucket: "photos", Key: "a", VersionId: first });
    assert.deepEqual([await textOf(read), read.VersionId], ["one", first]);
    const { DeleteMarker, VersionId: marker = "" } = await call("DeleteObject", { Bucket: "photos", Key: "a" });
    assert.equal(DeleteMarker, true);
    const hidden = await refusal("GetObject", { Bucket: "photos", Key: "a" });
    assert.deepEqual([hidden.name, hidden.headers], ["NoSuchKey", { "x-amz-delete-marker": "true", "x-amz-version-id": marker }]);
    const asked = await refusal("HeadObject", { Bucket: "photos", Key: "a", VersionId: marker });
    assert.deepEqual([asked.name, asked.status, asked.headers?.["allow"]], ["MethodNotAllowed", 405, "DELETE"]);
    assert.equal((await refusal("GetObject", { Bucket: "photos", Key: "a", VersionId: "zzz.aaaaaaaaaaaaaaaa" })).name, "NoSuchVersion");
    assert.equal((await refusal("GetObject", { Bucket: "photos", Key: "a", VersionId: "not an id" })).name, "InvalidArgument");
    assert.equal((await refusal("GetObject", { Bucket: "photos", Key: "a", VersionId: "" })).name, "InvalidArgument");
    assert.deepEqual(await call("DeleteObject", { Bucket: "photos", Key: "a", VersionId: marker }), {
      VersionId: marker,
      DeleteMarker: true,
    });
    assert.equal(await textOf(await call("GetObject", { Bucket: "photos", Key: "a" })), "two");
  });

  it("are all called null where versioning is suspended, and not told where there never were any", async (test) => {
    const { put, make } = await openS3(test);
    await make("suspended", "Suspended");
    assert.equal((await put("suspended", "a")).VersionId, "null");
    await make("plain");
    assert.equal((await put("plain", "a")).VersionId, undefined);
  });
});

describe("copying", () => {
  it("takes along what the source is, and tags; class and redirection are the copy's own", async (test) => {
    const { call, put, make, events } = await openS3(test);
    await make("source");
    await make("target");
    const content = {
      ContentType: "image/jpeg",
      Metadata: { a: "b" },
      Tagging: "x=y",
      StorageClass: "GLACIER_IR",
      WebsiteRedirectLocation: "/z",
    } as const;
    const { ETag } = await put("source", "a b/猫", LARGE, content);
    const copied = await call("CopyObject", { Bucket: "target", Key: "c", CopySource: "source/a%20b/%E7%8C%AB" });
    assert.deepEqual(copied.CopyObjectResult, { ETag, LastModified: new Date(NOW) });
    const read = await call("GetObject", { Bucket: "target", Key: "c" });
    assert.equal(await textOf(read), LARGE);
    const { ContentType, Metadata, TagCount, StorageClass, WebsiteRedirectLocation } = read;
    assert.deepEqual(
      [ContentType, Metadata, TagCount, StorageClass, WebsiteRedirectLocation],
      ["image/jpeg", { a: "b" }, 1, undefined, undefined],
    );
    assert.equal(events.at(-1)?.name, "ObjectCreated:Copy");
  });

  it("replaces metadata and tags where it is told to", async (test) => {
    const { call, put, make } = await openS3(test);
    await make("photos");
    await put("photos", "a", "abc", { ContentType: "image/jpeg", Metadata: { a: "b" }, Tagging: "x=y" });
    const CopySource = "photos/a";
    await call("CopyObject", { Bucket: "photos", Key: "a", CopySource, MetadataDirective: "REPLACE", Metadata: { c: "d" } });
    const replaced = await call("HeadObject", { Bucket: "photos", Key: "a" });
    assert.deepEqual([replaced.Metadata, replaced.ContentType, replaced.TagCount], [{ c: "d" }, "binary/octet-stream", 1]);
    await call("CopyObject", { Bucket: "photos", Key: "b", CopySource, TaggingDirective: "REPLACE", Tagging: "p=q&r=s" });
    const { TagSet } = await call("GetObjectTagging", { Bucket: "photos", Key: "b" });
    assert.deepEqual(TagSet, [
      { Key: "p", Value: "q" },
      { Key: "r", Value: "s" },
    ]);
  });

  it("onto itself needs a change, or another version", async (test) => {
    const { call, put, refusal, make } = await openS3(test);
    await make("photos", "Enabled");
    const { VersionId: first } = await put("photos", "a", "one");
    await put("photos", "a", "two");
    const CopySource = "/photos/a";
    assert.equal((await refusal("CopyObject", { Bucket: "photos", Key: "a", CopySource })).name, "InvalidRequest");
    await call("CopyObject", { Bucket: "photos", Key: "a", CopySource, StorageClass: "STANDARD_IA" });
    const back = await call("CopyObject", { Bucket: "photos", Key: "a", CopySource: `photos/a?versionId=${first}` });
    assert.equal(back.CopySourceVersionId, first);
    assert.equal(await textOf(await call("GetObject", { Bucket: "photos", Key: "a" })), "one");
  });

  it("computes a checksum that the source does not have", async (test) => {
    const { call, put, make } = await openS3(test);
    await make("photos");
    await put("photos", "a", LARGE);
    const copied = await call("CopyObject", { Bucket: "photos", Key: "b", CopySource: "photos/a", ChecksumAlgorithm: "CRC32" });
    assert.equal(copied.CopyObjectResult?.ChecksumCRC32, crcOf(LARGE));
  });

  it("is refused where the source is not what it has to be", async (test) => {
    const { call, put, refusal, make } = await openS3(test);
    await make("photos", "Enabled");
    const { ETag = "" } = await put("photos", "a", "abc");
    const copy = { Bucket: "photos", Key: "b", CopySource: "photos/a" };
    assert.equal((await refusal("CopyObject", { ...copy, CopySourceIfMatch: '"x"' })).name, "PreconditionFailed");
    assert.equal((await refusal("CopyObject", { ...copy, CopySourceIfNoneMatch: ETag })).name, "PreconditionFailed");
    assert.equal((await refusal("CopyObject", { ...copy, CopySource: "photos/none" })).name, "NoSuchKey");
    assert.equal((await refusal("CopyObject", { ...copy, CopySource: "nobodys/a" })).name, "NoSuchBucket");
    assert.equal((await refusal("CopyObject", { ...copy, ExpectedSourceBucketOwner: "111111111111" })).name, "AccessDenied");
    const { VersionId: marker } = await call("DeleteObject", { Bucket: "photos", Key: "a" });
    assert.equal((await refusal("CopyObject", copy)).name, "NoSuchKey");
    assert.equal((await refusal("CopyObject", { ...copy, CopySource: `photos/a?versionId=${marker}` })).name, "InvalidRequest");
  });
});

describe("deleting", () => {
  it("says the same of keys that are absent", async (test) => {
    const { call, put, make } = await openS3(test);
    await make("photos");
    await put("photos", "a");
    for (const Key of ["a", "a", "none"]) assert.deepEqual(await call("DeleteObject", { Bucket: "photos", Key }), { VersionId: undefined });
  });

  it("of many tells of each, refusing by key, and is quiet where it is asked to", async (test) => {
    const { call, put, refusal, make } = await openS3(test);
    await make("photos", "Enabled");
    const { VersionId } = await put("photos", "a", "1");
    await put("photos", "b", "2");
    await put("photos", "d", "3");
    const long = "k".repeat(1_025);
    const Objects = [{ Key: "a", VersionId }, { Key: "b" }, { Key: "d", ETag: '"other"' }, { Key: long }, { Key: "none" }];
    const { Deleted = [], Errors = [] } = await call("DeleteObjects", { Bucket: "photos", Delete: { Objects } });
    assert.deepEqual(
      Deleted.map(({ Key, DeleteMarker }) => [Key, DeleteMarker]),
      [
        ["a", undefined],
        ["b", true],
        ["none", true],
      ],
    );
    assert.deepEqual(Deleted[0], { Key: "a", VersionId });
    assert.ok(Deleted[1]?.DeleteMarkerVersionId);
    assert.deepEqual(
      Errors.map(({ Key, Code }) => [Key?.slice(0, 5), Code]),
      [
        ["d", "PreconditionFailed"],
        ["kkkkk", "KeyTooLongError"],
      ],
    );
    await put("photos", "c");
    const quiet = await call("DeleteObjects", { Bucket: "photos", Delete: { Objects: [{ Key: "c" }, { Key: long }], Quiet: true } });
    assert.deepEqual([quiet.Deleted, quiet.Errors?.length], [[], 1]);
    const many = Array.from({ length: 1_001 }, (_, index) => ({ Key: `k${index}` }));
    assert.equal((await refusal("DeleteObjects", { Bucket: "photos", Delete: { Objects: many } })).name, "MalformedXML");
    assert.equal((await refusal("DeleteObjects", { Bucket: "photos", Delete: { Objects: [] } })).name, "MalformedXML");
  });

  it("of a thousand keys ends in one call", async (test) => {
    const { call, put, make } = await openS3(test);
    await make("photos");
    const keys = Array.from({ length: 1_000 }, (_, index) => `k${index}`);
    await Promise.all(keys.map((key) => put("photos", key)));
    const { Deleted } = await call("DeleteObjects", { Bucket: "photos", Delete: { Objects: keys.map((Key) => ({ Key })) } });
    assert.equal(Deleted?.length, 1_000);
    assert.equal((await call("ListObjectsV2", { Bucket: "photos" })).KeyCount, 0);
  });

  it("is refused where the condition does not hold", async (test) => {
    const { call, put, refusal, make } = await openS3(test);
    await make("photos");
    const { ETag } = await put("photos", "a", "abc");
    assert.equal((await refusal("DeleteObject", { Bucket: "photos", Key: "a", IfMatch: '"x"' })).name, "PreconditionFailed");
    await call("DeleteObject", { Bucket: "photos", Key: "a", IfMatch: ETag });
    assert.equal((await refusal("DeleteObject", { Bucket: "photos", Key: "a", IfMatchSize: 3 })).name, "NotImplemented");
  });
});

describe("tags and access lists of an object", () => {
  it("are set, read and removed, of each version by itself", async (test) => {
    const { call, put, refusal, make } = await openS3(test);
    await make("photos", "Enabled");
    const { VersionId: first } = await put("photos", "a", "1", { Tagging: "x=1" });
    const { VersionId: second } = await put("photos", "a", "2");
    const at = { Bucket: "photos", Key: "a" };
    assert.deepEqual(await call("PutObjectTagging", { ...at, Tagging: { TagSet: [{ Key: "y", Value: "2" }] } }), { VersionId: second });
    assert.deepEqual((await call("GetObjectTagging", at)).TagSet, [{ Key: "y", Value: "2" }]);
    assert.deepEqual((await call("GetObjectTagging", { ...at, VersionId: first })).TagSet, [{ Key: "x", Value: "1" }]);
    assert.deepEqual(await call("DeleteObjectTagging", at), { VersionId: second });
    assert.deepEqual((await call("GetObjectTagging", at)).TagSet, []);
    const twice = [
      { Key: "y", Value: "1" },
      { Key: "y", Value: "2" },
    ];
    assert.equal((await refusal("PutObjectTagging", { ...at, Tagging: { TagSet: twice } })).name, "InvalidTag");
    assert.equal((await refusal("GetObjectTagging", { ...at, Key: "none" })).name, "NoSuchKey");
  });

  it("are the owner's alone unless the bucket lets lists mean something", async (test) => {
    const { call, put, refusal, make } = await openS3(test);
    await make("photos");
    await put("photos", "a");
    const at = { Bucket: "photos", Key: "a" };
    const { Owner, Grants = [] } = await call("GetObjectAcl", at);
    assert.deepEqual(
      Grants.map(({ Grantee, Permission }) => [Grantee?.ID, Permission]),
      [[Owner?.ID, "FULL_CONTROL"]],
    );
    assert.equal((await refusal("PutObjectAcl", { ...at, ACL: "public-read" })).name, "AccessControlListNotSupported");
    await call("PutBucketOwnershipControls", { Bucket: "photos", OwnershipControls: { Rules: [{ ObjectOwnership: "ObjectWriter" }] } });
    await call("DeletePublicAccessBlock", { Bucket: "photos" });
    await call("PutObjectAcl", { ...at, ACL: "public-read" });
    const uris = (await call("GetObjectAcl", at)).Grants?.map(({ Grantee, Permission }) => [Grantee?.URI?.split("/").at(-1), Permission]);
    assert.deepEqual(uris, [
      [undefined, "FULL_CONTROL"],
      ["AllUsers", "READ"],
    ]);
    assert.equal((await refusal("PutObjectAcl", at)).name, "MalformedXML");
    await put("photos", "b", "", { ACL: "authenticated-read" });
    assert.equal((await call("GetObjectAcl", { ...at, Key: "b" })).Grants?.length, 2);
  });
});
