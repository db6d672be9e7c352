import type { InvokeWithResponseStreamResponseEvent } from "@aws-sdk/client-lambda";
import { deferred, type LambentError } from "../../base/index.ts";
import { answerOf, type EndedCall } from "../../invoker/index.ts";
import type { ResponsePrelude, ResponseStream } from "../../model/index.ts";

/** Bytes held for a taker that is slower than the function, before the function is asked to pause. @limit */
export const STREAM_BUFFER_BYTES_MAX = 256 * 1024;

type End =
  | {
      readonly kind: "complete";
      readonly errorCode: string | undefined;
      readonly errorDetails: string | undefined;
      readonly logResult: string | undefined;
    }
  | { readonly kind: "failed"; readonly error: LambentError };

/** A streamed answer as the events of `InvokeWithResponseStream`: chunks as they come, then one `InvokeComplete`. */
export class EventStreamAnswer implements ResponseStream {
  readonly #begun = deferred<void>();
  #taker: "here" | "gone" = "here";
  readonly #chunks: Buffer[] = [];
  #held = 0;
  #end: End | undefined;
  #wake = deferred<void>();
  #room = deferred<void>();

  /** Resolves with the first sign of an answer. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  begin(prelude: ResponsePrelude): void {
    // The HTTP prelude travels in front of the body, ended by eight NUL bytes, as AWS's own integration reads it.
    if (prelude.http) this.#push(Buffer.concat([prelude.http, Buffer.alloc(8)]));
    this.#begun.resolve();
  }

  write(chunk: Buffer): boolean {
    this.#push(chunk);
    return this.#held < STREAM_BUFFER_BYTES_MAX;
  }

  async drained(): Promise<void> {
    while (this.#held >= STREAM_BUFFER_BYTES_MAX && !this.#end) await this.#room.promise;
  }

  /** The taker is gone: nothing is held for it any more, and the function is not kept waiting for room. */
  leave(): void {
    this.#taker = "gone";
    this.#chunks.length = 0;
    this.#held = 0;
    this.#room.resolve();
  }

  /** The call ended: what a buffered handler returned is one chunk, an error is in the closing event. */
  end(call: EndedCall, requestId: string, wantsTail: boolean): void {
    const answer = answerOf(call.ending, requestId, call.version.timeoutMs);
    const failed = answer.functionError !== undefined;
    if (!failed && answer.payload.length > 0) this.#push(answer.payload);
    this.#finish({
      kind: "complete",
      errorCode: failed ? errorType(answer.payload) : undefined,
      errorDetails: failed ? answer.payload.toString("utf8") : undefined,
      logResult: wantsTail ? call.logTail.toString("base64") : undefined,
    });
  }

  /** The platform failed after the answer had begun: the stream breaks off without `InvokeComplete`. */
  fail(error: LambentError): void {
    this.#finish({ kind: "failed", error });
  }

  async *events(): AsyncGenerator<InvokeWithResponseStreamResponseEvent> {
    for (;;) {
      for (let chunk = this.#chunks.shift(); chunk; chunk = this.#chunks.shift()) {
        this.#held -= chunk.length;
        this.#room.resolve();
        this.#room = deferred<void>();
        yield { PayloadChunk: { Payload: chunk } };
      }
      if (this.#end?.kind === "failed") throw this.#end.error;
      if (this.#end) {
        const { errorCode, errorDetails, logResult } = this.#end;
        yield { InvokeComplete: { ErrorCode: errorCode, ErrorDetails: errorDetails, LogResult: logResult } };
        return;
      }
      await this.#wake.promise;
      this.#wake = deferred<void>();
    }
  }

  #push(chunk: Buffer): void {
    if (this.#taker === "gone") return;
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    this.#wake.resolve();
  }

  #finish(end: End): void {
    this.#end ??= end;
    this.#begun.resolve();
    this.#wake.resolve();
    this.#room.resolve();
  }
}

function errorType(payload: Buffer): string {
  try {
    const parsed = JSON.parse(payload.toString("utf8")) as { errorType?: unknown };
    return typeof parsed.errorType === "string" ? parsed.errorType : "Unhandled";
  } catch {
    return "Unhandled";
  }
}
