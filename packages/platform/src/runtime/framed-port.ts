import type { Socket } from "node:net";
import { deferred } from "../base/index.ts";
import type { Call } from "../model/index.ts";
import { Channel } from "./channel/channel.ts";
import { FLAG_EXITING, FLAG_FAILED, FrameType, PROTOCOL_VERSION } from "./channel/frames.ts";
import {
  type Assignment,
  frame,
  helloFrame,
  invokeFrame,
  jsonFrame,
  readDuration,
  readErrorPayload,
  readHello,
  readStreamBegin,
} from "./channel/messages.ts";
import type { Port, PortListener } from "./port.ts";

const EMPTY = Buffer.alloc(0);
/** What stands before an answer. */
const DURATION_BYTES = 8;

/** Where a connection is; frames mean something only in their phase. */
type Phase =
  /** With a listener when the process was assigned before it had said HELLO. */
  | { readonly kind: "greeting"; readonly assignedTo: PortListener | undefined }
  /** HELLO came; nobody has taken the process. */
  | { readonly kind: "waiting" }
  | { readonly kind: "assigned"; readonly listener: PortListener }
  | { readonly kind: "closed" };

/** The frames of docs/runtime-protocol.md with one process: greeted, later assigned once, then called. */
export class FramedPort implements Port {
  readonly ended: Promise<void>;
  /** Resolves with undefined after a good HELLO, else with what was wrong. */
  readonly greeted: Promise<string | undefined>;
  readonly #channel: Channel;
  readonly #ended = deferred<void>();
  readonly #greeted = deferred<string | undefined>();
  #debuggerPort: number | undefined;
  #phase: Phase = { kind: "greeting", assignedTo: undefined };

  constructor(socket: Socket) {
    this.ended = this.#ended.promise;
    this.greeted = this.#greeted.promise;
    this.#channel = new Channel(socket, {
      frame: (type, flags, callId, body) => this.#onFrame(type, flags, callId, body),
      broken: (what) => this.#onClosed(what, true),
      closed: (what) => this.#onClosed(what, false),
    });
    this.#channel.send(helloFrame());
  }

  /** Where the process's debugger listens inside it, once it has greeted and if it has one. */
  get debuggerPort(): number | undefined {
    return this.#debuggerPort;
  }

  /** Turns the process into an instance, also before its HELLO; `listener` hears everything from here on. */
  assign(assignment: Assignment, listener: PortListener): void {
    if (this.#phase.kind === "closed") {
      listener.closed("the process closed its channel");
      return;
    }
    this.#phase = this.#phase.kind === "greeting" ? { kind: "greeting", assignedTo: listener } : { kind: "assigned", listener };
    this.#channel.send(jsonFrame(FrameType.assign, 0, assignment));
    if (assignment.concurrency === 1) this.#channel.sendAtOnce();
  }

  call(callId: number, call: Call): void {
    this.#channel.send(invokeFrame(callId, call));
  }

  cancel(callId: number): void {
    this.#channel.send(frame(FrameType.cancel, 0, callId, EMPTY));
  }

  setPaused(callId: number, paused: boolean): void {
    this.#channel.send(frame(paused ? FrameType.streamPause : FrameType.streamResume, 0, callId, EMPTY));
  }

  close(): void {
    this.#phase = { kind: "closed" };
    this.#channel.end();
    this.#ended.resolve();
  }

  #onClosed(what: string, broken: boolean): void {
    const phase = this.#phase;
    this.#phase = { kind: "closed" };
    this.#greeted.resolve(what);
    this.#ended.resolve();
    const listener = phase.kind === "assigned" ? phase.listener : phase.kind === "greeting" ? phase.assignedTo : undefined;
    if (broken) listener?.broken(what);
    else listener?.closed(what);
  }

  #breach(what: string): void {
    this.#channel.end();
    this.#onClosed(what, true);
  }

  #onFrame(type: number, flags: number, callId: number, body: Buffer): void {
    switch (this.#phase.kind) {
      case "greeting":
        return this.#greet(this.#phase.assignedTo, type, body);
      case "assigned":
        return this.#onAssignedFrame(this.#phase.listener, type, flags, callId, body);
      case "waiting":
        return this.#breach(`a frame of type ${type} before the process was assigned`);
      case "closed":
        return;
    }
  }

  #greet(assignedTo: PortListener | undefined, type: number, body: Buffer): void {
    const hello = type === FrameType.hello ? readHello(body) : undefined;
    if (hello?.version !== PROTOCOL_VERSION) {
      this.#breach(
        hello ? `the process speaks version ${hello.version} of the protocol, not ${PROTOCOL_VERSION}` : "the first frame was no HELLO",
      );
      return;
    }
    this.#debuggerPort = hello.debuggerPort;
    this.#phase = assignedTo ? { kind: "assigned", listener: assignedTo } : { kind: "waiting" };
    this.#greeted.resolve(undefined);
  }

  #onAssignedFrame(listener: PortListener, type: number, flags: number, callId: number, body: Buffer): void {
    switch (type) {
      case FrameType.result:
      case FrameType.error:
      case FrameType.streamEnd:
        return this.#onAnswer(listener, type, flags, callId, body);
      case FrameType.log:
        return listener.log(callId, body.toString("utf8"));
      case FrameType.streamBegin: {
        const begin = readStreamBegin(body);
        return begin ? listener.streamBegin(callId, begin) : this.#breach("a STREAM_BEGIN that cannot be read");
      }
      case FrameType.streamChunk:
        return listener.streamChunk(callId, Buffer.from(body));
      case FrameType.ready:
        return listener.ready();
      case FrameType.initFailed: {
        const payload = readErrorPayload(body);
        return payload ? listener.initFailed(payload) : this.#breach("an INIT_FAILED that cannot be read");
      }
      default:
        return this.#breach(`a frame of type ${type}, which only the platform sends`);
    }
  }

  #onAnswer(listener: PortListener, type: number, flags: number, callId: number, body: Buffer): void {
    const durationMs = readDuration(body);
    if (durationMs === undefined) return this.#breach("an answer without its duration");
    const exiting = (flags & FLAG_EXITING) !== 0;
    if (type === FrameType.result)
      return listener.answered(callId, { ending: { kind: "handled", payload: copyFrom(body, DURATION_BYTES) }, durationMs, exiting });
    if (type === FrameType.streamEnd && (flags & FLAG_FAILED) === 0)
      return listener.answered(callId, { ending: { kind: "streamed" }, durationMs, exiting });
    const payload = readErrorPayload(body.subarray(DURATION_BYTES));
    if (!payload) return this.#breach("an error that is not a JSON object");
    return listener.answered(callId, { ending: { kind: "functionError", payload, phase: "invoke" }, durationMs, exiting });
  }
}

/** A copy of its own: a small view would keep its whole read buffer alive as long as the caller keeps the answer. */
function copyFrom(body: Buffer, from: number): Buffer {
  const copy = Buffer.allocUnsafe(body.length - from);
  body.copy(copy, 0, from);
  return copy;
}
