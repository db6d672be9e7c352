/** An endpoint of somebody else's, on this machine: keeps what comes, and answers as it is told. */
import { EventEmitter, once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after } from "node:test";

/** Who waits for a request gives up after this. */
const PATIENCE_MS = 20_000;

export interface HeardRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly atMs: number;
}

export interface HttpEndpoint {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly heard: readonly HeardRequest[];
  /** Resolves once that many requests came. */
  count(requests: number): Promise<readonly HeardRequest[]>;
  /** Ends its connections, also those that are waited on; nobody is answered any more. */
  close(): void;
}

/** Answers a request; one that leaves the response alone hangs. */
export type Answering = (request: HeardRequest, response: ServerResponse, index: number) => void;

const taken: Answering = (_request, response) => void response.end();

/** Listens until the file's last test has ended. */
export async function openEndpoint(answering: Answering = taken): Promise<HttpEndpoint> {
  const heard: HeardRequest[] = [];
  const told = new EventEmitter();
  const hear = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const { method = "", url = "", headers } = incoming;
    const request = { method, path: url, headers, body: Buffer.concat(chunks).toString("utf8"), atMs: performance.now() };
    const index = heard.push(request) - 1;
    answering(request, response, index);
    told.emit("heard");
  };
  const server = createServer((incoming, response) => void hear(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  after(close);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    heard,
    async count(requests) {
      while (heard.length < requests) await once(told, "heard", { signal: AbortSignal.timeout(PATIENCE_MS) });
      return heard;
    },
    close,
  };
}
