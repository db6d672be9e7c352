import type { Call } from "../../model/index.ts";
import { FRAME_HEADER_BYTES, FrameType, PROTOCOL_VERSION, writeHeader } from "./frames.ts";

/** Bodies of the frames that are more than bytes. Whatever a process sends is foreign: it is read with bounds and doubt (P8). */

/** What each side says of itself first. */
export interface Hello {
  readonly version: number;
  readonly features: readonly string[];
  /** Of a process that was started with a debugger: where that listens, on the process's own loopback. */
  readonly debuggerPort?: number;
}

/** Features of this side: streamed answers with pause and resume, several calls at once. */
export const PLATFORM_FEATURES: readonly string[] = ["streaming", "concurrency"];

/** Everything a waiting process needs to become an instance of one version. */
export interface Assignment {
  /** The whole environment; null for a process that was started with it, so that what a wrapper script set stays. */
  readonly environment: Readonly<Record<string, string>> | null;
  readonly handler: string;
  readonly style: string;
  /** The configured id, `nodejs22.x`: decides how callback handlers are taken. */
  readonly runtime: string;
  /** Folders of the code and of the merged layers, as the process sees them. */
  readonly taskRoot: string;
  readonly layerRoot: string;
  readonly concurrency: number;
  readonly functionName: string;
  readonly functionVersion: string;
  readonly memoryMb: number;
  readonly logGroup: string;
  readonly logStream: string;
  readonly logFormat: string;
  readonly logLevel: string;
}

/** A `streamBegin` as it was read. */
export interface StreamBegin {
  readonly contentType: string;
  readonly http: Buffer | undefined;
}

/** Bodies up to here are copied behind their header, so that a small frame is one piece of memory. */
const INLINE_BYTES_MAX = 16_384;

/** A unit of UTF-16 takes at most this many bytes. */
const UTF8_BYTES_PER_UNIT_MAX = 3;

/** A frame as the pieces to write, in order. */
export type Pieces = readonly [Buffer] | readonly [Buffer, Buffer];

/** A frame of any type around `body`. */
export function frame(type: number, flags: number, callId: number, body: Buffer): Pieces {
  if (body.length > INLINE_BYTES_MAX) {
    const head = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
    writeHeader(head, type, flags, callId, body.length);
    return [head, body];
  }
  const whole = Buffer.allocUnsafe(FRAME_HEADER_BYTES + body.length);
  writeHeader(whole, type, flags, callId, body.length);
  body.copy(whole, FRAME_HEADER_BYTES);
  return [whole];
}

/** A frame whose body is JSON. */
export function jsonFrame(type: number, callId: number, value: unknown): Pieces {
  return frame(type, 0, callId, Buffer.from(JSON.stringify(value)));
}

/** The platform's HELLO. */
export function helloFrame(): Pieces {
  return jsonFrame(FrameType.hello, 0, { version: PROTOCOL_VERSION, features: PLATFORM_FEATURES } satisfies Hello);
}

/** INVOKE: u32 length of the metadata, the metadata as JSON, the event's bytes. */
export function invokeFrame(callId: number, call: Call): Pieces {
  const metadata = invokeMetadata(call);
  const payloadBytes = call.payload.length;
  const inline = payloadBytes <= INLINE_BYTES_MAX;
  const metadataAt = FRAME_HEADER_BYTES + 4;
  const room = Buffer.allocUnsafe(metadataAt + metadata.length * UTF8_BYTES_PER_UNIT_MAX + (inline ? payloadBytes : 0));
  const metadataBytes = room.write(metadata, metadataAt);
  writeHeader(room, FrameType.invoke, 0, callId, 4 + metadataBytes + payloadBytes);
  room.writeUInt32LE(metadataBytes, FRAME_HEADER_BYTES);
  const headBytes = metadataAt + metadataBytes;
  if (!inline) return [room.subarray(0, headBytes), call.payload];
  call.payload.copy(room, headBytes);
  return [room.subarray(0, headBytes + payloadBytes)];
}

/** Put together by hand, because it is made for every call. A request id is the platform's own; the rest may come from outside. */
function invokeMetadata({ requestId, deadline, functionArn, traceId, clientContext, stream }: Call): string {
  const context = clientContext === undefined ? "" : `,"clientContext":${JSON.stringify(clientContext)}`;
  return (
    `{"requestId":"${requestId}","deadline":${deadline},"functionArn":${JSON.stringify(functionArn)}` +
    `,"traceId":${JSON.stringify(traceId)}${context},"streaming":${stream !== undefined}}`
  );
}

/** A HELLO, or undefined when it is none. */
export function readHello(body: Buffer): Hello | undefined {
  const value = readJson(body);
  if (!isRecord(value) || typeof value["version"] !== "number") return undefined;
  const features = value["features"];
  const debuggerPort = value["debuggerPort"];
  return {
    version: value["version"],
    features: Array.isArray(features) ? features.filter((name) => typeof name === "string") : [],
    ...(isPort(debuggerPort) ? { debuggerPort } : {}),
  };
}

/** The f64 of milliseconds in front of RESULT, ERROR and STREAM_END; undefined when the body is too short or not a duration. */
export function readDuration(body: Buffer): number | undefined {
  if (body.length < 8) return undefined;
  const durationMs = body.readDoubleLE(0);
  return durationMs >= 0 && Number.isFinite(durationMs) ? durationMs : undefined;
}

/** STREAM_BEGIN: u16 length of the content type, the content type, then the HTTP prelude as JSON or nothing. */
export function readStreamBegin(body: Buffer): StreamBegin | undefined {
  if (body.length < 2) return undefined;
  const typeBytes = body.readUInt16LE(0);
  if (body.length < 2 + typeBytes) return undefined;
  const http = body.subarray(2 + typeBytes);
  if (http.length > 0 && !isRecord(readJson(http))) return undefined;
  return { contentType: body.toString("latin1", 2, 2 + typeBytes), http: http.length > 0 ? Buffer.from(http) : undefined };
}

/** An error's payload when it is a JSON object, as both bootstraps make it. */
export function readErrorPayload(body: Buffer): Buffer | undefined {
  return isRecord(readJson(body)) ? Buffer.from(body) : undefined;
}

function isPort(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= 65_535;
}

function readJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
