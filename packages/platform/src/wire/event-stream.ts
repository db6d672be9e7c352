import { Readable } from "node:stream";
import { isLambentError } from "../base/index.ts";
import { encodeCbor } from "./codec/cbor.ts";
import { bytesOf } from "./codec/text.ts";
import { type TreeStyle, writeMembers, writeStructure } from "./codec/tree.ts";
import { encodeEventFrame } from "./event-frame.ts";
import type { Member, StructureShape } from "./schema.ts";

/** What an event stream is made of. */
export interface EventStream {
  readonly union: StructureShape;
  readonly events: unknown;
  readonly style: TreeStyle;
  /** What the RPC protocols put first: the other members of the output. */
  readonly initial?: Readonly<Record<string, unknown>>;
  /** Told what the source, or the writing of an event, threw that is no `LambentError`: no client is told what it was. */
  readonly reportDefect: (error: unknown) => void;
}

/** An answer's events, each an object with one member of the stream's union. */
export type Events = AsyncIterable<Readonly<Record<string, unknown>>> | Iterable<Readonly<Record<string, unknown>>>;

const JSON_TYPE = "application/json";

/**
 * The frames of an event stream. Events are taken one by one as the reader takes frames, so a slow reader holds the
 * source back. What the source throws becomes the stream's last frame, as a client can no longer be told by a status.
 */
export function eventStreamBody(stream: EventStream): Readable {
  return Readable.from(frames(stream), { objectMode: false });
}

async function* frames({ union, events, style, initial, reportDefect }: EventStream): AsyncGenerator<Buffer> {
  try {
    if (initial) yield encodeEventFrame(frame("event", ":event-type", "initial-response", style, initial));
    for await (const event of (events ?? []) as Events) {
      for (const member of union.members) {
        const value = event[member.name];
        if (value !== undefined && value !== null) yield encodeEvent(member, value as Readonly<Record<string, unknown>>, style);
      }
    }
  } catch (error) {
    if (!isLambentError(error)) reportDefect(error);
    const [code, message] = isLambentError(error) ? [error.code, error.message] : ["InternalError", "The stream ended by a defect."];
    yield encodeEventFrame({
      headers: { ":message-type": "error", ":error-code": code, ":error-message": message },
      payload: Buffer.alloc(0),
    });
  }
}

function encodeEvent(member: Member, value: Readonly<Record<string, unknown>>, style: TreeStyle): Buffer {
  const shape = member.shape;
  if (shape.kind !== "structure")
    return encodeEventFrame({ headers: eventHeaders(member.name, "application/octet-stream"), payload: bytesOf(value) });
  if (shape.error) return encodeEventFrame(frame("exception", ":exception-type", member.name, style, writeStructure(shape, value, style)));
  const raw = shape.members.find(({ eventPayload }) => eventPayload);
  if (!raw) return encodeEventFrame(frame("event", ":event-type", member.name, style, writeStructure(shape, value, style)));
  const payload = value[raw.name] ?? Buffer.alloc(0);
  if (raw.shape.kind === "blob")
    return encodeEventFrame({ headers: eventHeaders(member.name, "application/octet-stream"), payload: bytesOf(payload) });
  if (raw.shape.kind === "string") return encodeEventFrame({ headers: eventHeaders(member.name, "text/plain"), payload: bytesOf(payload) });
  const nested = raw.shape.kind === "structure" ? raw.shape.members : [];
  return encodeEventFrame(
    frame("event", ":event-type", member.name, style, writeMembers(nested, payload as Readonly<Record<string, unknown>>, style)),
  );
}

function eventHeaders(name: string, contentType: string): Record<string, string> {
  return { ":message-type": "event", ":event-type": name, ":content-type": contentType };
}

function frame(
  messageType: string,
  typeHeader: string,
  name: string,
  style: TreeStyle,
  tree: unknown,
): { headers: Record<string, string>; payload: Buffer } {
  const payload = style.native ? encodeCbor(tree) : Buffer.from(JSON.stringify(tree), "utf8");
  return {
    headers: { ":message-type": messageType, [typeHeader]: name, ":content-type": style.native ? "application/cbor" : JSON_TYPE },
    payload,
  };
}
