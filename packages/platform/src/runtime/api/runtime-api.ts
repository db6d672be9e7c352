import type { IncomingMessage, Server as HttpServer, ServerResponse } from "node:http";
import type { Server, Socket } from "node:net";
import { deferred, nodeHttp } from "../../base/index.ts";
import type { Call } from "../../model/index.ts";
import { RESPONSE_BYTES_MAX } from "../channel/frames.ts";
import type { Port, PortListener } from "../port.ts";
import { readBody, type RuntimeApiError, runtimeApiError, runtimeErrorPayload, streamPrelude } from "./bodies.ts";

/**
 * The public Runtime API of AWS Lambda (2018-06-01) over HTTP, for `provided.*`: the process fetches events and posts
 * answers. One server per instance, on a listener only this instance reaches (P3).
 */

const PREFIX = "/2018-06-01/runtime/";

/** Connections one process may have open: custom runtimes use one, some a few (P7). */
const CONNECTIONS_MAX = 32;

interface Handed {
  readonly callId: number;
  readonly call: Call;
}

export class RuntimeApi implements Port {
  readonly ended: Promise<void> = Promise.resolve();
  readonly #listener: PortListener;
  readonly #http: HttpServer;
  readonly #sockets = new Set<Socket>();
  readonly #waiting: Handed[] = [];
  readonly #polls: ServerResponse[] = [];
  readonly #running = new Map<string, Handed>();
  readonly #streams = new Map<number, { readonly request: IncomingMessage }>();
  #phase: "initialising" | "serving" | "failed" = "initialising";

  constructor(server: Server, listener: PortListener) {
    this.#listener = listener;
    this.#http = nodeHttp().createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 10_000 }, (request, response) => {
      this.#serve(request, response).catch(() => response.destroy());
    });
    server.on("connection", (socket) => this.#take(socket));
  }

  /** Counted here: an http server counts only what it listens for itself. */
  #take(socket: Socket): void {
    if (this.#sockets.size >= CONNECTIONS_MAX) return void socket.destroy();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    this.#http.emit("connection", socket);
  }

  call(callId: number, call: Call): void {
    this.#waiting.push({ callId, call });
    this.#hand();
  }

  cancel(callId: number): void {
    for (const [requestId, handed] of this.#running) if (handed.callId === callId) this.#running.delete(requestId);
    const at = this.#waiting.findIndex((handed) => handed.callId === callId);
    if (at >= 0) this.#waiting.splice(at, 1);
    this.#streams.get(callId)?.request.destroy();
  }

  setPaused(callId: number, paused: boolean): void {
    const stream = this.#streams.get(callId);
    if (paused) stream?.request.pause();
    else stream?.request.resume();
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? "").split("?", 1)[0] ?? "";
    const [first, second, third, ...rest] = path.startsWith(PREFIX) ? path.slice(PREFIX.length).split("/") : [];
    if (rest.length > 0) return answer(response, 404, runtimeApiError("UnknownPath", `${path} is no path of the Runtime API.`));
    if (request.method === "GET" && first === "invocation" && second === "next" && third === undefined)
      return this.#next(request, response);
    if (request.method === "POST" && first === "init" && second === "error" && third === undefined)
      return await this.#initError(request, response);
    if (request.method === "POST" && first === "invocation" && second !== undefined) {
      if (third === "response") return await this.#response(second, request, response);
      if (third === "error") return await this.#error(second, request, response);
    }
    answer(response, 404, runtimeApiError("UnknownPath", `${request.method} ${path} is not part of the Runtime API.`));
  }

  #next(request: IncomingMessage, response: ServerResponse): void {
    if (this.#phase === "initialising") {
      this.#phase = "serving";
      this.#listener.ready();
    }
    this.#polls.push(response);
    request.socket.setTimeout(0);
    response.once("close", () => {
      const at = this.#polls.indexOf(response);
      if (at >= 0) this.#polls.splice(at, 1);
    });
    this.#hand();
  }

  /** Brings waiting calls and waiting polls together. */
  #hand(): void {
    for (let poll = this.#polls[0], handed = this.#waiting[0]; poll && handed; poll = this.#polls[0], handed = this.#waiting[0]) {
      this.#polls.shift();
      this.#waiting.shift();
      this.#running.set(handed.call.requestId, handed);
      poll.writeHead(200, headersOf(handed.call));
      poll.end(handed.call.payload);
    }
  }

  async #initError(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, RESPONSE_BYTES_MAX);
    if (this.#phase !== "initialising")
      return answer(response, 403, runtimeApiError("InvalidStateTransition", "The runtime has already said it is ready."));
    this.#phase = "failed";
    answer(response, 202, { status: "OK" });
    this.#listener.initFailed(runtimeErrorPayload(body, request.headers["lambda-runtime-function-error-type"]));
  }

  async #response(requestId: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const handed = this.#running.get(requestId);
    if (!handed) return answer(response, 400, runtimeApiError("InvalidRequestID", "No call of this id runs here."));
    if (this.#streams.has(handed.callId))
      return answer(response, 403, runtimeApiError("InvalidStateTransition", "An answer of this call is on its way already."));
    const streaming = request.headers["lambda-runtime-function-response-mode"] === "streaming";
    if (streaming) return await this.#streamed(handed, request, response);
    const body = await readBody(request, RESPONSE_BYTES_MAX);
    if (!this.#running.delete(requestId)) return answer(response, 400, runtimeApiError("InvalidRequestID", "The call has ended."));
    if (body === undefined) {
      const what = `Exceeded maximum allowed payload size (${RESPONSE_BYTES_MAX} bytes).`;
      answer(response, 413, runtimeApiError("RequestEntityTooLarge", what));
      const payload = Buffer.from(
        JSON.stringify({
          errorType: "Function.ResponseSizeTooLarge",
          errorMessage: `Response payload size exceeded maximum allowed payload size (${RESPONSE_BYTES_MAX} bytes).`,
        }),
      );
      this.#answered(handed, { kind: "functionError", payload, phase: "invoke" });
      return;
    }
    answer(response, 202, { status: "OK" });
    this.#answered(handed, { kind: "handled", payload: body });
  }

  async #streamed(handed: Handed, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { callId } = handed;
    const done = deferred<"ended" | "aborted">();
    const prelude = streamPrelude(
      request.headers["content-type"],
      (begin) => this.#listener.streamBegin(callId, begin),
      (chunk) => this.#listener.streamChunk(callId, chunk),
    );
    this.#streams.set(callId, { request });
    request.on("data", (chunk: Buffer) => prelude.push(chunk));
    request.once("end", () => done.resolve("ended"));
    request.once("close", () => done.resolve("aborted"));
    request.on("error", () => done.resolve("aborted"));
    const how = await done.promise;
    prelude.end();
    this.#streams.delete(callId);
    if (!this.#running.delete(handed.call.requestId))
      return answer(response, 400, runtimeApiError("InvalidRequestID", "The call has ended."));
    const trailerType = request.trailers["lambda-runtime-function-error-type"];
    const trailerBody = request.trailers["lambda-runtime-function-error-body"];
    if (how === "aborted") {
      this.#answered(handed, {
        kind: "functionError",
        payload: runtimeErrorPayload(undefined, "Runtime.TruncatedResponse"),
        phase: "invoke",
      });
      return;
    }
    answer(response, 202, { status: "OK" });
    if (trailerType === undefined) this.#answered(handed, { kind: "streamed" });
    else {
      const body = trailerBody === undefined ? undefined : Buffer.from(trailerBody, "base64");
      this.#answered(handed, { kind: "functionError", payload: runtimeErrorPayload(body, trailerType), phase: "invoke" });
    }
  }

  async #error(requestId: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBody(request, RESPONSE_BYTES_MAX);
    const handed = this.#running.get(requestId);
    if (!handed) return answer(response, 400, runtimeApiError("InvalidRequestID", "No call of this id runs here."));
    this.#running.delete(requestId);
    answer(response, 202, { status: "OK" });
    const payload = runtimeErrorPayload(body, request.headers["lambda-runtime-function-error-type"]);
    this.#answered(handed, { kind: "functionError", payload, phase: "invoke" });
  }

  #answered(handed: Handed, ending: Parameters<PortListener["answered"]>[1]["ending"]): void {
    this.#listener.answered(handed.callId, { ending, durationMs: undefined, exiting: false });
  }
}

function headersOf(call: Call): Record<string, string> {
  return {
    "content-type": "application/json",
    "content-length": String(call.payload.length),
    "lambda-runtime-aws-request-id": call.requestId,
    "lambda-runtime-deadline-ms": String(call.deadline),
    "lambda-runtime-invoked-function-arn": call.functionArn,
    "lambda-runtime-trace-id": call.traceId,
    ...(call.clientContext === undefined ? {} : { "lambda-runtime-client-context": call.clientContext }),
  };
}

function answer(response: ServerResponse, status: number, body: RuntimeApiError | { readonly status: string }): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}
