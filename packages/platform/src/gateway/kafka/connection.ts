/**
 * One client: its requests one behind the other, its answers in the same order.
 *
 * Requests to produce overlap, so that the batches of several share a commit; everything else is answered before the next one begins, as Kafka does.
 * Keeps P7: what is read waits for room, what is written for the client. Keeps P8: bytes that are no request end this connection and nothing else.
 */
import type { Socket } from "node:net";
import { type Clock, delay, isLambentError, LambentError, type MonotonicMs, type Timer } from "../../base/index.ts";
import type { ByteBudget } from "./byte-budget.ts";
import { type Address, type Call, encodeAnswer, type Route } from "./call.ts";
import { API_RANGES, apiVersions, KAFKA_ERRORS, produce, readRequestHeader, Reader, type RequestHeader, Writer } from "./protocol/index.ts";
import type { SignIn } from "./sign-in.ts";
import { SIGN_IN_KEYS } from "./sign-in-routes.ts";
import { SocketBytes } from "./socket-bytes.ts";

/** Bytes of one request to produce. @limit */
export const PRODUCE_FRAME_BYTES_MAX = 32 * 1024 * 1024;
/** Bytes of any other request. @limit */
export const FRAME_BYTES_MAX = 4 * 1024 * 1024;
/** Bytes of a request of somebody who has not signed in. @limit */
export const STRANGER_FRAME_BYTES_MAX = 64 * 1024;
/** Requests to produce of one connection that are under way at once. @limit */
export const PIPELINED_MAX = 16;
/** A connection without a request for this long is closed; clients open another one when they need it. @limit */
export const CONNECTION_IDLE_MS_MAX = 10 * 60_000;
/** A client that stands still within a request or an answer, or does not sign in, is given up after at most twice this long. @limit */
export const STANDSTILL_MS_MAX = 30_000;

/** How long a refused sign-in is kept waiting for its answer: clients try again at once, and so does who guesses. */
export const REFUSAL_MS = 200;

/** Of a frame: its length and the API it is for. */
const LENGTH_BYTES = 4;
const PEEKED_BYTES = LENGTH_BYTES + 2;

export interface ConnectionParts {
  readonly clock: Clock;
  readonly routes: ReadonlyMap<number, Route>;
  /** Frames that are held, of all connections. */
  readonly frames: ByteBudget;
  readonly reportDefect: (error: unknown) => void;
}

export class Connection {
  readonly #socket: Socket;
  readonly #broker: Address;
  readonly #signIn: SignIn;
  readonly #parts: ConnectionParts;
  readonly #bytes: SocketBytes;
  readonly #stopping = new AbortController();
  readonly #clientHost: string;
  /** Resolves when all answers so far are written. */
  #written: Promise<void> = Promise.resolve();
  #underWay = 0;
  #timer: Timer;
  #seen = { bytes: 0, at: 0 as MonotonicMs };

  constructor(socket: Socket, broker: Address, signIn: SignIn, parts: ConnectionParts) {
    this.#socket = socket;
    this.#broker = broker;
    this.#signIn = signIn;
    this.#parts = parts;
    this.#bytes = new SocketBytes(socket);
    this.#clientHost = socket.remoteAddress ?? "";
    socket.setNoDelay(true);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => {
      this.#timer.cancel();
      this.#stop("the client is gone");
    });
    this.#seen.at = parts.clock.monotonicMs();
    this.#timer = parts.clock.schedule(STANDSTILL_MS_MAX, () => this.#look());
  }

  /** Answers until the client goes, sends what is no request, or `stop` is called. Never rejects. */
  async run(): Promise<void> {
    try {
      while (await this.#answerNext()) {
        // All is done in the condition.
      }
    } catch (error) {
      if (!isLambentError(error) && !this.#stopping.signal.aborted) this.#parts.reportDefect(error);
    }
    this.#stop("the connection ends");
    // What was answered before goes out; a defect among it was reported where it failed.
    await Promise.allSettled([this.#written]);
    this.#socket.destroySoon();
  }

  /** Begins no more requests, ends what only waits, and closes once the answers under way are written. */
  stop(): void {
    this.#stop("the server stops");
    this.#socket.pause();
  }

  #stop(why: string): void {
    if (!this.#stopping.signal.aborted) this.#stopping.abort(new LambentError("ShuttingDown", `Nobody waits for this answer: ${why}.`));
  }

  async #answerNext(): Promise<boolean> {
    const frame = await this.#nextFrame();
    if (!frame) return false;
    let held = frame.length;
    const release = (): void => {
      this.#parts.frames.release(held);
      held = 0;
    };
    try {
      return await this.#answer(frame, release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** The next request; undefined when there is none any more. It counts as held until it is answered. */
  async #nextFrame(): Promise<Buffer | undefined> {
    const { signal } = this.#stopping;
    if (signal.aborted || !(await this.#has(PEEKED_BYTES))) return undefined;
    const head = this.#bytes.peek(PEEKED_BYTES);
    const length = head.readInt32BE(0);
    const max = this.#bytesMax(head.readInt16BE(LENGTH_BYTES));
    if (length < 2 || length > max) throw new LambentError("MalformedRequest", `A request of ${length} bytes; 2 to ${max} are taken here.`);
    try {
      await this.#parts.frames.take(length, signal);
    } catch {
      return undefined;
    }
    if (!(await this.#has(LENGTH_BYTES + length))) {
      this.#parts.frames.release(length);
      return undefined;
    }
    this.#bytes.take(LENGTH_BYTES);
    return this.#bytes.take(length);
  }

  /** Whether bytes come before the connection ends or is stopped. */
  async #has(count: number): Promise<boolean> {
    const { signal } = this.#stopping;
    if (signal.aborted) return false;
    const { promise, resolve } = Promise.withResolvers<false>();
    const end = (): void => resolve(false);
    signal.addEventListener("abort", end, { once: true });
    try {
      return await Promise.race([this.#bytes.has(count), promise]);
    } finally {
      signal.removeEventListener("abort", end);
    }
  }

  #bytesMax(apiKey: number): number {
    if (!this.#signIn.access) return STRANGER_FRAME_BYTES_MAX;
    return apiKey === produce.key ? PRODUCE_FRAME_BYTES_MAX : FRAME_BYTES_MAX;
  }

  async #answer(frame: Buffer, release: () => void): Promise<boolean> {
    if (this.#signIn.expectsBareToken) return this.#answerBareToken(frame, release);
    const { routes } = this.#parts;
    const body = new Reader(frame);
    const header = readRequestHeader(body, (key, version) => routes.get(key)?.isFlexible(version) ?? false);
    const route = routes.get(header.apiKey);
    if (route?.key === apiVersions.key && header.version > route.versions[1]) return this.#answerNewerVersions(header, release);
    if (!route || header.version < route.versions[0] || header.version > route.versions[1])
      throw new LambentError("UnknownOperation", `API ${header.apiKey} in version ${header.version} is not spoken.`);
    if (!this.#signIn.access && !SIGN_IN_KEYS.has(route.key))
      throw new LambentError("MissingCredentials", "Who connects here signs in before anything else.");
    if (!route.isPipelined) await this.#written;
    this.#underWay += 1;
    const done: (() => void)[] = [release, () => (this.#underWay -= 1)];
    try {
      const { answer } = await route.begin(body, header, this.#call(header, done));
      if (this.#signIn.isRefused) await delay(this.#parts.clock, REFUSAL_MS);
      this.#writeInOrder(answer, done);
    } catch (error) {
      // `release` is the caller's.
      for (const task of done.slice(1)) task();
      throw error;
    }
    if (!route.isPipelined || this.#underWay >= PIPELINED_MAX) await this.#written;
    return !this.#signIn.isRefused;
  }

  #call({ version, clientId }: RequestHeader, done: (() => void)[]): Call {
    const access = this.#signIn.access;
    return {
      realm: access?.admitted.realm ?? { account: "", region: "" },
      version,
      clientId: clientId ?? "",
      clientHost: this.#clientHost,
      broker: this.#broker,
      stopping: this.#stopping.signal,
      signIn: this.#signIn,
      may: (action, kind, name) => access?.may(action, kind, name) ?? false,
      onAnswered: (task) => void done.push(task),
    };
  }

  /** A version of ApiVersions that is not spoken yet: the answer is of the first version, so that any client can read what is. */
  async #answerNewerVersions({ correlationId }: RequestHeader, release: () => void): Promise<boolean> {
    await this.#written;
    const response = { errorCode: KAFKA_ERRORS.UNSUPPORTED_VERSION, apiKeys: API_RANGES };
    this.#writeInOrder(Promise.resolve(encodeAnswer(apiVersions, 0, correlationId, response)), [release]);
    return true;
  }

  /** The oldest form of a sign-in: a frame that is the token, answered by an empty one. A refusal is the end of the connection. */
  async #answerBareToken(frame: Buffer, release: () => void): Promise<boolean> {
    if (this.#signIn.token(frame).kind === "refused") {
      await delay(this.#parts.clock, REFUSAL_MS);
      throw new LambentError("UnknownCredentials", "The sign-in was refused.");
    }
    this.#writeInOrder(Promise.resolve(new Writer()), [release]);
    return true;
  }

  /** Writes an answer behind all before it. What fails ends the connection: an answer left out would be taken for the next one's. */
  #writeInOrder(answer: Promise<Writer | undefined>, done: readonly (() => void)[]): void {
    const before = this.#written;
    this.#written = (async () => {
      try {
        const [writer] = await Promise.all([answer, before]);
        if (writer) await this.#write(writer);
      } finally {
        for (const task of done) task();
      }
    })();
    this.#written.catch((error: unknown) => {
      if (!isLambentError(error)) this.#parts.reportDefect(error);
      this.#stop("an answer failed");
    });
  }

  async #write(writer: Writer): Promise<void> {
    if (!this.#socket.writable) return;
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeInt32BE(writer.length, 0);
    this.#socket.cork();
    this.#socket.write(length);
    for (const part of writer.finish()) this.#socket.write(part);
    this.#socket.uncork();
    if (this.#socket.writableNeedDrain && !this.#socket.destroyed) await drained(this.#socket);
  }

  /** Gives up a client that stands still, and one that has nothing to ask for long. */
  #look(): void {
    const { clock } = this.#parts;
    const bytes = this.#socket.bytesRead + this.#socket.bytesWritten - this.#socket.writableLength;
    const now = clock.monotonicMs();
    const isStill = bytes === this.#seen.bytes;
    const isIdle = this.#bytes.held === 0 && this.#socket.writableLength === 0;
    const isWorking = this.#underWay > 0 && this.#socket.writableLength === 0;
    const stillMs = now - this.#seen.at;
    const mayStandMs = isIdle && this.#signIn.access ? CONNECTION_IDLE_MS_MAX : STANDSTILL_MS_MAX;
    if (isStill && !isWorking && stillMs >= mayStandMs) return void this.#socket.destroy();
    if (!isStill || isWorking) this.#seen = { bytes, at: now };
    this.#timer = clock.schedule(STANDSTILL_MS_MAX, () => this.#look());
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      socket.off("drain", go);
      socket.off("close", go);
      resolve();
    };
    socket.on("drain", go);
    socket.on("close", go);
  });
}
