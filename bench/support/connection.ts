import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { wholeAnswer } from "./answer.ts";

export interface TimedAnswer {
  readonly status: number;
  readonly body: string;
  /** From the write of the request to the last byte of the answer. */
  readonly ms: number;
}

/** One keep-alive connection for one request at a time: what a client library adds is not measured with it. */
export class Connection {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ host: "127.0.0.1", port, noDelay: true });
    await once(socket, "connect");
    return new Connection(socket);
  }

  send(request: Buffer): Promise<TimedAnswer> {
    const socket = this.#socket;
    return new Promise((resolve, reject) => {
      let pending: Buffer = Buffer.alloc(0);
      const lost = (): void => reject(new TypeError("the server closed the connection before it answered"));
      const hear = (chunk: Buffer): void => {
        pending = Buffer.concat([pending, chunk]);
        const answer = wholeAnswer(pending);
        if (!answer) return;
        const ms = performance.now() - sentAt;
        socket.off("data", hear);
        socket.off("close", lost);
        resolve({ status: answer.status, body: pending.toString("utf8", answer.bodyStart, answer.end), ms });
      };
      socket.on("data", hear);
      socket.once("close", lost);
      const sentAt = performance.now();
      socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }
}
