/**
 * A function's answer as an HTTP response.
 * @see AWS Lambda developer guide, "Response payload format" of function URLs
 */

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  /** Text stays text: a string leaves together with the headers, in one write. */
  readonly body: Buffer | string;
}

const JSON_TYPE = "application/json";

/** Headers that describe the connection, which belongs to the gateway. */
const CONNECTION_HEADERS = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "upgrade", "trailer", "te"]);

/**
 * Reads `payload`: an object with `statusCode` is the response; any other JSON is the body of a 200.
 * Undefined when it has a `statusCode` and breaks the format: that is the function's error, answered with 502.
 */
export function httpAnswer(payload: Buffer): HttpAnswer | undefined {
  const text = payload.toString("utf8");
  const value = mayHaveStatusCode(text) ? parse(text) : undefined;
  if (!isObject(value) || value.statusCode === undefined) {
    return { status: 200, headers: { "content-type": JSON_TYPE }, body: text };
  }
  const status = Number(value.statusCode);
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  const headers = answerHeaders(value.headers, value.multiValueHeaders, value.cookies);
  if (!headers) return undefined;
  const body = answerBody(value.body, value.isBase64Encoded === true);
  headers["content-type"] ??= JSON_TYPE;
  return { status, headers, body };
}

/** False when no key of the JSON can read `statusCode`, however it is escaped: most answers need no parsing. */
function mayHaveStatusCode(text: string): boolean {
  return text.includes("statusCode") || text.includes("\\u");
}

/** Status and headers a streaming function set before its first byte; as `httpAnswer`, without a body. */
export function preludeAnswer(prelude: Buffer | undefined, contentType: string): Omit<HttpAnswer, "body"> | undefined {
  if (!isHeaderValue(contentType)) return undefined;
  if (!prelude) return { status: 200, headers: { "content-type": contentType } };
  const value = parse(prelude.toString("utf8"));
  if (!isObject(value)) return undefined;
  const status = Number(value.statusCode ?? 200);
  if (!Number.isInteger(status) || status < 200 || status > 599) return undefined;
  const headers = answerHeaders(value.headers, undefined, value.cookies);
  if (!headers) return undefined;
  headers["content-type"] ??= contentType;
  return { status, headers };
}

function answerHeaders(headers: unknown, multi: unknown, cookies: unknown): Record<string, string | string[]> | undefined {
  const result: Record<string, string | string[]> = Object.create(null);
  for (const source of [headers, multi]) {
    if (source === undefined || source === null) continue;
    if (!isObject(source)) return undefined;
    for (const [name, value] of Object.entries(source)) {
      const lower = name.toLowerCase();
      if (!isHeaderName(lower) || CONNECTION_HEADERS.has(lower)) continue;
      const text = Array.isArray(value) ? value.map(String) : String(value);
      if (![text].flat().every(isHeaderValue)) return undefined;
      result[lower] = text;
    }
  }
  if (cookies === undefined || cookies === null) return result;
  if (!Array.isArray(cookies) || !cookies.every((cookie) => typeof cookie === "string" && isHeaderValue(cookie))) return undefined;
  if (cookies.length > 0) result["set-cookie"] = cookies as string[];
  return result;
}

function answerBody(body: unknown, base64: boolean): Buffer | string {
  if (body === undefined || body === null) return "";
  // A body that is no string is a common slip; its JSON is what was meant.
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return base64 ? Buffer.from(text, "base64") : text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isHeaderName(name: string): boolean {
  return /^[!#$%&'*+\-.^_`|~0-9a-z]+$/.test(name);
}

/** Without line breaks and other control characters: a header value must not end the header. */
function isHeaderValue(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if ((code < 32 && code !== 9) || code === 127 || code > 255) return false;
  }
  return true;
}
