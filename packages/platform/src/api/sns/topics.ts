import type {
  CreateTopicInput,
  CreateTopicResponse,
  DeleteTopicInput,
  GetTopicAttributesInput,
  GetTopicAttributesResponse,
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  ListTopicsInput,
  ListTopicsResponse,
  SetTopicAttributesInput,
  Tag,
  TagResourceRequest,
  TagResourceResponse,
  UntagResourceRequest,
  UntagResourceResponse,
} from "@aws-sdk/client-sns";
import { LambentError } from "../../base/index.ts";
import { DEFAULT_TOPIC_SETTINGS, topicArn, type TopicReference, type Topics } from "../../topics/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { topicOf } from "./names.ts";
import { type Page, pageOf, readToken } from "./paging.ts";
import { kindOf, topicAttributes, withTopicAttributes } from "./topic-attributes.ts";

/** Topics as such: made, found, set, removed. @see SNS API reference */
export function topicOperations(topics: Topics) {
  return {
    async CreateTopic(input: CreateTopicInput, { realm }: RequestContext): Promise<CreateTopicResponse> {
      refuseUnbuilt(input, ["DataProtectionPolicy"]);
      const name = given(input.Name, "Name");
      const { kind, others } = kindOf(input.Attributes ?? {});
      const { settings, given: members } = withTopicAttributes(DEFAULT_TOPIC_SETTINGS, others);
      await topics.create(realm, { name, kind, settings, tags: tagsOf(input.Tags) }, members);
      return { TopicArn: topicArn(realm, name) };
    },

    async DeleteTopic(input: DeleteTopicInput, context: RequestContext): Promise<void> {
      const { realm, name } = topicOf(context, input.TopicArn);
      await topics.delete(realm, name);
    },

    ListTopics(input: ListTopicsInput, { realm }: RequestContext): ListTopicsResponse {
      const { items, next }: Page<{ readonly name: string }> = pageOf(
        (range) => topics.list(realm, range),
        ({ name }) => name,
        readToken(input.NextToken),
      );
      return { Topics: items.map(({ name }) => ({ TopicArn: topicArn(realm, name) })), NextToken: next };
    },

    GetTopicAttributes(input: GetTopicAttributesInput, context: RequestContext): GetTopicAttributesResponse {
      const { realm, name } = topicOf(context, input.TopicArn);
      const record = topics.record(realm, name);
      return { Attributes: topicAttributes(realm, record, topics.counts(record)) };
    },

    async SetTopicAttributes(input: SetTopicAttributesInput, context: RequestContext): Promise<void> {
      const { realm, name } = topicOf(context, input.TopicArn);
      const attributes = { [given(input.AttributeName, "AttributeName")]: input.AttributeValue ?? "" };
      await topics.update(realm, name, ({ settings, tags }) => ({ tags, settings: withTopicAttributes(settings, attributes).settings }));
    },
  };
}

/** Tags of topics. @see SNS API reference */
export function topicTagOperations(topics: Topics) {
  const known = (reference: TopicReference): TopicReference => {
    if (!topics.find(reference.realm, reference.name)) throw new LambentError("NotFound", "Resource does not exist", { resource: true });
    return reference;
  };
  return {
    async TagResource(input: TagResourceRequest, context: RequestContext): Promise<TagResourceResponse> {
      const { realm, name } = known(topicOf(context, input.ResourceArn, "ResourceArn"));
      const added = tagsOf(given(input.Tags, "Tags"));
      await topics.update(realm, name, ({ settings, tags }) => ({ settings, tags: { ...tags, ...added } }));
      return {};
    },

    async UntagResource(input: UntagResourceRequest, context: RequestContext): Promise<UntagResourceResponse> {
      const { realm, name } = known(topicOf(context, input.ResourceArn, "ResourceArn"));
      const removed = new Set(given(input.TagKeys, "TagKeys"));
      await topics.update(realm, name, ({ settings, tags }) => ({
        settings,
        tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !removed.has(key))),
      }));
      return {};
    },

    ListTagsForResource(input: ListTagsForResourceRequest, context: RequestContext): ListTagsForResourceResponse {
      const { realm, name } = known(topicOf(context, input.ResourceArn, "ResourceArn"));
      return { Tags: Object.entries(topics.record(realm, name).tags).map(([Key, Value]) => ({ Key, Value })) };
    },
  };
}

function tagsOf(tags: readonly Tag[] | undefined): Record<string, string> {
  return Object.fromEntries((tags ?? []).map((tag) => [given(tag.Key, "Tags.Key"), given(tag.Value, "Tags.Value")]));
}
