/**
 * Windows over the records of many keys. Owns event time (watermarks, records from the future, late ones), the order in which records reach
 * their windows, and what is kept of them; which panes there are is the business of one engine a kind of window.
 *
 * The same records in the same order give the same panes, also across `snapshot` and `restore`: nothing here has a clock, and time comes in with
 * the records. So a host that writes down what it fed and replays it after a crash is where it was (P5).
 *
 * Deliberately not here: where records come from, where panes go, who is idle, and when to take a snapshot.
 */
import { checkWindowDefinition } from "./check-definition.ts";
import { BlockReader, BlockWriter, SnapshotFault } from "./blocks.ts";
import { CountWindows } from "./count-windows.ts";
import { DEFAULT_LIMITS, isTimed, type WindowDefinition, type WindowLimits } from "./definition.ts";
import type { WindowEngine } from "./engine.ts";
import { bytesOf, KEPT_VALUE_BYTES_MAX } from "./json-values.ts";
import type { Pane, SetAsideReason, WindowOutput } from "./output.ts";
import { PaneWindows } from "./pane-windows.ts";
import { Plan } from "./plan.ts";
import { RecordWindows } from "./record-windows.ts";
import { WaitingRecords } from "./waiting-records.ts";
import { Watermarks } from "./watermarks.ts";
import { whatChanges } from "./what-changes.ts";

const MAGIC = "lambent-windows";
const VERSION = 1;
/** Latest and earliest time of a record: what a Date can hold. */
const TIME_MAX = 8_640_000_000_000_000;

/** How much there is. Bytes are estimated; of windows that slide by records, `panes` are the records in them. */
export interface WindowsSize {
  readonly keys: number;
  readonly panes: number;
  readonly buffered: number;
  readonly bytes: number;
}

/** What happened so far. */
export interface WindowsCounts {
  /** Records handed in; each is in windows, waiting, late or set aside. */
  readonly added: number;
  readonly late: number;
  readonly setAside: number;
  readonly panes: number;
}

export class KeyedWindows {
  readonly #definition: WindowDefinition;
  readonly #output: WindowOutput;
  readonly #limits: WindowLimits;
  readonly #plan: Plan;
  readonly #engine: WindowEngine;
  readonly #watermarks: Watermarks;
  readonly #waiting = new WaitingRecords();
  /** Whether records have times that matter, and whether they wait for the watermark to be in order. */
  readonly #timed: boolean;
  readonly #ordered: boolean;
  readonly #stepsMax: number;
  /** The watermark has moved, and not all that follows was done. */
  #behind = false;
  #counts = { added: 0, late: 0, setAside: 0, panes: 0 };

  /**
   * The definition has to be one that `checkWindowDefinition` gave. A watermark that moves far may end a million windows: with `stepsMax` a call does
   * about so many things of these, and `goOn` does more while `isBehind`; any other call first does all that is left. So the order is the same.
   */
  constructor(definition: WindowDefinition, output: WindowOutput, limits: Partial<WindowLimits> = {}, stepsMax = Infinity) {
    this.#stepsMax = stepsMax;
    this.#definition = definition;
    this.#output = output;
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    this.#plan = new Plan(definition);
    this.#watermarks = new Watermarks(definition);
    this.#timed = isTimed(definition.window);
    this.#ordered = this.#timed && !/^(tumbling|hopping|session)$/u.test(definition.window.kind);
    this.#engine = this.#makeEngine();
  }

  /** Every record with a smaller time has been seen; -Infinity before the first. */
  get watermark(): number {
    return this.#watermarks.watermark;
  }

  /** There is more to be done before the next record: `goOn` does it, piece by piece. */
  get isBehind(): boolean {
    return this.#behind;
  }

  get size(): WindowsSize {
    const { keys, panes, bytes } = this.#engine.size;
    return { keys, panes, buffered: this.#waiting.size, bytes: bytes + this.#waiting.bytes };
  }

  get counts(): WindowsCounts {
    return { ...this.#counts };
  }

  /** How far one source is; -Infinity before its first record. */
  watermarkOf(source: number): number {
    return this.#watermarks.of(source);
  }

  /** Does more of what follows from what was said before, until `isBehind` is false. */
  goOn(): void {
    if (this.#behind) this.#advanced(this.#stepsMax);
  }

  /**
   * Takes one record of a source (a partition, numbered from 0); panes that follow are told before it returns.
   *
   * A record more than `jumpMsMax` ahead of what is known is set aside as one from the future. `arrivedAt`, when the record was
   * appended, is the better measure and should be given: without it only the watermarks are known, so that after a silence longer than
   * `jumpMsMax` everything is from the future until `advance` is called.
   */
  add(source: number, key: string, time: number, value: unknown, arrivedAt?: number): void {
    this.#catchUp();
    const order = this.#counts.added++;
    if (!Number.isSafeInteger(time) || Math.abs(time) > TIME_MAX) return this.#setAside(source, key, time, value, "badTime");
    if (this.#timed && this.#watermarks.isFuture(source, time, arrivedAt)) return this.#setAside(source, key, time, value, "future");
    const fault = this.#plan.read(value, time);
    if (fault !== undefined) return this.#setAside(source, key, time, value, fault.reason, fault.aggregate);
    const reason = this.#place(source, key, time, order, value);
    if (reason !== undefined) this.#setAside(source, key, time, value, reason);
    if (this.#timed && this.#watermarks.saw(source, time)) this.#advanced();
  }

  /** The source holds the watermark back until it has one; to be called for all before the first record. `add` does it too. */
  openSource(source: number): void {
    this.#watermarks.open(source);
  }

  /** The source has ended and holds nothing back. */
  closeSource(source: number): void {
    this.#catchUp();
    if (this.#watermarks.close(source)) this.#advanced();
  }

  /** The source is silent and holds nothing back until its next record. When all are, the watermark goes to the farthest of them. */
  idle(source: number): void {
    this.#catchUp();
    if (this.#watermarks.idle(source)) this.#advanced();
  }

  /** Says that every record of the source with a time before `watermark` has come. */
  advance(source: number, watermark: number): void {
    if (!Number.isSafeInteger(watermark)) throw new RangeError(`watermark is ${watermark}; it has to be a whole number of milliseconds.`);
    this.#catchUp();
    if (this.#watermarks.advance(source, watermark)) this.#advanced();
  }

  /** Nothing more comes: everything that is open is told. */
  finish(): void {
    this.#catchUp();
    this.#watermarks.finish();
    this.#advanced();
  }

  /** Drops a key's state, and its records that wait, without a pane. */
  forget(key: string): void {
    this.#catchUp();
    this.#engine.forget(key);
    if (this.#waiting.size > 0) this.#waiting.forget(key);
  }

  /** The whole state in blocks of at most `SNAPSHOT_BLOCK_BYTES_MAX`. They have to be taken before the next record. */
  *snapshot(): IterableIterator<Uint8Array> {
    this.#catchUp();
    const to = new BlockWriter();
    to.text(MAGIC);
    to.count(VERSION);
    to.json(this.#definition);
    for (const count of Object.values(this.#counts)) to.count(count);
    this.#watermarks.write(to);
    for (const _ of this.#waiting.write(to)) yield* to.takeFull();
    for (const _ of this.#engine.write(to)) yield* to.takeFull();
    yield* to.end();
  }

  /**
   * What `snapshot` gave, taken up again; from here the same records give the same panes. The definition may differ where `whatChanges`
   * says that state is kept. Throws `SnapshotFault`.
   */
  static restore(
    definition: WindowDefinition,
    output: WindowOutput,
    blocks: Iterable<Uint8Array>,
    limits: Partial<WindowLimits> = {},
  ): KeyedWindows {
    const restoring = KeyedWindows.restoring(definition, output, blocks, limits);
    for (;;) {
      const { done, value } = restoring.next();
      if (done === true) return value;
    }
  }

  /** The same, a key at a time: a host that has other things to do does them between two. */
  static *restoring(
    definition: WindowDefinition,
    output: WindowOutput,
    blocks: Iterable<Uint8Array>,
    limits: Partial<WindowLimits> = {},
    stepsMax = Infinity,
  ): Generator<void, KeyedWindows> {
    const from = new BlockReader(blocks);
    if (from.text() !== MAGIC) throw new SnapshotFault("This is no snapshot of windows.");
    const version = from.count();
    if (version !== VERSION) throw new SnapshotFault(`The snapshot has version ${version}; known is ${VERSION}.`);
    const before = checkWindowDefinition(from.json());
    if (before.kind === "faults") throw new SnapshotFault("The snapshot has a definition that is none.");
    const change = whatChanges(before.definition, definition);
    if (change.kind === "incompatible") throw new SnapshotFault(`The snapshot is of another definition: ${change.why.join(" ")}`);
    const windows = new KeyedWindows(definition, output, limits, stepsMax);
    yield* windows.#read(from);
    from.end();
    return windows;
  }

  *#read(from: BlockReader): Generator<void, void> {
    this.#counts = { added: from.count(), late: from.count(), setAside: from.count(), panes: from.count() };
    this.#watermarks.read(from);
    yield* this.#waiting.read(from);
    yield* this.#engine.read(from, this.watermark);
  }

  #place(source: number, key: string, time: number, order: number, value: unknown): SetAsideReason | undefined {
    if (!this.#ordered) return this.#engine.add(key, time, order, value);
    if (time < this.watermark) return "late";
    if (this.#waiting.size >= this.#limits.bufferedMax) return "tooManyBuffered";
    if (this.#engine.size.bytes + this.#waiting.bytes >= this.#limits.bytesMax) return "tooMuchMemory";
    const bytes = bytesOf(value);
    if (bytes === undefined) return "notJson";
    if (bytes > KEPT_VALUE_BYTES_MAX) return "tooLarge";
    this.#waiting.push({ source, key, time, order, value });
    // A record at the watermark is next: others of its time come behind it.
    if (time === this.watermark) this.#release(Infinity);
    return undefined;
  }

  #catchUp(): void {
    if (this.#behind) this.#advanced(Infinity);
  }

  #advanced(most = this.#stepsMax): void {
    const left = this.#ordered ? this.#release(most) : most;
    this.#behind = left < 0 || !this.#engine.advance(this.watermark, left);
  }

  /** Those that wait and are due, in order: up to `most`. Answers how many more there might have been, -1 where some are left. */
  #release(most: number): number {
    let left = most;
    for (; this.#waiting.time <= this.watermark && this.#waiting.size > 0; left--) {
      if (left <= 0) return -1;
      const { source, key, time, order, value } = this.#waiting.take();
      this.#plan.read(value, time);
      const reason = this.#engine.add(key, time, order, value);
      if (reason !== undefined) this.#setAside(source, key, time, value, reason);
    }
    return left;
  }

  #setAside(source: number, key: string, time: number, value: unknown, reason: SetAsideReason, aggregate?: string): void {
    if (reason === "late") {
      this.#counts.late += 1;
      if (this.#definition.late === "drop") return;
    } else this.#counts.setAside += 1;
    this.#output.setAside?.({ source, key, time, value, reason, ...(aggregate === undefined ? {} : { aggregate }) });
  }

  #makeEngine(): WindowEngine {
    const { window } = this.#definition;
    const tell = (pane: Pane): void => {
      this.#counts.panes += 1;
      this.#output.pane(pane);
    };
    switch (window.kind) {
      case "tumbling":
      case "hopping":
      case "session":
        return new PaneWindows(window, this.#definition, this.#plan, this.#limits, tell);
      case "tumblingCount":
        return new CountWindows(window, this.#plan, this.#limits, tell);
      case "sliding":
      case "slidingCount":
      case "rolling":
        return new RecordWindows(window, this.#plan, this.#limits, tell);
    }
  }
}
