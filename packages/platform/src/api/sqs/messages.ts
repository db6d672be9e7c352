import type {
  ChangeMessageVisibilityRequest,
  DeleteMessageRequest,
  Message,
  MessageSystemAttributeName,
  ReceiveMessageRequest,
  ReceiveMessageResult,
  SendMessageBatchRequestEntry,
  SendMessageRequest,
  SendMessageResult,
} from "@aws-sdk/client-sqs";
import { LambentError } from "../../base/index.ts";
import type { NewMessage, Queues, ReceivedMessage } from "../../queues/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { attributesDigest, attributesOfInput, bodyDigest, chosenAttributes, outputOfAttributes } from "./message-attributes.ts";
import { queueOfUrl } from "./names.ts";

/** Who sent a message, as SQS tells it. */
export type SenderId = (context: Pick<RequestContext, "principal">) => string;

const RECEIVED_BY_DEFAULT = 1;

/** Messages one by one. @see SQS API reference */
export function messageOperations(queues: Queues, senderId: SenderId) {
  return {
    async SendMessage(input: SendMessageRequest, context: RequestContext): Promise<SendMessageResult> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const queue = await queues.queue(realm, name);
      const message = newMessage(input, senderId(context), context.traceHeader);
      const [outcome] = await queue.send([message]);
      if (outcome?.kind !== "sent") throw outcome?.error ?? new LambentError("InternalError", "a message was neither sent nor refused");
      return sentShape(message, outcome, queue.record.settings.kind === "fifo");
    },

    async ReceiveMessage(input: ReceiveMessageRequest, context: RequestContext): Promise<ReceiveMessageResult> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const queue = await queues.queue(realm, name);
      const system = [...(input.AttributeNames ?? []), ...(input.MessageSystemAttributeNames ?? [])];
      for (const each of system) if (each !== "All" && !isSystemAttribute(each)) throw unknownAttribute(each);
      const waitMs = input.WaitTimeSeconds === undefined ? queue.record.settings.waitMs : input.WaitTimeSeconds * 1_000;
      const messages = await queue.receive({
        max: input.MaxNumberOfMessages ?? RECEIVED_BY_DEFAULT,
        visibilityMs: input.VisibilityTimeout === undefined ? undefined : input.VisibilityTimeout * 1_000,
        waitMs,
        attempt: input.ReceiveRequestAttemptId,
        // Who does not wait has no time to leave.
        signal: waitMs > 0 ? context.signal : undefined,
      });
      const names = input.MessageAttributeNames ?? [];
      return messages.length === 0 ? {} : { Messages: messages.map((message) => messageShape(message, system, names)) };
    },

    async DeleteMessage(input: DeleteMessageRequest, context: RequestContext): Promise<void> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const queue = await queues.queue(realm, name);
      await queue.delete(given(input.ReceiptHandle, "ReceiptHandle"));
    },

    async ChangeMessageVisibility(input: ChangeMessageVisibilityRequest, context: RequestContext): Promise<void> {
      const { realm, name } = queueOfUrl(context, input.QueueUrl);
      const queue = await queues.queue(realm, name);
      const seconds = given(input.VisibilityTimeout, "VisibilityTimeout");
      await queue.changeVisibility(given(input.ReceiptHandle, "ReceiptHandle"), seconds * 1_000);
    },
  };
}

/** A message to be sent, from either of its shapes. */
export function newMessage(input: Omit<SendMessageBatchRequestEntry, "Id">, sender: string, callTrace: string | undefined): NewMessage {
  return {
    body: given(input.MessageBody, "MessageBody"),
    attributes: attributesOfInput(input.MessageAttributes),
    traceHeader: traceHeaderOf(input),
    callTrace,
    delayMs: input.DelaySeconds === undefined ? undefined : input.DelaySeconds * 1_000,
    group: input.MessageGroupId,
    deduplication: input.MessageDeduplicationId,
    sender,
  };
}

function traceHeaderOf({
  MessageSystemAttributes: system = {},
}: Pick<SendMessageRequest, "MessageSystemAttributes">): NewMessage["traceHeader"] {
  const foreign = Object.keys(system).find((name) => name !== "AWSTraceHeader");
  if (foreign !== undefined)
    throw new LambentError(
      "InvalidParameter",
      `Message system attribute name '${foreign.slice(0, 256)}' is invalid. Only AWSTraceHeader can be sent.`,
    );
  return attributesOfInput(system)["AWSTraceHeader"];
}

/** What a sender is told. */
export function sentShape(message: NewMessage, sent: { readonly id: string; readonly sequence: number }, fifo: boolean) {
  const system = message.traceHeader === undefined ? undefined : attributesDigest({ AWSTraceHeader: message.traceHeader });
  return {
    MessageId: sent.id,
    MD5OfMessageBody: bodyDigest(message.body),
    MD5OfMessageAttributes: attributesDigest(message.attributes),
    MD5OfMessageSystemAttributes: system,
    SequenceNumber: fifo ? sequenceText(sent.sequence) : undefined,
  };
}

/** Twenty digits, so that numbers compare as texts too. */
function sequenceText(sequence: number): string {
  return String(sequence).padStart(20, "0");
}

function messageShape(message: ReceivedMessage, system: readonly string[], names: readonly string[]): Message {
  const attributes = chosenAttributes(message.attributes, names);
  const digest = attributesDigest(attributes);
  return {
    MessageId: message.id,
    ReceiptHandle: message.handle,
    MD5OfBody: bodyDigest(message.body),
    Body: message.body,
    ...(system.length === 0 ? {} : { Attributes: systemAttributes(message, system) }),
    ...(digest === undefined ? {} : { MD5OfMessageAttributes: digest, MessageAttributes: outputOfAttributes(attributes) }),
  };
}

type SystemAttribute = Exclude<MessageSystemAttributeName, "All">;

const SYSTEM_ATTRIBUTES: Readonly<Record<SystemAttribute, (message: ReceivedMessage) => string | undefined>> = {
  SenderId: ({ sender }) => sender,
  SentTimestamp: ({ sentAt }) => String(sentAt),
  ApproximateReceiveCount: ({ receiveCount }) => String(receiveCount),
  ApproximateFirstReceiveTimestamp: ({ firstReceivedAt }) => String(firstReceivedAt),
  // Only messages of FIFO queues have a deduplication id, and with it a number of their own.
  SequenceNumber: ({ deduplication, sequence }) => (deduplication === undefined ? undefined : sequenceText(sequence)),
  MessageDeduplicationId: ({ deduplication }) => deduplication,
  MessageGroupId: ({ group }) => group,
  AWSTraceHeader: ({ traceHeader }) => traceHeader,
  DeadLetterQueueSourceArn: ({ source }) => source,
};

function isSystemAttribute(name: string): name is SystemAttribute {
  return Object.hasOwn(SYSTEM_ATTRIBUTES, name);
}

function systemAttributes(message: ReceivedMessage, names: readonly string[]): Partial<Record<SystemAttribute, string>> {
  const wanted = names.includes("All") ? Object.keys(SYSTEM_ATTRIBUTES) : names;
  const found: Partial<Record<SystemAttribute, string>> = {};
  for (const name of wanted) {
    const value = isSystemAttribute(name) ? SYSTEM_ATTRIBUTES[name](message) : undefined;
    if (value !== undefined) found[name as SystemAttribute] = value;
  }
  return found;
}

function unknownAttribute(name: string): LambentError {
  return new LambentError("InvalidAttributeName", `Unknown Attribute ${name.slice(0, 256)}.`);
}
