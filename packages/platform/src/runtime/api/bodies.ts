import type { IncomingMessage } from "node:http";
import type { StreamBegin } from "../channel/messages.ts";

/** What comes over the Runtime API: bodies with a bound, errors in whatever form a runtime makes them (P7, P8). */

export interface RuntimeApiError {
  readonly errorType: string;
  readonly errorMessage: string;
}

export const runtimeApiError = (errorType: string, errorMessage: string): RuntimeApiError => ({ errorType, errorMessage });

/** The whole body, or undefined when it is longer than `bytesMax`; then the rest is read and thrown away. */
export async function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes <= bytesMax) chunks.push(chunk);
    else chunks.length = 0;
  }
  return bytes > bytesMax ? undefined : Buffer.concat(chunks);
}

/** Longest error a caller is given; a longer one loses everything but its type. */
const ERROR_BYTES_MAX = 262_144;

/** An error's payload: the runtime's JSON object as it is, else one made of the type header and what was sent. */
export function runtimeErrorPayload(body: Buffer | undefined, type: string | readonly string[] | undefined): Buffer {
  const errorType = typeof type === "string" ? type : (type?.[0] ?? "Unhandled");
  if (body !== undefined && body.length <= ERROR_BYTES_MAX && isJsonObject(body)) return body;
  const errorMessage = body !== undefined && body.length <= ERROR_BYTES_MAX ? body.toString("utf8") : "";
  return Buffer.from(JSON.stringify({ errorType, errorMessage }));
}

function isJsonObject(body: Buffer): boolean {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

const HTTP_TYPE = "application/vnd.awslambda.http-integration-response";
const SEPARATOR = Buffer.alloc(8);

/** Longest HTTP prelude in front of a streamed answer; what has no separator within it is all body. */
const PRELUDE_BYTES_MAX = 65_536;

/** Splits a streamed answer into what begins it and its body: an HTTP one starts with JSON and eight zero bytes. */
export function streamPrelude(
  contentType: string | undefined,
  begin: (begin: StreamBegin) => void,
  chunk: (chunk: Buffer) => void,
): { push(data: Buffer): void; end(): void } {
  const type = contentType ?? "application/octet-stream";
  let held: Buffer | undefined = type === HTTP_TYPE ? Buffer.alloc(0) : undefined;
  if (!held) begin({ contentType: type, http: undefined });
  const release = (all: Buffer, separatorAt: number): void => {
    held = undefined;
    const http = separatorAt >= 0 ? all.subarray(0, separatorAt) : undefined;
    const valid = http !== undefined && isJsonObject(http);
    begin({ contentType: type, http: valid ? http : undefined });
    const body = valid ? all.subarray(separatorAt + SEPARATOR.length) : all;
    if (body.length > 0) chunk(body);
  };
  return {
    push(data) {
      if (!held) return chunk(data);
      held = Buffer.concat([held, data]);
      const separatorAt = held.indexOf(SEPARATOR);
      if (separatorAt >= 0 || held.length > PRELUDE_BYTES_MAX) release(held, separatorAt);
    },
    end() {
      if (held) release(held, -1);
    },
  };
}
