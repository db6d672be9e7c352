/** A message as it is published: what it may be, and what of it each protocol gets. */
import type { ParcelAttribute } from "../outbox/index.ts";
import { LambentError } from "../base/index.ts";
import { invalid } from "./refused.ts";
import type { SubscriptionProtocol } from "./subscription.ts";

/** Bytes of a message with its attributes, and of all messages of one batch. @limit */
export const NOTIFICATION_BYTES_MAX = 262_144;
/** Characters of a subject. @limit */
export const SUBJECT_LENGTH_MAX = 100;
const ATTRIBUTE_NAME_LENGTH_MAX = 256;

const SUBJECT = /^[!-~][ -~]*$/;
const IDENTIFIER = /^[!-~]{1,128}$/;
const ATTRIBUTE_NAME = /^(?!\.)(?!.*\.\.)(?!aws\.)(?!amazon\.)[A-Za-z0-9_.-]+(?<!\.)$/i;
const ATTRIBUTE_TYPE = /^(String|Number|Binary)(\.[A-Za-z0-9_.-]+)?$/;
const NUMBER = /^[+-]?(\d{1,38}(\.\d{0,38})?|\.\d{1,38})([eE][+-]?\d{1,3})?$/;

export interface NewNotification {
  readonly message: string;
  /** `json`: the message is an object with a text for each protocol, and one called `default`. */
  readonly structure: "plain" | "json";
  readonly subject: string | undefined;
  readonly attributes: Readonly<Record<string, ParcelAttribute>>;
  readonly group: string | undefined;
  readonly deduplication: string | undefined;
}

/** The text for each protocol. */
export type Bodies = (protocol: SubscriptionProtocol) => string;

/** What counts against the limits: the message, and attributes with their names and types. */
export function notificationBytes({ message, attributes }: Pick<NewNotification, "message" | "attributes">): number {
  let bytes = Buffer.byteLength(message);
  for (const [name, { type, value }] of Object.entries(attributes))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(type) + Buffer.byteLength(value);
  return bytes;
}

/** Refuses a message no topic takes; returns the texts for the protocols. */
export function checkNotification(notification: NewNotification): Bodies {
  const { message, subject, attributes, group, deduplication } = notification;
  if (message === "") throw invalid("Empty message");
  if (subject !== undefined && (subject.length > SUBJECT_LENGTH_MAX || !SUBJECT.test(subject))) throw invalid("Subject");
  for (const [name, attribute] of Object.entries(attributes)) checkAttribute(name, attribute);
  if (notificationBytes(notification) > NOTIFICATION_BYTES_MAX) throw invalid("Message too long");
  checkIdentifier(group, "MessageGroupId");
  checkIdentifier(deduplication, "MessageDeduplicationId");
  return notification.structure === "plain" ? () => message : structuredBodies(message);
}

function structuredBodies(message: string): Bodies {
  let value: unknown;
  try {
    value = JSON.parse(message);
  } catch {
    throw invalid("Message Structure - JSON message body failed to parse");
  }
  const bodies = new Map<string, unknown>(typeof value === "object" && value !== null ? Object.entries(value) : []);
  const fallback = bodies.get("default");
  if (typeof fallback !== "string") throw invalid("Message Structure - No default entry in JSON message body");
  return (protocol) => {
    const own = bodies.get(protocol);
    return typeof own === "string" ? own : fallback;
  };
}

function checkAttribute(name: string, { type, value }: ParcelAttribute): void {
  const label = name.slice(0, ATTRIBUTE_NAME_LENGTH_MAX);
  if (name.length > ATTRIBUTE_NAME_LENGTH_MAX || !ATTRIBUTE_NAME.test(name))
    throw wrongValue(
      `The message attribute name '${label}' is invalid: it has A-Z, a-z, 0-9, underscore, hyphen and period, and does not begin with AWS. or Amazon.`,
    );
  const kind = ATTRIBUTE_TYPE.exec(type)?.[1];
  if (kind === undefined || type.length > ATTRIBUTE_NAME_LENGTH_MAX)
    throw wrongValue(
      `The message attribute '${label}' has an invalid message attribute type, the set of supported type prefixes is Binary, Number, and String.`,
    );
  if (value.length === 0 || (kind === "Binary") === (typeof value === "string"))
    throw wrongValue(
      `The message attribute '${label}' must contain non-empty message attribute value for message attribute type '${type}'.`,
    );
  if (kind === "Number" && !NUMBER.test(value as string)) throw wrongValue(`Could not cast message attribute '${label}' value to number.`);
}

function checkIdentifier(value: string | undefined, name: string): void {
  if (value !== undefined && !IDENTIFIER.test(value))
    throw invalid(`The ${name} parameter can only include alphanumeric and punctuation characters, 1 to 128 of them`);
}

/** SNS has an error of its own for values of attributes. */
function wrongValue(message: string): LambentError {
  return new LambentError("InvalidParameter", message, { value: true });
}
