import type {
  AddTagsToStreamInput,
  ListTagsForResourceInput,
  ListTagsForResourceOutput,
  ListTagsForStreamInput,
  ListTagsForStreamOutput,
  RemoveTagsFromStreamInput,
  Tag,
  TagResourceInput,
  UntagResourceInput,
} from "@aws-sdk/client-kinesis";
import type { StreamReference, Streams } from "../../streams/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { changeConsumer, foundConsumer } from "./consumer-records.ts";
import { invalidArgument } from "./errors.ts";
import { foundStream, referenceOf, streamOf } from "./names.ts";
import { pageOf } from "./paging.ts";

/** Tags of one stream or consumer. @limit */
export const STREAM_TAGS_MAX = 50;

type Tags = Readonly<Record<string, string>>;

/** Tags, by the older operations for streams and the newer ones for whatever has an ARN. @see Kinesis API reference */
export function tagOperations(streams: Streams) {
  const change = async (reference: StreamReference, change: (tags: Tags) => Tags): Promise<void> => {
    foundStream(streams, reference);
    const { consumer } = reference;
    if (consumer) await changeConsumer(streams, reference, (record) => ({ ...record, tags: change(record.tags ?? {}) }));
    else await streams.update(reference.realm, reference.name, (record) => ({ ...record, tags: change(record.tags) }));
  };
  const resource = (context: RequestContext, input: { ResourceARN: string | undefined }): StreamReference => {
    refuseUnbuilt(input, ["StreamId"]);
    return referenceOf(context, given(input.ResourceARN, "ResourceARN"));
  };
  return {
    async AddTagsToStream(input: AddTagsToStreamInput, context: RequestContext): Promise<void> {
      const stream = streamOf(context, input);
      await change(stream, (tags) => withTags(tags, given(input.Tags, "Tags"), stream.name));
    },

    async RemoveTagsFromStream(input: RemoveTagsFromStreamInput, context: RequestContext): Promise<void> {
      await change(streamOf(context, input), (tags) => withoutTags(tags, given(input.TagKeys, "TagKeys")));
    },

    ListTagsForStream(input: ListTagsForStreamInput, context: RequestContext): ListTagsForStreamOutput {
      const { tags } = foundStream(streams, streamOf(context, input));
      const { ExclusiveStartTagKey: after, Limit: limit = STREAM_TAGS_MAX } = input;
      const { page, last } = pageOf(tagShapes(tags), { after, limit, keyOf: ({ Key = "" }) => Key });
      return { Tags: [...page], HasMoreTags: last !== undefined };
    },

    async TagResource(input: TagResourceInput, context: RequestContext): Promise<void> {
      const reference = resource(context, input);
      await change(reference, (tags) => withTags(tags, given(input.Tags, "Tags"), reference.name));
    },

    async UntagResource(input: UntagResourceInput, context: RequestContext): Promise<void> {
      await change(resource(context, input), (tags) => withoutTags(tags, given(input.TagKeys, "TagKeys")));
    },

    ListTagsForResource(input: ListTagsForResourceInput, context: RequestContext): ListTagsForResourceOutput {
      const reference = resource(context, input);
      const record = foundStream(streams, reference);
      return { Tags: tagShapes(reference.consumer ? (foundConsumer(record, reference).tags ?? {}) : record.tags) };
    },
  };
}

/** `tags` with `added`. Throws `InvalidParameter` where these are too many. */
export function withTags(tags: Tags, added: Tags, stream: string): Tags {
  const all = { ...tags, ...added };
  if (Object.keys(all).length > STREAM_TAGS_MAX)
    throw invalidArgument(`Failed to add tags to stream ${stream}: it would have more than ${STREAM_TAGS_MAX} tags.`);
  return all;
}

function withoutTags(tags: Tags, keys: readonly string[]): Tags {
  const removed = new Set(keys);
  return Object.fromEntries(Object.entries(tags).filter(([key]) => !removed.has(key)));
}

function tagShapes(tags: Tags): Tag[] {
  return Object.entries(tags)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([Key, Value]) => ({ Key, Value }));
}
