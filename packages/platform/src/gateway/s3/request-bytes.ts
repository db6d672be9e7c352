/**
 * The bytes of a request's body as they come, at the pace of whoever reads them.
 *
 * Keeps P7: nothing is read ahead of its reader but what a socket's buffer holds, and a sender that gives next to nothing for a while
 * is given up (`BODY_IDLE_MS_MAX`); how long the whole takes is not bounded, since a large body over a slow line takes its time.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { bytesPassed, type Clock, deferred, type Deferred, LambentError } from "../../base/index.ts";

/** While a body is waited for this long, at least `BODY_IDLE_BYTES` of it have to come. @limit */
export const BODY_IDLE_MS_MAX = 60_000;
const BODY_IDLE_BYTES = 4_096;

/** True when a request has a body, if only an empty chunked one. */
export function hasBody(request: IncomingMessage): boolean {
  const { "content-length": length, "transfer-encoding": encoding } = request.headers;
  return encoding !== undefined || (length !== undefined && length !== "0");
}

/** True when the client sends its body only once it is told to. */
export function expectsContinue(request: IncomingMessage): boolean {
  const { expect } = request.headers;
  return expect !== undefined && /(?:^|\W)100-continue(?:$|\W)/i.test(expect) && request.httpVersion === "1.1";
}

/**
 * The body of `request`. The client is told to send it (100) when it is first asked for: whoever refuses before has none of it sent.
 * Throws `IncompleteBody` where the sender broke off or stopped.
 */
export async function* requestBytes(request: IncomingMessage, response: ServerResponse, clock: Clock): AsyncGenerator<Buffer, void> {
  if (!hasBody(request)) return;
  if (expectsContinue(request)) response.writeContinue();
  const arrivals = new Arrivals(request, clock);
  try {
    for (;;) {
      const chunk = arrivals.take();
      if (chunk) yield chunk;
      else if (!(await arrivals.next())) return;
    }
  } finally {
    arrivals.stop();
  }
}

/** Waits for more of a body. */
class Arrivals {
  readonly #request: IncomingMessage;
  readonly #clock: Clock;
  /** Waited for since the last `BODY_IDLE_BYTES` came; the time that the reader takes is not the sender's. */
  #waitedMs = 0;
  #bytes = 0;
  #waiter: Deferred<void> | undefined;
  #chunk: Buffer | undefined;
  readonly #wake = (): void => this.#waiter?.resolve();
  // One at a time, as it is: reading what has gathered at once would copy it.
  readonly #keep = (chunk: Buffer): void => {
    this.#chunk = chunk;
    this.#request.pause();
    this.#wake();
  };

  constructor(request: IncomingMessage, clock: Clock) {
    this.#request = request;
    this.#clock = clock;
    for (const event of ["end", "close", "error"]) request.on(event, this.#wake);
    request.on("data", this.#keep).pause();
  }

  take(): Buffer | undefined {
    const chunk = this.#chunk;
    this.#chunk = undefined;
    if (!chunk) return undefined;
    bytesPassed(chunk.length);
    this.#bytes += chunk.length;
    if (this.#bytes >= BODY_IDLE_BYTES) {
      this.#bytes = 0;
      this.#waitedMs = 0;
    }
    return chunk;
  }

  /** Resolves with true when there may be more to read, with false behind the last byte. */
  async next(): Promise<boolean> {
    if (this.#hasEnded()) return false;
    this.#waiter = deferred<void>();
    this.#request.resume();
    const since = this.#clock.monotonicMs();
    let isIdle = false;
    const timer = this.#clock.schedule(BODY_IDLE_MS_MAX - this.#waitedMs, () => {
      isIdle = true;
      this.#wake();
    });
    await this.#waiter.promise;
    timer.cancel();
    this.#waitedMs += this.#clock.monotonicMs() - since;
    if (isIdle && !this.#chunk) throw incomplete(`in ${BODY_IDLE_MS_MAX / 1_000} s next to nothing of the body came`);
    return this.#chunk !== undefined || !this.#hasEnded();
  }

  stop(): void {
    for (const event of ["end", "close"]) this.#request.off(event, this.#wake);
    this.#request.off("data", this.#keep);
    // The listener for errors stays: a connection that breaks later is nobody's defect.
  }

  #hasEnded(): boolean {
    if (this.#request.readableEnded) return true;
    if (this.#request.destroyed) throw incomplete("the connection ended within the body");
    return false;
  }
}

function incomplete(why: string): LambentError {
  return new LambentError("IncompleteBody", `You did not provide the number of bytes specified by the Content-Length HTTP header: ${why}.`);
}
