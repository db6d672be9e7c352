/**
 * Frames of `application/vnd.amazon.eventstream`: u32 total length, u32 length of headers, u32 CRC of those eight
 * bytes, headers, payload, u32 CRC of all before it. A header is u8 length and name, u8 type, u16 length and value;
 * of the types only text (7) is used here.
 */
import { crc32 } from "node:zlib";
import { LambentError } from "../base/index.ts";

export interface EventFrame {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: Buffer;
}

const PRELUDE_BYTES = 12;
const CHECKSUM_BYTES = 4;
const TEXT_TYPE = 7;
/** Bytes of one event frame; AWS's own bound. */
const EVENT_FRAME_BYTES_MAX = 24 * 1024 * 1024;
/** Bytes of the headers of one event frame; AWS's own bound. */
const EVENT_HEADERS_BYTES_MAX = 128 * 1024;

/** One frame as bytes. */
export function encodeEventFrame({ headers, payload }: EventFrame): Buffer {
  const encoded = Object.entries(headers).map(([name, value]) => [Buffer.from(name, "utf8"), Buffer.from(value, "utf8")] as const);
  const headersLength = encoded.reduce((sum, [name, value]) => sum + 4 + name.length + value.length, 0);
  const total = PRELUDE_BYTES + headersLength + payload.length + CHECKSUM_BYTES;
  const frame = Buffer.allocUnsafe(total);
  frame.writeUInt32BE(total, 0);
  frame.writeUInt32BE(headersLength, 4);
  frame.writeUInt32BE(crc32(frame.subarray(0, 8)), 8);
  let at = PRELUDE_BYTES;
  for (const [name, value] of encoded) {
    at = frame.writeUInt8(name.length, at);
    at += name.copy(frame, at);
    at = frame.writeUInt8(TEXT_TYPE, at);
    at = frame.writeUInt16BE(value.length, at);
    at += value.copy(frame, at);
  }
  at += payload.copy(frame, at);
  frame.writeUInt32BE(crc32(frame.subarray(0, at)), at);
  return frame;
}

/**
 * The whole frames at the start of `bytes`, and what is left over of the next one.
 *
 * @throws LambentError MalformedRequest for a wrong checksum, an impossible length, or a header that is not text
 */
export function decodeEventFrames(bytes: Buffer): { frames: EventFrame[]; rest: Buffer } {
  const frames: EventFrame[] = [];
  let rest = bytes;
  while (rest.length >= PRELUDE_BYTES) {
    const total = rest.readUInt32BE(0);
    const headersLength = rest.readUInt32BE(4);
    if (crc32(rest.subarray(0, 8)) !== rest.readUInt32BE(8)) throw broken("the checksum of its lengths is wrong");
    if (
      total > EVENT_FRAME_BYTES_MAX ||
      headersLength > EVENT_HEADERS_BYTES_MAX ||
      total < PRELUDE_BYTES + headersLength + CHECKSUM_BYTES
    ) {
      throw broken("its lengths are impossible");
    }
    if (rest.length < total) break;
    if (crc32(rest.subarray(0, total - CHECKSUM_BYTES)) !== rest.readUInt32BE(total - CHECKSUM_BYTES))
      throw broken("its checksum is wrong");
    const payloadAt = PRELUDE_BYTES + headersLength;
    frames.push({
      headers: decodeHeaders(rest.subarray(PRELUDE_BYTES, payloadAt)),
      payload: rest.subarray(payloadAt, total - CHECKSUM_BYTES),
    });
    rest = rest.subarray(total);
  }
  return { frames, rest };
}

function decodeHeaders(bytes: Buffer): Record<string, string> {
  const headers: Record<string, string> = { __proto__: null } as unknown as Record<string, string>;
  for (let at = 0; at < bytes.length;) {
    const nameEnd = at + 1 + bytes.readUInt8(at);
    if (nameEnd + 3 > bytes.length || bytes.readUInt8(nameEnd) !== TEXT_TYPE) throw broken("a header is not text");
    const valueEnd = nameEnd + 3 + bytes.readUInt16BE(nameEnd + 1);
    if (valueEnd > bytes.length) throw broken("a header is cut off");
    headers[bytes.toString("utf8", at + 1, nameEnd)] = bytes.toString("utf8", nameEnd + 3, valueEnd);
    at = valueEnd;
  }
  return headers;
}

const broken = (why: string): LambentError => new LambentError("MalformedRequest", `The event frame cannot be read: ${why}.`);
