import type { Socket } from "node:net";
import { FrameDecoder, type FrameTaker } from "./decoder.ts";
import type { Pieces } from "./messages.ts";

/** What the other side of a channel did. */
export interface ChannelListener {
  frame: FrameTaker;
  /** What came is no frame. After this or `closed` nothing more is said. */
  broken(what: string): void;
  /** The socket ended or failed. */
  closed(what: string): void;
}

/** Frames that gathered leave as one piece of memory up to here; larger ones are not worth copying. */
const JOINED_BYTES_MAX = 256 * 1_024;

/**
 * Frames over one duplex socket. All frames of one turn leave in one write.
 *
 * What may wait to be written is bounded by what is admitted: the calls an instance takes at once, each with one event
 * of at most 6 MiB. So nobody waits for `drain` here.
 */
export class Channel {
  readonly #socket: Socket;
  #phase: "open" | "gathering" | "closed" = "open";
  #gathers = true;
  #gathered: Buffer[] = [];

  constructor(socket: Socket, listener: ChannelListener) {
    this.#socket = socket;
    const decoder = new FrameDecoder((type, flags, callId, body) => {
      if (this.#phase !== "closed") listener.frame(type, flags, callId, body);
    });
    socket.on("data", (chunk: Buffer) => {
      const breach = decoder.push(chunk);
      if (breach !== undefined) this.#close(() => listener.broken(breach));
    });
    socket.on("error", (error) => this.#close(() => listener.closed(`the channel failed: ${error.message}`)));
    const onEnd = (): void => this.#close(() => listener.closed("the process closed its channel"));
    socket.on("end", onEnd);
    socket.on("close", onEnd);
  }

  /**
   * Where one call runs at a time nothing gathers: frames leave at once, because waiting for the end of the turn
   * only costs the call a round of the event loop.
   */
  sendAtOnce(): void {
    this.#gathers = false;
  }

  /** Writes a frame, with others at the end of this turn where frames gather; after the channel closed it does nothing. */
  send(pieces: Pieces): void {
    if (this.#phase === "closed") return;
    this.#gathered.push(...pieces);
    if (this.#phase === "gathering") return;
    if (!this.#gathers) return this.#write();
    this.#phase = "gathering";
    setImmediate(() => this.#flush());
  }

  /** Ends the channel; `closed` is not called for it. */
  end(): void {
    this.#phase = "closed";
    this.#socket.destroy();
  }

  #flush(): void {
    if (this.#phase === "closed") return;
    this.#phase = "open";
    this.#write();
  }

  #write(): void {
    const pieces = this.#gathered;
    this.#gathered = [];
    const [only] = pieces;
    if (pieces.length === 1 && only) return void this.#socket.write(only);
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (bytes <= JOINED_BYTES_MAX) return void this.#socket.write(Buffer.concat(pieces, bytes));
    this.#socket.cork();
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
  }

  #close(tell: () => void): void {
    if (this.#phase === "closed") return;
    this.#phase = "closed";
    this.#socket.destroy();
    tell();
  }
}
