import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";
import { nodeHttp } from "../base/index.ts";
import type { InstanceCaller, InstanceEndpoint } from "../model/index.ts";
import type { Egress } from "../security/index.ts";
import type { ApiHandler } from "./api-handler.ts";
import { isForS3 } from "./api-or-s3.ts";
import { createEgressProxy } from "./egress-proxy.ts";
import { expectsContinue } from "./s3/request-bytes.ts";
import type { S3Door } from "./s3/s3-door.ts";

/** Connections one instance may hold open to each of its two listeners; more are closed at once: descriptors are everybody's (P7). @limit */
export const INSTANCE_CONNECTIONS_MAX = 512;

/**
 * What one instance reaches: the API and the egress proxy, on listeners inside its own namespace.
 * The caller is known by the listener; credentials of anybody else are refused there (P3).
 */
export function createInstanceEndpoint(api: ApiHandler, egress: Egress, s3?: Pick<S3Door, "telling" | "handle">): InstanceEndpoint {
  return {
    serveApi(listener: Server, caller: InstanceCaller) {
      const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
        const told = s3 ? isForS3(request, api, s3) : false;
        const isS3 = told instanceof Promise ? await told : told;
        const endpoint = `http://${request.headers.host ?? "127.0.0.1"}`;
        if (s3 && isS3) return s3.handle(request, response, endpoint, caller);
        if (expectsContinue(request)) response.writeContinue();
        return api.handle(request, response, endpoint, caller);
      };
      const listen = (request: IncomingMessage, response: ServerResponse): void => {
        // Handlers answer everything themselves; schemas that cannot be read cost this connection.
        answer(request, response).catch(() => response.destroy());
      };
      return serve(listener, nodeHttp().createServer(listen).on("checkContinue", listen));
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
