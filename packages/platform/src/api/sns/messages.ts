import type {
  BatchResultErrorEntry,
  MessageAttributeValue,
  PublishBatchInput,
  PublishBatchRequestEntry,
  PublishBatchResponse,
  PublishBatchResultEntry,
  PublishInput,
  PublishResponse,
} from "@aws-sdk/client-sns";
import { LambentError } from "../../base/index.ts";
import {
  invalid,
  NOTIFICATION_BYTES_MAX,
  notificationBytes,
  type NewNotification,
  type PublishOutcome,
  sequenceText,
  type Topics,
} from "../../topics/index.ts";
import { loadService } from "../../wire/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { tried } from "../tried.ts";
import { type BatchFault, snsWireError } from "./errors.ts";
import { topicOf } from "./names.ts";

/** Entries of one batch. @limit */
export const PUBLISH_ENTRIES_MAX = 10;

const ENTRY_ID = /^[A-Za-z0-9_-]{1,80}$/;

/** Messages one by one and in batches. @see SNS API reference */
export function messageOperations(topics: Topics) {
  return {
    async Publish(input: PublishInput, context: RequestContext): Promise<PublishResponse> {
      refuseUnbuilt(input, ["PhoneNumber"]);
      const { realm, name } = topicOf(context, targetOf(input));
      const [outcome] = await topics.publish(realm, name, [notificationOf(input)], context);
      if (outcome?.kind !== "published") throw outcome?.error ?? neitherNor();
      return publishedShape(outcome);
    },

    async PublishBatch(input: PublishBatchInput, context: RequestContext): Promise<PublishBatchResponse> {
      const { realm, name } = topicOf(context, input.TopicArn);
      const entries = checkedEntries(input.PublishBatchRequestEntries);
      const drafts = entries.map((entry) => ({ id: given(entry.Id, "Id"), message: tried(() => notificationOf(entry)) }));
      const messages = drafts.flatMap(({ message }) => (message instanceof LambentError ? [] : [message]));
      checkTogether(messages);
      const outcomes = (await topics.publish(realm, name, messages, context)).values();
      const result = { Successful: [] as PublishBatchResultEntry[], Failed: [] as BatchResultErrorEntry[] };
      for (const { id, message } of drafts) {
        const outcome: PublishOutcome =
          message instanceof LambentError
            ? { kind: "refused", error: message }
            : (outcomes.next().value ?? { kind: "refused", error: neitherNor() });
        if (outcome.kind === "refused") result.Failed.push(failedEntry(id, outcome.error));
        else result.Successful.push({ Id: id, ...publishedShape(outcome) });
      }
      return result;
    },
  };
}

/** Where a message goes: a topic, under either name. Endpoints of mobile applications are not built, and refused by their ARN. */
export function targetOf({ TopicArn, TargetArn }: Pick<PublishInput, "TopicArn" | "TargetArn">): string {
  if (TopicArn !== undefined && TargetArn !== undefined) throw invalid("Both TopicArn and TargetArn are given: one of them is");
  const arn = TopicArn ?? TargetArn;
  if (arn === undefined) throw invalid("TopicArn or TargetArn Reason: no value for required parameter");
  if (/^arn:[^:]*:sns:[^:]*:[^:]*:(endpoint|app)\//.test(arn.slice(0, 256)))
    throw new LambentError("NotImplemented", "Endpoints of mobile applications are not built in Lambent.");
  return arn;
}

function notificationOf(input: Omit<PublishBatchRequestEntry, "Id">): NewNotification {
  const { MessageStructure: structure, Subject: subject, MessageGroupId, MessageDeduplicationId } = input;
  if (structure !== undefined && structure !== "json") throw invalid("MessageStructure");
  return {
    message: given(input.Message, "Message"),
    structure: structure ?? "plain",
    subject,
    attributes: attributesOf(input.MessageAttributes),
    group: MessageGroupId,
    deduplication: MessageDeduplicationId,
  };
}

function attributesOf(input: Readonly<Record<string, MessageAttributeValue>> | undefined): NewNotification["attributes"] {
  const attributes = { __proto__: null } as unknown as Record<string, NewNotification["attributes"][string]>;
  for (const [name, { DataType: type = "", StringValue: text, BinaryValue: bytes }] of Object.entries(input ?? {}))
    attributes[name] = { type, value: bytes === undefined ? (text ?? "") : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
  return attributes;
}

function publishedShape({ id, sequence }: PublishOutcome & { readonly kind: "published" }): PublishResponse {
  return { MessageId: id, ...(sequence === undefined ? {} : { SequenceNumber: sequenceText(sequence) }) };
}

/** Refuses what is wrong with a batch as a whole. */
function checkedEntries(entries: readonly PublishBatchRequestEntry[] | undefined): readonly PublishBatchRequestEntry[] {
  if (!entries || entries.length === 0) throw wrongBatch("EmptyBatchRequestException", "The batch request doesn't contain any entries.");
  if (entries.length > PUBLISH_ENTRIES_MAX)
    throw wrongBatch(
      "TooManyEntriesInBatchRequestException",
      `The batch request contains more entries than permissible: ${entries.length}, and ${PUBLISH_ENTRIES_MAX} are.`,
    );
  const seen = new Set<string>();
  for (const { Id: id = "" } of entries) {
    if (!ENTRY_ID.test(id))
      throw wrongBatch("InvalidBatchEntryIdException", "The Id of a batch entry in a batch request doesn't abide by the specification.");
    if (seen.has(id)) throw wrongBatch("BatchEntryIdsNotDistinctException", "Two or more batch entries in the request have the same Id.");
    seen.add(id);
  }
  return entries;
}

function checkTogether(messages: readonly NewNotification[]): void {
  const bytes = messages.reduce((sum, message) => sum + notificationBytes(message), 0);
  if (bytes > NOTIFICATION_BYTES_MAX)
    throw wrongBatch(
      "BatchRequestTooLongException",
      `The messages have ${bytes} bytes together, and ${NOTIFICATION_BYTES_MAX} are allowed.`,
    );
}

function wrongBatch(fault: BatchFault, message: string): LambentError {
  return new LambentError("InvalidBatch", message, { fault });
}

function neitherNor(): LambentError {
  return new LambentError("InternalError", "a message was neither published nor refused");
}

/** An entry's error goes by its code in the query form, as on AWS. */
function failedEntry(id: string, error: LambentError): BatchResultErrorEntry {
  const { name, message } = snsWireError(error);
  const code = loadService("sns").error(name)?.error?.queryCode ?? name;
  return { Id: id, SenderFault: error.entry.fault === "caller", Code: code, Message: message };
}
