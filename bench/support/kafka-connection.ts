/** One connection of a Kafka client: requests are frames, answers come in their order. */
import { connect, type Socket } from "node:net";
import { once } from "node:events";

const LENGTH_BYTES = 4;

export class KafkaConnection {
  readonly #socket: Socket;
  readonly #waiting: ((frame: Buffer) => void)[] = [];
  #received: Buffer[] = [];
  #bytes = 0;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => this.#read(chunk));
  }

  static async open(address: string): Promise<KafkaConnection> {
    const colon = address.lastIndexOf(":");
    const socket = connect({ host: address.slice(0, colon), port: Number(address.slice(colon + 1)), noDelay: true });
    await once(socket, "connect");
    return new KafkaConnection(socket);
  }

  /** Sends a frame with its length in front; resolves with the answer behind its length. */
  send(frame: Buffer): Promise<Buffer> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#socket.write(frame);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes >= LENGTH_BYTES) {
      const first = this.#joined(LENGTH_BYTES);
      const length = first.readInt32BE(0) + LENGTH_BYTES;
      if (this.#bytes < length) return;
      const all = this.#joined(length);
      this.#received = all.length > length ? [all.subarray(length)] : [];
      this.#bytes -= length;
      this.#waiting.shift()?.(all.subarray(LENGTH_BYTES, length));
    }
  }

  /** The bytes so far in pieces of which the first has at least so many. */
  #joined(bytes: number): Buffer {
    if ((this.#received[0]?.length ?? 0) < bytes) this.#received = [Buffer.concat(this.#received)];
    return this.#received[0] ?? Buffer.alloc(0);
  }
}
