import { hash } from "node:crypto";
import type { MessageAttributeValue } from "@aws-sdk/client-sqs";
import { LambentError } from "../../base/index.ts";
import type { MessageAttribute } from "../../queues/index.ts";

type Attributes = Readonly<Record<string, MessageAttribute>>;

/** Attributes as they are stored, of those that were sent. What a value may be is checked by the queue. */
export function attributesOfInput(input: Readonly<Record<string, MessageAttributeValue>> | undefined): Attributes {
  const attributes: Record<string, MessageAttribute> = { __proto__: null } as unknown as Record<string, MessageAttribute>;
  for (const [name, value] of Object.entries(input ?? {})) attributes[name] = attributeOf(name, value);
  return attributes;
}

function attributeOf(
  name: string,
  { DataType: type, StringValue: text, BinaryValue: bytes, StringListValues, BinaryListValues }: MessageAttributeValue,
): MessageAttribute {
  if (StringListValues?.length || BinaryListValues?.length)
    throw new LambentError("UnsupportedOperation", "Message attribute list values in SendMessage operation are not supported.");
  if (!type)
    throw new LambentError("InvalidParameter", `The message attribute '${name.slice(0, 256)}' must contain message attribute type.`);
  if (text !== undefined && bytes !== undefined)
    throw new LambentError("InvalidParameter", `Message attribute name '${name.slice(0, 256)}' has multiple values.`);
  return { type, value: bytes === undefined ? (text ?? "") : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) };
}

/** The same on their way out. */
export function outputOfAttributes(attributes: Attributes): Record<string, MessageAttributeValue> {
  const output: Record<string, MessageAttributeValue> = { __proto__: null } as unknown as Record<string, MessageAttributeValue>;
  for (const [name, { type, value }] of Object.entries(attributes))
    output[name] = typeof value === "string" ? { DataType: type, StringValue: value } : { DataType: type, BinaryValue: value };
  return output;
}

/** Attributes that a receiver asked for: by name, by the beginning of a name (`foo.*`), or all. */
export function chosenAttributes(attributes: Attributes, names: readonly string[]): Attributes {
  if (names.length === 0) return {};
  if (names.includes("All") || names.includes(".*")) return attributes;
  const prefixes = names.flatMap((name) => (name.endsWith(".*") ? [name.slice(0, -2)] : []));
  return Object.fromEntries(
    Object.entries(attributes).filter(([name]) => names.includes(name) || prefixes.some((prefix) => name.startsWith(prefix))),
  );
}

export function bodyDigest(body: string): string {
  return hash("md5", body);
}

/** The digest that clients compare: names in order, each with its type and value, every part behind its length. */
export function attributesDigest(attributes: Attributes): string | undefined {
  const names = Object.keys(attributes).sort((left, right) => (left < right ? -1 : 1));
  if (names.length === 0) return undefined;
  const parts: Buffer[] = [];
  const add = (part: string | Buffer): void => {
    const bytes = typeof part === "string" ? Buffer.from(part) : part;
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32BE(bytes.length);
    parts.push(length, bytes);
  };
  for (const name of names) {
    const { type, value } = attributes[name] as MessageAttribute;
    add(name);
    add(type);
    parts.push(Buffer.from([typeof value === "string" ? 1 : 2]));
    add(value);
  }
  return hash("md5", Buffer.concat(parts));
}
