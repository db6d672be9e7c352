/**
 * CloudEvents over HTTP as they come in: binary, structured and batched mode of the HTTP protocol binding 1.0. Pure.
 *
 * What an event says stays as it was sent, also where it stands inside a structured event. A batch is taken whole or
 * refused whole (P8). Events leave in binary mode by `bus/`'s `binaryMessage`.
 */
import { jsonDepth, JsonText, LambentError } from "../../base/index.ts";
import type { CloudEvent, EventData } from "../../model/index.ts";
import { broken, readAttributes } from "./attributes.ts";

/** Events of one batch. @limit */
export const BATCH_EVENTS_MAX = 1_000;

/** Bytes of what one event says. @limit */
export const EVENT_DATA_BYTES_MAX = 1_048_576;
/** Objects and arrays inside each other in it. @limit */
export const EVENT_DATA_DEPTH_MAX = 1_100;

/** What of a request tells its events; header names in lower case. */
export interface CloudEventsRequest {
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: Buffer;
}

export interface CloudEventsMessage {
  readonly mode: "binary" | "structured" | "batched";
  readonly events: readonly CloudEvent[];
}

/**
 * The events of a request, which its content type and its `ce-` headers tell.
 *
 * Throws `MalformedRequest` for what is no CloudEvents message, and `InvalidParameter`, naming the attribute and its rule,
 * for an event that is none.
 */
export function readCloudEvents({ headers, body }: CloudEventsRequest): CloudEventsMessage {
  const contentType = single(headers["content-type"]);
  const format = contentType?.split(";", 1)[0]?.trim().toLowerCase();
  if (format === "application/cloudevents+json") return { mode: "structured", events: [structuredEvent(parseBody(body))] };
  if (format === "application/cloudevents-batch+json") return { mode: "batched", events: batch(parseBody(body)) };
  if (format?.startsWith("application/cloudevents"))
    throw new LambentError("MalformedRequest", `Content type ${format.slice(0, 100)} is not read; events come as JSON, or in ce- headers.`);
  if (headers["ce-specversion"] === undefined)
    throw new LambentError(
      "MalformedRequest",
      "The request is no CloudEvent: it has neither a ce-specversion header nor a content type of CloudEvents.",
    );
  return { mode: "binary", events: [binaryEvent(headers, contentType, body)] };
}

const single = (value: string | readonly string[] | undefined): string | undefined =>
  typeof value === "object" ? value.join(", ") : value;

function parseBody(body: Buffer): JsonText {
  const text = utf8(body);
  const json = text === undefined ? undefined : JsonText.parse(text);
  if (!json) throw new LambentError("MalformedRequest", "The body is not JSON.");
  return json;
}

/** A byte order mark is no part of the text; undefined for bytes that are not UTF-8. */
function utf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function batch(json: JsonText): CloudEvent[] {
  if (json.kind !== "array") throw new LambentError("MalformedRequest", "The body of a batch is a JSON array of events.");
  if (json.elements.length > BATCH_EVENTS_MAX)
    throw new LambentError("RequestTooLarge", `The batch has ${json.elements.length} events; at most ${BATCH_EVENTS_MAX} are taken.`);
  return json.elements.map((element, index) => {
    try {
      return structuredEvent(element);
    } catch (error) {
      throw error instanceof LambentError ? new LambentError(error.code, `Event ${index + 1} of the batch: ${error.message}`) : error;
    }
  });
}

/** An event in the JSON event format. */
function structuredEvent(json: JsonText): CloudEvent {
  if (json.kind !== "object") throw new LambentError("MalformedRequest", "A structured CloudEvent is a JSON object.");
  const attributes = new Map<string, unknown>();
  for (const [name, member] of json.members) {
    if (name === "data" || name === "data_base64") continue;
    // What is no attribute's value is only told, not read: it may be large.
    const simple = member.kind === "string" || member.kind === "plain";
    attributes.set(name, simple ? member.value() : { [member.kind]: "…" });
  }
  const read = readAttributes(attributes);
  return { ...read, data: bounded(structuredData(json.members.get("data"), json.members.get("data_base64"), read.dataContentType)) };
}

function structuredData(data: JsonText | undefined, base64: JsonText | undefined, contentType: string | undefined): EventData {
  const [hasData, hasBase64] = [data && data.text !== "null", base64 && base64.text !== "null"];
  if (hasData && hasBase64) throw broken("data_base64", "stands beside data; an event has one of them");
  if (hasBase64) return { kind: "binary", bytes: decodeBase64(base64?.value()) };
  if (!data || !hasData) return { kind: "none" };
  // A string is a text by itself where the data is not said to be JSON.
  if (data.kind === "string" && contentType !== undefined && !isJson(contentType))
    return { kind: "text", bytes: Buffer.from(data.value() as string) };
  return { kind: "json", bytes: Buffer.from(data.text) };
}

function bounded(data: EventData): EventData {
  if (data.kind === "none") return data;
  if (data.bytes.length > EVENT_DATA_BYTES_MAX)
    throw new LambentError(
      "RequestTooLarge",
      `The event's data has ${data.bytes.length} bytes; at most ${EVENT_DATA_BYTES_MAX} are taken.`,
    );
  if (data.kind === "json" && jsonDepth(data.bytes.toString("utf8")) > EVENT_DATA_DEPTH_MAX)
    throw broken("data", `nests objects and arrays more than ${EVENT_DATA_DEPTH_MAX} deep`);
  return data;
}

function decodeBase64(value: unknown): Buffer {
  const bytes = typeof value === "string" ? Buffer.from(value, "base64") : undefined;
  if (bytes === undefined || bytes.toString("base64") !== value)
    throw broken("data_base64", "has to be a string of base64 with its padding");
  return bytes;
}

function binaryEvent(headers: CloudEventsRequest["headers"], contentType: string | undefined, body: Buffer): CloudEvent {
  const attributes = new Map<string, unknown>();
  for (const [header, value] of Object.entries(headers)) {
    if (!header.startsWith("ce-") || value === undefined) continue;
    const name = header.slice("ce-".length);
    if (name === "datacontenttype") throw broken(name, "comes as Content-Type in binary mode, not as a header of its own");
    attributes.set(name, headerValue(name, single(value) ?? ""));
  }
  attributes.set("datacontenttype", contentType);
  return { ...readAttributes(attributes), data: bounded(binaryData(body, contentType)) };
}

/** Undoes quotes and percent escapes (HTTP protocol binding 3.1.3.2). */
function headerValue(name: string, value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1];
  const unquoted = quoted === undefined ? value : quoted.replaceAll(/\\(.)/g, "$1");
  if (!unquoted.includes("%")) return unquoted;
  try {
    return decodeURIComponent(unquoted);
  } catch {
    throw broken(name, "has a percent escape that is not UTF-8");
  }
}

function binaryData(body: Buffer, contentType: string | undefined): EventData {
  if (body.length === 0) return { kind: "none" };
  if (contentType !== undefined && isJson(contentType)) {
    const json = utf8(body);
    if (json === undefined || !JsonText.parse(json))
      throw new LambentError("MalformedRequest", `The body is not JSON, as Content-Type ${contentType.slice(0, 100)} says it is.`);
    return { kind: "json", bytes: Buffer.from(json) };
  }
  const isText = contentType !== undefined && /^text\/|[+/]xml\s*(?:;|$)/i.test(contentType);
  return isText && utf8(body) !== undefined ? { kind: "text", bytes: body } : { kind: "binary", bytes: body };
}

/** `application/json`, `application/problem+json; charset=utf-8`. */
function isJson(contentType: string): boolean {
  return /^[^/;]+\/(?:[^;]*\+)?json\s*(?:;|$)/i.test(contentType);
}
