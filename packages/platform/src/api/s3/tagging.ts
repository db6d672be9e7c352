import type {
  DeleteObjectTaggingOutput,
  DeleteObjectTaggingRequest,
  GetObjectTaggingOutput,
  GetObjectTaggingRequest,
  PutObjectTaggingOutput,
  PutObjectTaggingRequest,
} from "@aws-sdk/client-s3";
import { given } from "../given.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import { callerOf } from "./caller.ts";
import { found, objectOf, versionIdOf, versionIdShape } from "./object-shapes.ts";
import type { ObjectParts } from "./parts.ts";
import { tagSet, tagsOfSet } from "./tags.ts";

/** Tags of objects. @see S3 API reference */
export function objectTagOperations(parts: ObjectParts) {
  return {
    async PutObjectTagging(input: PutObjectTaggingRequest, context: RequestContext): Promise<PutObjectTaggingOutput> {
      const tags = tagsOfSet(given(input.Tagging, "Tagging").TagSet);
      const { bucket, record, key } = await objectOf(parts, input);
      const object = await found(parts, record, context, () =>
        bucket.setTags(key, versionIdOf(input.VersionId), tags, callerOf(context, parts.roles)),
      );
      return { VersionId: versionIdShape(record, object.versionId) };
    },

    async GetObjectTagging(input: GetObjectTaggingRequest, context: RequestContext): Promise<GetObjectTaggingOutput> {
      const { bucket, record, key } = await objectOf(parts, input);
      const { object } = await found(parts, record, context, () => bucket.get(key, versionIdOf(input.VersionId)));
      return { VersionId: versionIdShape(record, object.versionId), TagSet: tagSet(object.tags) };
    },

    async DeleteObjectTagging(input: DeleteObjectTaggingRequest, context: RequestContext): Promise<DeleteObjectTaggingOutput> {
      const { bucket, record, key } = await objectOf(parts, input);
      const object = await found(parts, record, context, () =>
        bucket.setTags(key, versionIdOf(input.VersionId), {}, callerOf(context, parts.roles)),
      );
      return { VersionId: versionIdShape(record, object.versionId) };
    },
  } satisfies OperationTable;
}
