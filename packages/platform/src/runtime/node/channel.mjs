// The process's side of the frames of docs/runtime-protocol.md, over the socket at descriptor 3.
import { Socket } from "node:net";

export const PROTOCOL_VERSION = 1;
export const HELLO = 1;
export const ASSIGN = 2;
export const READY = 3;
export const INIT_FAILED = 4;
export const INVOKE = 5;
export const RESULT = 6;
export const ERROR = 7;
export const LOG = 8;
export const STREAM_BEGIN = 9;
export const STREAM_CHUNK = 10;
export const STREAM_END = 11;
export const STREAM_PAUSE = 12;
export const STREAM_RESUME = 13;
export const CANCEL = 14;

export const FLAG_EXITING = 1;
export const FLAG_FAILED = 2;

const HEADER_BYTES = 12;
const FRAME_BYTES_MAX = 8 * 1024 * 1024;
const EMPTY = Buffer.alloc(0);

/** Log lines that wait for a slow reader, in bytes; beyond it lines are dropped and counted. */
const LOG_WAITING_BYTES_MAX = 4 * 1024 * 1024;

/** Cuts the byte stream into frames; returns false when a length breaks the protocol. */
function decoder(onFrame) {
  let chunks = [];
  let held = 0;
  let header;
  const cut = (bytes) => {
    if (bytes === 0) return EMPTY;
    held -= bytes;
    const first = chunks[0];
    if (first.length === bytes) return chunks.shift();
    if (first.length > bytes) {
      chunks[0] = first.subarray(bytes);
      return first.subarray(0, bytes);
    }
    const whole = chunks.length === 1 ? first : Buffer.concat(chunks);
    chunks = whole.length > bytes ? [whole.subarray(bytes)] : [];
    return whole.subarray(0, bytes);
  };
  return (chunk) => {
    chunks.push(chunk);
    held += chunk.length;
    for (;;) {
      if (!header) {
        if (held < HEADER_BYTES) return true;
        header = cut(HEADER_BYTES);
        if (header.readUInt32LE(0) > FRAME_BYTES_MAX) return false;
      }
      const bodyBytes = header.readUInt32LE(0);
      if (held < bodyBytes) return true;
      const { 4: type, 5: flags } = header;
      const callId = header.readUInt32LE(8);
      header = undefined;
      onFrame(type, flags, callId, cut(bodyBytes));
    }
  };
}

function writeHead(target, type, flags, callId, bytes) {
  target.writeUInt32LE(bytes, 0);
  target[4] = type;
  target[5] = flags;
  target.writeUInt16LE(0, 6);
  target.writeUInt32LE(callId, 8);
}

/** Writes frames; those of one turn leave together. Each answers like `write`: false when the socket wants a pause. */
class Writer {
  #socket;
  #corked = false;
  #uncork = () => {
    this.#corked = false;
    this.#socket.uncork();
  };

  constructor(socket) {
    this.#socket = socket;
  }

  send(type, flags, callId, body) {
    const start = Buffer.allocUnsafe(HEADER_BYTES);
    writeHead(start, type, flags, callId, body.length);
    const ready = this.#write(start);
    return body.length > 0 ? this.#write(body) : ready;
  }

  sendText(type, flags, callId, text) {
    const bytes = Buffer.byteLength(text);
    const whole = Buffer.allocUnsafe(HEADER_BYTES + bytes);
    writeHead(whole, type, flags, callId, bytes);
    whole.write(text, HEADER_BYTES, "utf8");
    return this.#write(whole);
  }

  /** A frame of a duration and text: RESULT, ERROR, STREAM_END. */
  sendTimed(type, flags, callId, durationMs, text) {
    const bytes = 8 + Buffer.byteLength(text);
    const whole = Buffer.allocUnsafe(HEADER_BYTES + bytes);
    writeHead(whole, type, flags, callId, bytes);
    whole.writeDoubleLE(durationMs, HEADER_BYTES);
    whole.write(text, HEADER_BYTES + 8, "utf8");
    return this.#write(whole);
  }

  /** Calls `then` once everything written so far has left the process. */
  flush(then) {
    if (this.#corked) this.#uncork();
    if (this.#socket.destroyed) then();
    else this.#socket.write(EMPTY, then);
  }

  #write(buffer) {
    if (!this.#corked) {
      this.#corked = true;
      this.#socket.cork();
      process.nextTick(this.#uncork);
    }
    return this.#socket.write(buffer);
  }
}

/** The process's end of the channel. */
class Channel extends Writer {
  #dropped = 0;

  constructor(socket) {
    super(socket);
    this.socket = socket;
  }

  /** One line of log; dropped and counted while too much waits for the platform. */
  log(callId, text) {
    if (this.socket.writableLength > LOG_WAITING_BYTES_MAX) {
      this.#dropped += 1;
      return;
    }
    this.reportDropped();
    this.sendText(LOG, 0, callId, text);
  }

  reportDropped() {
    if (this.#dropped === 0) return;
    this.sendText(LOG, 0, 0, `${this.#dropped} log lines dropped: more than ${LOG_WAITING_BYTES_MAX} bytes were waiting`);
    this.#dropped = 0;
  }
}

/** Opens the channel. `onFrame(type, flags, callId, body)`; `onClosed()` once, when the platform is gone. */
export function openChannel(fd, onFrame, onClosed) {
  const socket = new Socket({ fd, readable: true, writable: true });
  const push = decoder(onFrame);
  socket.on("data", (chunk) => {
    if (!push(chunk)) socket.destroy();
  });
  socket.on("error", () => {});
  socket.on("close", onClosed);
  return new Channel(socket);
}
