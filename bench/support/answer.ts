const HEADER_END = Buffer.from("\r\n\r\n");
const CONTENT_LENGTH = /\r\ncontent-length: *(\d+)/i;

/** Where the first answer in some bytes ends, and what it says. */
export interface Answer {
  readonly status: number;
  readonly bodyStart: number;
  readonly end: number;
}

/** The first whole HTTP/1.1 answer in `bytes`, or undefined while it is not complete. Throws at one without a length. */
export function wholeAnswer(bytes: Buffer): Answer | undefined {
  const headersEnd = bytes.indexOf(HEADER_END);
  if (headersEnd < 0) return undefined;
  const status = Number(bytes.toString("latin1", 9, 12));
  const length = CONTENT_LENGTH.exec(bytes.toString("latin1", 0, headersEnd + 2))?.[1] ?? (status === 204 ? "0" : undefined);
  if (length === undefined) throw new TypeError(`an answer without content-length:\n${bytes.toString("latin1", 0, headersEnd)}`);
  const bodyStart = headersEnd + HEADER_END.length;
  const end = bodyStart + Number(length);
  return bytes.length < end ? undefined : { status, bodyStart, end };
}

/** A whole HTTP/1.1 request, as bytes. */
export function rawRequest(method: string, path: string, headers: Readonly<Record<string, string>>, body = ""): Buffer {
  const all = { ...headers, ...(body === "" ? {} : { "content-length": String(Buffer.byteLength(body)) }) };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("")}\r\n${body}`);
}
