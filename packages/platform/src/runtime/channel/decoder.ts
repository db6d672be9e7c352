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
  #chunks: Buffer[] = [];
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
    const head = this.#cut(FRAME_HEADER_BYTES);
    const bodyBytes = head.readUInt32LE(0);
    const type = head.readUInt8(4);
    const bytesMax = bodyBytesMax(type);
    if (bodyBytes > bytesMax) {
      this.#breach = `a frame of type ${type} says it has ${bodyBytes} bytes; it may have ${bytesMax}`;
      this.#chunks = [];
      this.#bytesHeld = 0;
      return false;
    }
    if (isKnownType(type)) this.#header = { type, flags: head.readUInt8(5), callId: head.readUInt32LE(8), bodyBytes };
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
    this.#bytesHeld -= bytes;
    const first = this.#chunks[0] ?? EMPTY;
    if (first.length > bytes) {
      this.#chunks[0] = first.subarray(bytes);
      return first.subarray(0, bytes);
    }
    if (first.length === bytes) {
      this.#chunks.shift();
      return first;
    }
    return this.#join(bytes);
  }

  #join(bytes: number): Buffer {
    const joined = Buffer.allocUnsafe(bytes);
    let filled = 0;
    let used = 0;
    while (filled < bytes) {
      const chunk = this.#chunks[used] ?? EMPTY;
      const copied = chunk.copy(joined, filled, 0, bytes - filled);
      filled += copied;
      if (copied === chunk.length) used += 1;
      else this.#chunks[used] = chunk.subarray(copied);
    }
    this.#chunks.splice(0, used);
    return joined;
  }
}
