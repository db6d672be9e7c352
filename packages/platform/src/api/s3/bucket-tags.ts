import type {
  DeleteBucketTaggingRequest,
  GetBucketTaggingOutput,
  GetBucketTaggingRequest,
  PutBucketTaggingRequest,
  Tag,
} from "@aws-sdk/client-s3";
import { BUCKET_TAGS_MAX } from "../../objects/index.ts";
import { given } from "../given.ts";
import type { OperationTable } from "../operation.ts";
import { type BucketParts, recordOf } from "./bucket-parts.ts";
import { noConfiguration, refused } from "./configuration-errors.ts";
import { checkTag, tagSet } from "./tags.ts";

/** Tags of buckets. @see S3 API reference */
export function bucketTagOperations({ buckets }: BucketParts) {
  return {
    async PutBucketTagging(input: PutBucketTaggingRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      const tags = tagsOf(given(input.Tagging, "Tagging").TagSet);
      await buckets.update(name, (record) => ({ ...record, tags }));
    },

    GetBucketTagging(input: GetBucketTaggingRequest): GetBucketTaggingOutput {
      const { name, tags } = recordOf(buckets, input);
      const TagSet = tagSet(tags);
      if (TagSet.length === 0) throw noConfiguration(name, "tagging", "The TagSet does not exist");
      return { TagSet };
    },

    async DeleteBucketTagging(input: DeleteBucketTaggingRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      await buckets.update(name, (record) => ({ ...record, tags: {} }));
    },
  } satisfies OperationTable;
}

/** A bucket's tags; refuses what S3 refuses. */
export function tagsOf(tags: readonly Tag[] | undefined): Record<string, string> {
  const found = new Map<string, string>();
  for (const { Key = "", Value = "" } of tags ?? []) {
    checkTag(Key, Value);
    if (found.has(Key)) throw refused("tag", "Cannot provide multiple Tags with the same key");
    found.set(Key, Value);
    if (found.size > BUCKET_TAGS_MAX) throw refused("request", `Bucket tag count cannot be greater than ${BUCKET_TAGS_MAX}`);
  }
  return Object.fromEntries(found);
}
