/**
 * Stands between a real client and the server, passes every byte on as it comes, and keeps what was said by operation.
 * The client signs for the recorder's address and the server sees the same bytes, so signatures stay good.
 */
import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after } from "node:test";
import { loadService } from "../../src/wire/index.ts";
import { findRoute } from "../../src/wire/route.ts";
import { type RealServer, startServer } from "./server.ts";

/** Those with calls recorded in `fixtures/`. */
export const SERVICES = ["lambda", "iam", "sts", "logs", "sqs", "scheduler", "sns", "events", "kinesis", "s3"] as const;
export type RecordedService = (typeof SERVICES)[number];

export interface Message {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Exchange {
  readonly service: RecordedService;
  readonly operation: string;
  readonly request: Message & { readonly method: string; readonly path: string };
  readonly response: Message & { readonly status: number };
}

export interface Recorder {
  readonly url: string;
  readonly exchanges: readonly Exchange[];
  close(): Promise<void>;
}

/** Starts a recorder in front of `target`. */
async function startRecorder(target: string): Promise<Recorder> {
  const exchanges: Exchange[] = [];
  const server = createServer((request, response) => void relay(target, request, response, exchanges));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    exchanges,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A server behind a recorder for a whole test file, gone behind its last test. */
export async function startRecordedServer(): Promise<{ readonly server: RealServer; readonly recorder: Recorder }> {
  const server = await startServer();
  const recorder = await startRecorder(server.url);
  after(async () => {
    await recorder.close();
    await server.stop();
  });
  return { server, recorder };
}

async function relay(target: string, request: IncomingMessage, response: ServerResponse, exchanges: Exchange[]): Promise<void> {
  const sent = await collect(request);
  const upstream = httpRequest(target, {
    method: request.method ?? "GET",
    path: request.url ?? "/",
    // Arrays keep the headers as they came: order, case and repetition.
    headers: request.rawHeaders,
  });
  upstream.on("error", () => response.destroy());
  upstream.end(sent);
  const [answer] = (await once(upstream, "response")) as [IncomingMessage];
  response.writeHead(answer.statusCode ?? 0, answer.rawHeaders);
  answer.pipe(response);
  const received = await collect(answer);
  const known = operationOf(request, sent);
  if (known) {
    exchanges.push({
      ...known,
      request: { method: request.method ?? "", path: request.url ?? "", headers: request.headers, body: sent },
      response: { status: answer.statusCode ?? 0, headers: answer.headers, body: received },
    });
  }
}

async function collect(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  message.on("data", (chunk: Buffer) => chunks.push(chunk));
  await once(message, "end");
  return Buffer.concat(chunks);
}

const REST: ReadonlySet<string> = new Set(["restJson1", "restXml"]);
const SCOPES: ReadonlySet<string> = new Set(SERVICES);
const isRecorded = (scope: string): scope is RecordedService => SCOPES.has(scope);

/** Said by the protocol's own sign: the target header, the action of a form, or method and path. */
function operationOf(request: IncomingMessage, body: Buffer): Pick<Exchange, "service" | "operation"> | undefined {
  const scope = /Credential=[^/]+\/\d+\/[^/]+\/([^/]+)\//u.exec(request.headers.authorization ?? "")?.[1];
  if (scope === undefined || !isRecorded(scope)) return undefined;
  const target = request.headers["x-amz-target"];
  const named =
    typeof target === "string"
      ? target.split(".").at(-1)
      : REST.has(loadService(scope).protocol)
        ? findRoute(loadService(scope), request.method ?? "", request.url ?? "/", request.headers as Record<string, string>)?.route
            .operation.name
        : (new URLSearchParams(body.toString("utf8")).get("Action") ?? undefined);
  return named === undefined ? undefined : { service: scope, operation: named };
}
