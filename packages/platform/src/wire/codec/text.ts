/** Values as text: in headers, paths, queries, forms and XML. */
import { LambentError } from "../../base/index.ts";
import type { Member, TimestampFormat } from "../schema.ts";

const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
/** Characters of a number that is written as text. */
const NUMBER_CHARS_MAX = 64;
const DATE_TIME = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)$/;
const HTTP_DATE = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d(?:\.\d{1,3})? GMT$/;
/** Characters of a time that is written as text. */
const TIMESTAMP_CHARS_MAX = 40;

export function malformed(name: string, expected: string, got: string): LambentError {
  return new LambentError("MalformedRequest", `${name} must be ${expected}; it is ${got}.`);
}

/** Reads a simple value; `name` is what an error calls it. */
export function parseText(member: Member, text: string, name: string): unknown {
  switch (member.shape.kind) {
    case "string":
      return text;
    case "number":
      return parseNumber(text, name);
    case "boolean":
      return parseBoolean(text, name);
    case "timestamp":
      return parseTimestamp(text, name);
    case "blob":
      return parseBase64(text, name);
    default:
      throw malformed(name, `a ${member.shape.kind}`, "text");
  }
}

function parseNumber(text: string, name: string): number {
  if (text.length <= NUMBER_CHARS_MAX && NUMBER.test(text)) return Number(text);
  return specialNumber(text) ?? fail(malformed(name, "a number", "other text"));
}

/** The numbers that JSON and text write as words. */
export function specialNumber(text: string): number | undefined {
  return text === "NaN"
    ? Number.NaN
    : text === "Infinity"
      ? Number.POSITIVE_INFINITY
      : text === "-Infinity"
        ? Number.NEGATIVE_INFINITY
        : undefined;
}

function parseBoolean(text: string, name: string): boolean {
  if (text === "true") return true;
  if (text === "false") return false;
  throw malformed(name, "true or false", "other text");
}

/** A date-time, an HTTP date or epoch seconds: clients differ in which they send, so each is read everywhere. */
export function parseTimestamp(text: string, name: string): Date {
  if (text.length <= TIMESTAMP_CHARS_MAX) {
    if (NUMBER.test(text)) return dateFromSeconds(Number(text), name);
    if (DATE_TIME.test(text) || HTTP_DATE.test(text)) {
      const date = new Date(text.toUpperCase());
      if (!Number.isNaN(date.getTime())) return date;
    }
  }
  throw malformed(name, "a date-time, an HTTP date or seconds since 1970", "other text");
}

export function dateFromSeconds(seconds: number, name: string): Date {
  const date = new Date(Math.round(seconds * 1000));
  if (Number.isNaN(date.getTime())) throw malformed(name, "a time that a date can hold", "beyond it");
  return date;
}

/** Strict base64: Node's own reader skips what it does not know, and so would change what was sent. */
export function parseBase64(text: string, name: string): Buffer {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  const bytes = Buffer.from(text, "base64");
  if (bytes.length === Math.floor(((text.length - padding) * 3) / 4) && (text.length - padding) % 4 !== 1) return bytes;
  throw malformed(name, "base64", "other text");
}

function fail(error: LambentError): never {
  throw error;
}

/** Writes a simple value as text; `usual` is the protocol's timestamp format at this place. */
export function formatText(member: Member, value: unknown, usual: TimestampFormat): string {
  switch (member.shape.kind) {
    case "timestamp":
      return String(formatTimestamp(value, member.shape.format === "default" ? usual : member.shape.format));
    case "blob":
      return bytesOf(value).toString("base64");
    default:
      return String(value);
  }
}

/** A `Date` (or milliseconds) as a date-time, an HTTP date, or a number of seconds. */
export function formatTimestamp(value: unknown, format: TimestampFormat): string | number {
  const date = value instanceof Date ? value : new Date(Number(value));
  switch (format) {
    case "http-date":
      return date.toUTCString();
    case "date-time":
      return date.toISOString().replace(".000Z", "Z");
    default:
      return date.getTime() / 1000;
  }
}

/** The bytes of a blob that an operation gave as bytes or as text. */
export function bytesOf(value: unknown): Buffer {
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Buffer.from(String(value), "utf8");
}
