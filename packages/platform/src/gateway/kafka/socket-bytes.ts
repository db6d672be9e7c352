import type { Socket } from "node:net";
import { deferred, type Deferred } from "../../base/index.ts";

/** Bytes read from a connection before they are asked for. A connection that is not read at all would not be seen to end, either. */
const READ_AHEAD_BYTES_MAX = 64 * 1024;

/** What comes through a socket, in the pieces that are asked for. Reading stops while more is held than anybody wants (back-pressure). */
export class SocketBytes {
  readonly #socket: Socket;
  readonly #chunks: Buffer[] = [];
  #held = 0;
  #wanted = 0;
  #waiting: Deferred<boolean> | undefined;
  #isAtEnd = false;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#came(chunk));
    socket.once("end", () => this.#ended());
    socket.once("close", () => this.#ended());
  }

  /** Bytes that came and were not taken. */
  get held(): number {
    return this.#held;
  }

  /** Whether `count` bytes are there, once that is known: false when the connection ended before. One caller at a time. */
  async has(count: number): Promise<boolean> {
    this.#wanted = count;
    if (this.#held >= count) return true;
    if (this.#isAtEnd) return false;
    this.#waiting = deferred<boolean>();
    this.#flow();
    return this.#waiting.promise;
  }

  /** The next `count` bytes, which are there, without taking them. */
  peek(count: number): Buffer {
    const [first] = this.#chunks;
    if (first && first.length >= count) return first.subarray(0, count);
    const joined = Buffer.concat(this.#chunks);
    this.#chunks.splice(0, this.#chunks.length, joined);
    return joined.subarray(0, count);
  }

  /** The next `count` bytes, which are there. */
  take(count: number): Buffer {
    const bytes = this.peek(count);
    const [first = bytes] = this.#chunks;
    if (first.length === count) this.#chunks.shift();
    else this.#chunks[0] = first.subarray(count);
    this.#held -= count;
    this.#flow();
    return bytes;
  }

  #came(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held >= this.#wanted) this.#settle(true);
    this.#flow();
  }

  #ended(): void {
    this.#isAtEnd = true;
    this.#settle(false);
  }

  #settle(isThere: boolean): void {
    this.#waiting?.resolve(isThere);
    this.#waiting = undefined;
  }

  #flow(): void {
    const isEnough = this.#held >= Math.max(READ_AHEAD_BYTES_MAX, this.#waiting ? this.#wanted : 0);
    if (isEnough && !this.#socket.isPaused()) this.#socket.pause();
    if (!isEnough && this.#socket.isPaused()) this.#socket.resume();
  }
}
