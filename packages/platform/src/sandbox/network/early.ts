import type { Server, Socket } from "node:net";

/** Connections that wait for a listener's first handler; more are closed (P7). */
export const EARLY_CONNECTIONS_MAX = 64;

/**
 * Keeps connections that arrive before anyone handles them, and hands them to the first handler: a process may
 * connect before its launcher has told the platform where to serve.
 */
export function holdEarlyConnections(server: Server): Server {
  const early: Socket[] = [];
  const hold = (socket: Socket): void => {
    if (early.length >= EARLY_CONNECTIONS_MAX) return void socket.destroy();
    socket.on("error", () => socket.destroy());
    early.push(socket);
  };
  const release = (event: string | symbol): void => {
    if (event !== "connection") return;
    server.off("newListener", release);
    server.off("connection", hold);
    // The handler is attached only after this event, so the sockets follow in a microtask.
    queueMicrotask(() => {
      for (const socket of early.splice(0)) server.emit("connection", socket);
    });
  };
  // Listeners that came from another process carry none of `createServer`'s options.
  server.on("connection", (socket: Socket) => socket.setNoDelay(true));
  server.on("connection", hold);
  server.on("newListener", release);
  return server;
}
