import type { Server as HttpServer } from "node:http";
import type { Server, Socket } from "node:net";
import { nodeHttp } from "../base/index.ts";
import type { InstanceCaller, InstanceEndpoint } from "../model/index.ts";
import type { Egress } from "../security/index.ts";
import type { ApiHandler } from "./api-handler.ts";
import { createEgressProxy } from "./egress-proxy.ts";

/** Connections one instance may hold open to each of its two listeners; more are closed at once: descriptors are everybody's (P7). @limit */
export const INSTANCE_CONNECTIONS_MAX = 512;

/**
 * What one instance reaches: the API and the egress proxy, on listeners inside its own namespace.
 * The caller is known by the listener; credentials of anybody else are refused there (P3).
 */
export function createInstanceEndpoint(api: ApiHandler, egress: Egress): InstanceEndpoint {
  return {
    serveApi(listener: Server, caller: InstanceCaller) {
      const server = nodeHttp().createServer((request, response) => {
        void api.handle(request, response, `http://${request.headers.host ?? "127.0.0.1"}`, caller);
      });
      return serve(listener, server);
    },
    serveProxy: (listener: Server) => serve(listener, createEgressProxy(egress)),
  };
}

/** Feeds `server` the connections of `listener`, which somebody else bound. They are counted here: an http server tracks only what it listens for. */
function serve(listener: Server, server: HttpServer): { close(): void } {
  const open = new Set<Socket>();
  const take = (socket: Socket): void => {
    if (open.size >= INSTANCE_CONNECTIONS_MAX) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    server.emit("connection", socket);
  };
  listener.on("connection", take);
  return {
    close() {
      listener.off("connection", take);
      for (const socket of open) socket.destroy();
    },
  };
}
