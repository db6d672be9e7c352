// Handler style `web`: httpHandler(request, response, next), with the everyday members of Node's and Express's objects.
import { Readable, Writable } from "node:stream";
import { RESPONSE_BYTES_MAX, responseTooLarge } from "./errors.mjs";
import { isHttpEvent, toHead, toRequest, toResult } from "./http-event.mjs";
import { STREAMED } from "./streaming.mjs";

export class WebRequest extends Readable {
  #bytes;
  #parsed;

  constructor({ method, path, query, headers, body }, context) {
    super();
    this.method = method;
    this.path = path;
    this.url = query ? `${path}?${query}` : path;
    this.originalUrl = this.url;
    this.headers = headers;
    this.httpVersion = "1.1";
    this.params = {};
    this.context = context;
    this.query = queryOf(query);
    this.#bytes = body;
    this.hostname = (headers.host ?? "").replace(/:\d+$/, "");
    this.ip = context.sourceIp;
  }

  _read() {
    this.push(this.#bytes);
    this.push(null);
  }

  get(name) {
    return this.headers[String(name).toLowerCase()];
  }

  /** The body's bytes as they came. */
  get rawBody() {
    return this.#bytes;
  }

  /** The body by its content type: JSON parsed, form fields, text, otherwise bytes. Undefined when empty or not parseable. */
  get body() {
    this.#parsed ??= { value: parseBody(this.headers["content-type"] ?? "", this.#bytes) };
    return this.#parsed.value;
  }

  set body(value) {
    this.#parsed = { value };
  }

  async text() {
    return this.#bytes.toString("utf8");
  }

  async json() {
    return JSON.parse(this.#bytes.toString("utf8"));
  }

  async arrayBuffer() {
    return Uint8Array.from(this.#bytes).buffer;
  }
}

function queryOf(text) {
  const query = Object.create(null);
  for (const [name, value] of new URLSearchParams(text)) query[name] = name in query ? [query[name], value].flat() : value;
  return query;
}

function parseBody(contentType, bytes) {
  if (bytes.length === 0) return undefined;
  if (/^application\/([\w.+-]+\+)?json/i.test(contentType)) {
    try {
      return JSON.parse(bytes.toString("utf8"));
    } catch {
      return undefined;
    }
  }
  if (/^application\/x-www-form-urlencoded/i.test(contentType)) return queryOf(bytes.toString("utf8"));
  return /^text\//i.test(contentType) ? bytes.toString("utf8") : bytes;
}

export class WebResponse extends Writable {
  #headers = Object.create(null);
  #chunks = [];
  #bytes = 0;
  #answered;
  #openStream;
  #stream;

  /** `answered(result)` once, with the payload 2.0 answer; with `openStream` what is written leaves at once instead. */
  constructor(answered, openStream) {
    super();
    this.#openStream = openStream;
    this.statusCode = 200;
    this.statusMessage = "";
    this.locals = {};
    this.headersSent = false;
    this.#answered = answered;
  }

  /** True while the handler may still answer through a stream that was piped here. */
  get underway() {
    return this.headersSent || this.listenerCount("unpipe") > 0;
  }

  setHeader(name, value) {
    if (this.#stream) {
      const error = new Error("Cannot set headers after they are sent to the client");
      throw Object.assign(error, { code: "ERR_HTTP_HEADERS_SENT" });
    }
    this.#headers[String(name).toLowerCase()] = value;
    return this;
  }

  getHeader(name) {
    return this.#headers[String(name).toLowerCase()];
  }

  getHeaders() {
    return { ...this.#headers };
  }

  hasHeader(name) {
    return this.getHeader(name) !== undefined;
  }

  removeHeader(name) {
    delete this.#headers[String(name).toLowerCase()];
  }

  appendHeader(name, value) {
    const before = this.getHeader(name);
    return this.setHeader(name, before === undefined ? value : [before, value].flat());
  }

  writeHead(statusCode, message, headers = typeof message === "object" ? message : undefined) {
    this.statusCode = statusCode;
    for (const [name, value] of Object.entries(headers ?? {})) this.setHeader(name, value);
    return this;
  }

  /** An answer that is buffered has nothing to send yet. */
  flushHeaders() {
    if (this.#openStream) this.#opened().flushHeaders();
  }

  /** The stream, once status and headers are what they will be. */
  #opened() {
    if (this.#stream) return this.#stream;
    this.headersSent = true;
    this.#stream = this.#openStream();
    this.#stream.setHttpPrelude(toHead(this.statusCode, this.#headers));
    // As with a connection that is lost: whoever writes on hears "close".
    this.#stream.on("close", () => this.destroy());
    return this.#stream;
  }

  status(code) {
    this.statusCode = code;
    return this;
  }

  set(name, value) {
    if (typeof name === "object") for (const [key, entry] of Object.entries(name)) this.setHeader(key, entry);
    else this.setHeader(name, value);
    return this;
  }

  header(name, value) {
    return this.set(name, value);
  }

  get(name) {
    return this.getHeader(name);
  }

  append(name, value) {
    return this.appendHeader(name, value);
  }

  type(value) {
    return this.setHeader("content-type", value.includes("/") ? value : (SHORT_TYPES[value] ?? "application/octet-stream"));
  }

  json(value) {
    if (!this.hasHeader("content-type")) this.setHeader("content-type", "application/json; charset=utf-8");
    this.end(JSON.stringify(value) ?? "");
    return this;
  }

  send(value) {
    if (value === undefined || value === null) this.end();
    else if (typeof value === "string") {
      if (!this.hasHeader("content-type")) this.setHeader("content-type", "text/html; charset=utf-8");
      this.end(value);
    } else if (value instanceof Uint8Array) {
      if (!this.hasHeader("content-type")) this.setHeader("content-type", "application/octet-stream");
      this.end(value);
    } else return this.json(value);
    return this;
  }

  sendStatus(code) {
    this.status(code).type("txt");
    // Loaded only here: a waiting process pays memory for every module it has.
    return this.send(process.getBuiltinModule("node:http").STATUS_CODES[code] ?? String(code));
  }

  redirect(first, second) {
    const [code, location] = second === undefined ? [302, first] : [first, second];
    this.status(code).setHeader("location", location);
    this.end();
  }

  cookie(name, value, options = {}) {
    const parts = [`${name}=${encodeURIComponent(value)}`, `Path=${options.path ?? "/"}`];
    if (options.maxAge !== undefined) parts.push(`Max-Age=${Math.floor(options.maxAge / 1000)}`);
    if (options.domain) parts.push(`Domain=${options.domain}`);
    if (options.httpOnly) parts.push("HttpOnly");
    if (options.secure) parts.push("Secure");
    if (options.sameSite) parts.push(`SameSite=${options.sameSite}`);
    return this.appendHeader("set-cookie", parts.join("; "));
  }

  end(...given) {
    this.headersSent = true;
    return super.end(...given);
  }

  _write(chunk, _encoding, done) {
    if (this.#openStream) return void this.#opened().write(chunk, done);
    this.headersSent = true;
    this.#bytes += chunk.length;
    if (this.#bytes > RESPONSE_BYTES_MAX) return done(responseTooLarge());
    this.#chunks.push(chunk);
    done();
  }

  _final(done) {
    if (this.#openStream) {
      this.#opened().end(done);
      return this.#answered(STREAMED);
    }
    done();
    this.#answered(toResult(this.statusCode, this.#headers, Buffer.concat(this.#chunks)));
  }
}

const SHORT_TYPES = {
  html: "text/html; charset=utf-8",
  text: "text/plain; charset=utf-8",
  txt: "text/plain; charset=utf-8",
  json: "application/json; charset=utf-8",
  xml: "application/xml",
  css: "text/css; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  svg: "image/svg+xml",
  png: "image/png",
  jpg: "image/jpeg",
};

/** The answer of a handler that returned without one. */
export const NO_RESPONSE = {
  statusCode: 500,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ errorType: "Handler.NoResponse", errorMessage: "The handler returned without sending a response." }),
  isBase64Encoded: false,
};

/**
 * A handler `(event, context, openStream)` around `httpHandler(request, response, next)`. `whenIdle(task)` runs the task once nothing
 * the handler started can answer any more: a handler that returns no promise may still answer from a callback.
 */
export function webHandler(httpHandler, whenIdle) {
  return (event, context, openStream) =>
    new Promise((resolve, reject) => {
      const request = new WebRequest(toRequest(event), { ...context, sourceIp: event?.requestContext?.http?.sourceIp });
      const response = new WebResponse(resolve, isHttpEvent(event) ? openStream : undefined);
      response.on("error", reject);
      const noResponse = () => (response.underway ? undefined : resolve(NO_RESPONSE));
      const next = (error) => {
        if (error) reject(error);
        else response.status(404).type("txt").send("Not Found");
      };
      const returned = httpHandler(request, response, next);
      if (typeof returned?.then === "function") returned.then(noResponse, reject);
      else if (!response.underway) whenIdle(noResponse);
    });
}
