/**
 * Calls to HTTP(S) endpoints of others: one request, one answer, nothing followed.
 *
 * Keeps the egress rule (a name is resolved once, its addresses are checked, and an address is what is connected to) and P8: whatever an
 * endpoint does (hangs, redirects, answers garbage, leaves in the middle) ends as an `HttpEnding` within the time allowed.
 * Deliberately absent: what an ending means (`verdict.ts`), cookies, redirects, proxies, HTTP/2.
 */
import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage, RequestOptions } from "node:http";
import type { RequestOptions as SecureOptions } from "node:https";
import { type Clock, isLambentError, nodeHttp, nodeHttps } from "../../base/index.ts";
import type { EgressToAll, ResolvedAddress } from "../../security/index.ts";

/** Calls under way at once, names among them that are still looked up for calls that were given up; one more is put off (P7). @limit */
export const HTTP_CALLS_MAX = 256;
/** Connections kept for the next call, of each scheme. @limit */
export const HTTP_IDLE_CONNECTIONS_MAX = 64;
/** How long: less than what servers keep, most of them five seconds. */
const IDLE_MS = 4_000;
/** Bytes of an answer's headers. @limit */
const ANSWER_HEADER_BYTES_MAX = 16_384;
/** Addresses of one name that are tried before it counts as unreachable. */
const ADDRESSES_TRIED_MAX = 3;

export interface HttpCall {
  readonly method: string;
  readonly url: URL;
  /** Path and query as they go out, where they are not those of `url`. */
  readonly path?: string;
  /** Names in lower case. `host`, `content-length` and what else belongs to the connection are added. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  /** From the call to the answer's last byte. */
  readonly timeoutMs: number;
  /** Bytes of the answer that are wanted; the rest is not waited for. */
  readonly answerBytesMax: number;
}

/** How a call ended. */
export type HttpEnding =
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: IncomingHttpHeaders;
      readonly body: Buffer;
      /** False when the answer went on behind `answerBytesMax`. */
      readonly whole: boolean;
    }
  /** As many calls are under way as are allowed; nothing was sent. */
  | { readonly kind: "busy" }
  | { readonly kind: "failed"; readonly why: HttpFailure; readonly message: string };

export type HttpFailure =
  /** An address that may not be reached. */
  | "refused"
  /** The request cannot be written: a header or a path that HTTP does not have. */
  | "invalid"
  /** No address, no connection, or no trust in the other side's certificate. */
  | "unreachable"
  | "timedOut"
  /** The connection ended before the answer did. */
  | "broken"
  /** What came is no HTTP. */
  | "garbled";

export interface HttpClientParts {
  readonly egress: EgressToAll;
  readonly clock: Clock;
  /** Certificates of authorities that are trusted beside the usual ones, PEM. */
  readonly authorities?: readonly string[];
}

type Failed = Extract<HttpEnding, { readonly kind: "failed" }>;
/** An exchange may end so that another one, at once, can do better. */
type Exchanged = HttpEnding & { readonly again?: "nextAddress" | "newConnection" };

export class HttpClient {
  readonly #parts: HttpClientParts;
  #plain: Agent | undefined;
  #secure: Agent | undefined;
  readonly #running = new Set<AbortController>();
  /** Names that are looked up though nobody waits for them any more: each takes a place in the system's resolver. */
  #leftBehind = 0;

  constructor(parts: HttpClientParts) {
    this.#parts = parts;
  }

  /** Never rejects. */
  async call(call: HttpCall): Promise<HttpEnding> {
    if (this.#running.size + this.#leftBehind >= HTTP_CALLS_MAX) return { kind: "busy" };
    const deadline = new AbortController();
    this.#running.add(deadline);
    const timer = this.#parts.clock.schedule(call.timeoutMs, () => deadline.abort());
    try {
      const addresses = await this.#resolve(call.url, deadline.signal);
      return addresses.kind === "failed" ? addresses : await this.#tryEach(call, addresses.found, deadline.signal);
    } finally {
      timer.cancel();
      this.#running.delete(deadline);
    }
  }

  /** Closes all connections; calls under way end as those do whose time is over. */
  close(): void {
    for (const deadline of this.#running) deadline.abort();
    this.#plain?.destroy();
    this.#secure?.destroy();
  }

  async #resolve(url: URL, deadline: AbortSignal): Promise<{ kind: "resolved"; found: readonly ResolvedAddress[] } | Failed> {
    const late = new Promise<Failed>((resolve) => deadline.addEventListener("abort", () => resolve(timedOut(url)), { once: true }));
    const found = this.#parts.egress.resolveAll(url.hostname, portOf(url)).then(
      (addresses) => ({ kind: "resolved", found: addresses.slice(0, ADDRESSES_TRIED_MAX) }) as const,
      (error: unknown) => {
        if (!isLambentError(error, "EgressRefused")) throw error;
        return failed(error.details["unresolved"] === true ? "unreachable" : "refused", error.message);
      },
    );
    const ending = await Promise.race([found, late]);
    // A lookup cannot be called off.
    if (deadline.aborted) this.#leaveBehind(found);
    return ending;
  }

  #leaveBehind(lookup: Promise<unknown>): void {
    this.#leftBehind += 1;
    const over = (): void => void (this.#leftBehind -= 1);
    lookup.then(over, over);
  }

  async #tryEach(call: HttpCall, addresses: readonly ResolvedAddress[], deadline: AbortSignal): Promise<HttpEnding> {
    let ending: Exchanged = failed("unreachable", `${call.url.hostname} has no address.`);
    for (const address of addresses) {
      ending = await this.#exchange(call, address, deadline, "anyConnection");
      // A kept connection can end just as the request goes out, before anything of it was looked at.
      if (ending.again === "newConnection") ending = await this.#exchange(call, address, deadline, "newConnection");
      if (ending.again !== "nextAddress") break;
    }
    const { again: _, ...rest } = ending;
    return rest;
  }

  #exchange(
    call: HttpCall,
    address: ResolvedAddress,
    deadline: AbortSignal,
    connection: "anyConnection" | "newConnection",
  ): Promise<Exchanged> {
    return new Promise((resolve) => {
      let request: ClientRequest;
      try {
        request = this.#request(call, address, connection);
      } catch (error) {
        return resolve(failed("invalid", `The request cannot be sent: ${codeOf(error)}.`));
      }
      const late = (): void => end(timedOut(call.url));
      const end = (ending: Exchanged): void => {
        deadline.removeEventListener("abort", late);
        resolve(ending);
        if (ending.kind !== "answered" || !ending.whole) request.destroy();
      };
      deadline.addEventListener("abort", late, { once: true });
      request.on("error", (error) => end(failureOf(call, error, request)));
      // Nothing was asked for that would make another protocol of it.
      request.on("upgrade", () => end(failed("garbled", `${call.url.hostname} changed the protocol.`)));
      request.on("response", (answer) => collect(answer, call, end));
      if (deadline.aborted) return late();
      request.end(call.body);
    });
  }

  #request(call: HttpCall, { address, family }: ResolvedAddress, connection: "anyConnection" | "newConnection"): ClientRequest {
    const { url, method, path = url.pathname + url.search, headers, body } = call;
    const framing = { ...(body === undefined ? {} : { "content-length": String(body.length) }), host: url.host };
    const options: RequestOptions = {
      ...{ host: address, family, port: portOf(url), method, path, setHost: false, maxHeaderSize: ANSWER_HEADER_BYTES_MAX },
      headers: { ...headers, ...framing },
    };
    if (url.protocol !== "https:")
      return nodeHttp().request({ ...options, agent: connection === "anyConnection" ? this.#plainAgent() : false });
    // The certificate has to be that of the name, though an address is connected to.
    const secure: SecureOptions = {
      ...options,
      servername: url.hostname.startsWith("[") || /^[\d.]+$/.test(url.hostname) ? "" : url.hostname,
    };
    return nodeHttps().request({ ...secure, ...this.#trust(), agent: connection === "anyConnection" ? this.#secureAgent() : false });
  }

  #trust(): Pick<SecureOptions, "ca"> {
    const { authorities } = this.#parts;
    return authorities ? { ca: [...process.getBuiltinModule("node:tls").rootCertificates, ...authorities] } : {};
  }

  #plainAgent(): Agent {
    this.#plain ??= bounded(new (nodeHttp().Agent)(AGENT_OPTIONS));
    return this.#plain;
  }

  #secureAgent(): Agent {
    this.#secure ??= bounded(new (nodeHttps().Agent)(AGENT_OPTIONS));
    return this.#secure;
  }
}

const AGENT_OPTIONS = { keepAlive: true, timeout: IDLE_MS, maxFreeSockets: HTTP_IDLE_CONNECTIONS_MAX };

/** Node bounds what is kept for one host; this bounds it for all together. */
function bounded(agent: Agent): Agent {
  const keep = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) => {
    const idle = Object.values(agent.freeSockets).reduce((sum, sockets) => sum + (sockets?.length ?? 0), 0);
    return idle < HTTP_IDLE_CONNECTIONS_MAX && keep(socket);
  };
  return agent;
}

function collect(answer: IncomingMessage, call: HttpCall, end: (ending: Exchanged) => void): void {
  const { statusCode: status = 0, headers } = answer;
  const chunks: Buffer[] = [];
  let bytes = 0;
  const answered = (whole: boolean): void => end({ kind: "answered", status, headers, body: Buffer.concat(chunks), whole });
  answer.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    chunks.push(bytes > call.answerBytesMax ? chunk.subarray(0, chunk.length - (bytes - call.answerBytesMax)) : chunk);
    if (bytes > call.answerBytesMax) answered(false);
  });
  answer.on("end", () => answered(true));
  answer.on("error", () => end(failed("broken", `${call.url.hostname} ended the connection within its answer (status ${status}).`)));
}

/** Codes of failures before there is a connection: another address of the name may do. */
const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "EHOSTDOWN",
  "ENETDOWN",
  "ETIMEDOUT",
  "EACCES",
]);

function failureOf({ url }: HttpCall, error: Error, request: ClientRequest): Exchanged {
  const code = codeOf(error);
  if (code.startsWith("HPE_")) return failed("garbled", `What ${url.hostname} answered is not HTTP (${code}).`);
  if (UNREACHABLE.has(code)) return { ...failed("unreachable", `${url.hostname} cannot be reached (${code}).`), again: "nextAddress" };
  if (code === "ECONNRESET" || code === "EPIPE") {
    const broken = failed("broken", `${url.hostname} ended the connection without an answer.`);
    return request.reusedSocket ? { ...broken, again: "newConnection" } : broken;
  }
  if (url.protocol === "https:") return failed("unreachable", `No TLS connection with ${url.hostname} (${code}).`);
  return failed("broken", `The connection with ${url.hostname} failed (${code}).`);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "unknown";
}

function timedOut(url: URL): Failed {
  return failed("timedOut", `${url.hostname} did not answer in time.`);
}

function failed(why: HttpFailure, message: string): Failed {
  return { kind: "failed", why, message };
}

function portOf(url: URL): number {
  return Number(url.port || (url.protocol === "https:" ? 443 : 80));
}
