import assert from "node:assert/strict";
import { NoSuchBucket, NoSuchKey, NoSuchUpload } from "@aws-sdk/client-s3";
import { known, type OperationCase, type Stage } from "./cases.ts";
import { bucket, NOWHERE, textOf } from "./s3-stage.ts";

/** An id that no upload has. */
const UploadId = "nobody-began-this-upload";

/** An upload of a bucket of its own that waits for its parts. */
async function begun(stage: Stage, name: string) {
  const Bucket = await bucket(stage, name);
  const { UploadId: id } = await stage.stage.s3.createMultipartUpload({ Bucket, Key: "k" });
  return { Bucket, Key: "k", UploadId: known(id) };
}

/** The same with one part. */
async function withPart(stage: Stage, name: string) {
  const upload = await begun(stage, name);
  const { ETag } = await stage.stage.s3.uploadPart({ ...upload, PartNumber: 1, Body: "part" });
  return { upload, Parts: [{ PartNumber: 1, ETag }] };
}

/** Uploads in parts, by the SDK for JavaScript. */
export const s3MultipartCases = {
  CreateMultipartUpload: {
    async does(stage) {
      const Bucket = await bucket(stage, "begun");
      const { UploadId: id } = await stage.js.s3.createMultipartUpload({ Bucket, Key: "k", ContentType: "text/plain" });
      const { Uploads } = await stage.stage.s3.listMultipartUploads({ Bucket });
      assert.deepEqual(
        Uploads?.map((each) => each.UploadId),
        [id],
      );
    },
    refuses: [({ js }) => js.s3.createMultipartUpload({ Bucket: NOWHERE, Key: "k" }), NoSuchBucket, 404],
  },
  UploadPart: {
    async does(stage) {
      const upload = await begun(stage, "part");
      const { ETag, ChecksumCRC32 } = await stage.js.s3.uploadPart({ ...upload, PartNumber: 1, Body: "hello" });
      assert.deepEqual([ETag, ChecksumCRC32], ['"5d41402abc4b2a76b9719d911017c592"', "NhCmhg=="]);
    },
    refuses: [
      async (stage) => stage.js.s3.uploadPart({ Bucket: await bucket(stage, "part"), Key: "k", UploadId, PartNumber: 1, Body: "x" }),
      NoSuchUpload,
      404,
    ],
  },
  UploadPartCopy: {
    async does(stage) {
      const upload = await begun(stage, "part-copied");
      await stage.stage.s3.putObject({ Bucket: upload.Bucket, Key: "from", Body: "hello, world" });
      const copied = { ...upload, PartNumber: 1, CopySource: `${upload.Bucket}/from`, CopySourceRange: "bytes=0-4" };
      const { CopyPartResult } = await stage.js.s3.uploadPartCopy(copied);
      assert.equal(CopyPartResult?.ETag, '"5d41402abc4b2a76b9719d911017c592"');
    },
    refuses: [
      async (stage) => {
        const upload = await begun(stage, "part-copied");
        await stage.js.s3.uploadPartCopy({ ...upload, PartNumber: 1, CopySource: `${upload.Bucket}/missing` });
      },
      NoSuchKey,
      404,
    ],
  },
  CompleteMultipartUpload: {
    async does(stage) {
      const { upload, Parts } = await withPart(stage, "completed");
      const { ETag } = await stage.js.s3.completeMultipartUpload({ ...upload, MultipartUpload: { Parts } });
      assert.match(ETag ?? "", /^"[0-9a-f]{32}-1"$/u);
      assert.equal(await textOf(stage, "completed", "k"), "part");
    },
    refuses: [
      async (stage) => {
        const { upload } = await withPart(stage, "completed-wrongly");
        await stage.js.s3.completeMultipartUpload({ ...upload, MultipartUpload: { Parts: [{ PartNumber: 2, ETag: "never" }] } });
      },
      "InvalidPart",
      400,
    ],
  },
  AbortMultipartUpload: {
    async does(stage) {
      const { upload } = await withPart(stage, "aborted");
      await stage.js.s3.abortMultipartUpload(upload);
      await assert.rejects(stage.stage.s3.listParts(upload), NoSuchUpload);
    },
    refuses: [
      async (stage) => stage.js.s3.abortMultipartUpload({ Bucket: await bucket(stage, "aborted"), Key: "k", UploadId }),
      NoSuchUpload,
      404,
    ],
  },
  ListParts: {
    async does(stage) {
      const { upload } = await withPart(stage, "parts");
      const { Parts } = await stage.js.s3.listParts(upload);
      assert.deepEqual(
        Parts?.map(({ PartNumber, Size }) => [PartNumber, Size]),
        [[1, 4]],
      );
    },
    refuses: [async (stage) => stage.js.s3.listParts({ Bucket: await bucket(stage, "parts"), Key: "k", UploadId }), NoSuchUpload, 404],
  },
  ListMultipartUploads: {
    async does(stage) {
      const { UploadId: id, Bucket } = await begun(stage, "uploads-under-way");
      const { Uploads } = await stage.js.s3.listMultipartUploads({ Bucket });
      assert.deepEqual(
        Uploads?.map((each) => [each.Key, each.UploadId]),
        [["k", id]],
      );
    },
    refuses: [({ js }) => js.s3.listMultipartUploads({ Bucket: NOWHERE }), NoSuchBucket, 404],
  },
} satisfies Readonly<Record<string, OperationCase>>;
