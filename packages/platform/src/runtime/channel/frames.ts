/**
 * The frames of docs/runtime-protocol.md: a header of twelve bytes and a body. Both bootstraps (`node/`, `python/`)
 * hold the same numbers; the tests speak to them through this side, so a difference shows.
 */

/** Version both sides must share; features are added by name, not by number. */
export const PROTOCOL_VERSION = 1;

/** u32 body length, u8 type, u8 flags, u16 zero, u32 call id; little-endian. */
export const FRAME_HEADER_BYTES = 12;

/** Longest body of any frame, known or not (P7): an event or answer at its limit, and room for what stands beside it. */
export const FRAME_BYTES_MAX = 8 * 1_024 * 1_024;

/** The largest answer of a buffered call, as AWS counts it. */
export const RESPONSE_BYTES_MAX = 6_291_456;

/** Frame types. 1 to 31 belong to calls of any runtime; a type a side does not know is skipped by its length. */
export const FrameType = {
  hello: 1,
  assign: 2,
  ready: 3,
  initFailed: 4,
  invoke: 5,
  result: 6,
  error: 7,
  log: 8,
  streamBegin: 9,
  streamChunk: 10,
  streamEnd: 11,
  streamPause: 12,
  streamResume: 13,
  cancel: 14,
} as const;

/** Set on `error` and `streamEnd`: the process ends by itself after this frame. */
export const FLAG_EXITING = 1;
/** Set on `streamEnd`: the body carries an error after the duration. */
export const FLAG_FAILED = 2;

/** Longest body by type where it is less than `FRAME_BYTES_MAX`; what is longer breaks the protocol. */
const BODY_BYTES_MAX: ReadonlyMap<number, number> = new Map([
  [FrameType.hello, 4_096],
  [FrameType.ready, 4_096],
  [FrameType.initFailed, 1_024 * 1_024],
  [FrameType.error, 1_024 * 1_024],
  [FrameType.log, 1_024 * 1_024],
  [FrameType.streamBegin, 256 * 1_024],
  [FrameType.streamChunk, 1_024 * 1_024],
  [FrameType.streamEnd, 1_024 * 1_024],
]);

/** The bound of one frame's body. */
export function bodyBytesMax(type: number): number {
  return BODY_BYTES_MAX.get(type) ?? FRAME_BYTES_MAX;
}

const KNOWN_TYPES: ReadonlySet<number> = new Set(Object.values(FrameType));

/** False for a type this version does not know: its body is skipped, never kept. */
export function isKnownType(type: number): boolean {
  return KNOWN_TYPES.has(type);
}

/** Writes a frame's header at the start of `target`. */
export function writeHeader(target: Buffer, type: number, flags: number, callId: number, bodyBytes: number): void {
  target.writeUInt32LE(bodyBytes, 0);
  target[4] = type;
  target[5] = flags;
  target.writeUInt16LE(0, 6);
  target.writeUInt32LE(callId, 8);
}
