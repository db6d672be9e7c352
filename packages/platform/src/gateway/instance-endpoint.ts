import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";
import { nodeHttp } from "../base/index.ts";
import type { InstanceCaller, InstanceEndpoint } from "../model/index.ts";
import type { Egress } from "../security/index.ts";
import type { ApiHandler } from "./api-handler.ts";
import { isForS3 } from "./api-or-s3.ts";
import { createEgressProxy } from "./egress-proxy.ts";
import { HEADER_BYTES_MAX, KEEP_ALIVE_MS } from "./gateway.ts";
import { Http2Connections } from "./http2/handover.ts";
import { expectsContinue } from "./s3/request-bytes.ts";
import type { S3Door } from "./s3/s3-door.ts";

/** Takes the connections of Kafka clients. */
export interface KafkaSockets {
  /** `caller`: the instance whose own listener it came by; without it, who is there says who they are. */
  take(socket: Socket, caller?: InstanceCaller): void;
}

export interface InstanceEndpointParts {
  readonly api: ApiHandler;
  readonly egress: Egress;
  /** Without them, neither is served. */
  readonly s3?: Pick<S3Door, "telling" | "handle">;
  readonly kafka?: KafkaSockets | undefined;
}

/** Connections one instance may hold open to each of its listeners; more are closed at once: descriptors are everybody's (P7). @limit */
export const INSTANCE_CONNECTIONS_MAX = 512;

/**
 * What one instance reaches: the API, the egress proxy and Kafka's protocol, on listeners inside its own namespace.
 * The caller is known by the listener; credentials of anybody else are refused there (P3).
 */
export function createInstanceEndpoint({ api, egress, s3, kafka }: InstanceEndpointParts): InstanceEndpoint {
  return {
    serveApi(listener: Server, caller: InstanceCaller) {
      const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
        const told = s3 ? isForS3(request, api, s3) : false;
        const isS3 = told instanceof Promise ? await told : told;
        const endpoint = endpointOf(request);
        if (s3 && isS3) return s3.handle(request, response, endpoint, caller);
        if (expectsContinue(request)) response.writeContinue();
        return api.handle(request, response, endpoint, caller);
      };
      const listen = (request: IncomingMessage, response: ServerResponse): void => {
        // Handlers answer everything themselves; schemas that cannot be read cost this connection.
        answer(request, response).catch(() => response.destroy());
      };
      const server = nodeHttp().createServer(listen).on("checkContinue", listen);
      const http2 = new Http2Connections(server, {
        handle: (request, response) => {
          if (s3?.telling(request) === "s3") return "http1Only";
          api.handle(request, response, endpointOf(request), caller).catch(() => response.destroy());
          return "taken";
        },
        headerBytesMax: HEADER_BYTES_MAX,
        idleMs: KEEP_ALIVE_MS,
      });
      const served = serveHttp(listener, server);
      return {
        close() {
          served.close();
          void http2.close();
        },
      };
    },
    serveProxy: (listener: Server) => serveHttp(listener, createEgressProxy(egress)),
    serveKafka: (listener: Server, caller: InstanceCaller) =>
      serve(listener, (socket) => {
        if (kafka) kafka.take(socket, caller);
        else socket.destroy();
      }),
  };
}

function endpointOf({ headers }: IncomingMessage): string {
  return `http://${headers.host ?? "127.0.0.1"}`;
}

function serveHttp(listener: Server, server: HttpServer): { close(): void } {
  return serve(listener, (socket) => void server.emit("connection", socket));
}

/** Hands over the connections of `listener`, which somebody else bound. They are counted here: whoever gets them tracks only what it listens for itself. */
function serve(listener: Server, handOver: (socket: Socket) => void): { close(): void } {
  const open = new Set<Socket>();
  const take = (socket: Socket): void => {
    if (open.size >= INSTANCE_CONNECTIONS_MAX) {
      socket.destroy();
      return;
    }
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    handOver(socket);
  };
  listener.on("connection", take);
  return {
    close() {
      listener.off("connection", take);
      for (const socket of open) socket.destroy();
    },
  };
}
