import assert from "node:assert/strict";
import { NoSuchBucket, NoSuchKey } from "@aws-sdk/client-s3";
import { known, type OperationCase } from "./cases.ts";
import { bucket, keysOf, NOWHERE, openBucket, textOf, versionedBucket } from "./s3-stage.ts";

const missing = { Bucket: "with-objects", Key: "missing" };

const readingCases = {
  GetObject: {
    async does(stage) {
      const Bucket = await bucket(stage, "got");
      await stage.stage.s3.putObject({ Bucket, Key: "a/b", Body: "hello", ContentType: "text/plain", Metadata: { by: "Ada" } });
      const { Body, ContentType, ContentLength, Metadata, ETag } = await stage.js.s3.getObject({ Bucket, Key: "a/b" });
      assert.deepEqual(
        [await known(Body).transformToString(), ContentType, ContentLength, Metadata, ETag],
        ["hello", "text/plain", 5, { by: "Ada" }, '"5d41402abc4b2a76b9719d911017c592"'],
      );
    },
    refuses: [async (stage) => stage.js.s3.getObject({ ...missing, Bucket: await bucket(stage, "got") }), NoSuchKey, 404],
  },
  HeadObject: {
    async does(stage) {
      const Bucket = await bucket(stage, "asked");
      await stage.stage.s3.putObject({ Bucket, Key: "k", Body: "hello" });
      const { ContentLength, ContentType } = await stage.js.s3.headObject({ Bucket, Key: "k" });
      assert.deepEqual([ContentLength, ContentType], [5, "application/octet-stream"]);
    },
    refuses: [async (stage) => stage.js.s3.headObject({ ...missing, Bucket: await bucket(stage, "asked") }), "NotFound", 404],
  },
  GetObjectAttributes: {
    async does(stage) {
      const Bucket = await bucket(stage, "attributes");
      await stage.stage.s3.putObject({ Bucket, Key: "k", Body: "hello", ChecksumAlgorithm: "SHA256" });
      const asked = { Bucket, Key: "k", ObjectAttributes: ["ETag", "Checksum", "ObjectSize", "StorageClass"] as const };
      const { ETag, Checksum, ObjectSize, StorageClass } = await stage.js.s3.getObjectAttributes({
        ...asked,
        ObjectAttributes: [...asked.ObjectAttributes],
      });
      assert.deepEqual(
        [ETag, Checksum?.ChecksumSHA256, ObjectSize, StorageClass],
        ["5d41402abc4b2a76b9719d911017c592", "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", 5, "STANDARD"],
      );
    },
    refuses: [
      async (stage) =>
        stage.js.s3.getObjectAttributes({ ...missing, Bucket: await bucket(stage, "attributes"), ObjectAttributes: ["ETag"] }),
      NoSuchKey,
      404,
    ],
  },
  ListObjects: {
    async does(stage) {
      const Bucket = await bucket(stage, "listed-as-once");
      for (const Key of ["a/1", "a/2", "b"]) await stage.stage.s3.putObject({ Bucket, Key, Body: "x" });
      const { Contents, CommonPrefixes } = await stage.js.s3.listObjects({ Bucket, Delimiter: "/" });
      assert.deepEqual([Contents?.map(({ Key, Size }) => [Key, Size]), CommonPrefixes], [[["b", 1]], [{ Prefix: "a/" }]]);
    },
    refuses: [({ js }) => js.s3.listObjects({ Bucket: NOWHERE }), NoSuchBucket, 404],
  },
  ListObjectsV2: {
    async does(stage) {
      const Bucket = await bucket(stage, "listed");
      for (const Key of ["a b/1", "b", "c"]) await stage.stage.s3.putObject({ Bucket, Key, Body: "x" });
      const first = await stage.js.s3.listObjectsV2({ Bucket, MaxKeys: 2, StartAfter: "a" });
      const second = await stage.js.s3.listObjectsV2({ Bucket, ContinuationToken: first.NextContinuationToken });
      assert.deepEqual(
        [first, second].map(({ Contents, IsTruncated, KeyCount }) => [Contents?.map(({ Key }) => Key), IsTruncated, KeyCount]),
        [
          [["a b/1", "b"], true, 2],
          [["c"], false, 1],
        ],
      );
    },
    refuses: [({ js }) => js.s3.listObjectsV2({ Bucket: NOWHERE }), NoSuchBucket, 404],
  },
  ListObjectVersions: {
    async does(stage) {
      const Bucket = await versionedBucket(stage, "versions");
      await stage.stage.s3.putObject({ Bucket, Key: "k", Body: "one" });
      await stage.stage.s3.deleteObject({ Bucket, Key: "k" });
      const { Versions, DeleteMarkers } = await stage.js.s3.listObjectVersions({ Bucket });
      assert.deepEqual([Versions?.map(({ IsLatest }) => IsLatest), DeleteMarkers?.map(({ IsLatest }) => IsLatest)], [[false], [true]]);
    },
    refuses: [({ js }) => js.s3.listObjectVersions({ Bucket: NOWHERE }), NoSuchBucket, 404],
  },
} satisfies Readonly<Record<string, OperationCase>>;

const changingCases = {
  PutObject: {
    async does(stage) {
      const Bucket = await bucket(stage, "stored");
      const { ETag, ChecksumCRC32, ChecksumType } = await stage.js.s3.putObject({
        Bucket,
        Key: "folder/hello world.txt",
        Body: "hello",
        ContentType: "text/plain",
        CacheControl: "max-age=60",
        Metadata: { by: "Ada" },
        Tagging: "kind=greeting",
      });
      assert.deepEqual([ETag, ChecksumCRC32, ChecksumType], ['"5d41402abc4b2a76b9719d911017c592"', "NhCmhg==", "FULL_OBJECT"]);
      assert.equal(await textOf(stage, Bucket, "folder/hello world.txt"), "hello");
    },
    refuses: [({ js }) => js.s3.putObject({ Bucket: NOWHERE, Key: "k", Body: "x" }), NoSuchBucket, 404],
  },
  CopyObject: {
    async does(stage) {
      const Bucket = await bucket(stage, "copied");
      await stage.stage.s3.putObject({ Bucket, Key: "from", Body: "hello", Metadata: { by: "Ada" } });
      const { CopyObjectResult } = await stage.js.s3.copyObject({ Bucket, Key: "to", CopySource: `${Bucket}/from` });
      assert.equal(CopyObjectResult?.ETag, '"5d41402abc4b2a76b9719d911017c592"');
      assert.deepEqual((await stage.stage.s3.headObject({ Bucket, Key: "to" })).Metadata, { by: "Ada" });
    },
    refuses: [
      async (stage) => {
        const Bucket = await bucket(stage, "copied");
        await stage.js.s3.copyObject({ Bucket, Key: "to", CopySource: `${Bucket}/missing` });
      },
      NoSuchKey,
      404,
    ],
  },
  DeleteObject: {
    async does(stage) {
      const Bucket = await versionedBucket(stage, "removed");
      await stage.stage.s3.putObject({ Bucket, Key: "k", Body: "x" });
      const { DeleteMarker, VersionId } = await stage.js.s3.deleteObject({ Bucket, Key: "k" });
      assert.equal(DeleteMarker, true);
      await assert.rejects(textOf(stage, Bucket, "k"), NoSuchKey);
      await stage.js.s3.deleteObject({ Bucket, Key: "k", VersionId });
      assert.equal(await textOf(stage, Bucket, "k"), "x");
    },
    refuses: [({ js }) => js.s3.deleteObject({ Bucket: NOWHERE, Key: "k" }), NoSuchBucket, 404],
  },
  DeleteObjects: {
    async does(stage) {
      const Bucket = await bucket(stage, "removed-many");
      for (const Key of ["a", "b & c", "d"]) await stage.stage.s3.putObject({ Bucket, Key, Body: "x" });
      const { Deleted } = await stage.js.s3.deleteObjects({
        Bucket,
        Delete: { Objects: [{ Key: "a" }, { Key: "b & c" }, { Key: "never" }] },
      });
      assert.deepEqual(Deleted, [{ Key: "a" }, { Key: "b & c" }, { Key: "never" }]);
      assert.deepEqual(await keysOf(stage.stage.s3, Bucket), ["d"]);
    },
    refuses: [
      async (stage) => stage.js.s3.deleteObjects({ Bucket: await bucket(stage, "removed-many"), Delete: { Objects: [] } }),
      "MalformedXML",
      400,
    ],
  },
  PutObjectTagging: {
    async does(stage) {
      const Bucket = await bucket(stage, "tagged");
      await stage.stage.s3.putObject({ Bucket, Key: "k", Body: "x" });
      await stage.js.s3.putObjectTagging({ Bucket, Key: "k", Tagging: { TagSet: [{ Key: "kind", Value: "cat" }] } });
      assert.equal((await stage.stage.s3.headObject({ Bucket, Key: "k" })).TagCount, 1);
    },
    refuses: [
      async (stage) => {
        const Bucket = await bucket(stage, "tagged");
        const twice = [
          { Key: "kind", Value: "cat" },
          { Key: "kind", Value: "dog" },
        ];
        await stage.js.s3.putObjectTagging({ Bucket, Key: "k", Tagging: { TagSet: twice } });
      },
      "InvalidTag",
      400,
    ],
  },
  GetObjectTagging: {
    async does(stage) {
      const Bucket = await bucket(stage, "tags-read");
      await stage.stage.s3.putObject({ Bucket, Key: "k", Body: "x", Tagging: "kind=cat&of=Ada%20L" });
      const { TagSet } = await stage.js.s3.getObjectTagging({ Bucket, Key: "k" });
      assert.deepEqual(TagSet, [
        { Key: "kind", Value: "cat" },
        { Key: "of", Value: "Ada L" },
      ]);
    },
    refuses: [async (stage) => stage.js.s3.getObjectTagging({ ...missing, Bucket: await bucket(stage, "tags-read") }), NoSuchKey, 404],
  },
  DeleteObjectTagging: {
    async does(stage) {
      const Bucket = await bucket(stage, "tags-removed");
      await stage.stage.s3.putObject({ Bucket, Key: "k", Body: "x", Tagging: "kind=cat" });
      await stage.js.s3.deleteObjectTagging({ Bucket, Key: "k" });
      assert.deepEqual((await stage.stage.s3.getObjectTagging({ Bucket, Key: "k" })).TagSet, []);
    },
    refuses: [
      async (stage) => stage.js.s3.deleteObjectTagging({ ...missing, Bucket: await bucket(stage, "tags-removed") }),
      NoSuchKey,
      404,
    ],
  },
  PutObjectAcl: {
    async does(stage) {
      const Bucket = await openBucket(stage, "object-acl");
      await stage.stage.s3.putBucketOwnershipControls({ Bucket, OwnershipControls: { Rules: [{ ObjectOwnership: "ObjectWriter" }] } });
      await stage.stage.s3.putObject({ Bucket, Key: "k", Body: "x" });
      await stage.js.s3.putObjectAcl({ Bucket, Key: "k", ACL: "public-read" });
      const { Grants = [] } = await stage.stage.s3.getObjectAcl({ Bucket, Key: "k" });
      assert.deepEqual(new Set(Grants.map(({ Permission }) => Permission)), new Set(["FULL_CONTROL", "READ"]));
    },
    refuses: [
      async (stage) => {
        const Bucket = await openBucket(stage, "object-acl-off");
        await stage.stage.s3.putObject({ Bucket, Key: "k", Body: "x" });
        await stage.js.s3.putObjectAcl({ Bucket, Key: "k", ACL: "public-read" });
      },
      "AccessControlListNotSupported",
      400,
    ],
  },
  GetObjectAcl: {
    async does(stage) {
      const Bucket = await bucket(stage, "object-acl-read");
      await stage.stage.s3.putObject({ Bucket, Key: "k", Body: "x" });
      assert.equal((await stage.js.s3.getObjectAcl({ Bucket, Key: "k" })).Grants?.[0]?.Permission, "FULL_CONTROL");
    },
    refuses: [async (stage) => stage.js.s3.getObjectAcl({ ...missing, Bucket: await bucket(stage, "object-acl-read") }), NoSuchKey, 404],
  },
} satisfies Readonly<Record<string, OperationCase>>;

/** Objects, by the SDK for JavaScript. */
export const s3ObjectCases = { ...readingCases, ...changingCases } satisfies Readonly<Record<string, OperationCase>>;
