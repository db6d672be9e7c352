/** The attributes of a CloudEvent 1.0: which there are, and what each may be. An error names the attribute and its rule. */
import { type Instant, LambentError } from "../../base/index.ts";
import type { CloudEvent } from "../../model/index.ts";

/** Characters of one attribute. @limit */
export const ATTRIBUTE_CHARS_MAX = 4_096;
/** Extension attributes of one event. @limit */
export const EXTENSIONS_MAX = 64;

const INTEGER_MAX = 2_147_483_647;
const INTEGER_MIN = -2_147_483_648;

type Attributes = Omit<CloudEvent, "data">;

const CORE: ReadonlySet<string> = new Set(["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema"]);

/** Characters that no URI has, not even in a reference. */
const NO_URI = /[\s<>"{}|\\^`\p{Cc}]/u;
const ABSOLUTE_URI = /^[A-Za-z][A-Za-z0-9+.-]*:/;
const TOKEN = "[A-Za-z0-9!#$&^_.+*'`|~%-]+";
const MEDIA_TYPE = new RegExp(`^${TOKEN}/${TOKEN}(?:[ \\t]*;[\\t -~\\u00a0-\\uffff]*)?$`);
const EXTENSION_NAME = /^[a-z0-9]+$/;
const TIMESTAMP = /^(\d{4}-\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,30})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i;

/** Names to values, both as they were sent; null is as good as left out. Throws `InvalidParameter`. */
export function readAttributes(given: ReadonlyMap<string, unknown>): Attributes {
  const present = new Map([...given].filter(([, value]) => value !== null && value !== undefined));
  const version = text(present, "specversion");
  if (version !== "1.0") throw broken("specversion", `is ${quote(version)}; only "1.0" is read`);
  return {
    id: required(present, "id"),
    source: uriReference(required(present, "source")),
    type: required(present, "type"),
    subject: text(present, "subject"),
    ...time(text(present, "time")),
    dataContentType: mediaType(text(present, "datacontenttype")),
    dataSchema: uri(text(present, "dataschema")),
    extensions: extensions(present),
  };
}

function text(given: ReadonlyMap<string, unknown>, name: string): string | undefined {
  const value = given.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== "string") throw broken(name, `is ${quote(value)}; it has to be a string`);
  if (value === "") throw broken(name, "is empty; an attribute that is there has at least one character");
  if (value.length > ATTRIBUTE_CHARS_MAX) throw broken(name, `has ${value.length} characters; at most ${ATTRIBUTE_CHARS_MAX} are read`);
  if (/\p{Cc}/u.test(value)) throw broken(name, "holds a control character");
  return value;
}

function required(given: ReadonlyMap<string, unknown>, name: string): string {
  const value = text(given, name);
  if (value === undefined) throw broken(name, "is missing; every CloudEvent has one");
  return value;
}

function uriReference(value: string): string {
  if (NO_URI.test(value)) throw broken("source", `is ${quote(value)}; it has to be a URI reference`);
  return value;
}

function uri(value: string | undefined): string | undefined {
  if (value !== undefined && (!ABSOLUTE_URI.test(value) || NO_URI.test(value)))
    throw broken("dataschema", `is ${quote(value)}; it has to be an absolute URI`);
  return value;
}

function mediaType(value: string | undefined): string | undefined {
  if (value !== undefined && !MEDIA_TYPE.test(value)) throw broken("datacontenttype", `is ${quote(value)}; it has to be a media type`);
  return value;
}

function time(value: string | undefined): { readonly time?: Instant; readonly timeText?: string } {
  if (value === undefined) return {};
  const [, month, day] = TIMESTAMP.exec(value) ?? [];
  const instant = Date.parse(value.toUpperCase());
  // A date like February 30 would be read as a day of March.
  const daysInMonth = new Date(Date.parse(`${month}-01T00:00:00Z`));
  daysInMonth.setUTCMonth(daysInMonth.getUTCMonth() + 1, 0);
  if (month === undefined || Number.isNaN(instant) || !(Number(day) <= daysInMonth.getUTCDate()))
    throw broken("time", `is ${quote(value)}; it has to be a timestamp as in RFC 3339, with seconds and an offset`);
  return { time: instant, timeText: value };
}

function extensions(given: ReadonlyMap<string, unknown>): CloudEvent["extensions"] {
  const found: Record<string, string | number | boolean> = Object.create(null) as Record<string, string | number | boolean>;
  let count = 0;
  for (const [name, value] of given) {
    if (CORE.has(name)) continue;
    count += 1;
    if (count > EXTENSIONS_MAX)
      throw new LambentError("InvalidParameter", `The event has more than ${EXTENSIONS_MAX} extension attributes.`);
    if (!EXTENSION_NAME.test(name) || name.length > ATTRIBUTE_CHARS_MAX || name === "data")
      throw broken(name.slice(0, 100), "is no attribute name; those have lower-case letters and digits only");
    found[name] = extension(name, value);
  }
  return found;
}

function extension(name: string, value: unknown): string | number | boolean {
  if (typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Number.isInteger(value) && value >= INTEGER_MIN && value <= INTEGER_MAX) return value;
    throw broken(name, `is ${value}; numbers are whole, from ${INTEGER_MIN} to ${INTEGER_MAX}`);
  }
  if (typeof value !== "string") throw broken(name, `is ${quote(value)}; it has to be a string, a whole number or a boolean`);
  if (value.length > ATTRIBUTE_CHARS_MAX) throw broken(name, `has ${value.length} characters; at most ${ATTRIBUTE_CHARS_MAX} are read`);
  if (/\p{Cc}/u.test(value)) throw broken(name, "holds a control character");
  return value;
}

const quote = (value: unknown): string => (value === undefined ? "missing" : JSON.stringify(value).slice(0, 100));

/** An attribute and the rule it breaks. */
export function broken(attribute: string, rule: string): LambentError {
  return new LambentError("InvalidParameter", `CloudEvent attribute ${attribute} ${rule}.`);
}
