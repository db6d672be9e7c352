import { Readable } from "node:stream";
import { LambentError } from "../../base/index.ts";
import { realmKey, type LogLine, type Realm, type Signals } from "../../model/index.ts";

/** Who may follow logs at once; each holds a buffer (P7). */
export const LOG_FOLLOWERS_MAX = 256;
/** Bytes held for a follower that reads slower than functions write; what comes then is dropped and counted (P7). */
export const LOG_FOLLOWER_BYTES_MAX = 1_048_576;

interface Follower {
  readonly stream: Readable;
  dropped: number;
}

/**
 * Passes log lines on to whoever follows a function, as they are written (P6: nobody asks again and again).
 * Lossy by design: a slow reader loses lines and is told how many; the stored log has them all.
 */
export class LogFollowers {
  readonly #byFunction = new Map<string, Set<Follower>>();
  #count = 0;

  constructor(signals: Signals) {
    signals.on("log", (line) => this.#pass(line));
  }

  get count(): number {
    return this.#count;
  }

  /** Newline-delimited JSON that goes on until `signal` aborts or the stream is destroyed. */
  follow(realm: Realm, functionName: string, signal: AbortSignal): Readable {
    if (this.#count >= LOG_FOLLOWERS_MAX) throw new LambentError("Throttled", `${LOG_FOLLOWERS_MAX} logs are being followed already.`);
    const key = `${realmKey(realm)}/${functionName}`;
    const stream = new Readable({ read: () => undefined, highWaterMark: LOG_FOLLOWER_BYTES_MAX });
    const follower: Follower = { stream, dropped: 0 };
    const all = this.#byFunction.get(key) ?? new Set();
    this.#byFunction.set(key, all.add(follower));
    this.#count += 1;
    const end = (): void => void stream.push(null);
    signal.addEventListener("abort", end, { once: true });
    stream.once("close", () => {
      signal.removeEventListener("abort", end);
      this.#count -= 1;
      all.delete(follower);
      if (all.size === 0) this.#byFunction.delete(key);
    });
    stream.push(encode({ following: functionName }));
    return stream;
  }

  #pass(line: LogLine): void {
    if (this.#count === 0) return;
    const followers = this.#byFunction.get(`${realmKey(line.version.realm)}/${line.version.name}`);
    if (!followers) return;
    const { at, instanceId, requestId, text, version } = line;
    const bytes = encode({ at, instance: instanceId, version: version.version, requestId, text });
    for (const follower of followers) offer(follower, bytes);
  }
}

function offer(follower: Follower, bytes: Buffer): void {
  const { stream } = follower;
  if (stream.readableLength + bytes.length > LOG_FOLLOWER_BYTES_MAX) {
    follower.dropped += 1;
    return;
  }
  if (follower.dropped > 0) stream.push(encode({ dropped: follower.dropped }));
  follower.dropped = 0;
  stream.push(bytes);
}

function encode(value: object): Buffer {
  return Buffer.from(`${JSON.stringify(value)}\n`);
}
