import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { type Clock, LambentError, nodeHttp } from "../base/index.ts";
import { type BrowserRules, checkBrowser, type Surface } from "../security/index.ts";
import type { ApiHandler } from "./api-handler.ts";
import { isForS3 } from "./api-or-s3.ts";
import { boundWholeRequest } from "./body.ts";
import type { FunctionUrlHandler } from "./function-url/handler.ts";
import type { CloudEventsHandler } from "./cloud-events/cloud-events-handler.ts";
import { cloudEventsBus, webhookName } from "./events-over-http.ts";
import { type FindUrl, matchUrl } from "./function-url/match.ts";
import { Http2Connections } from "./http2/handover.ts";
import type { Http2Outcome } from "./http2/http2-door.ts";
import { expectsContinue, hasBody } from "./s3/request-bytes.ts";
import type { S3Door } from "./s3/s3-door.ts";
import type { WebhookHandler } from "./webhook/handler.ts";

/**
 * The main listener: function URLs, what is S3's by its head, health, webhooks, the signed APIs, and what is S3's because nobody else takes it,
 * in this order of matching.
 * Keeps P7 and P8 at the door: bounds of connections, headers and times; whatever arrives is answered or its connection closed.
 */

/** Open connections; more are refused by closing them at once. @limit */
export const CONNECTIONS_MAX = 10_000;
/** Headers must have arrived within this, seen at the next check. @limit */
export const HEADERS_MS_MAX = 10_000;
/** How often connections are checked for being too slow. Node's own 30 s would make the limit above four times as long. */
const SLOW_CHECK_MS = 1_000;
/** A whole request must have arrived within this; uploads to S3 have a bound of their own, since they take as long as their line. @limit */
export const REQUEST_MS_MAX = 300_000;
/** Above the 5 s after which SDK pools let go, so that a reused connection is not closed under a request. */
export const KEEP_ALIVE_MS = 65_000;
/** Bytes of all headers together. @limit */
export const HEADER_BYTES_MAX = 32 * 1024;

export interface GatewayDependencies {
  readonly api: ApiHandler;
  /** Undefined where there is no object storage; the clock bounds how long other requests take. */
  readonly s3?: { readonly door: Pick<S3Door, "telling" | "handle">; readonly clock: Clock } | undefined;
  readonly functionUrls: FunctionUrlHandler;
  readonly findUrl: FindUrl;
  /** Undefined where no events come in by HTTP. */
  readonly webhooks?: Pick<WebhookHandler, "handle"> | undefined;
  readonly cloudEvents?: Pick<CloudEventsHandler, "handle"> | undefined;
  readonly browserRules: BrowserRules;
  /** What is found at a path by everybody, as text: certificates. Undefined, at once, for a path that is none of such a text. */
  readonly publicText?: ((path: string) => Promise<PublicText | undefined> | undefined) | undefined;
  /** Body of the health answers. */
  readonly health: () => object;
  readonly reportDefect: (error: unknown) => void;
}

/** A text that everybody may read. */
export interface PublicText {
  readonly contentType: string;
  readonly text: string;
}

export class Gateway {
  readonly #dependencies: GatewayDependencies;
  readonly #server: Server;
  readonly #http2: Http2Connections;
  readonly #sockets = new Set<Socket>();

  constructor(dependencies: GatewayDependencies) {
    this.#dependencies = dependencies;
    this.#server = nodeHttp().createServer({
      headersTimeout: HEADERS_MS_MAX,
      // Node has one bound for all requests of a server: where uploads may take longer, the others are bounded here.
      requestTimeout: dependencies.s3 ? 0 : REQUEST_MS_MAX,
      connectionsCheckingInterval: SLOW_CHECK_MS,
      keepAliveTimeout: KEEP_ALIVE_MS,
      maxHeaderSize: HEADER_BYTES_MAX,
      noDelay: true,
      // A request without a body needs no stream that ends.
      optimizeEmptyRequests: true,
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.on("request", (request, response) => this.#route(request, response));
    // Who waits for a 100 is told to go on once it is known who takes the body.
    if (dependencies.s3) this.#server.on("checkContinue", (request, response) => this.#route(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.#http2 = new Http2Connections(this.#server, {
      handle: (request, response) => this.#routeHttp2(request, response),
      headerBytesMax: HEADER_BYTES_MAX,
      idleMs: KEEP_ALIVE_MS,
      whole: dependencies.s3 && { boundMs: REQUEST_MS_MAX, clock: dependencies.s3.clock },
    });
  }

  /** Starts listening; `port` 0 picks a free one. Throws `PortTaken`. */
  listen(host: string, port: number): Promise<AddressInfo> {
    return new Promise((resolve, reject) => {
      const refused = (error: NodeJS.ErrnoException): void => {
        reject(error.code === "EADDRINUSE" ? new LambentError("PortTaken", `port ${port} of ${host} is in use`) : error);
      };
      this.#server.once("error", refused);
      this.#server.listen({ host, port, backlog: 1_024 }, () => {
        this.#server.off("error", refused);
        // A connection that could not be accepted, mostly for want of descriptors: it is lost, the listener goes on (P8).
        this.#server.on("error", (error) => this.#dependencies.reportDefect(error));
        resolve(this.#server.address() as AddressInfo);
      });
    });
  }

  /** Takes no new connection, lets running requests end for at most `graceMs` (by `deadline`), then closes what is open. */
  async close(deadline: Promise<void>): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeIdleConnections();
    const http2Closed = this.#http2.close();
    // Read when an answer ends: a connection whose request was running is closed behind it, not kept for the next one.
    this.#server.keepAliveTimeout = 1;
    this.#server.keepAliveTimeoutBuffer = 0;
    await Promise.race([closed, deadline]);
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([closed, http2Closed]);
  }

  #route(request: IncomingMessage, response: ServerResponse): void {
    const target = request.url ?? "/";
    const matching = matchUrl(request.headers.host ?? "", target, this.#dependencies.findUrl);
    const telling = matching.kind === "none" ? this.#dependencies.s3?.door.telling(request) : undefined;
    if (telling === "s3") return this.#s3(request, response);
    if (telling === "untold" && !this.#isOwnPath(request, target)) return this.#watch(this.#untold(request, response, target), response);
    this.#begin(request, response);
    const refused = this.#refusal(matching.kind === "none" ? "api" : "functionUrl", request);
    if (refused) return plain(response, 403, refused);
    if (matching.kind === "matched")
      return this.#watch(this.#dependencies.functionUrls.handle(matching.match, request, response), response);
    if (matching.kind === "unknown")
      return plain(response, 404, { code: "NotFound", message: `no function here has a URL named ${matching.name.slice(0, 100)}` });
    this.#own(request, response, target);
  }

  /** The APIs, and what has a path of its own here; what is a function's or S3's is asked for by HTTP/1.1. */
  #routeHttp2(request: IncomingMessage, response: ServerResponse): Http2Outcome {
    const target = request.url ?? "/";
    const { findUrl, s3 } = this.#dependencies;
    if (matchUrl(request.headers.host ?? "", target, findUrl).kind !== "none" || s3?.door.telling(request) === "s3") return "http1Only";
    const refused = this.#refusal("api", request);
    if (refused) plain(response, 403, refused);
    else this.#own(request, response, target);
    return "taken";
  }

  /** What has a path of its own here, else the APIs. */
  #own(request: IncomingMessage, response: ServerResponse, target: string): void {
    const { webhooks, cloudEvents } = this.#dependencies;
    const webhook = webhookName(target);
    if (webhooks && webhook !== undefined) return this.#watch(webhooks.handle(webhook, request, response), response);
    const bus = cloudEventsBus(target);
    if (cloudEvents && bus !== undefined) return this.#watch(cloudEvents.handle(bus, request, response), response);
    if (request.method === "GET" && isHealth(target)) return plain(response, 200, this.#dependencies.health());
    const text = request.method === "GET" ? this.#dependencies.publicText?.(target) : undefined;
    if (text) return this.#watch(this.#textOrApi(text, request, response), response);
    this.#watch(this.#api(request, response), response);
  }

  #isOwnPath(request: IncomingMessage, target: string): boolean {
    const { webhooks, cloudEvents } = this.#dependencies;
    if (webhooks && webhookName(target) !== undefined) return true;
    if (cloudEvents && cloudEventsBus(target) !== undefined) return true;
    return request.method === "GET" && isHealth(target);
  }

  /** A request that may be S3's, if there is neither a text nor another service under its path. */
  async #untold(request: IncomingMessage, response: ServerResponse, target: string): Promise<void> {
    const { api, s3, publicText } = this.#dependencies;
    const text = request.method === "GET" ? await publicText?.(target) : undefined;
    if (!text && s3 && (await isForS3(request, api, s3.door))) return this.#s3(request, response);
    this.#begin(request, response);
    const refused = this.#refusal("api", request);
    if (refused) plain(response, 403, refused);
    else if (text) sendText(response, text);
    else await this.#api(request, response);
  }

  #s3(request: IncomingMessage, response: ServerResponse): void {
    const { s3 } = this.#dependencies;
    const refused = this.#refusal("s3", request);
    if (refused) {
      if (s3 && hasBody(request)) boundWholeRequest(request, response, REQUEST_MS_MAX, s3.clock);
      return plain(response, 403, refused);
    }
    if (s3) this.#watch(s3.door.handle(request, response, `http://${request.headers.host ?? ""}`), response);
  }

  /** What Node does of itself for all requests of a server, where S3 has it otherwise. */
  #begin(request: IncomingMessage, response: ServerResponse): void {
    const { s3 } = this.#dependencies;
    if (!s3 || !hasBody(request)) return;
    if (expectsContinue(request)) response.writeContinue();
    boundWholeRequest(request, response, REQUEST_MS_MAX, s3.clock);
  }

  async #textOrApi(text: Promise<PublicText | undefined>, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const found = await text;
    if (found) sendText(response, found);
    else await this.#api(request, response);
  }

  #api(request: IncomingMessage, response: ServerResponse): Promise<void> {
    return this.#dependencies.api.handle(request, response, `http://${request.headers.host ?? ""}`);
  }

  #refusal(surface: Surface, request: IncomingMessage): object | undefined {
    const verdict = checkBrowser(surface, request.headers, this.#dependencies.browserRules);
    return verdict.kind === "allowed" ? undefined : { code: "HostRefused", message: verdict.reason };
  }

  /** Handlers answer every expected ending themselves; what still rejects is a defect and costs one connection, never the process. */
  #watch(handled: Promise<void>, response: ServerResponse): void {
    handled.catch((error: unknown) => {
      this.#dependencies.reportDefect(error);
      response.destroy();
    });
  }
}

function isHealth(target: string): boolean {
  return target === "/_lambent/health" || target === "/_localstack/health";
}

function sendText(response: ServerResponse, { contentType, text }: PublicText): void {
  response.writeHead(200, { "content-type": contentType, "content-length": Buffer.byteLength(text) }).end(text);
}

function plain(response: ServerResponse, status: number, value: object): void {
  const body = JSON.stringify(value);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
}
