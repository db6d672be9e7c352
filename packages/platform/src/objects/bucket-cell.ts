/**
 * The cell of one bucket: its rows, the turns of its keys, and the commits that change them.
 *
 * Keeps P1 (what is answered is behind its commit), and that every file is referred to by a row or loose, at every moment: a body is made as a
 * loose file, the commit that stores its version takes it, and the commit that replaces a version makes its files loose. What a version is, and
 * what a change does, is decided elsewhere.
 */
import { type Clock, deferred, isLambentError, LambentError, type SecureRandom } from "../base/index.ts";
import type { Outbox } from "../outbox/index.ts";
import type { BodyFiles, OwnRow } from "../storage/index.ts";
import type { BucketRecord } from "./bucket-record.ts";
import { KeyTurns } from "./key-turns.ts";
import { LooseFilesOfBucket } from "./loose-files.ts";
import type { Notifier, ObjectEvent } from "./object-event.ts";
import { decodeNumber, encodeNumber, type LooseFiles, looseRow, NUMBER_KEY } from "./rows.ts";

/** Numbers of one millisecond. */
const NUMBERS_PER_MS = 1_024;
/** Numbers are reserved this far ahead, so that they rise over restarts whatever the clock does. */
const RESERVED_MS = 60_000;
/** Bodies on their way into one bucket; one more is refused with `Throttled` (P7). @limit */
export const BODIES_UNDER_WAY_MAX = 10_000;

export interface CellParts {
  readonly outbox: Outbox;
  readonly bodies: BodyFiles;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly notifier: Notifier;
  readonly bucketId: string;
  /** As it is now. Throws `NotFound` once the bucket was deleted. */
  readonly record: () => BucketRecord;
  readonly onProblem: (error: unknown) => void;
}

/** What one commit does. */
export interface CellChange {
  readonly rows: readonly OwnRow[];
  /** Loose files that the rows refer to from now on. */
  readonly takes?: LooseFiles | undefined;
  /** Files that nothing refers to any more. */
  readonly leaves?: readonly LooseFiles[];
  /** What is told of it. */
  readonly events?: readonly ObjectEvent[];
}

type Condition =
  | { readonly kind: "open" }
  /** Somebody looks whether the bucket is empty; changes wait for what comes of it. */
  | { readonly kind: "judged"; readonly done: Promise<void> }
  | { readonly kind: "gone" };

export class BucketCell {
  readonly loose: LooseFilesOfBucket;
  readonly outbox: Outbox;
  readonly bodies: BodyFiles;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly notifier: Notifier;
  /** Names its folder. */
  readonly owner: string;
  readonly #parts: CellParts;
  readonly #turns = new KeyTurns();
  #condition: Condition = { kind: "open" };
  #bodiesUnderWay = 0;
  #unused = deferred<void>();
  #lastNumber: number;
  #reservedNumber: number;

  private constructor(parts: CellParts, reservedNumber: number) {
    this.#parts = parts;
    this.outbox = parts.outbox;
    this.bodies = parts.bodies;
    this.clock = parts.clock;
    this.secureRandom = parts.secureRandom;
    this.notifier = parts.notifier;
    this.owner = parts.bucketId;
    this.#lastNumber = reservedNumber;
    this.#reservedNumber = reservedNumber;
    this.loose = new LooseFilesOfBucket({ ...parts, owner: parts.bucketId });
  }

  /** Opens it, removing what a life before this one left loose. The outbox is the caller's until this resolves. */
  static async open(parts: CellParts): Promise<BucketCell> {
    const [row] = await parts.outbox.getRows([NUMBER_KEY]);
    const cell = new BucketCell(parts, row ? decodeNumber(row) : 0);
    await cell.loose.removeLeft();
    return cell;
  }

  /** As it is now. Throws `NotFound` once the bucket was deleted. */
  get record(): BucketRecord {
    return this.#parts.record();
  }

  /** A number above every one before it, of any key of this bucket: orders versions, and is what events call their sequencer. */
  nextNumber(): number {
    this.#lastNumber = Math.max(this.#lastNumber + 1, this.clock.now() * NUMBERS_PER_MS);
    return this.#lastNumber;
  }

  /** A name that no file has or had. All are of the same length. */
  newFile(): string {
    return this.secureRandom.bytes(16).toString("hex");
  }

  /** Runs `change` behind those of the same key. Throws `NotFound` once the bucket was deleted, `StorageBusy` where too many wait. */
  async inTurn<T>(key: string, change: () => Promise<T>): Promise<T> {
    while (this.#condition.kind === "judged") await this.#condition.done;
    this.refuseWhenGone();
    return this.#turns.take(key, change);
  }

  /** Runs `judge` while no key changes; with `gone` nothing changes any more. */
  async alone(judge: () => Promise<"stays" | "gone">): Promise<void> {
    while (this.#condition.kind === "judged") await this.#condition.done;
    this.refuseWhenGone();
    const done = deferred<void>();
    this.#condition = { kind: "judged", done: done.promise };
    let verdict: "stays" | "gone" = "stays";
    try {
      await this.#turns.idle();
      verdict = await judge();
    } finally {
      this.#condition = verdict === "gone" ? { kind: "gone" } : { kind: "open" };
      done.resolve();
    }
  }

  refuseWhenGone(): void {
    if (this.#condition.kind === "gone") throw new LambentError("NotFound", "The specified bucket does not exist", { what: "bucket" });
  }

  /** Runs `work`, which makes files in the bucket's folder: whoever removes the folder waits for it. */
  async makingFiles<T>(work: () => Promise<T>): Promise<T> {
    this.refuseWhenGone();
    if (this.#bodiesUnderWay >= BODIES_UNDER_WAY_MAX)
      throw new LambentError("Throttled", `${BODIES_UNDER_WAY_MAX} bodies are on their way into the bucket, which is the bound.`);
    this.#bodiesUnderWay += 1;
    try {
      return await work();
    } finally {
      this.#bodiesUnderWay -= 1;
      if (this.#bodiesUnderWay === 0) {
        this.#unused.resolve();
        this.#unused = deferred<void>();
      }
    }
  }

  /** Resolves once nobody makes files any more, in a bucket that is gone. */
  untilUnused(): Promise<void> {
    return this.#bodiesUnderWay === 0 ? Promise.resolve() : this.#unused.promise;
  }

  /**
   * Commits a change with what is told of it; resolves once it is durable. Files that it leaves are removed a little later. Where it is certain that
   * nothing happened, what it was to take is removed before it throws; else the next opening sees to it.
   */
  async commit({ rows, takes, leaves = [], events = [] }: CellChange): Promise<void> {
    const all = [...rows, ...(takes ? [this.loose.taken(takes)] : []), ...leaves.map(looseRow)];
    const reserve = this.#lastNumber > this.#reservedNumber ? this.#lastNumber + RESERVED_MS * NUMBERS_PER_MS : undefined;
    if (reserve !== undefined) all.push({ key: NUMBER_KEY, value: encodeNumber(reserve) });
    const { record } = this;
    const deliveries = events.flatMap((event) => this.notifier.deliveries(record, event));
    if (deliveries.length > 0) await this.outbox.accept(deliveries, { rows: all });
    else await this.outbox.writeRows(all);
    if (reserve !== undefined) this.#reservedNumber = Math.max(this.#reservedNumber, reserve);
    for (const files of leaves) this.loose.leave(files);
  }

  /** Runs `work`, which is to commit something that refers to `files`: they are removed when it fails, if that is certain. */
  async keeping<T>(files: LooseFiles | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (files && isCertainlyUndone(error)) await this.loose.discard(files);
      throw error;
    }
  }

  /** Ends everything; what waits is there at the next opening. */
  async close(): Promise<void> {
    await this.loose.close();
    await this.outbox.close();
  }
}

/** A store that stopped may have committed; of what is no error of ours nothing is known. */
function isCertainlyUndone(error: unknown): boolean {
  return isLambentError(error) && error.code !== "StorageStopped";
}
