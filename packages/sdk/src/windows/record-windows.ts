/** Windows that end with each record: the last so many of a key, or the last so much time. Records come in the order that counts. */
import type { BlockReader, BlockWriter } from "./blocks.ts";
import type { JsonValue, WindowDefinition, WindowLimits } from "./definition.ts";
import type { WindowEngine } from "./engine.ts";
import { MonotoneDeque } from "./monotone-deque.ts";
import type { Pane, SetAsideReason, WindowBounds } from "./output.ts";
import type { Plan } from "./plan.ts";
import { RecordPlan, RecordWindow } from "./record-window.ts";
import { TimeHeap } from "./time-heap.ts";

/** What a key takes besides its records. */
const KEY_BYTES = 480;

type RecordWindowSpec = Extract<WindowDefinition["window"], { readonly kind: "sliding" | "slidingCount" | "rolling" }>;

/** One key: its window, and where that reaches in time when records are not in order of time. */
interface KeyState {
  readonly key: string;
  readonly window: RecordWindow;
  /** Of windows by count. */
  readonly span: Span | undefined;
  /** Place in the list of timers' keys. */
  readonly place: number;
}

/** From when to when the records of a window are, in whatever order they came. */
interface Span {
  readonly earliest: MonotoneDeque;
  readonly latest: MonotoneDeque;
}

export class RecordWindows implements WindowEngine {
  readonly #spec: RecordWindowSpec;
  readonly #plan: RecordPlan;
  readonly #limits: WindowLimits;
  readonly #tell: (pane: Pane) => void;
  readonly #keys = new Map<string, KeyState>();
  /** By which a sliding window of time is forgotten when all in it is too old. */
  readonly #timers = new TimeHeap();
  readonly #timed: (KeyState | undefined)[] = [];
  readonly #freePlaces: number[] = [];
  #created = 0;
  #records = 0;
  #bytes = 0;

  constructor(spec: RecordWindowSpec, plan: Plan, limits: WindowLimits, tell: (pane: Pane) => void) {
    this.#spec = spec;
    this.#plan = new RecordPlan(plan);
    this.#limits = limits;
    this.#tell = tell;
  }

  /** Records in windows count as panes. */
  get size(): { readonly keys: number; readonly panes: number; readonly bytes: number } {
    return { keys: this.#keys.size, panes: this.#records, bytes: this.#bytes };
  }

  add(key: string, time: number, _order: number, value: unknown): SetAsideReason | undefined {
    if (this.#bytes >= this.#limits.bytesMax) return "tooMuchMemory";
    if (this.#records >= this.#limits.panesMax) return "tooManyPanes";
    let state = this.#keys.get(key);
    if (state === undefined) {
      if (this.#keys.size >= this.#limits.keysMax) return "tooManyKeys";
      state = this.#open(key);
      if (this.#spec.kind === "sliding") this.#timers.push(time + this.#spec.sizeMs, this.#created++, state.place);
    }
    const { window } = state;
    const [bytes, records] = [window.bytes, window.size];
    if (this.#spec.kind === "sliding") {
      while (window.size > 0 && (window.times.at(0) as number) <= time - this.#spec.sizeMs) window.shift();
    } else {
      if (window.size === this.#spec.size) this.#shift(state);
      state.span?.earliest.push(time);
      state.span?.latest.push(time);
    }
    window.push(time, value as JsonValue);
    this.#bytes += window.bytes - bytes;
    this.#records += window.size - records;
    this.#told(state, time);
    return undefined;
  }

  advance(watermark: number, most: number): boolean {
    for (let left = most; this.#timers.size > 0 && this.#timers.time <= watermark; left--) {
      if (left <= 0) return false;
      const { order, item } = this.#timers;
      const state = this.#timed[item];
      this.#timers.pop();
      if (state === undefined || this.#spec.kind !== "sliding") {
        this.#freePlaces.push(item);
        continue;
      }
      const due = (state.window.times.last() ?? -Infinity) + this.#spec.sizeMs;
      if (due > watermark) this.#timers.push(due, order, item);
      else this.#close(state);
    }
    return true;
  }

  forget(key: string): void {
    const state = this.#keys.get(key);
    // A window of time keeps its place until its timer has rung.
    if (state !== undefined) this.#close(state, this.#spec.kind === "sliding" ? "later" : "now");
  }

  *write(to: BlockWriter): IterableIterator<void> {
    to.count(this.#keys.size);
    for (const [key, { window, span }] of this.#keys) {
      to.text(key);
      window.write(to);
      span?.earliest.write(to);
      span?.latest.write(to);
      yield;
    }
  }

  *read(from: BlockReader): IterableIterator<void> {
    for (let keys = from.count(); keys > 0; keys--) {
      const state = this.#open(from.text());
      state.window.read(from);
      if (this.#spec.kind === "sliding") {
        this.#timers.push((state.window.times.last() ?? -Infinity) + this.#spec.sizeMs, this.#created++, state.place);
      }
      state.span?.earliest.read(from);
      state.span?.latest.read(from);
      this.#bytes += state.window.bytes;
      this.#records += state.window.size;
      yield;
    }
  }

  #open(key: string): KeyState {
    const place = this.#freePlaces.pop() ?? this.#timed.length;
    const span = this.#spec.kind === "sliding" ? undefined : { earliest: new MonotoneDeque("min"), latest: new MonotoneDeque("max") };
    const state: KeyState = { key, place, window: new RecordWindow(this.#plan), span };
    this.#keys.set(key, state);
    this.#timed[place] = state;
    this.#bytes += KEY_BYTES + 2 * key.length;
    return state;
  }

  #close({ key, place, window }: KeyState, reuse: "now" | "later" = "now"): void {
    this.#keys.delete(key);
    this.#timed[place] = undefined;
    if (reuse === "now") this.#freePlaces.push(place);
    this.#bytes -= KEY_BYTES + 2 * key.length + window.bytes;
    this.#records -= window.size;
  }

  #shift({ window, span }: KeyState): void {
    window.shift();
    span?.earliest.shift();
    span?.latest.shift();
  }

  #told(state: KeyState, time: number): void {
    const { window, key } = state;
    const spec = this.#spec;
    if (spec.kind !== "sliding" && spec.fullOnly === true && window.size < spec.size) return;
    const pane: Pane = {
      key,
      window: this.#boundsOf(state, time),
      timing: "onTime",
      index: window.panes,
      final: true,
      count: window.size,
      values: window.results(),
    };
    window.panes += 1;
    this.#tell(spec.kind === "rolling" ? { ...pane, data: window.values.newest(spec.size) } : pane);
  }

  #boundsOf({ span }: KeyState, time: number): WindowBounds {
    const start = this.#spec.kind === "sliding" ? time - this.#spec.sizeMs + 1 : (span?.earliest.best ?? time);
    return { start, end: (span?.latest.best ?? time) + 1 };
  }
}
