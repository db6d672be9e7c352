import type {
  AbortMultipartUploadRequest,
  CompletedPart,
  CompleteMultipartUploadOutput,
  CompleteMultipartUploadRequest,
  CreateMultipartUploadOutput,
  CreateMultipartUploadRequest,
  UploadPartCopyOutput,
  UploadPartCopyRequest,
  UploadPartOutput,
  UploadPartRequest,
} from "@aws-sdk/client-s3";
import type { NamedPart } from "../../objects/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import { attributesOf, encryptionShape, refusePromises } from "./attributes.ts";
import { callerOf } from "./caller.ts";
import { algorithmOf, givenChecksum, partChecksumShape } from "./checksums.ts";
import { bareTag, quotedTag, writeConditions } from "./conditions.ts";
import { malformedXml } from "./configuration-errors.ts";
import { openSource } from "./copy-object.ts";
import { invalid } from "./errors.ts";
import { bodyOf, type Incoming } from "./incoming.ts";
import { modifiedAt, objectOf, storedShape, versionIdShape } from "./object-shapes.ts";
import { checkedPartNumber } from "./paging.ts";
import type { ObjectParts } from "./parts.ts";
import { copyRangeOf } from "./ranges.ts";

/** Parts that one request names. @limit */
const NAMED_PARTS_MAX = 10_000;

/** Uploads in parts: begun, filled, ended. @see S3 API reference */
export function multipartOperations(parts: ObjectParts) {
  return { ...beginningAndEnd(parts), ...partOperations(parts) } satisfies OperationTable;
}

function beginningAndEnd(parts: ObjectParts) {
  return {
    async CreateMultipartUpload(input: CreateMultipartUploadRequest, context: RequestContext): Promise<CreateMultipartUploadOutput> {
      refusePromises(input);
      const { bucket, record, key } = await objectOf(parts, input);
      const algorithm = algorithmOf(input.ChecksumAlgorithm);
      if (input.ChecksumType !== undefined && algorithm === undefined)
        throw invalid("request", "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.");
      const checksum = algorithm && { algorithm, type: input.ChecksumType };
      const upload = await bucket.uploads.create(
        key,
        { ...attributesOf(record, input), ...(checksum ? { checksum } : {}) },
        callerOf(context, parts.roles),
      );
      return {
        Bucket: record.name,
        Key: key,
        UploadId: upload.id,
        ChecksumAlgorithm: upload.checksum?.algorithm,
        ChecksumType: upload.checksum?.type,
        ...encryptionShape(upload.attributes),
      };
    },

    async CompleteMultipartUpload(input: CompleteMultipartUploadRequest, context: RequestContext): Promise<CompleteMultipartUploadOutput> {
      refusePromises(input);
      const { bucket, record, key } = await objectOf(parts, input);
      const named = (input.MultipartUpload?.Parts ?? []).map(namedPart);
      if (named.length === 0 || named.length > NAMED_PARTS_MAX) throw malformedXml(`an object has 1 to ${NAMED_PARTS_MAX} parts`);
      const checksum = givenChecksum(input);
      const expected = checksum || input.ChecksumType ? { ...checksum, type: input.ChecksumType } : undefined;
      const request = { parts: named, expectedBytes: input.MpuObjectSize, checksum: expected };
      const options = { conditions: writeConditions(input), caller: callerOf(context, parts.roles) };
      const stored = await bucket.uploads.complete(key, given(input.UploadId, "UploadId"), request, options);
      return {
        Location: `${context.endpoint}/${record.name}/${key.split("/").map(encodeURIComponent).join("/")}`,
        Bucket: record.name,
        Key: key,
        ...storedShape(record, key, stored),
      };
    },

    async AbortMultipartUpload(input: AbortMultipartUploadRequest): Promise<void> {
      refuseUnbuilt(input, ["IfMatchInitiatedTime"]);
      const { bucket, key } = await objectOf(parts, input);
      await bucket.uploads.abort(key, given(input.UploadId, "UploadId"));
    },
  };
}

function partOperations(parts: ObjectParts) {
  return {
    async UploadPart(input: Incoming<UploadPartRequest>): Promise<UploadPartOutput> {
      refusePromises(input);
      const { bucket, key } = await objectOf(parts, input);
      const number = checkedPartNumber(given(input.PartNumber, "PartNumber"));
      const part = await bucket.uploads.putPart(key, given(input.UploadId, "UploadId"), number, bodyOf(input));
      return { ETag: quotedTag(part.md5), ...partChecksumShape(part.checksum) };
    },

    async UploadPartCopy(input: UploadPartCopyRequest, context: RequestContext): Promise<UploadPartCopyOutput> {
      refusePromises(input);
      const { bucket, key } = await objectOf(parts, input);
      const number = checkedPartNumber(given(input.PartNumber, "PartNumber"));
      const source = await openSource(parts, input, context);
      const { object } = source.found;
      const range = input.CopySourceRange === undefined ? undefined : copyRangeOf(input.CopySourceRange, object.bytes);
      const part = await bucket.uploads.copyPart(key, given(input.UploadId, "UploadId"), number, source, range);
      return {
        CopySourceVersionId: versionIdShape(source.record, object.versionId),
        CopyPartResult: { ETag: quotedTag(part.md5), LastModified: modifiedAt(part), ...partChecksumShape(part.checksum) },
      };
    },
  };
}

/** A part as the end of an upload names it. */
function namedPart(part: CompletedPart): NamedPart {
  const { PartNumber, ETag } = part;
  if (PartNumber === undefined || ETag === undefined) throw malformedXml("a part is named by its number and its ETag");
  return { number: PartNumber, etag: bareTag(ETag), checksum: givenChecksum(part) };
}
