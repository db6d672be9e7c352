import type { IncomingMessage, ServerResponse } from "node:http";
import { type Clock, LambentError, type SecureRandom } from "../../base/index.ts";
import type { CorsSettings } from "../../functions/index.ts";
import type { InvokeOutcome, Invoker } from "../../invoker/index.ts";
import type { Realm } from "../../model/index.ts";
import { type BodyBudget, type HeldBody, HTTP_BODY_BYTES_MAX } from "../body.ts";
import { httpAnswer, type HttpAnswer } from "./answer.ts";
import { corsHeaders, isPreflight, preflightHeaders } from "./cors.ts";
import { type HttpCaller, httpEvent } from "./event.ts";
import { HttpResponseStream } from "./response-stream.ts";
import { confineToPrefix } from "./sandboxed-answer.ts";

/** A function reachable over HTTP. */
export interface FunctionUrl {
  readonly realm: Realm;
  readonly functionName: string;
  readonly qualifier: string | undefined;
  readonly urlId: string;
  readonly authType: "NONE" | "AWS_IAM";
  readonly invokeMode: "BUFFERED" | "RESPONSE_STREAM";
  readonly cors: CorsSettings | undefined;
}

/** Where the request named the function: in the path, or in the host name. */
export interface UrlMatch {
  readonly url: FunctionUrl;
  /** Path as the function sees it, with query. */
  readonly target: string;
  /** `/function-url/<name>` when the path named it; undefined for a host of its own. */
  readonly prefix: string | undefined;
  readonly domain: string;
}

/** Decides whether the caller of a URL may call, and who it is. Throws `AccessDenied`, or the signature's fault. */
export type UrlGuard = (url: FunctionUrl, request: IncomingMessage, body: Buffer) => HttpCaller;

export interface FunctionUrlDependencies {
  readonly invoker: Invoker;
  readonly guard: UrlGuard;
  readonly bodies: BodyBudget;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
}

/** Statuses that HTTP has no body for; a length beside them makes clients wait for one. */
const BODILESS: ReadonlySet<number> = new Set([204, 304]);

type Decorate = (headers: HttpAnswer["headers"]) => void;

/** HTTP calls to functions: request → event → invoker → answer. */
export class FunctionUrlHandler {
  readonly #dependencies: FunctionUrlDependencies;

  constructor(dependencies: FunctionUrlDependencies) {
    this.#dependencies = dependencies;
  }

  /** Answers `request`; never rejects. */
  async handle(match: UrlMatch, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const requestId = this.#dependencies.secureRandom.uuid();
    const decorate = decorator(match, request, requestId);
    if (match.url.cors && isPreflight(request.method ?? "", request.headers)) {
      const headers: HttpAnswer["headers"] = preflightHeaders(match.url.cors, request.headers);
      headers["x-amzn-requestid"] = requestId;
      response.writeHead(200, headers).end();
      return;
    }
    let body: HeldBody | undefined;
    try {
      const received = this.#dependencies.bodies.receive(request, HTTP_BODY_BYTES_MAX);
      body = received instanceof Promise ? await received : received;
      const stream = match.url.invokeMode === "RESPONSE_STREAM" ? new HttpResponseStream(response, decorate) : undefined;
      const outcome = await this.#invoke(match, request, body.bytes, requestId, stream);
      if (stream) finishStream(stream, outcome, response, decorate);
      else answer(outcome, response, decorate);
    } catch (error) {
      if (!(error instanceof LambentError)) throw error;
      refuse(response, error, decorate);
    } finally {
      body?.release();
    }
  }

  #invoke(
    match: UrlMatch,
    request: IncomingMessage,
    body: Buffer,
    requestId: string,
    stream: HttpResponseStream | undefined,
  ): Promise<InvokeOutcome> {
    const { invoker, guard } = this.#dependencies;
    const caller = guard(match.url, request, body);
    return invoker.invoke({
      realm: match.url.realm,
      functionName: match.url.functionName,
      qualifier: match.url.qualifier,
      payload: this.#event(match, request, body, requestId, caller),
      requestId,
      traceId: header(request, "x-amzn-trace-id"),
      clientContext: undefined,
      stream,
      wantsTail: false,
    });
  }

  #event(match: UrlMatch, request: IncomingMessage, body: Buffer, requestId: string, caller: HttpCaller): Buffer {
    const query = match.target.indexOf("?");
    return httpEvent({
      method: request.method ?? "GET",
      path: query < 0 ? match.target : match.target.slice(0, query),
      rawQuery: query < 0 ? "" : match.target.slice(query + 1),
      headers: request.headers,
      httpVersion: request.httpVersion,
      sourceIp: request.socket.remoteAddress ?? "",
      body,
      requestId,
      at: this.#dependencies.clock.now(),
      urlId: match.url.urlId,
      domain: match.domain,
      caller,
    });
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}

/** What every answer of this match carries beside the function's own headers. */
function decorator(match: UrlMatch, request: IncomingMessage, requestId: string): Decorate {
  return (headers) => {
    headers["x-amzn-requestid"] = requestId;
    if (match.url.cors) Object.assign(headers, corsHeaders(match.url.cors, request.headers.origin));
    if (match.prefix !== undefined) confineToPrefix(headers, match.prefix);
  };
}

function answer(outcome: InvokeOutcome, response: ServerResponse, decorate: Decorate): void {
  if (outcome.kind === "ended" && outcome.ending.kind === "handled") {
    const result = httpAnswer(outcome.ending.payload);
    if (result) {
      decorate(result.headers);
      if (!BODILESS.has(result.status)) result.headers["content-length"] = String(Buffer.byteLength(result.body));
      response.writeHead(result.status, result.headers).end(result.body);
      return;
    }
  }
  failed(outcome, response, decorate);
}

/** The bytes are written already unless the call failed before its first one. */
function finishStream(stream: HttpResponseStream, outcome: InvokeOutcome, response: ServerResponse, decorate: Decorate): void {
  const handled = outcome.kind === "ended" && outcome.ending.kind === "handled";
  switch (stream.state) {
    case "begun":
      // A call that failed half way must not look complete: the connection is cut without the closing chunk.
      if (handled) response.end();
      else response.destroy();
      return;
    case "waiting":
      if (handled) answer(outcome, response, decorate);
      else failed(outcome, response, decorate);
      return;
    case "malformed":
      badGateway(response, decorate);
  }
}

function failed(outcome: InvokeOutcome, response: ServerResponse, decorate: Decorate): void {
  if (outcome.kind === "throttled") {
    send(response, 429, { Reason: outcome.reason, Type: "User", message: "Rate Exceeded." }, decorate);
  } else if (outcome.kind === "unavailable") {
    send(response, 502, { Message: outcome.what }, decorate);
  } else {
    badGateway(response, decorate);
  }
}

/** As AWS: the caller learns that the function failed; why stands in its log, under the request id. */
function badGateway(response: ServerResponse, decorate: Decorate): void {
  send(response, 502, { Message: "Internal Server Error" }, decorate);
}

function refuse(response: ServerResponse, error: LambentError, decorate: Decorate): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const message = error.code === "AccessDenied" || error.code === "MissingCredentials" ? "Forbidden" : error.message;
  send(response, error.entry.status, { Message: message }, decorate);
}

function send(response: ServerResponse, status: number, value: object, decorate: Decorate): void {
  const headers: HttpAnswer["headers"] = { "content-type": "application/json" };
  decorate(headers);
  const body = JSON.stringify(value);
  headers["content-length"] = String(Buffer.byteLength(body));
  response.writeHead(status, headers).end(body);
}
