import type {
  ListObjectsOutput,
  ListObjectsRequest,
  ListObjectsV2Output,
  ListObjectsV2Request,
  ListObjectVersionsOutput,
  ListObjectVersionsRequest,
} from "@aws-sdk/client-s3";
import type { Buckets, Listing, ObjectVersion, StoredObject } from "../../objects/index.ts";
import type { OperationTable } from "../operation.ts";
import { type BucketInput, recordOf } from "./bucket-parts.ts";
import { quotedTag } from "./conditions.ts";
import { invalid } from "./errors.ts";
import { modifiedAt } from "./object-shapes.ts";
import { ownerOf } from "./owner.ts";
import { continuationToken, pageSize, readContinuationToken } from "./paging.ts";
import { type Encode, encoderFor } from "./url-encoding.ts";

const NOTHING: Listing = { objects: [], commonPrefixes: [] };

/** What is in a bucket, page by page. @see S3 API reference */
export function listOperations({ buckets }: { readonly buckets: Buckets }) {
  return {
    async ListObjects(input: ListObjectsRequest): Promise<ListObjectsOutput> {
      const { encode, max, Delimiter, head } = request(input);
      const after = input.Marker ?? "";
      const { objects, commonPrefixes, next } = await page(buckets, input, {
        prefix: input.Prefix ?? "",
        delimiter: Delimiter,
        after,
        max,
      });
      return {
        ...head,
        Marker: encode(after),
        IsTruncated: next !== undefined,
        // Without a delimiter the last key says the same, where there is one.
        ...(next !== undefined && (Delimiter !== undefined || next !== objects.at(-1)?.key) ? { NextMarker: encode(next) } : {}),
        Contents: objects.map(({ key, object }) => ({ ...entryShape(encode, key, object), Owner: ownerOf(object.owner) })),
        CommonPrefixes: prefixesShape(encode, commonPrefixes),
      };
    },

    async ListObjectsV2(input: ListObjectsV2Request): Promise<ListObjectsV2Output> {
      const { encode, max, Delimiter, head } = request(input);
      const { ContinuationToken, StartAfter, FetchOwner } = input;
      if (ContinuationToken === "")
        throw invalid("argument", "The continuation token provided is incorrect", { argument: "continuation-token" });
      const after = ContinuationToken === undefined ? (StartAfter ?? "") : readContinuationToken(ContinuationToken);
      const { objects, commonPrefixes, next } = await page(buckets, input, {
        prefix: input.Prefix ?? "",
        delimiter: Delimiter,
        after,
        max,
      });
      return {
        ...head,
        KeyCount: objects.length + commonPrefixes.length,
        IsTruncated: next !== undefined,
        ContinuationToken,
        ...(next === undefined ? {} : { NextContinuationToken: continuationToken(next) }),
        StartAfter: encode(StartAfter),
        Contents: objects.map(({ key, object }) => ({
          ...entryShape(encode, key, object),
          ...(FetchOwner === true ? { Owner: ownerOf(object.owner) } : {}),
        })),
        CommonPrefixes: prefixesShape(encode, commonPrefixes),
      };
    },
  } satisfies OperationTable;
}

/** All versions of a bucket's objects, page by page. @see S3 API reference */
export function versionListOperations({ buckets }: { readonly buckets: Buckets }) {
  return {
    async ListObjectVersions(input: ListObjectVersionsRequest): Promise<ListObjectVersionsOutput> {
      const { encode, max, Delimiter, head } = request(input);
      const { KeyMarker, VersionIdMarker } = input;
      if (VersionIdMarker !== undefined && (KeyMarker === undefined || KeyMarker === ""))
        throw invalid("argument", "A version-id marker cannot be specified without a key marker.", { argument: "version-id-marker" });
      if (VersionIdMarker === "") throw invalid("argument", "A version-id marker cannot be empty.", { argument: "version-id-marker" });
      const bucket = await buckets.bucket(recordOf(buckets, input).name);
      const query = { prefix: input.Prefix ?? "", delimiter: Delimiter, keyMarker: KeyMarker, versionMarker: VersionIdMarker, max };
      const { versions, commonPrefixes, next } =
        max === 0 ? { versions: [], commonPrefixes: [], next: undefined } : await bucket.listVersions(query);
      const shapes = versions.map(({ key, version, isLatest }) => ({ version, shape: versionShape(encode, key, version, isLatest) }));
      return {
        ...head,
        KeyMarker: encode(KeyMarker ?? ""),
        VersionIdMarker: VersionIdMarker ?? "",
        IsTruncated: next !== undefined,
        ...(next === undefined ? {} : { NextKeyMarker: encode(next.keyMarker), NextVersionIdMarker: next.versionMarker }),
        Versions: shapes.flatMap(({ version, shape }) => (version.kind === "object" ? [{ ...shape, ...contentShape(version) }] : [])),
        DeleteMarkers: shapes.flatMap(({ version, shape }) => (version.kind === "deleteMarker" ? [shape] : [])),
        CommonPrefixes: prefixesShape(encode, commonPrefixes),
      };
    },
  } satisfies OperationTable;
}

interface ListInput extends BucketInput {
  readonly Prefix?: string | undefined;
  readonly Delimiter?: string | undefined;
  readonly EncodingType?: "url" | undefined;
  readonly MaxKeys?: number | undefined;
}

/** What every listing is asked for, and how its answer begins. An empty delimiter is none. */
function request({ Bucket, Prefix = "", Delimiter, EncodingType, MaxKeys }: ListInput) {
  const encode = encoderFor(EncodingType);
  const max = pageSize(MaxKeys, "max-keys");
  const delimiter = Delimiter === "" ? undefined : Delimiter;
  const head = { Name: Bucket, Prefix: encode(Prefix), Delimiter: encode(delimiter), MaxKeys: max, EncodingType };
  return { encode, max, Delimiter: delimiter, head };
}

async function page(
  buckets: Buckets,
  input: BucketInput,
  {
    after,
    max,
    ...range
  }: { readonly prefix: string; readonly delimiter: string | undefined; readonly after: string; readonly max: number },
): Promise<Listing> {
  const bucket = await buckets.bucket(recordOf(buckets, input).name);
  // Nobody is told that there is more behind a page of nothing: it would never end.
  if (max === 0) return NOTHING;
  return bucket.list({ ...range, max, ...(after === "" ? {} : { after }) });
}

function entryShape(encode: Encode, key: string, object: StoredObject) {
  return { Key: encode(key), LastModified: modifiedAt(object), ...contentShape(object) };
}

function versionShape(encode: Encode, key: string, version: ObjectVersion, IsLatest: boolean) {
  return { Key: encode(key), VersionId: version.versionId, IsLatest, LastModified: modifiedAt(version), Owner: ownerOf(version.owner) };
}

/** What lists tell of an object's content. */
function contentShape({ etag, bytes, storageClass, checksum }: StoredObject) {
  return {
    ETag: quotedTag(etag),
    Size: bytes,
    // All that is stored is one of the words that clients know.
    StorageClass: storageClass as "STANDARD",
    ...(checksum ? { ChecksumAlgorithm: [checksum.algorithm], ChecksumType: checksum.type } : {}),
  };
}

function prefixesShape(encode: Encode, prefixes: readonly string[]) {
  return prefixes.map((prefix) => ({ Prefix: encode(prefix) }));
}
