import { bodyBytesMax, FRAME_HEADER_BYTES, isKnownType } from "./frames.ts";

/**
 * Takes one complete frame. `body` may be a view of a read buffer: copy what is kept.
 */
export type FrameTaker = (type: number, flags: number, callId: number, body: Buffer) => void;

const EMPTY = Buffer.alloc(0);

/**
 * Cuts a byte stream into frames, however the bytes arrive. A length is judged before anything is allocated for it;
 * the body of an unknown type is skipped as it arrives. After a breach it takes nothing more.
 */
export class FrameDecoder {
  readonly #take: FrameTaker;
  /** What came and was not taken yet; `#offset` bytes of the first are. */
  #chunks: Buffer[] = [];
  #offset = 0;
  #bytesHeld = 0;
  #header: { readonly type: number; readonly flags: number; readonly callId: number; readonly bodyBytes: number } | undefined;
  #bytesToSkip = 0;
  #breach: string | undefined;

  constructor(take: FrameTaker) {
    this.#take = take;
  }

  /** Feeds `chunk`; the answer names the rule that was broken, or is undefined. */
  push(chunk: Buffer): string | undefined {
    if (this.#breach !== undefined) return this.#breach;
    if (chunk.length > 0) {
      this.#chunks.push(chunk);
      this.#bytesHeld += chunk.length;
    }
    while (this.#step());
    return this.#breach;
  }

  #step(): boolean {
    if (this.#bytesToSkip > 0) return this.#skip();
    if (!this.#header) return this.#readHeader();
    const { type, flags, callId, bodyBytes } = this.#header;
    if (this.#bytesHeld < bodyBytes) return false;
    this.#header = undefined;
    this.#take(type, flags, callId, this.#cut(bodyBytes));
    return true;
  }

  #readHeader(): boolean {
    if (this.#bytesHeld < FRAME_HEADER_BYTES) return false;
    const first = this.#chunks[0] ?? EMPTY;
    const whole = first.length - this.#offset >= FRAME_HEADER_BYTES;
    // Read where it lies when it came in one piece: a view for twelve bytes costs more than reading them.
    const head = whole ? first : this.#cut(FRAME_HEADER_BYTES);
    const at = whole ? this.#offset : 0;
    if (whole) this.#advance(first, FRAME_HEADER_BYTES);
    return this.#judgeHeader(head.readUInt32LE(at), head.readUInt8(at + 4), head.readUInt8(at + 5), head.readUInt32LE(at + 8));
  }

  #judgeHeader(bodyBytes: number, type: number, flags: number, callId: number): boolean {
    const bytesMax = bodyBytesMax(type);
    if (bodyBytes > bytesMax) {
      this.#breach = `a frame of type ${type} says it has ${bodyBytes} bytes; it may have ${bytesMax}`;
      this.#chunks = [];
      this.#bytesHeld = 0;
      return false;
    }
    if (isKnownType(type)) this.#header = { type, flags, callId, bodyBytes };
    else this.#bytesToSkip = bodyBytes;
    return true;
  }

  #skip(): boolean {
    const bytes = Math.min(this.#bytesToSkip, this.#bytesHeld);
    if (bytes === 0) return false;
    this.#cut(bytes);
    this.#bytesToSkip -= bytes;
    return true;
  }

  /** The next `bytes` bytes: a view where they came in one read, one copy where they did not. */
  #cut(bytes: number): Buffer {
    if (bytes === 0) return EMPTY;
    const first = this.#chunks[0] ?? EMPTY;
    const from = this.#offset;
    if (first.length - from < bytes) return this.#join(bytes);
    this.#advance(first, bytes);
    return first.subarray(from, from + bytes);
  }

  /** Takes `bytes` of `first`, the first chunk, which has them. */
  #advance(first: Buffer, bytes: number): void {
    this.#bytesHeld -= bytes;
    this.#offset += bytes;
    if (this.#offset < first.length) return;
    this.#offset = 0;
    this.#chunks.shift();
  }

  #join(bytes: number): Buffer {
    const joined = Buffer.allocUnsafe(bytes);
    for (let filled = 0; filled < bytes;) {
      const chunk = this.#chunks[0] ?? EMPTY;
      const copied = chunk.copy(joined, filled, this.#offset, this.#offset + bytes - filled);
      filled += copied;
      this.#advance(chunk, copied);
    }
    return joined;
  }
}
