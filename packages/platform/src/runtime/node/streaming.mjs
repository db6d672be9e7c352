// awslambda.streamifyResponse and the stream it hands to the handler.
import { Writable } from "node:stream";
import * as frames from "./channel.mjs";
import { RuntimeError } from "./errors.mjs";

const STREAMING = Symbol.for("aws.lambda.runtime.handler.streaming");
const HTTP_TYPE = "application/vnd.awslambda.http-integration-response";

/** Bytes of one STREAM_CHUNK; longer writes are cut. */
const CHUNK_BYTES_MAX = 262_144;

/** Takes what the handler writes, at the pace of whoever reads the answer (P7). */
export class ResponseStream extends Writable {
  #channel;
  #callId;
  #contentType = "application/octet-stream";
  #http = "";
  #begun = false;
  #paused = false;
  #sentWithoutYield = 0;
  #waiting;

  constructor(channel, callId) {
    super({ highWaterMark: CHUNK_BYTES_MAX });
    this.#channel = channel;
    this.#callId = callId;
  }

  setContentType(contentType) {
    if (this.#begun) throw new RuntimeError("Runtime.StreamBegun", "The content type cannot be set: the stream has begun.");
    this.#contentType = String(contentType);
  }

  /** Status, headers and cookies of the HTTP answer; called through awslambda.HttpResponseStream.from. */
  setHttpPrelude(metadata) {
    this.setContentType(HTTP_TYPE);
    this.#http = JSON.stringify(metadata ?? {});
  }

  _write(chunk, _encoding, done) {
    this.#begin();
    this.#sendFrom(chunk, 0, done);
  }

  /** One frame at a time, so that a pause takes hold inside a large write too. */
  #sendFrom(chunk, from, done) {
    if (this.#paused) {
      this.#waiting = () => this.#sendFrom(chunk, from, done);
      return;
    }
    const end = Math.min(from + CHUNK_BYTES_MAX, chunk.length);
    const ready = this.#channel.send(frames.STREAM_CHUNK, 0, this.#callId, chunk.subarray(from, end));
    const next = () => (end < chunk.length ? this.#sendFrom(chunk, end, done) : done());
    this.#sentWithoutYield += end - from;
    if (!ready) this.#channel.socket.once("drain", next);
    else if (this.#sentWithoutYield < CHUNK_BYTES_MAX) next();
    else this.#yield(next);
  }

  /** A handler that writes as fast as it is drained never lets the event loop read: a pause would not be heard. */
  #yield(next) {
    this.#sentWithoutYield = 0;
    setImmediate(() => next());
  }

  _final(done) {
    this.#begin();
    done();
  }

  /** Sends the head before there is any byte of the body. */
  flushHeaders() {
    this.#begin();
  }

  /** STREAM_PAUSE, STREAM_RESUME. */
  setPaused(paused) {
    this.#paused = paused;
    const waiting = this.#waiting;
    if (paused || !waiting) return;
    this.#waiting = undefined;
    waiting();
  }

  #begin() {
    if (this.#begun) return;
    this.#begun = true;
    const typeBytes = Buffer.byteLength(this.#contentType, "latin1");
    const head = Buffer.allocUnsafe(2 + typeBytes);
    head.writeUInt16LE(typeBytes, 0);
    head.write(this.#contentType, 2, "latin1");
    this.#channel.send(frames.STREAM_BEGIN, 0, this.#callId, Buffer.concat([head, Buffer.from(this.#http)]));
  }
}

/** What a handler of another style answers when its answer went through a stream. */
export const STREAMED = Symbol("streamed");

/** True for a handler wrapped by `streamifyResponse`. */
export const isStreaming = (handler) => handler[STREAMING] !== undefined;

/** The global AWS's runtime gives to handlers. */
export function installGlobal() {
  globalThis.awslambda = {
    streamifyResponse: (handler, options) => {
      handler[STREAMING] = "response";
      if (options?.highWaterMark) handler[Symbol.for("aws.lambda.runtime.handler.streaming.highWaterMark")] = options.highWaterMark;
      return handler;
    },
    HttpResponseStream: {
      from: (stream, metadata) => {
        stream.setHttpPrelude(metadata);
        return stream;
      },
    },
  };
}
