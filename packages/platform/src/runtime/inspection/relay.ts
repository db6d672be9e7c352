import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { pipeline } from "node:stream";
import { invariant, LambentError } from "../../base/index.ts";

/** The only address debuggers are let in at: whoever reaches one has full power over its function. */
export const INSPECTOR_HOST = "127.0.0.1";

/** Connections of debuggers to one function at once; more are closed (P7). A debugger has one or two, `chrome://inspect` asks with further ones. */
const DEBUGGER_CONNECTIONS_MAX = 32;

/** A listener on the host's loopback whose connections are carried, byte for byte, to wherever `dial` leads. */
export class Relay {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  /** Listens on `port`, a free one for 0. Throws `PortTaken`, or `InvalidParameter` for a port this user may not open. */
  static async open(port: number, dial: () => Promise<Socket>): Promise<Relay> {
    const server = createServer({ noDelay: true, pauseOnConnect: true });
    server.maxConnections = DEBUGGER_CONNECTIONS_MAX;
    server.listen(port, INSPECTOR_HOST);
    await once(server, "listening").catch((error: unknown) => refuse(port, error));
    const address: AddressInfo | string | null = server.address();
    invariant(typeof address === "object" && address !== null, "a TCP listener has an address and a port");
    const relay = new Relay(server, address.port);
    server.on("connection", (socket) => void relay.#carry(socket, dial));
    return relay;
  }

  /** Ends the listener and every connection: the debuggers at their ends let go of what they hold. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #carry(socket: Socket, dial: () => Promise<Socket>): Promise<void> {
    this.#keep(socket);
    try {
      const target = this.#keep(await dial());
      if (socket.destroyed) return void target.destroy();
      // A connection that breaks ends its other half; there is nobody to tell.
      pipeline(socket, target, socket, () => undefined);
    } catch {
      // No instance is there, or it ended while it was dialled: a debugger takes a closed connection for that.
      socket.destroy();
    }
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => this.#sockets.delete(socket));
    return socket;
  }
}

function refuse(port: number, error: unknown): never {
  const code = error instanceof Error && "code" in error ? String(error.code) : String(error);
  if (code === "EADDRINUSE") throw new LambentError("PortTaken", `Port ${port} of ${INSPECTOR_HOST} is in use.`);
  throw new LambentError("InvalidParameter", `Port ${port} of ${INSPECTOR_HOST} cannot be opened: ${code}.`);
}
