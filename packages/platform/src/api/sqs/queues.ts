import type {
  CreateQueueRequest,
  CreateQueueResult,
  DeleteQueueRequest,
  GetQueueAttributesRequest,
  GetQueueAttributesResult,
  GetQueueUrlRequest,
  GetQueueUrlResult,
  ListDeadLetterSourceQueuesRequest,
  ListDeadLetterSourceQueuesResult,
  ListQueuesRequest,
  ListQueuesResult,
  ListQueueTagsRequest,
  ListQueueTagsResult,
  PurgeQueueRequest,
  SetQueueAttributesRequest,
  TagQueueRequest,
  UntagQueueRequest,
} from "@aws-sdk/client-sqs";
import { LambentError } from "../../base/index.ts";
import { DEFAULT_QUEUE_SETTINGS, queueArn, type QueueRecord, type Queues } from "../../queues/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { attributesOf, withAttributes } from "./attributes.ts";
import { queueOfUrl, queueUrl, realmWith } from "./names.ts";

const PAGE_MAX = 1_000;

/** Queues as such: made, found, set, emptied, removed. @see SQS API reference */
export function queueOperations(queues: Queues) {
  return {
    async CreateQueue(input: CreateQueueRequest, context: RequestContext): Promise<CreateQueueResult> {
      const name = given(input.QueueName, "QueueName");
      const { settings, given: members } = withAttributes(DEFAULT_QUEUE_SETTINGS, input.Attributes ?? {});
      await queues.create(context.realm, name, settings, members, { ...input.tags });
      return { QueueUrl: queueUrl(context, { realm: context.realm, name }) };
    },

    async DeleteQueue(input: DeleteQueueRequest, context: RequestContext): Promise<void> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      await queues.delete(realm, name);
    },

    GetQueueUrl(input: GetQueueUrlRequest, context: RequestContext): GetQueueUrlResult {
      const realm = realmWith(context, input.QueueOwnerAWSAccountId);
      const { name } = queues.record(realm, given(input.QueueName, "QueueName"));
      return { QueueUrl: queueUrl(context, { realm, name }) };
    },

    ListQueues(input: ListQueuesRequest, context: RequestContext): ListQueuesResult {
      const { QueueNamePrefix: prefix = "", MaxResults, NextToken } = input;
      const limit = pageSize(MaxResults);
      const found = queues.list(context.realm, { prefix, limit: limit + 1, after: readToken(NextToken) });
      const { page, next } = paged(found, limit, MaxResults !== undefined);
      return { QueueUrls: page.map(({ name }) => queueUrl(context, { realm: context.realm, name })), NextToken: next };
    },

    ListDeadLetterSourceQueues(input: ListDeadLetterSourceQueuesRequest, context: RequestContext): ListDeadLetterSourceQueuesResult {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const limit = pageSize(input.MaxResults);
      const after = readToken(input.NextToken) ?? "";
      const found = queues
        .sources(realm, name)
        .filter((each) => each.name > after)
        .sort((left, right) => (left.name < right.name ? -1 : 1));
      const { page, next } = paged(found, limit, input.MaxResults !== undefined);
      return { queueUrls: page.map((each) => queueUrl(context, { realm, name: each.name })), NextToken: next };
    },

    async GetQueueAttributes(input: GetQueueAttributesRequest, context: RequestContext): Promise<GetQueueAttributesResult> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const { record, list } = await queues.queue(realm, name);
      const figures = () => ({ ...list.counts(), arn: queueArn(realm, name) });
      const names = input.AttributeNames ?? [];
      return names.length === 0 ? {} : { Attributes: attributesOf(record, figures, names) };
    },

    async SetQueueAttributes(input: SetQueueAttributesRequest, context: RequestContext): Promise<void> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const attributes = given(input.Attributes, "Attributes");
      await queues.update(realm, name, (record) => ({ tags: record.tags, settings: changedSettings(record, attributes) }));
    },

    async PurgeQueue(input: PurgeQueueRequest, context: RequestContext): Promise<void> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      await queues.purge(realm, name);
    },
  };
}

/** Tags of queues. @see SQS API reference */
export function queueTagOperations(queues: Queues) {
  return {
    async TagQueue(input: TagQueueRequest, context: RequestContext): Promise<void> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const added = given(input.Tags, "Tags");
      await queues.update(realm, name, ({ settings, tags }) => ({ settings, tags: { ...tags, ...added } }));
    },

    async UntagQueue(input: UntagQueueRequest, context: RequestContext): Promise<void> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const removed = new Set(given(input.TagKeys, "TagKeys"));
      await queues.update(realm, name, ({ settings, tags }) => ({
        settings,
        tags: Object.fromEntries(Object.entries(tags).filter(([key]) => !removed.has(key))),
      }));
    },

    ListQueueTags(input: ListQueueTagsRequest, context: RequestContext): ListQueueTagsResult {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const { tags } = queues.record(realm, name);
      return Object.keys(tags).length === 0 ? {} : { Tags: { ...tags } };
    },
  };
}

/** A queue stays of its kind. */
function changedSettings({ settings: current }: QueueRecord, attributes: SetQueueAttributesRequest["Attributes"] & object) {
  const { settings } = withAttributes(current, attributes);
  if (settings.kind !== current.kind)
    throw new LambentError("InvalidAttributeName", "Unknown Attribute FifoQueue: a queue stays of the kind it was created as.");
  return settings;
}

function pageSize(asked: number | undefined): number {
  if (asked !== undefined && !(asked >= 1 && asked <= PAGE_MAX))
    throw new LambentError("InvalidParameter", `Value ${asked} for parameter MaxResults is invalid. Reason: It is 1 to ${PAGE_MAX}.`);
  return asked ?? PAGE_MAX;
}

/** As on AWS, only who asks for pages is told that there is another one. */
function paged(
  found: readonly QueueRecord[],
  limit: number,
  asked: boolean,
): { readonly page: readonly QueueRecord[]; readonly next: string | undefined } {
  const page = found.slice(0, limit);
  const last = page.at(-1);
  return { page, next: asked && found.length > limit && last ? Buffer.from(last.name).toString("base64url") : undefined };
}

/** The name behind which a page begins. */
function readToken(token: string | undefined): string | undefined {
  if (token === undefined) return undefined;
  const name = Buffer.from(token.slice(0, 200), "base64url").toString("utf8");
  if (!/^[A-Za-z0-9_-]{1,80}(\.fifo)?$/.test(name))
    throw new LambentError(
      "InvalidParameter",
      `Value ${token.slice(0, 80)} for parameter NextToken is invalid. Reason: It is none that this operation gave.`,
    );
  return name;
}
