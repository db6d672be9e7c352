/**
 * Kafka's protocol on sockets that somebody else accepts. What answers it is loaded when the first client comes: no start waits for it.
 *
 * Keeps P1 (a producer is answered when its records are durable), P6, P7 and P8. Deliberately absent: what records are and how they are kept
 * (`streams/`), the rules of groups (`streams/groups`), who may (`security/`), and the listening socket (`server/`).
 */
import type { Socket } from "node:net";
import { Later } from "../../base/index.ts";
import type { Arrival, Connections, KafkaDependencies } from "./connections.ts";

export class KafkaDoor {
  readonly #connections: Later<Connections>;
  readonly #reportDefect: (error: unknown) => void;

  constructor(dependencies: KafkaDependencies) {
    this.#reportDefect = dependencies.reportDefect;
    this.#connections = new Later(async () => (await import("./connections.ts")).Connections.open(dependencies));
  }

  /** Serves `socket` until its client goes or the door closes. Never throws: what goes wrong is this connection's end. */
  serve(socket: Socket, arrival: Arrival): void {
    const opened = this.#connections.opened();
    if (opened) return opened.serve(socket, arrival);
    const end = (): void => void socket.destroy();
    socket.once("error", end);
    this.#connections.get().then(
      (connections) => {
        connections.serve(socket, arrival);
        socket.off("error", end);
      },
      (error: unknown) => {
        socket.destroy();
        this.#reportDefect(error);
      },
    );
  }

  /** Ends all connections, once the answers under way are written or a moment has passed. */
  close(): Promise<void> {
    return this.#connections.close((connections) => connections.close());
  }
}
