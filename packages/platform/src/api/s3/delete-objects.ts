import type {
  DeletedObject,
  DeleteObjectOutput,
  DeleteObjectRequest,
  DeleteObjectsOutput,
  DeleteObjectsRequest,
  ObjectIdentifier,
} from "@aws-sdk/client-s3";
import { isLambentError } from "../../base/index.ts";
import type { Bucket, BucketRecord } from "../../objects/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import { recordOf } from "./bucket-parts.ts";
import { callerOf } from "./caller.ts";
import { bareTag, writeConditions } from "./conditions.ts";
import { malformedXml } from "./configuration-errors.ts";
import { s3WireError } from "./errors.ts";
import { objectOf, versionIdOf, versionIdShape } from "./object-shapes.ts";
import type { ObjectParts } from "./parts.ts";
import { conditionsOf, objectPermission } from "./permissions.ts";

/** Keys of one batch. @limit */
export const DELETED_KEYS_MAX = 1_000;

/** Deleting objects, one or a batch. Keys that are absent are deleted too. @see S3 API reference */
export function deleteOperations(parts: ObjectParts) {
  return {
    async DeleteObject(input: DeleteObjectRequest, context: RequestContext): Promise<DeleteObjectOutput> {
      refuseUnbuilt(input, ["IfMatchLastModifiedTime", "IfMatchSize"]);
      const { bucket, record, key } = await objectOf(parts, input);
      const conditions = writeConditions(input);
      const { versionId, deleteMarker } = await bucket.delete(key, {
        versionId: versionIdOf(input.VersionId),
        conditions,
        caller: callerOf(context, parts.roles),
      });
      return { VersionId: versionIdShape(record, versionId), ...(deleteMarker ? { DeleteMarker: true } : {}) };
    },

    async DeleteObjects(input: DeleteObjectsRequest, context: RequestContext): Promise<DeleteObjectsOutput> {
      const record = recordOf(parts.buckets, input);
      const { Objects = [], Quiet } = given(input.Delete, "Delete");
      if (Objects.length === 0 || Objects.length > DELETED_KEYS_MAX) throw malformedXml(`a batch has 1 to ${DELETED_KEYS_MAX} keys`);
      const bucket = await parts.buckets.bucket(record.name);
      const ended = await Promise.all(Objects.map((each) => deleteOne(parts, { bucket, record }, each, context)));
      return {
        Deleted: Quiet === true ? [] : ended.flatMap((each) => (each.kind === "deleted" ? [each.shape] : [])),
        Errors: ended.flatMap((each) => (each.kind === "refused" ? [each.shape] : [])),
      };
    },
  } satisfies OperationTable;
}

type Ended =
  | { readonly kind: "deleted"; readonly shape: DeletedObject }
  | { readonly kind: "refused"; readonly shape: NonNullable<DeleteObjectsOutput["Errors"]>[number] };

/** Each key of a batch needs leave of its own, and is refused by itself. */
async function deleteOne(
  { authorize, roles }: ObjectParts,
  { bucket, record }: { readonly bucket: Bucket; readonly record: BucketRecord },
  each: ObjectIdentifier,
  context: RequestContext,
): Promise<Ended> {
  const { Key = "", VersionId } = each;
  try {
    refuseUnbuilt(each, ["LastModifiedTime", "Size"]);
    authorize(context, objectPermission(record, Key, "DeleteObject", VersionId !== undefined, conditionsOf({ VersionId }, context)));
    const conditions = each.ETag === undefined ? undefined : { ifMatch: bareTag(each.ETag) };
    const { versionId, deleteMarker } = await bucket.delete(Key, {
      versionId: versionIdOf(VersionId),
      conditions,
      caller: callerOf(context, roles),
    });
    return {
      kind: "deleted",
      shape: { Key, VersionId, ...(deleteMarker ? { DeleteMarker: true, DeleteMarkerVersionId: versionId } : {}) },
    };
  } catch (error) {
    if (!isLambentError(error)) throw error;
    const { name, message } = s3WireError(error);
    return { kind: "refused", shape: { Key, VersionId, Code: name, Message: message } };
  }
}
