import { Readable } from "node:stream";
import type { CopyObjectOutput, CopyObjectRequest } from "@aws-sdk/client-s3";
import { isLambentError } from "../../base/index.ts";
import type {
  Bucket,
  BucketRecord,
  ChecksumAlgorithm,
  FoundObject,
  ObjectAttributes,
  PutOptions,
  StoredObject,
} from "../../objects/index.ts";
import { given } from "../given.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import { headersOf, metadataOf, ownAttributes, refusePromises, storageClassOf } from "./attributes.ts";
import { type BucketInput, recordOf } from "./bucket-parts.ts";
import { callerOf } from "./caller.ts";
import { algorithmOf, checksumShape } from "./checksums.ts";
import { checkCopySource, quotedTag, writeConditions } from "./conditions.ts";
import { type CopySource, parseCopySource } from "./copy-source.ts";
import { invalid } from "./errors.ts";
import { found, modifiedAt, objectOf, partCount, storedShape, versionIdOf, versionIdShape } from "./object-shapes.ts";
import type { ObjectParts } from "./parts.ts";
import { tagsOfHeader } from "./tags.ts";

/** Copying objects within this server. @see S3 API reference, CopyObject */
export function copyOperations(parts: ObjectParts) {
  return {
    async CopyObject(input: CopyObjectRequest, context: RequestContext): Promise<CopyObjectOutput> {
      refusePromises(input);
      const { bucket, record, key } = await objectOf(parts, input);
      const source = await openSource(parts, input, context);
      if (source.record.name === record.name && source.named.key === key) refuseIdleCopy(source.named, input);
      const attributes = attributesOfCopy(record, source.found.object, input);
      const options = { conditions: writeConditions(input), caller: callerOf(context, parts.roles) };
      const algorithm = algorithmOf(input.ChecksumAlgorithm);
      const isKnown = algorithm === undefined || algorithm === source.found.object.checksum?.algorithm;
      const stored = await (isKnown
        ? bucket.copyFrom(source, key, attributes, options)
        : copyWithChecksum(source, algorithm, { bucket, key, attributes, options }));
      const { ETag: _, ...shape } = storedShape(record, key, stored);
      return {
        ...shape,
        CopySourceVersionId: versionIdShape(source.record, source.found.object.versionId),
        CopyObjectResult: {
          ETag: quotedTag(stored.etag),
          LastModified: modifiedAt(stored),
          ...checksumShape(stored.checksum, partCount(stored)),
        },
      };
    },
  } satisfies OperationTable;
}

/** Another checksum takes another look at all bytes. */
async function copyWithChecksum(
  source: OpenedSource,
  algorithm: ChecksumAlgorithm,
  { bucket, key, attributes, options }: Copy,
): Promise<StoredObject> {
  const opened = await source.bucket.open(source.found);
  try {
    const body = { source: opened, length: source.found.object.bytes, checksum: { algorithm } };
    return await bucket.put(key, attributes, body, { ...options, event: "ObjectCreated:Copy" });
  } finally {
    if (opened instanceof Readable) opened.destroy();
  }
}

/** What a copy is to be. */
interface Copy {
  readonly bucket: Bucket;
  readonly key: string;
  readonly attributes: ObjectAttributes;
  readonly options: PutOptions;
}

/** An object that is to be copied, whole or in part. */
export interface OpenedSource {
  readonly named: CopySource;
  readonly record: BucketRecord;
  readonly bucket: Bucket;
  readonly found: FoundObject;
}

/** What of an input names a source and says what it has to be. */
export interface SourceInput {
  readonly CopySource?: string | undefined;
  readonly CopySourceIfMatch?: string | undefined;
  readonly CopySourceIfModifiedSince?: Date | undefined;
  readonly CopySourceIfNoneMatch?: string | undefined;
  readonly CopySourceIfUnmodifiedSince?: Date | undefined;
  readonly ExpectedSourceBucketOwner?: string | undefined;
}

/** The source that an input names, once it is what it has to be. */
export async function openSource(parts: ObjectParts, input: SourceInput, context: RequestContext): Promise<OpenedSource> {
  const named = parseCopySource(given(input.CopySource, "CopySource"));
  const owned: BucketInput = { Bucket: named.bucket, ExpectedBucketOwner: input.ExpectedSourceBucketOwner };
  const record = recordOf(parts.buckets, owned);
  const bucket = await parts.buckets.bucket(record.name);
  const source = await found(parts, record, context, () => readSource(bucket, named));
  const conditions = {
    IfMatch: input.CopySourceIfMatch,
    IfNoneMatch: input.CopySourceIfNoneMatch,
    IfModifiedSince: input.CopySourceIfModifiedSince,
    IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
  };
  checkCopySource(conditions, source.object);
  return { named, record, bucket, found: source };
}

async function readSource(bucket: Bucket, { key, versionId }: CopySource): Promise<FoundObject> {
  try {
    return await bucket.get(key, versionIdOf(versionId));
  } catch (error) {
    if (versionId === undefined || !isLambentError(error, "IsDeleteMarker")) throw error;
    throw invalid("request", "The source of a copy request may not specifically refer to a delete marker by version id.");
  }
}

/** Members that make an object another one, though its bytes stay. */
const CHANGES = [
  "StorageClass",
  "WebsiteRedirectLocation",
  "ServerSideEncryption",
  "SSEKMSKeyId",
  "BucketKeyEnabled",
  "ChecksumAlgorithm",
] as const;

/** An older version is copied onto its own key to be the current one again; the current one only to be changed. */
function refuseIdleCopy({ versionId }: CopySource, input: CopyObjectRequest): void {
  if (versionId !== undefined || input.MetadataDirective === "REPLACE" || CHANGES.some((member) => input[member] !== undefined)) return;
  throw invalid(
    "request",
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  );
}

/** Metadata and tags are the source's unless they are replaced; class, encryption, list and redirection never are. */
function attributesOfCopy(record: BucketRecord, source: StoredObject, input: CopyObjectRequest): ObjectAttributes {
  const { websiteRedirectLocation: _, ...headers } = source.headers;
  const own = headersOf({ WebsiteRedirectLocation: input.WebsiteRedirectLocation });
  const replaced = input.MetadataDirective === "REPLACE";
  if (!replaced && input.MetadataDirective !== undefined && input.MetadataDirective !== "COPY")
    throw invalid("argument", "Unknown metadata directive.");
  return {
    headers: replaced ? headersOf(input) : { ...headers, ...own },
    metadata: replaced ? metadataOf(input.Metadata) : source.metadata,
    tags: input.TaggingDirective === "REPLACE" ? tagsOfHeader(input.Tagging) : source.tags,
    storageClass: storageClassOf(input.StorageClass),
    ...ownAttributes(record, input),
  };
}
