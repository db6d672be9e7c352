import { once } from "node:events";
import type { ServerResponse } from "node:http";
import type { ResponsePrelude, ResponseStream } from "../../model/index.ts";
import { type HttpAnswer, preludeAnswer } from "./answer.ts";

/** How far a streamed answer has come; only `begun` ones can be cut short, only `waiting` ones replaced by an error. */
type StreamState = { readonly kind: "waiting" } | { readonly kind: "begun" } | { readonly kind: "malformed" };

/** A function's streamed answer, written to an HTTP response as it comes. */
export class HttpResponseStream implements ResponseStream {
  readonly #response: ServerResponse;
  readonly #decorate: (headers: HttpAnswer["headers"]) => void;
  #state: StreamState = { kind: "waiting" };

  constructor(response: ServerResponse, decorate: (headers: HttpAnswer["headers"]) => void) {
    this.#response = response;
    this.#decorate = decorate;
  }

  get state(): StreamState["kind"] {
    return this.#state.kind;
  }

  /** A process that begins twice is no reason to write a second head. */
  begin(prelude: ResponsePrelude): void {
    if (this.#state.kind !== "waiting") return;
    const answer = preludeAnswer(prelude.http, prelude.contentType);
    if (!answer) {
      this.#state = { kind: "malformed" };
      return;
    }
    this.#state = { kind: "begun" };
    this.#decorate(answer.headers);
    // Nothing may come for long (server-sent events): the head leaves by itself, and together with a first chunk that is here already.
    this.#response.cork();
    this.#response.writeHead(answer.status, answer.headers);
    this.#response.flushHeaders();
    process.nextTick(() => this.#response.uncork());
  }

  write(chunk: Buffer): boolean {
    if (this.#state.kind !== "begun" || this.#response.destroyed) return true;
    return this.#response.write(chunk);
  }

  async drained(): Promise<void> {
    if (this.#response.destroyed || !this.#response.writableNeedDrain) return;
    // A taker that goes away never drains: "close" ends the wait as well.
    const gone = new AbortController();
    const options = { signal: gone.signal };
    await Promise.race([once(this.#response, "drain", options), once(this.#response, "close", options)]).catch(() => undefined);
    gone.abort();
  }
}
