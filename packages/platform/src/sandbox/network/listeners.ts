import type { Server, Socket } from "node:net";
import type { InstanceListeners } from "../sandbox.ts";

/** Connections that wait for a listener's first handler; more are closed (P7). */
export const EARLY_CONNECTIONS_MAX = 64;

/** Connections of each instance listener, so that all end with the instance. */
const connections = new WeakMap<Server, Set<Socket>>();

/**
 * Makes a server one of an instance: keeps connections that arrive before anyone handles them and hands them to the
 * first handler, because a process may connect before its launcher has told the platform where to serve.
 */
export function adoptListener(server: Server): Server {
  const open = new Set<Socket>();
  connections.set(server, open);
  const early: Socket[] = [];
  const hold = (socket: Socket): void => {
    if (early.length >= EARLY_CONNECTIONS_MAX) return void socket.destroy();
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
  const track = (socket: Socket): void => {
    if (open.has(socket)) return;
    open.add(socket);
    // Listeners that came from another process carry none of `createServer`'s options.
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => open.delete(socket));
  };
  server.on("connection", track);
  server.on("connection", hold);
  server.on("newListener", release);
  return server;
}

/** Stops accepting and ends every connection: the instance at their other end is gone. */
export function closeListeners(listeners: InstanceListeners): void {
  for (const server of [listeners.api, listeners.proxy, listeners.runtimeApi, listeners.kafka]) {
    server.close();
    for (const socket of connections.get(server) ?? []) socket.destroy();
  }
}
