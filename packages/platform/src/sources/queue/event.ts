/** Messages as AWS hands them to a function: one record each, joined to an event. @see Lambda guide, "Using Lambda with Amazon SQS" */
import { createHash } from "node:crypto";
import { parseQueueArn, type MessageAttribute, type ReceivedMessage } from "../../queues/index.ts";

/** One entry of `Records`, with the members in AWS's order. */
export interface QueueRecordShape {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, AttributeShape>>;
  readonly md5OfMessageAttributes?: string;
  readonly md5OfBody: string;
  readonly eventSource: "aws:sqs";
  readonly eventSourceARN: string;
  readonly awsRegion: string;
}

interface AttributeShape {
  readonly stringValue?: string;
  readonly binaryValue?: string;
  readonly stringListValues: readonly string[];
  readonly binaryListValues: readonly string[];
  readonly dataType: string;
}

/** Digits of a sequence number. */
const SEQUENCE_DIGITS = 20;

export function recordOf(message: ReceivedMessage, queueArn: string): QueueRecordShape {
  const names = Object.keys(message.attributes);
  return {
    messageId: message.id,
    receiptHandle: message.handle,
    body: message.body,
    attributes: systemAttributes(message),
    messageAttributes: Object.fromEntries(Object.entries(message.attributes).map(([name, attribute]) => [name, attributeShape(attribute)])),
    ...(names.length > 0 ? { md5OfMessageAttributes: md5OfAttributes(message.attributes) } : {}),
    md5OfBody: createHash("md5").update(message.body).digest("hex"),
    eventSource: "aws:sqs",
    eventSourceARN: queueArn,
    awsRegion: parseQueueArn(queueArn)?.realm.region ?? "",
  };
}

/** The event of a batch, of its records as JSON. */
export function eventOf(records: readonly string[]): Buffer {
  return Buffer.from(`{"Records":[${records.join(",")}]}`);
}

function systemAttributes(message: ReceivedMessage): Record<string, string> {
  const { group, deduplication, traceHeader, source } = message;
  return {
    ApproximateReceiveCount: String(message.receiveCount),
    ...(traceHeader === undefined ? {} : { AWSTraceHeader: traceHeader }),
    SentTimestamp: String(message.sentAt),
    ...(deduplication === undefined ? {} : { SequenceNumber: String(message.sequence).padStart(SEQUENCE_DIGITS, "0") }),
    ...(group === undefined ? {} : { MessageGroupId: group }),
    SenderId: message.sender,
    ...(deduplication === undefined ? {} : { MessageDeduplicationId: deduplication }),
    ApproximateFirstReceiveTimestamp: String(message.firstReceivedAt),
    ...(source === undefined ? {} : { DeadLetterQueueSourceArn: source }),
  };
}

function attributeShape({ type, value }: MessageAttribute): AttributeShape {
  const held = typeof value === "string" ? { stringValue: value } : { binaryValue: value.toString("base64") };
  return { ...held, stringListValues: [], binaryListValues: [], dataType: type };
}

const STRING_VALUE = 1;
const BINARY_VALUE = 2;

/** SQS's digest of attributes: names in order, each with type and value, every part behind its length. */
function md5OfAttributes(attributes: Readonly<Record<string, MessageAttribute>>): string {
  const digest = createHash("md5");
  const part = (bytes: Buffer): void => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    digest.update(length).update(bytes);
  };
  for (const [name, { type, value }] of Object.entries(attributes).toSorted(([left], [right]) => (left < right ? -1 : 1))) {
    part(Buffer.from(name));
    part(Buffer.from(type));
    digest.update(Buffer.of(typeof value === "string" ? STRING_VALUE : BINARY_VALUE));
    part(typeof value === "string" ? Buffer.from(value) : value);
  }
  return digest.digest("hex");
}
