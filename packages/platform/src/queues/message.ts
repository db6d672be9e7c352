import { createHash } from "node:crypto";
import { LambentError } from "../base/index.ts";

/** Attributes of one message. @limit */
export const MESSAGE_ATTRIBUTES_MAX = 10;
const ATTRIBUTE_NAME_LENGTH_MAX = 256;
/** It does not count against the size of a message. */
const TRACE_HEADER_CHARS_MAX = 2_048;
const IDENTIFIER = /^[!-~]{1,128}$/;
const ATTRIBUTE_NAME = /^(?!\.)(?!.*\.\.)(?!aws\.)(?!amazon\.)[A-Za-z0-9_.-]+(?<!\.)$/i;
const ATTRIBUTE_TYPE = /^(String|Number|Binary)(\.[A-Za-z0-9_.-]+)?$/;
const NUMBER = /^[+-]?(\d{1,38}(\.\d{0,38})?|\.\d{1,38})([eE][+-]?\d{1,3})?$/;
// The characters XML 1.0 has: what a message may hold in every protocol.
const FORBIDDEN = /[^\u0009\u000A\u000D\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;

export interface MessageAttribute {
  readonly type: string;
  /** Binary values are bytes. */
  readonly value: string | Buffer;
}

export interface NewMessage {
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly traceHeader?: MessageAttribute | undefined;
  /** The trace header of the call that sends it: taken where the message names none, so that chains of calls are known across queues. */
  readonly callTrace?: string | undefined;
  readonly delayMs?: number | undefined;
  readonly group?: string | undefined;
  readonly deduplication?: string | undefined;
  readonly sender: string;
  /** Exactly once for each number of the source: it comes from another cell. */
  readonly delivery?: { readonly source: string; readonly number: number } | undefined;
}

/** A message as it lies in its queue. */
export interface StoredMessage {
  readonly body: string;
  readonly attributes: Readonly<Record<string, MessageAttribute>>;
  readonly sender: string;
  readonly deduplication: string | undefined;
  readonly traceHeader: string | undefined;
  /** The queue it came from, when this one is its dead-letter queue. */
  readonly source: string | undefined;
}

/** What stands before the texts and bytes of a message: who and what, and how long each of them is. */
interface PackedHead {
  readonly s: string;
  /** Bytes of the body. */
  readonly b: number;
  /** Attributes in the order of their values behind the body. */
  readonly a?: readonly (readonly [name: string, type: string, bytes: number, binary: 0 | 1])[];
  readonly d?: string;
  readonly t?: string;
  readonly q?: string;
}

const FORMAT = 1;
const HEAD_AT = 5;

/** The bytes of a message in its queue: format, length of the head, head, body, values of attributes. Texts are not escaped, so that nothing grows. */
export function packMessage(message: StoredMessage): Buffer {
  const body = Buffer.from(message.body);
  const values: Buffer[] = [];
  const attributes = Object.entries(message.attributes).map(([name, { type, value }]): readonly [string, string, number, 0 | 1] => {
    const bytes = typeof value === "string" ? Buffer.from(value) : value;
    values.push(bytes);
    return [name, type, bytes.length, typeof value === "string" ? 0 : 1];
  });
  const head: PackedHead = {
    s: message.sender,
    b: body.length,
    ...(attributes.length > 0 ? { a: attributes } : {}),
    ...(message.deduplication === undefined ? {} : { d: message.deduplication }),
    ...(message.traceHeader === undefined ? {} : { t: message.traceHeader }),
    ...(message.source === undefined ? {} : { q: message.source }),
  };
  const headBytes = Buffer.from(JSON.stringify(head));
  const prefix = Buffer.allocUnsafe(HEAD_AT);
  prefix.writeUInt8(FORMAT, 0);
  prefix.writeUInt32LE(headBytes.length, 1);
  return Buffer.concat([prefix, headBytes, body, ...values]);
}

export function unpackMessage(bytes: Uint8Array): StoredMessage {
  const packed = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (packed[0] !== FORMAT) throw new LambentError("StorageCorrupt", `A message has format ${packed[0]}; this version reads ${FORMAT}.`);
  const bodyAt = HEAD_AT + packed.readUInt32LE(1);
  const { s, b, a = [], d, t, q } = JSON.parse(packed.toString("utf8", HEAD_AT, bodyAt)) as PackedHead;
  const attributes: Record<string, MessageAttribute> = { __proto__: null } as unknown as Record<string, MessageAttribute>;
  let at = bodyAt + b;
  for (const [name, type, length, binary] of a) {
    // Copied: the rest of the row is not kept for the sake of a value.
    attributes[name] = { type, value: binary ? Buffer.from(packed.subarray(at, at + length)) : packed.toString("utf8", at, at + length) };
    at += length;
  }
  return { body: packed.toString("utf8", bodyAt, bodyAt + b), attributes, sender: s, deduplication: d, traceHeader: t, source: q };
}

/** What content-based deduplication goes by: the body alone. */
export function contentDigest(body: string): string {
  return createHash("sha256").update(body).digest("hex");
}

/** What counts against the limits: the body, and the attributes with their names and types. */
export function messageBytes({ body, attributes }: Pick<NewMessage, "body" | "attributes">): number {
  let bytes = Buffer.byteLength(body);
  for (const [name, { type, value }] of Object.entries(attributes))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(type) + Buffer.byteLength(value);
  return bytes;
}

/** Refuses a message no queue takes. */
export function checkMessage(message: NewMessage): void {
  if (message.body === "") throw new LambentError("InvalidParameter", "The request must contain the parameter MessageBody.");
  checkCharacters(message.body);
  checkIdentifier(message.group, "MessageGroupId");
  checkIdentifier(message.deduplication, "MessageDeduplicationId");
  const names = Object.keys(message.attributes);
  if (names.length > MESSAGE_ATTRIBUTES_MAX)
    throw new LambentError(
      "InvalidParameter",
      `Number of message attributes [${names.length}] exceeds the allowed maximum [${MESSAGE_ATTRIBUTES_MAX}].`,
    );
  for (const name of names) checkAttribute(name, message.attributes[name] as MessageAttribute);
  const trace = message.traceHeader;
  if (trace && (trace.type !== "String" || typeof trace.value !== "string" || trace.value.length > TRACE_HEADER_CHARS_MAX))
    throw new LambentError(
      "InvalidParameter",
      `The message system attribute 'AWSTraceHeader' must be of the type String, with at most ${TRACE_HEADER_CHARS_MAX} characters.`,
    );
}

function checkAttribute(name: string, { type, value }: MessageAttribute): void {
  const shown = name.slice(0, ATTRIBUTE_NAME_LENGTH_MAX);
  if (name.length > ATTRIBUTE_NAME_LENGTH_MAX || !ATTRIBUTE_NAME.test(name))
    throw new LambentError(
      "InvalidParameter",
      `The message attribute name '${shown}' is invalid: it has A-Z, a-z, 0-9, underscore, hyphen and period, and does not begin with AWS. or Amazon.`,
    );
  const kind = ATTRIBUTE_TYPE.exec(type)?.[1];
  if (kind === undefined || type.length > ATTRIBUTE_NAME_LENGTH_MAX)
    throw new LambentError(
      "InvalidParameter",
      `The message attribute '${shown}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  if (value.length === 0 || (kind === "Binary") === (typeof value === "string"))
    throw new LambentError("InvalidParameter", `The message attribute '${shown}' must contain a non-empty value of its type '${type}'.`);
  if (kind === "Number" && !NUMBER.test(value as string))
    throw new LambentError("InvalidParameter", `Can't cast the value of message (user) attribute '${shown}' to a number.`);
  if (typeof value === "string") checkCharacters(value);
}

function checkCharacters(text: string): void {
  if (FORBIDDEN.test(text))
    throw new LambentError(
      "InvalidMessage",
      "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF.",
    );
}

function checkIdentifier(value: string | undefined, name: string): void {
  if (value !== undefined && !IDENTIFIER.test(value))
    throw new LambentError("InvalidParameter", `${name} can only include alphanumeric and punctuation characters. 1 to 128 in length.`);
}
