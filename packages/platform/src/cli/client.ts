import type { IncomingMessage } from "node:http";
import { pipeline, type Readable } from "node:stream";
import { ERROR_CATALOGUE, nodeHttp, systemClock, type ErrorCode } from "../base/index.ts";
import { signRequest } from "../security/index.ts";
import type { Connection } from "./connection.ts";
import { CommandFailure, exitOfCode, type ExitName } from "./errors.ts";
import { isAlive } from "./run-folder.ts";

/**
 * How the command line speaks to the server: signed HTTP, nothing else. AWS operations where AWS has them,
 * `/_lambent/v1` for the rest.
 */

export interface ApiRequest {
  /** Service of the signature. */
  readonly service: "lambda" | "kinesis" | "logs" | "sqs" | "events" | "scheduler" | "s3" | "lambent";
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "DELETE";
  /** Path and query, encoded. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | StreamedBody;
}

/** A body that is not in memory: read once for its hash, which is signed, and once more while it is sent. */
export interface StreamedBody {
  readonly bytes: number;
  readonly sha256: string;
  open(): Readable;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

export interface Client {
  readonly connection: Connection;
  /** The whole answer; an error status becomes a `CommandFailure`. */
  send(request: ApiRequest): Promise<ApiAnswer>;
  /** Sends and reads JSON; an empty answer is `{}`. */
  json<T>(request: Omit<ApiRequest, "body"> & { readonly body?: unknown }): Promise<T>;
  /** The lines of an answer that goes on; ends with the answer, or when `signal` aborts. */
  lines(request: ApiRequest, signal?: AbortSignal): AsyncGenerator<string>;
  /** The answer as it comes, whatever its status says. */
  exchange(request: ApiRequest, signal?: AbortSignal): Promise<IncomingMessage>;
}

/** Bytes of one answer that is read whole (P7): Lambda's largest buffered answer and code archives fit. */
const ANSWER_BYTES_MAX = 128 * 1024 * 1024;
/** Characters of one line of an answer that goes on. */
const LINE_CHARACTERS_MAX = 1024 * 1024;

export function createClient(connection: Connection): Client {
  const client: Client = {
    connection,
    async send(request) {
      const answer = await open(connection, request);
      const body = await readBody(answer);
      const status = answer.statusCode ?? 0;
      if (status >= 400) throw failureOf(connection, status, answer.headers, body);
      return { status, headers: answer.headers, body };
    },
    async json<T>(request: Omit<ApiRequest, "body"> & { readonly body?: unknown }) {
      const { body, ...rest } = request;
      const asJson = body === undefined ? {} : { body: Buffer.from(JSON.stringify(body)) };
      const contentType = body === undefined ? {} : { "content-type": "application/json" };
      const answer = await client.send({ ...rest, ...asJson, headers: { ...contentType, ...rest.headers } });
      return (answer.body.length === 0 ? {} : parseAnswer(connection, answer.body)) as T;
    },
    async *lines(request, signal) {
      const answer = await open(connection, request, signal);
      const status = answer.statusCode ?? 0;
      if (status >= 400) throw failureOf(connection, status, answer.headers, await readBody(answer));
      yield* splitLines(answer, signal);
    },
    exchange: (request, signal) => open(connection, request, signal),
  };
  return client;
}

function parseAnswer(connection: Connection, body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    throw new CommandFailure(
      "failed",
      `What answers at ${connection.endpoint} does not speak Lambent's API: its answer is not JSON.`,
      "Name a Lambent server with --endpoint.",
    );
  }
}

/** Splits a body into lines while it arrives; a line over its bound is cut there. */
async function* splitLines(answer: IncomingMessage, signal: AbortSignal | undefined): AsyncGenerator<string> {
  answer.setEncoding("utf8");
  let rest = "";
  try {
    for await (const chunk of answer as AsyncIterable<string>) {
      const parts = (rest + chunk).split("\n");
      rest = (parts.pop() ?? "").slice(0, LINE_CHARACTERS_MAX);
      yield* parts;
    }
  } catch (error) {
    if (!signal?.aborted) throw lostConnection(error);
  }
  if (rest !== "") yield rest;
}

async function open(connection: Connection, request: ApiRequest, signal?: AbortSignal): Promise<IncomingMessage> {
  const url = new URL(connection.endpoint);
  const streamed = request.body && "open" in request.body ? request.body : undefined;
  const body = request.body && !("open" in request.body) ? request.body : new Uint8Array();
  const headers: Record<string, string> = { host: url.host, ...request.headers };
  const bytes = streamed?.bytes ?? body.length;
  if (bytes > 0 || (request.method !== "GET" && request.method !== "HEAD")) headers["content-length"] = String(bytes);
  const signed = signRequest(
    { method: request.method, rawUrl: request.path, rawHeaders: Object.entries(headers).flat(), body },
    connection.key,
    {
      ...{ service: request.service, region: connection.region, now: systemClock.now(), bodyHashHeader: true },
      ...(streamed ? { payloadHash: streamed.sha256 } : {}),
    },
  );
  const send = url.protocol === "https:" ? (await import("node:https")).request : nodeHttp().request;
  return new Promise((resolve, reject) => {
    const going = send(
      {
        protocol: url.protocol,
        hostname: url.hostname.replace(/^\[|\]$/gu, ""),
        port: url.port,
        method: request.method,
        path: request.path,
        headers: { ...headers, ...signed },
        ...(signal ? { signal } : {}),
      },
      resolve,
    );
    going.on("error", (error) => reject(notReached(connection, error)));
    if (!streamed) return void going.end(body);
    // What goes wrong while it is read is what the request failed of; an answer that came before the end counts all the same.
    const source = streamed.open();
    source.on("error", reject);
    pipeline(source, going, () => undefined);
  });
}

/** All of an answer; over its bound it is refused. */
export async function readBody(answer: IncomingMessage, bytesMax: number = ANSWER_BYTES_MAX): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > bytesMax) throw new CommandFailure("failed", `The answer is over ${bytesMax} bytes.`, "Ask for less.");
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof CommandFailure ? error : lostConnection(error);
  }
  return Buffer.concat(chunks);
}

/** The connection ended before the answer did. */
export function lostConnection(error: unknown): CommandFailure {
  return new CommandFailure(
    "unreachable",
    `The connection broke off: ${(error as Error).message}`,
    "`lambent status` says whether the server still runs.",
  );
}

function notReached(connection: Connection, error: NodeJS.ErrnoException): CommandFailure {
  if (error.code === "ECONNREFUSED" && connection.pid !== undefined && isAlive(connection.pid))
    return new CommandFailure(
      "tryAgain",
      `The server at ${connection.endpoint}, process ${connection.pid}, takes no more calls: it is stopping.`,
      "Wait until it is gone, and start it again: `lambent start`.",
    );
  const why = error.code === "ECONNREFUSED" ? "nothing listens there" : (error.code ?? error.message);
  return new CommandFailure(
    "unreachable",
    `No Lambent server at ${connection.endpoint}: ${why}.`,
    "Start it with `lambent start`, or name another with --endpoint.",
  );
}

interface ErrorBody {
  readonly message?: string;
  readonly Message?: string;
  readonly __type?: string;
  readonly code?: string;
}

/** Names of AWS's services for what our catalogue calls otherwise. */
const NEXT_OF_AWS_NAME: Readonly<Record<string, readonly [ExitName, string]>> = {
  ResourceNotFoundException: ["notFound", "`lambent list` shows what is there."],
  QueueDoesNotExist: ["notFound", "`lambent trigger <function> --queue <name>` creates a queue with its trigger."],
  ResourceInUseException: ["tryAgain", "Wait until it is done and repeat."],
  ResourceConflictException: ["tryAgain", "Wait until it is done and repeat, or choose another name."],
  TooManyRequestsException: ["tryAgain", "Retry with back-off, or raise the limit."],
  InvalidParameterValueException: ["usage", "Correct the value."],
  ValidationException: ["usage", "Correct the value."],
  InvalidEventPatternException: ["usage", "Correct the pattern; `lambent trigger --help` shows one."],
  ConflictException: ["tryAgain", "Choose another name, or wait until it is done and repeat."],
  InvalidRequestContentException: ["usage", "The event has to be JSON."],
  UnsupportedOperation: ["failed", "`lambent events <id> --chain` shows where it came from."],
  RequestTooLargeException: ["usage", "Send less, or put the body into a bucket."],
  AccessDeniedException: ["refused", 'Add a policy statement that allows it, or use the root key: eval "$(lambent env)".'],
  UnrecognizedClientException: ["refused", "Use the key `lambent env` prints."],
  InvalidSignatureException: ["refused", "Check AWS_SECRET_ACCESS_KEY and the clock of this machine."],
};

function failureOf(connection: Connection, status: number, headers: IncomingMessage["headers"], body: Buffer): CommandFailure {
  const parsed = parseErrorBody(body);
  const type = String(headers["x-amzn-errortype"] ?? parsed.__type ?? parsed.code ?? "");
  const name = type.split(":")[0]?.split("#").pop() ?? "";
  const said = parsed.message ?? parsed.Message;
  return refusalOf(connection, { status, name, said }, advice(name, status));
}

/** What a server refused, in two lines. */
export function refusalOf(
  connection: Connection,
  { status, name, said }: { readonly status: number; readonly name: string; readonly said: string | undefined },
  [exit, next]: readonly [ExitName, string],
): CommandFailure {
  const what = said ? said : `The server answered ${status}${name ? ` ${name}` : ""}.`;
  if (exit !== "refused") return new CommandFailure(exit, what, next);
  const from = connection.keyFrom === "environment" ? "AWS_ACCESS_KEY_ID in the environment" : "the key `lambent start` left";
  return new CommandFailure(exit, `${what} (signed with ${from})`, next);
}

/** How a command ends, and what to do: by the error's name, or by its status. */
export function advice(name: string, status: number): readonly [ExitName, string] {
  const known = NEXT_OF_AWS_NAME[name];
  if (known) return known;
  if (status === 501) return ["failed", "docs/status.md says what is built."];
  if (Object.hasOwn(ERROR_CATALOGUE, name)) return [exitOfCode(name as ErrorCode), ERROR_CATALOGUE[name as ErrorCode].next];
  if (status === 403 || status === 401) return ["refused", "Use the key `lambent env` prints."];
  if (status === 404) return ["notFound", "Check that --endpoint names a Lambent server, and the name."];
  if (status === 429 || status === 503) return ["tryAgain", "Retry in a moment."];
  return ["failed", "The server's log has the details; `lambent status` shows where it is."];
}

function parseErrorBody(body: Buffer): ErrorBody {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
