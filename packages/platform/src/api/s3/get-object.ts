import type {
  GetObjectAttributesOutput,
  GetObjectAttributesParts,
  GetObjectAttributesRequest,
  GetObjectOutput,
  GetObjectRequest,
  HeadObjectOutput,
  HeadObjectRequest,
} from "@aws-sdk/client-s3";
import type { Readable } from "node:stream";
import { type BucketRecord, type FoundObject, partOf, partsOf, type StoredObject } from "../../objects/index.ts";
import { given } from "../given.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import { checkHeaderValue, encryptionShape, refusePromises, STANDARD } from "./attributes.ts";
import { checksumShape, partChecksumShape } from "./checksums.ts";
import { checkReadHeaders, quotedTag } from "./conditions.ts";
import { invalid, memberDetail } from "./errors.ts";
import { expirationOf } from "./expiration.ts";
import { found, modifiedAt, objectOf, partCount, versionIdOf, versionIdShape } from "./object-shapes.ts";
import type { ObjectParts } from "./parts.ts";
import { checkedPartNumber, pageSize, readMarker } from "./paging.ts";
import { type ByteRange, contentRange, rangeOf } from "./ranges.ts";

const DEFAULT_CONTENT_TYPE = "binary/octet-stream";

/** What GetObject answers, before the wire has it. */
type GetOutput = Omit<GetObjectOutput, "Body"> & { readonly Body: Readable | Buffer };

/** Reading objects. @see S3 API reference */
export function readOperations(parts: ObjectParts) {
  return {
    async GetObject(input: GetObjectRequest, context: RequestContext): Promise<GetOutput> {
      const { bucket, read, range, shape } = await select(parts, input, context);
      // A part without bytes has no range, and is not the whole.
      const Body = shape.ContentLength === 0 ? Buffer.alloc(0) : await bucket.open(read, range);
      return { ...shape, Body };
    },

    async HeadObject(input: HeadObjectRequest, context: RequestContext): Promise<HeadObjectOutput> {
      const { shape } = await select(parts, input, context);
      return shape;
    },

    async GetObjectAttributes(input: GetObjectAttributesRequest, context: RequestContext): Promise<GetObjectAttributesOutput> {
      refusePromises(input);
      const { bucket, record, key } = await objectOf(parts, input);
      const read = await found(parts, record, context, () => bucket.get(key, versionIdOf(input.VersionId)));
      const { object } = read;
      const wanted = new Set<string>(given(input.ObjectAttributes, "ObjectAttributes"));
      const when = <T>(name: string, value: () => T): T | undefined => (wanted.has(name) ? value() : undefined);
      return {
        LastModified: modifiedAt(object),
        VersionId: versionIdShape(record, object.versionId),
        ETag: when("ETag", () => object.etag),
        Checksum: object.checksum && when("Checksum", () => checksumShape(object.checksum, partCount(object))),
        ObjectParts: when("ObjectParts", () => partsShape(read, input)),
        StorageClass: when("StorageClass", () => object.storageClass as NonNullable<GetObjectAttributesOutput["StorageClass"]>),
        ObjectSize: when("ObjectSize", () => object.bytes),
      };
    },
  } satisfies OperationTable;
}

/** What of an object is read, and how it is told; nothing is opened yet. */
async function select(parts: ObjectParts, input: GetObjectRequest, context: RequestContext) {
  refusePromises(input);
  const { bucket, record, key } = await objectOf(parts, input);
  const read = await found(parts, record, context, () => bucket.get(key, versionIdOf(input.VersionId)));
  const { object } = read;
  const { ETag, LastModified, VersionId } = validatorsShape(record, object);
  const { cacheControl, expires } = object.headers;
  // What a cache keeps with what it has (RFC 9110, 15.4.5).
  checkReadHeaders(input, object, {
    etag: ETag,
    "last-modified": LastModified.toUTCString(),
    ...(cacheControl === undefined ? {} : { "cache-control": cacheControl }),
    ...(expires === undefined ? {} : { expires }),
    ...(VersionId === undefined ? {} : { "x-amz-version-id": VersionId }),
  });
  const { range, isEmpty, PartsCount } = selection(read, input);
  const shape: HeadObjectOutput = {
    ...objectShape(record, key, object, input),
    ...overrides(input, context),
    ...(range ? { ContentRange: contentRange(range, object.bytes) } : {}),
    PartsCount,
    ContentLength: bytesOf(range, object.bytes, isEmpty),
  };
  return { bucket, read, range, shape };
}

/** The bytes that a range or a part's number means. */
function selection(read: FoundObject, { Range, PartNumber }: GetObjectRequest) {
  const { bytes } = read.object;
  if (PartNumber === undefined) return { range: rangeOf(Range, bytes), isEmpty: false, PartsCount: undefined };
  if (Range !== undefined) throw invalid("request", "Cannot specify both Range header and partNumber query parameter");
  const part = partOf(read, checkedPartNumber(PartNumber));
  if (!part)
    throw invalid("partNumber", "The requested partnumber is not satisfiable", {
      [memberDetail("ActualPartCount")]: partsOf(read)?.count ?? 1,
      [memberDetail("PartNumberRequested")]: PartNumber,
    });
  return { range: part.range, isEmpty: part.range === undefined, PartsCount: part.count };
}

/** Bytes that are answered. */
function bytesOf(range: ByteRange | undefined, all: number, isEmpty: boolean): number {
  return range ? range.end - range.start + 1 : isEmpty ? 0 : all;
}

function validatorsShape(record: BucketRecord, object: StoredObject) {
  return { ETag: quotedTag(object.etag), LastModified: modifiedAt(object), VersionId: versionIdShape(record, object.versionId) };
}

/** An object as its readers are told of it. */
function objectShape(record: BucketRecord, key: string, object: StoredObject, { ChecksumMode, Range, PartNumber }: GetObjectRequest) {
  const { headers, metadata, tags, storageClass, checksum } = object;
  const tagCount = Object.keys(tags).length;
  // Of a part of the bytes there is no checksum.
  const isWhole = Range === undefined && PartNumber === undefined;
  return {
    ...validatorsShape(record, object),
    AcceptRanges: "bytes",
    ContentType: headers.contentType ?? DEFAULT_CONTENT_TYPE,
    CacheControl: headers.cacheControl,
    ContentDisposition: headers.contentDisposition,
    ContentEncoding: headers.contentEncoding,
    ContentLanguage: headers.contentLanguage,
    Expires: dateOf(headers.expires),
    WebsiteRedirectLocation: headers.websiteRedirectLocation,
    Metadata: { ...metadata },
    StorageClass: storageClass === STANDARD ? undefined : (storageClass as NonNullable<HeadObjectOutput["StorageClass"]>),
    TagCount: tagCount === 0 ? undefined : tagCount,
    Expiration: expirationOf(record, key, object),
    ...encryptionShape(object),
    ...(ChecksumMode === "ENABLED" && isWhole ? checksumShape(checksum, partCount(object)) : {}),
  };
}

function dateOf(text: string | undefined): Date | undefined {
  const date = text === undefined ? undefined : new Date(text);
  return date && !Number.isNaN(date.getTime()) ? date : undefined;
}

/** Headers that a signed request sets in its own answer. */
function overrides(input: GetObjectRequest, { principal }: RequestContext) {
  const given = {
    CacheControl: input.ResponseCacheControl,
    ContentDisposition: input.ResponseContentDisposition,
    ContentEncoding: input.ResponseContentEncoding,
    ContentLanguage: input.ResponseContentLanguage,
    ContentType: input.ResponseContentType,
    Expires: input.ResponseExpires,
  };
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  if (set.length > 0 && principal.kind === "anonymous")
    throw invalid("request", "Request specific response headers cannot be used for anonymous GET requests.");
  for (const [, value] of set) if (typeof value === "string") checkHeaderValue(value);
  return Object.fromEntries(set) as Partial<typeof given>;
}

/** The parts of an object that was uploaded in parts; only of those with a checksum more than their number is told. */
function partsShape(read: FoundObject, input: GetObjectAttributesRequest): GetObjectAttributesParts | undefined {
  const all = partsOf(read);
  if (!all) return undefined;
  const { checksum } = read.object;
  if (!checksum) return { TotalPartsCount: all.count };
  const max = pageSize(input.MaxParts, "max-parts");
  const after = Math.min(readMarker(input.PartNumberMarker), all.count);
  const end = Math.min(after + max, all.count);
  const page = Array.from({ length: end - after }, (_, index) => all.part(after + index));
  return {
    TotalPartsCount: all.count,
    PartNumberMarker: String(after),
    MaxParts: max,
    IsTruncated: end < all.count,
    ...(end < all.count ? { NextPartNumberMarker: String(end) } : {}),
    Parts: page.map((part, index) => ({
      PartNumber: after + index + 1,
      Size: part.bytes,
      ...partChecksumShape(part.checksum === undefined ? undefined : { algorithm: checksum.algorithm, value: part.checksum }),
    })),
  };
}
