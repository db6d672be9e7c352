// One call: from the INVOKE frame through the handler to RESULT or ERROR.
import { AsyncLocalStorage } from "node:async_hooks";
import * as frames from "./channel.mjs";
import { errorForLog, errorPayload, RESPONSE_BYTES_MAX, responseTooLarge, RuntimeError } from "./errors.mjs";
import { isStreaming, ResponseStream, STREAMED } from "./streaming.mjs";

/** Runs calls of one handler. `concurrency` 1 pays for no async context. */
export class Invocations {
  #channel;
  #assignment;
  #running = new Map();
  #storage;
  #current;
  #run;
  #output;
  #callbacks;

  constructor(channel, assignment) {
    this.#channel = channel;
    this.#assignment = assignment;
    if (assignment.concurrency > 1) {
      this.#storage = new AsyncLocalStorage();
      globalThis.awslambda.InvokeStore = invokeStore(() => this.current());
    }
    const major = Number(/^nodejs(\d+)/.exec(assignment.runtime)?.[1] ?? 24);
    this.#callbacks = major < 24;
  }

  /** The call whose code runs now, as far as that can be known. */
  current() {
    return this.#storage ? this.#storage.getStore() : this.#current;
  }

  /** Sets what lines are written through, and the handler; checks the handler's form against the runtime's id. */
  use(handler, output) {
    this.#output = output;
    if (isStreaming(handler)) this.#run = (call, event, context) => this.#runStreaming(handler, call, event, context);
    else if (this.#assignment.style !== "lambda") this.#run = (call, event, context) => this.#runStyled(handler, call, event, context);
    else if (this.#callbacks) this.#run = (call, event, context) => this.#runWithCallback(handler, call, event, context);
    else if (handler.length >= 3) {
      throw new RuntimeError(
        "Runtime.CallbackHandlerDeprecated",
        `${this.#assignment.runtime} has no callback handlers: return a promise instead.`,
      );
    } else this.#run = (call, event, context) => this.#settle(call, handler(event, context));
  }

  /** Takes an INVOKE. */
  invoke(id, body) {
    const metadataEnd = 4 + body.readUInt32LE(0);
    const metadata = JSON.parse(body.utf8Slice(4, metadataEnd));
    const call = {
      id,
      requestId: metadata.requestId,
      traceId: metadata.traceId,
      startedMs: performance.now(),
      streaming: metadata.streaming,
      stream: undefined,
      ended: false,
    };
    this.#running.set(id, call);
    if (this.#storage) {
      this.#storage.run(call, () => this.#begin(call, metadata, body, metadataEnd));
      return;
    }
    this.#current = call;
    if (metadata.traceId) process.env._X_AMZN_TRACE_ID = metadata.traceId;
    this.#begin(call, metadata, body, metadataEnd);
  }

  #begin(call, metadata, body, payloadAt) {
    try {
      const event = body.length > payloadAt ? JSON.parse(body.utf8Slice(payloadAt)) : {};
      this.#run(call, event, contextOf(this.#assignment, metadata));
    } catch (error) {
      this.fail(call, error);
    }
  }

  /** STREAM_PAUSE, STREAM_RESUME and CANCEL of a call that may be over. */
  control(type, id) {
    const call = this.#running.get(id);
    if (!call) return;
    if (type === frames.CANCEL) call.stream?.destroy();
    else call.stream?.setPaused(type === frames.STREAM_PAUSE);
  }

  #settle(call, returned) {
    if (typeof returned?.then !== "function") return this.succeed(call, returned);
    returned.then(
      (value) => this.succeed(call, value),
      (error) => this.fail(call, error),
    );
  }

  /** Handlers of nodejs22.x and before: a promise, or a callback that by default waits for the event loop to run empty. */
  #runWithCallback(handler, call, event, context) {
    context.callbackWaitsForEmptyEventLoop = true;
    const finish = (error, value) => {
      const end = () => (error === undefined || error === null ? this.succeed(call, value) : this.fail(call, error));
      // With several calls in the process the loop is never one call's: then the answer goes at once.
      if (context.callbackWaitsForEmptyEventLoop && !this.#storage) this.whenIdle(end);
      else end();
    };
    context.done = finish;
    context.succeed = (value) => finish(null, value);
    context.fail = (error) => finish(error ?? "handled");
    const returned = handler(event, context, finish);
    if (typeof returned?.then === "function") this.#settle(call, returned);
    else this.whenIdle(() => this.succeed(call, null));
  }

  /** Runs `task` once nothing but the channel keeps the process alive. */
  whenIdle(task) {
    const { socket } = this.#channel;
    socket.unref();
    process.once("beforeExit", () => {
      socket.ref();
      task();
    });
  }

  /** Handlers of other styles answer whole, or, where the caller takes a stream, may open one for an answer that comes in pieces. */
  #runStyled(handler, call, event, context) {
    const openStream = call.streaming ? () => this.#openStream(call) : undefined;
    handler(event, context, openStream).then(
      (value) => value === STREAMED || this.succeed(call, value),
      (error) => this.fail(call, error),
    );
  }

  #openStream(call) {
    const stream = new ResponseStream(this.#channel, call.id);
    call.stream = stream;
    stream.on("error", (error) => this.fail(call, error));
    stream.on("finish", () => this.#finish(call, frames.STREAM_END, 0, ""));
    stream.on(
      "close",
      () => call.ended || this.fail(call, new RuntimeError("Runtime.StreamClosed", "The response stream was closed before its end.")),
    );
    return stream;
  }

  #runStreaming(handler, call, event, context) {
    const stream = this.#openStream(call);
    Promise.resolve(handler(event, stream, context)).then(
      () =>
        stream.writableEnded ||
        this.fail(call, new RuntimeError("Runtime.StreamNotEnded", "The handler returned without ending its response stream.")),
      (error) => this.fail(call, error),
    );
  }

  succeed(call, value) {
    if (call.ended) return;
    let text;
    try {
      text = value === undefined ? "null" : (JSON.stringify(value) ?? "null");
    } catch (error) {
      return this.fail(call, new RuntimeError("Runtime.MarshalError", `Unable to stringify response body: ${error?.message}`));
    }
    // A UTF-16 unit is at most three bytes, so short answers need no count.
    if (text.length * 3 > RESPONSE_BYTES_MAX && Buffer.byteLength(text) > RESPONSE_BYTES_MAX) return this.fail(call, responseTooLarge());
    this.#finish(call, frames.RESULT, 0, text);
  }

  fail(call, error) {
    if (call.ended) return;
    this.#output.line(
      "ERROR",
      call,
      this.#assignment.logFormat === "JSON" ? error : `Invoke Error \t${JSON.stringify(errorForLog(error))}`,
    );
    this.#finishFailed(call, 0, error);
  }

  #finishFailed(call, flags, error) {
    const text = JSON.stringify(errorPayload(error));
    if (call.stream) {
      this.#finish(call, frames.STREAM_END, flags | frames.FLAG_FAILED, text);
      call.stream.destroy();
    } else this.#finish(call, frames.ERROR, flags, text);
  }

  #finish(call, type, flags, text) {
    if (call.ended) return;
    call.ended = true;
    this.#output.flush(call);
    this.#channel.sendTimed(type, flags, call.id, performance.now() - call.startedMs, text);
    this.#running.delete(call.id);
    if (this.#current === call) this.#current = undefined;
  }

  /** The process cannot go on: every running call ends with `error`. */
  failAll(error) {
    for (const call of this.#running.values()) this.#finishFailed(call, frames.FLAG_EXITING, error);
  }
}

function contextOf(assignment, metadata) {
  const { deadline } = metadata;
  const client = metadata.clientContext ? JSON.parse(metadata.clientContext) : undefined;
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionVersion: assignment.functionVersion,
    functionName: assignment.functionName,
    memoryLimitInMB: assignment.memoryText,
    logGroupName: assignment.logGroup,
    logStreamName: assignment.logStream,
    clientContext: client,
    identity: undefined,
    invokedFunctionArn: metadata.functionArn,
    awsRequestId: metadata.requestId,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

/** What the AWS SDK asks for the call it is used in, where several run at once: it sends the call's trace along with its requests. */
function invokeStore(current) {
  return {
    getXRayTraceId: () => current()?.traceId,
    getRequestId: () => current()?.requestId ?? "-",
    hasContext: () => current() !== undefined,
  };
}
