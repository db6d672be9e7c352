/**
 * An event on a bus. The envelope inside is a CloudEvent 1.0 with the place it happened at; AWS's shape is a view of it,
 * made when a target wants it. What the event says stays byte for byte as it was sent: neither view reads it and writes
 * it anew.
 *
 * Deliberately not here: whether an event may be put (`put-entry.ts`), which rules it matches, what a target gets of it
 * (`input/`).
 */
import { type Instant, LambentError } from "../base/index.ts";
import type { CloudEvent, EventData } from "../model/index.ts";

const FORMAT = 1;
const HEAD_START = 5;

/** Attributes that Lambent adds to a CloudEvent; the names are kept for it. */
const OWN_PREFIX = "lambent";
const RESOURCES = "lambentresources";

export interface BusEvent extends CloudEvent {
  readonly time: Instant;
  /** When the bus took it. */
  readonly ingestedAt: Instant;
  readonly account: string;
  readonly region: string;
  /** ARNs of what it is about. */
  readonly resources: readonly string[];
  /** The replay that brings it again. */
  readonly replayName?: string | undefined;
}

/** Where and when a bus takes an event. */
export interface Arrival {
  readonly account: string;
  readonly region: string;
  readonly now: Instant;
}

/**
 * A CloudEvent from outside as an event of a bus. It happened now if it does not say when. Attributes that begin with
 * `lambent` say where an event was, which no sender decides, so they are left out, but for the resources.
 */
export function eventOf(event: CloudEvent, { account, region, now }: Arrival): BusEvent {
  const resources = event.extensions[RESOURCES];
  return {
    ...event,
    time: event.time ?? now,
    ingestedAt: now,
    account,
    region,
    resources: typeof resources === "string" ? resources.split(" ").filter((resource) => resource !== "") : [],
    extensions: Object.fromEntries(Object.entries(event.extensions).filter(([name]) => !name.startsWith(OWN_PREFIX))),
  };
}

/** `2026-11-21T19:00:00Z`: AWS gives the second. */
export function awsTime(time: Instant): string {
  return new Date(time).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/** The event as EventBridge hands it to its targets. */
export function awsView(event: BusEvent): Buffer {
  const head = JSON.stringify({
    version: "0",
    id: event.id,
    "detail-type": event.type,
    source: event.source,
    account: event.account,
    time: awsTime(event.time),
    region: event.region,
    resources: event.resources,
    ...(event.replayName === undefined ? {} : { "replay-name": event.replayName }),
  });
  return spliced(head, "detail", detailOf(event.data));
}

/** A CloudEvent whose data is no JSON has its text, or its bytes as base64, for a detail. */
function detailOf(data: EventData): Buffer {
  switch (data.kind) {
    case "none":
      return Buffer.from("{}");
    case "json":
      return data.bytes;
    case "text":
      return Buffer.from(JSON.stringify(data.bytes.toString("utf8")));
    case "binary":
      return Buffer.from(`"${data.bytes.toString("base64")}"`);
  }
}

/** The event as a structured CloudEvent in JSON. */
export function cloudEventView(event: BusEvent): Buffer {
  const head = JSON.stringify({
    specversion: "1.0",
    id: event.id,
    source: event.source,
    type: event.type,
    ...(event.subject === undefined ? {} : { subject: event.subject }),
    time: timeTextOf(event),
    ...(event.dataContentType === undefined ? {} : { datacontenttype: event.dataContentType }),
    ...(event.dataSchema === undefined ? {} : { dataschema: event.dataSchema }),
    ...extensionsOf(event),
  });
  const { data } = event;
  switch (data.kind) {
    case "none":
      return Buffer.from(head);
    case "binary":
      return spliced(head, "data_base64", detailOf(data));
    case "json":
    case "text":
      return spliced(head, "data", detailOf(data));
  }
}

/** The event in binary mode of CloudEvents over HTTP: attributes as headers, the data as the body. */
export function binaryMessage(event: BusEvent): { readonly headers: Readonly<Record<string, string>>; readonly body: Buffer } {
  const headers: Record<string, string> = { "ce-specversion": "1.0" };
  const attributes = {
    id: event.id,
    source: event.source,
    type: event.type,
    subject: event.subject,
    time: timeTextOf(event),
    dataschema: event.dataSchema,
    ...extensionsOf(event),
  };
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) headers[`ce-${name}`] = headerText(String(value));
  if (event.dataContentType !== undefined) headers["content-type"] = event.dataContentType;
  return { headers, body: event.data.kind === "none" ? Buffer.alloc(0) : event.data.bytes };
}

function extensionsOf(event: BusEvent): Readonly<Record<string, string | number | boolean>> {
  return {
    ...event.extensions,
    lambentaccount: event.account,
    lambentregion: event.region,
    // Attributes are no lists, and an ARN has no space.
    ...(event.resources.length === 0 ? {} : { [RESOURCES]: event.resources.join(" ") }),
    ...(event.replayName === undefined ? {} : { lambentreplay: event.replayName }),
  };
}

function timeTextOf({ time, timeText }: BusEvent): string {
  return timeText ?? new Date(time).toISOString().replace(".000Z", "Z");
}

/** Space, quote, percent and all but printable ASCII as the UTF-8 bytes' percent escapes (HTTP protocol binding 3.1.3.2). */
function headerText(value: string): string {
  return value
    .toWellFormed()
    .replaceAll(/[^!#$&-~]/gu, (character) =>
      [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, "0")}`).join(""),
    );
}

/** `head` is an object that has members. */
function spliced(head: string, name: string, value: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${head.slice(0, -1)},"${name}":`), value, Buffer.from("}")]);
}

/** Format, length of the head, head, data. */
export function encodeBusEvent({ data, ...head }: BusEvent): Buffer {
  const json = Buffer.from(JSON.stringify({ ...head, dataKind: data.kind }));
  const lengths = Buffer.allocUnsafe(HEAD_START);
  lengths.writeUInt8(FORMAT, 0);
  lengths.writeUInt32LE(json.length, 1);
  return Buffer.concat(data.kind === "none" ? [lengths, json] : [lengths, json, data.bytes]);
}

/** Reads what `encodeBusEvent` wrote; its data is a view of the same bytes. */
export function decodeBusEvent(bytes: Uint8Array): BusEvent {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer[0] !== FORMAT) throw new LambentError("StorageCorrupt", `An event has format ${buffer[0]}; this Lambent reads ${FORMAT}.`);
  const dataStart = HEAD_START + buffer.readUInt32LE(1);
  const { dataKind: kind, ...head } = JSON.parse(buffer.toString("utf8", HEAD_START, dataStart)) as Omit<BusEvent, "data"> & {
    readonly dataKind: EventData["kind"];
  };
  return { ...head, data: kind === "none" ? { kind } : { kind, bytes: buffer.subarray(dataStart) } };
}
