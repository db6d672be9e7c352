/** A client of the bare protocol, for what no client library would ever send. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Api, Decoded, Encodable, Fields } from "../../../src/gateway/kafka/protocol/index.ts";
import { Reader, Writer, writeRequestHeader } from "../../../src/gateway/kafka/protocol/index.ts";

interface Expected {
  readonly correlationId: number;
  resolve(frame: Buffer): void;
  reject(error: Error): void;
}

/** The connection ended before the answer came. */
export class ConnectionEnded extends Error {}

export class KafkaWire implements AsyncDisposable {
  readonly socket: Socket;
  /** Resolves when the connection has ended, from whichever side. */
  readonly ended: Promise<void>;
  readonly #expected: Expected[] = [];
  #came: Buffer = Buffer.alloc(0);
  #correlationId = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    socket.on("error", () => socket.destroy());
    this.ended = new Promise((resolve) => {
      socket.once("close", () => {
        for (const { reject } of this.#expected.splice(0)) reject(new ConnectionEnded("the connection ended"));
        resolve();
      });
    });
  }

  static async open(port: number): Promise<KafkaWire> {
    const socket = connect(port, "127.0.0.1");
    await once(socket, "connect");
    return new KafkaWire(socket);
  }

  /** The bytes of a request, with its length. */
  static request<Q extends Fields>(api: Api<Q, Fields>, version: number, body: Encodable<Q>, correlationId = 0): Buffer {
    const writer = new Writer();
    writeRequestHeader(writer, { apiKey: api.key, version, correlationId, clientId: "wire" }, api.isFlexible(version));
    api.requestCodec(version).write(writer, body);
    const length = Buffer.alloc(4);
    length.writeInt32BE(writer.length);
    return Buffer.concat([length, ...writer.finish()]);
  }

  /** Asks, and waits for the answer. Rejects with `ConnectionEnded` when the connection ends before. */
  async ask<Q extends Fields, S extends Fields>(api: Api<Q, S>, version: number, body: Encodable<Q>): Promise<Decoded<S>> {
    this.#correlationId += 1;
    const answer = this.next(this.#correlationId);
    this.socket.write(KafkaWire.request(api, version, body, this.#correlationId));
    const reader = new Reader(await answer);
    reader.int32();
    if (api.isFlexible(version) && api.name !== "ApiVersions") reader.skipTaggedFields();
    const response = api.responseCodec(version).read(reader);
    if (reader.left > 0) throw new RangeError(`${reader.left} bytes follow the answer`);
    return response;
  }

  /** The next frame, which must be the answer to `correlationId` where that is given. */
  next(correlationId = -1): Promise<Buffer> {
    return new Promise((resolve, reject) => this.#expected.push({ correlationId, resolve, reject }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.ended;
  }

  #take(chunk: Buffer): void {
    this.#came = Buffer.concat([this.#came, chunk]);
    while (this.#came.length >= 4 && this.#came.length >= 4 + this.#came.readInt32BE(0)) {
      const end = 4 + this.#came.readInt32BE(0);
      const frame = this.#came.subarray(4, end);
      this.#came = this.#came.subarray(end);
      const expected = this.#expected.shift();
      const isOther = expected && expected.correlationId >= 0 && frame.readInt32BE(0) !== expected.correlationId;
      if (isOther) expected.reject(new RangeError(`answer ${frame.readInt32BE(0)} came for request ${expected.correlationId}`));
      else expected?.resolve(frame);
    }
  }
}
