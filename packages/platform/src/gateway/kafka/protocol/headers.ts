import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

export interface RequestHeader {
  readonly apiKey: number;
  readonly version: number;
  /** The client's number for this request, repeated in its answer. */
  readonly correlationId: number;
  /** What the client calls itself. */
  readonly clientId: string | null;
}

/** Reads a request's header, of which only the last part depends on the version: tagged fields, where `isFlexible` says so. Throws `MalformedRequest`. */
export function readRequestHeader(reader: Reader, isFlexible: (apiKey: number, version: number) => boolean): RequestHeader {
  const apiKey = reader.int16();
  const version = reader.int16();
  const correlationId = reader.int32();
  const clientId = reader.nullableString(false);
  if (isFlexible(apiKey, version)) reader.skipTaggedFields();
  return { apiKey, version, correlationId, clientId };
}

/** Writes the header that a client sends before the body of a request. */
export function writeRequestHeader(writer: Writer, header: RequestHeader, flexible: boolean): void {
  writer.int16(header.apiKey);
  writer.int16(header.version);
  writer.int32(header.correlationId);
  writer.string(header.clientId, false);
  if (flexible) writer.unsignedVarint(0);
}

/** Writes the header of an answer. Those to ApiVersions are never flexible: who asks does not know yet what is spoken. */
export function writeResponseHeader(writer: Writer, correlationId: number, flexible: boolean): void {
  writer.int32(correlationId);
  if (flexible) writer.unsignedVarint(0);
}
