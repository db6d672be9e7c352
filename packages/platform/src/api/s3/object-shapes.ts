/** What operations on objects begin and end with: whose object, by which id, and what is told of it. */
import { LambentError } from "../../base/index.ts";
import type { Bucket, BucketRecord, ObjectVersion, StoredObject } from "../../objects/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { type BucketInput, recordOf } from "./bucket-parts.ts";
import { checksumShape } from "./checksums.ts";
import { encryptionShape } from "./attributes.ts";
import { quotedTag } from "./conditions.ts";
import { invalid } from "./errors.ts";
import { expirationOf } from "./expiration.ts";
import type { ObjectParts } from "./parts.ts";
import { bucketPermission } from "./permissions.ts";

export interface ObjectInput extends BucketInput {
  readonly Key?: string | undefined;
}

/** The bucket and the key that an input names. */
export async function objectOf(
  parts: ObjectParts,
  input: ObjectInput,
): Promise<{ readonly bucket: Bucket; readonly record: BucketRecord; readonly key: string }> {
  const record = recordOf(parts.buckets, input);
  const key = given(input.Key, "Key");
  return { record, key, bucket: await parts.buckets.bucket(record.name) };
}

/** A version id from outside; an empty one is none. */
export function versionIdOf(versionId: string | undefined): string | undefined {
  if (versionId === "") throw invalid("argument", "Version id cannot be the empty string");
  return versionId;
}

/** The id that is told of a version: none in a bucket that never had versions. */
export function versionIdShape({ versioning }: Pick<BucketRecord, "versioning">, versionId: string | undefined): string | undefined {
  return versioning === "off" ? undefined : versionId;
}

/** Parts of an object that was uploaded in parts. */
export function partCount({ etag }: Pick<StoredObject, "etag">): number | undefined {
  const count = /-(\d{1,5})$/u.exec(etag)?.[1];
  return count === undefined ? undefined : Number(count);
}

/** What everybody is told who stored an object. */
export function storedShape(record: BucketRecord, key: string, object: StoredObject) {
  return {
    ETag: quotedTag(object.etag),
    VersionId: versionIdShape(record, object.versionId),
    Expiration: expirationOf(record, key, object),
    ...checksumShape(object.checksum, partCount(object)),
    ...encryptionShape(object),
  };
}

/** When a version was stored, as headers and documents tell it. */
export function modifiedAt({ modifiedAt: at }: Pick<ObjectVersion, "modifiedAt">): Date {
  return new Date(at);
}

/**
 * What `find` finds. That a key is absent is told only to those who may list the bucket: to others it is as if it was refused.
 *
 * @see S3 API reference, GetObject, Permissions
 */
export async function found<T>(parts: ObjectParts, record: BucketRecord, context: RequestContext, find: () => Promise<T>): Promise<T> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof LambentError && error.code === "NotFound" && error.details["what"] === "key")
      parts.authorize(context, bucketPermission(record, "s3:ListBucket"));
    throw error;
  }
}
