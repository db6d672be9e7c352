import { type IncomingHttpHeaders, request } from "node:http";
import { systemClock } from "../../src/base/index.ts";
import { signRequest, type SigningKey } from "../../src/security/index.ts";

/** A request by hand, for what no client library would send or show. */
export interface HttpCall {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export interface HttpReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** The headers of `call` with a valid signature for `service`. */
export function signedHeaders(url: string, call: HttpCall, key: SigningKey, service: string): Record<string, string> {
  const headers = { host: new URL(url).host, ...call.headers };
  const signing = { service, region: "us-east-1", now: systemClock.now() };
  const raw = {
    method: call.method ?? "POST",
    rawUrl: call.path,
    rawHeaders: Object.entries(headers).flat(),
    body: Buffer.from(call.body ?? ""),
  };
  return { ...headers, ...signRequest(raw, key, signing) };
}

/** Sends `call` as it is, on a connection of its own; rejects when the connection ends without a whole answer. */
export function send(url: string, call: HttpCall): Promise<HttpReply> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const body = Buffer.from(call.body ?? "");
    const outgoing = request({
      hostname,
      port,
      method: call.method ?? "POST",
      path: call.path,
      headers: { "content-length": body.length, ...call.headers },
      agent: false,
    });
    outgoing.on("error", reject);
    outgoing.on("response", (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.on("error", reject);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) }));
    });
    outgoing.end(body);
  });
}

/** Signs and sends. */
export function sendSigned(url: string, call: HttpCall, key: SigningKey, service: string): Promise<HttpReply> {
  return send(url, { ...call, headers: signedHeaders(url, call, key, service) });
}
