import type {
  ListMultipartUploadsOutput,
  ListMultipartUploadsRequest,
  ListPartsOutput,
  ListPartsRequest,
  MultipartUpload,
} from "@aws-sdk/client-s3";
import type { Upload } from "../../objects/index.ts";
import { given } from "../given.ts";
import type { OperationTable } from "../operation.ts";
import { recordOf } from "./bucket-parts.ts";
import { partChecksumShape } from "./checksums.ts";
import { quotedTag } from "./conditions.ts";
import { modifiedAt, objectOf } from "./object-shapes.ts";
import { ownerOf } from "./owner.ts";
import { pageSize, readMarker } from "./paging.ts";
import type { ObjectParts } from "./parts.ts";
import { type Encode, encoderFor } from "./url-encoding.ts";

/** Which uploads are under way, and what has come of them. @see S3 API reference */
export function multipartListOperations(parts: ObjectParts) {
  const { buckets } = parts;
  return {
    async ListParts(input: ListPartsRequest): Promise<ListPartsOutput> {
      const { bucket, record, key } = await objectOf(parts, input);
      const max = pageSize(input.MaxParts, "max-parts");
      const after = readMarker(input.PartNumberMarker);
      const uploadId = given(input.UploadId, "UploadId");
      // A page of nothing still says which upload it is of.
      const { upload, parts: found, next } = await bucket.uploads.listParts(key, uploadId, { after, max: Math.max(max, 1) });
      const shown = found.slice(0, max);
      const more = max > 0 ? next : undefined;
      return {
        Bucket: record.name,
        Key: key,
        UploadId: upload.id,
        PartNumberMarker: String(after),
        ...(more === undefined ? {} : { NextPartNumberMarker: String(more) }),
        MaxParts: max,
        IsTruncated: more !== undefined,
        ...sharedShape(upload),
        Parts: shown.map((part) => ({
          PartNumber: part.number,
          LastModified: modifiedAt(part),
          ETag: quotedTag(part.md5),
          Size: part.bytes,
          ...partChecksumShape(part.checksum),
        })),
      };
    },

    async ListMultipartUploads(input: ListMultipartUploadsRequest): Promise<ListMultipartUploadsOutput> {
      const encode = encoderFor(input.EncodingType);
      const max = pageSize(input.MaxUploads, "max-uploads");
      const { Prefix: prefix = "", Delimiter, KeyMarker: keyMarker = "", UploadIdMarker: uploadIdMarker = "" } = input;
      const delimiter = Delimiter === "" ? undefined : Delimiter;
      const record = recordOf(buckets, input);
      const bucket = await buckets.bucket(record.name);
      const query = { prefix, delimiter, keyMarker, uploadIdMarker: keyMarker === "" ? "" : uploadIdMarker, max };
      const { uploads, commonPrefixes, next } = max === 0 ? { uploads: [], commonPrefixes: [] } : await bucket.uploads.list(query);
      return {
        Bucket: record.name,
        KeyMarker: encode(keyMarker),
        UploadIdMarker: uploadIdMarker,
        ...(next ? { NextKeyMarker: encode(next.keyMarker), NextUploadIdMarker: next.uploadIdMarker ?? "" } : {}),
        Prefix: encode(prefix),
        Delimiter: encode(delimiter),
        MaxUploads: max,
        IsTruncated: next !== undefined,
        EncodingType: input.EncodingType,
        Uploads: uploads.map((upload) => uploadShape(encode, upload)),
        CommonPrefixes: commonPrefixes.map((each) => ({ Prefix: encode(each) })),
      };
    },
  } satisfies OperationTable;
}

function uploadShape(encode: Encode, upload: Upload): MultipartUpload {
  return { UploadId: upload.id, Key: encode(upload.key), Initiated: new Date(upload.initiatedAt), ...sharedShape(upload) };
}

/** What is told of an upload wherever it is named. */
function sharedShape({ owner, checksum, attributes }: Upload) {
  return {
    Initiator: ownerOf(owner),
    Owner: ownerOf(owner),
    StorageClass: attributes.storageClass as "STANDARD",
    ChecksumAlgorithm: checksum?.algorithm,
    ChecksumType: checksum?.type,
  };
}
