/**
 * What SNS makes of a message for each protocol: the JSON document for queues and HTTP, the event for functions, the message as it is where
 * a subscription asks for raw delivery; and what asks an HTTP endpoint to agree.
 * @see SNS developer guide, "Parsing message formats"
 */
import type { Instant } from "../base/index.ts";
import type { ParcelAttribute } from "../outbox/index.ts";
import type { SignatureVersion, Signer } from "./signing.ts";

/** What is the same for all subscriptions that get the same text. */
export interface Notification {
  readonly id: string;
  readonly topicArn: string;
  readonly body: string;
  readonly subject: string | undefined;
  readonly attributes: Readonly<Record<string, ParcelAttribute>>;
  readonly at: Instant;
  /** Only messages of FIFO topics have one. */
  readonly sequence: string | undefined;
  readonly signature: Signature;
}

export interface Signature {
  readonly version: SignatureVersion;
  readonly text: string;
  readonly certificateUrl: string;
}

/** Whom it is for, and how they leave. */
export interface Recipient {
  readonly subscriptionArn: string;
  readonly unsubscribeUrl: string;
}

/** Twenty digits, so that numbers compare as texts too. */
export function sequenceText(sequence: number): string {
  return String(sequence).padStart(20, "0");
}

/** The document that queues and HTTP endpoints get, as SNS writes it. */
export function notificationDocument(notification: Notification, { unsubscribeUrl }: Recipient): Buffer {
  const { id, sequence, topicArn, subject, body, at, signature, attributes } = notification;
  return document({
    Type: "Notification",
    MessageId: id,
    ...(sequence === undefined ? {} : { SequenceNumber: sequence }),
    TopicArn: topicArn,
    ...(subject === undefined ? {} : { Subject: subject }),
    Message: body,
    Timestamp: timeText(at),
    SignatureVersion: signature.version,
    Signature: signature.text,
    SigningCertURL: signature.certificateUrl,
    UnsubscribeURL: unsubscribeUrl,
    ...(Object.keys(attributes).length === 0 ? {} : { MessageAttributes: attributeShapes(attributes) }),
  });
}

/** The event a function is called with. */
export function notificationEvent(notification: Notification, { subscriptionArn, unsubscribeUrl }: Recipient): Buffer {
  const { id, topicArn, subject, body, at, signature, attributes } = notification;
  const Sns = {
    Type: "Notification",
    MessageId: id,
    TopicArn: topicArn,
    Subject: subject ?? null,
    Message: body,
    Timestamp: timeText(at),
    SignatureVersion: signature.version,
    Signature: signature.text,
    SigningCertUrl: signature.certificateUrl,
    UnsubscribeUrl: unsubscribeUrl,
    MessageAttributes: attributeShapes(attributes),
  };
  return Buffer.from(
    JSON.stringify({ Records: [{ EventSource: "aws:sns", EventVersion: "1.0", EventSubscriptionArn: subscriptionArn, Sns }] }),
  );
}

/** What is signed of a message. */
export function signedText(notification: Pick<Notification, "id" | "topicArn" | "body" | "subject" | "at">): string {
  const { id, topicArn, body, subject, at } = notification;
  return lines([
    ["Message", body],
    ["MessageId", id],
    ...(subject === undefined ? [] : [["Subject", subject] as const]),
    ["Timestamp", timeText(at)],
    ["TopicArn", topicArn],
    ["Type", "Notification"],
  ]);
}

/** What asks an endpoint to agree, or tells it that it may come back. */
export interface Handshake {
  readonly type: "SubscriptionConfirmation" | "UnsubscribeConfirmation";
  readonly id: string;
  readonly topicArn: string;
  readonly subscriptionArn: string;
  readonly token: string;
  readonly subscribeUrl: string;
  readonly at: Instant;
}

/** The document of a handshake, signed. */
export async function handshakeDocument(handshake: Handshake, signer: Signer, certificateUrl: string): Promise<Buffer> {
  const { type, id, token, topicArn, subscribeUrl, at } = handshake;
  const text = handshakeText(handshake);
  const signed = lines([
    ["Message", text],
    ["MessageId", id],
    ["SubscribeURL", subscribeUrl],
    ["Timestamp", timeText(at)],
    ["Token", token],
    ["TopicArn", topicArn],
    ["Type", type],
  ]);
  return document({
    Type: type,
    MessageId: id,
    Token: token,
    TopicArn: topicArn,
    Message: text,
    SubscribeURL: subscribeUrl,
    Timestamp: timeText(at),
    SignatureVersion: "1",
    Signature: await signer.sign(signed, "1"),
    SigningCertURL: certificateUrl,
  });
}

function handshakeText({ type, topicArn, subscriptionArn }: Handshake): string {
  return type === "SubscriptionConfirmation"
    ? `You have chosen to subscribe to the topic ${topicArn}.\nTo confirm the subscription, visit the SubscribeURL included in this message.`
    : `You have chosen to deactivate subscription ${subscriptionArn}.\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.`;
}

/** Headers that tell an HTTP endpoint what it gets. */
export function httpHeaders(what: {
  readonly type: string;
  readonly id: string;
  readonly topicArn: string;
  readonly subscriptionArn?: string;
  readonly contentType: string;
  readonly raw: boolean;
}): Record<string, string> {
  return {
    "content-type": what.contentType,
    "user-agent": "Amazon Simple Notification Service Agent",
    "x-amz-sns-message-type": what.type,
    "x-amz-sns-message-id": what.id,
    "x-amz-sns-topic-arn": what.topicArn,
    ...(what.subscriptionArn === undefined ? {} : { "x-amz-sns-subscription-arn": what.subscriptionArn }),
    ...(what.raw ? { "x-amz-sns-rawdelivery": "true" } : {}),
  };
}

function attributeShapes(attributes: Notification["attributes"]): Record<string, { Type: string; Value: string }> {
  const shapes: Record<string, { Type: string; Value: string }> = { __proto__: null } as unknown as Record<
    string,
    { Type: string; Value: string }
  >;
  for (const [name, { type, value }] of Object.entries(attributes))
    shapes[name] = { Type: type, Value: typeof value === "string" ? value : value.toString("base64") };
  return shapes;
}

function timeText(at: Instant): string {
  return new Date(at).toISOString();
}

/** Each name and value on a line of its own. */
function lines(pairs: readonly (readonly [name: string, value: string])[]): string {
  return pairs.map(([name, value]) => `${name}\n${value}\n`).join("");
}

/** With the blanks that SNS puts in: people compare by eye, and some by pattern. */
function document(value: object): Buffer {
  return Buffer.from(JSON.stringify(value, undefined, 2));
}
