/**
 * Windows of event time that hold records until they are complete: tumbling, hopping, session. A window goes through two phases: before
 * its end has passed it tells early panes, then the one on time; after that late ones, until its lateness is over and it is gone.
 */
import type { BlockReader, BlockWriter } from "./blocks.ts";
import type { WindowDefinition, WindowLimits } from "./definition.ts";
import type { WindowEngine } from "./engine.ts";
import type { Pane, SetAsideReason, WindowBounds } from "./output.ts";
import { NONE, PaneStore } from "./pane-store.ts";
import type { Plan } from "./plan.ts";
import { TimeHeap } from "./time-heap.ts";

/** Timers of windows that are gone, beyond those of windows that are there, before they are swept out. */
const STALE_TIMERS_MAX = 1_024;

type PaneWindow = Extract<WindowDefinition["window"], { readonly kind: "tumbling" | "hopping" | "session" }>;

export class PaneWindows implements WindowEngine {
  readonly #window: PaneWindow;
  readonly #definition: WindowDefinition;
  readonly #store: PaneStore;
  readonly #tell: (pane: Pane) => void;
  readonly #timers = new TimeHeap();
  #watermark = -Infinity;

  constructor(window: PaneWindow, definition: WindowDefinition, plan: Plan, limits: WindowLimits, tell: (pane: Pane) => void) {
    this.#window = window;
    this.#definition = definition;
    this.#store = new PaneStore(plan, limits);
    this.#tell = tell;
  }

  get size(): { readonly keys: number; readonly panes: number; readonly bytes: number } {
    return this.#store.size;
  }

  add(key: string, time: number, order: number): SetAsideReason | undefined {
    return this.#window.kind === "session" ? this.#addToSession(this.#window, key, time, order) : this.#addToAligned(key, time, order);
  }

  /** Stops at every timer on the way, so that one long step tells what many short ones do. */
  advance(watermark: number, most: number): boolean {
    for (let left = most; this.#timers.size > 0 && this.#timers.time <= watermark; left--) {
      if (left <= 0) return false;
      const { time, order, item: slot } = this.#timers;
      this.#timers.pop();
      this.#watermark = Math.max(this.#watermark, time);
      if (this.#store.numbers[slot] === order && this.#store.rings[slot] === time) this.#ring(slot, time);
    }
    this.#watermark = watermark;
    return true;
  }

  forget(key: string): void {
    for (let slot = this.#store.first(key); slot !== NONE; slot = this.#store.first(key)) this.#store.remove(slot);
    this.#sweep();
  }

  write(to: BlockWriter): IterableIterator<void> {
    return this.#store.write(to);
  }

  *read(from: BlockReader, watermark: number): IterableIterator<void> {
    this.#watermark = watermark;
    yield* this.#store.read(from);
    for (const slot of this.#store.slots()) {
      this.#setTimer(slot);
      yield;
    }
  }

  #addToAligned(key: string, time: number, order: number): SetAsideReason | undefined {
    const { sizeMs, everyMs, offsetMs } = aligned(this.#window);
    const gone = this.#watermark - this.#definition.allowedLatenessMs;
    const last = Math.floor((time - offsetMs) / everyMs) * everyMs + offsetMs;
    // The earliest window that has `time` in it, and of those the first that is not gone.
    let start = last - Math.floor((sizeMs - 1 - (time - last)) / everyMs) * everyMs;
    while (start <= last && start + sizeMs <= gone) start += everyMs;
    if (start > last) return "late";
    const noPlace = this.#store.placeFor(key, (last - start) / everyMs + 1);
    if (noPlace !== undefined) return noPlace;
    let before = NONE;
    let slot = this.#store.from(key, start);
    for (let isFirst = true; start <= last; start += everyMs, isFirst = false) {
      while (slot !== NONE && (this.#store.starts[slot] as number) < start) {
        before = slot;
        slot = this.#store.nexts[slot] as number;
      }
      if (slot === NONE || this.#store.starts[slot] !== start) {
        slot = this.#store.create(key, start, start + sizeMs, before);
        this.#enterPhase(slot);
      }
      const own = slot;
      if (isFirst) this.#store.note(own);
      before = own;
      slot = this.#store.nexts[own] as number;
      this.#addTo(own, order, time);
    }
    return undefined;
  }

  #addToSession(window: PaneWindow & { kind: "session" }, key: string, time: number, order: number): SetAsideReason | undefined {
    const sizeMsMax = window.sizeMsMax ?? Infinity;
    let [start, end] = [time, time + window.gapMs];
    let before = NONE;
    const merged: number[] = [];
    // Sessions lie one behind the other; where they are cut, they may overlap.
    const isInOrder = window.sizeMsMax === undefined;
    for (
      let slot = isInOrder ? this.#store.from(key, time) : this.#store.first(key);
      slot !== NONE;
      slot = this.#store.nexts[slot] as number
    ) {
      const [itsStart, itsEnd] = [this.#store.starts[slot] as number, this.#store.ends[slot] as number];
      if (isInOrder && itsStart >= end) break;
      if (itsStart < start) before = slot;
      if (itsStart >= end || itsEnd <= start) continue;
      if (Math.max(end, itsEnd) - Math.min(start, itsStart) > sizeMsMax) continue;
      [start, end] = [Math.min(start, itsStart), Math.max(end, itsEnd)];
      merged.push(slot);
    }
    if (end + this.#definition.allowedLatenessMs <= this.#watermark) return "late";
    const noPlace = this.#store.placeFor(key, merged.length === 0 ? 1 : 0);
    if (noPlace !== undefined) return noPlace;
    const [slot = NONE] = merged;
    if (slot === NONE) {
      const created = this.#store.create(key, start, end, before);
      this.#enterPhase(created);
      this.#store.note(created);
      this.#addTo(created, order, time);
      return undefined;
    }
    this.#merge(slot, merged, { start, end });
    this.#store.note(slot);
    this.#addTo(slot, order, time);
    return undefined;
  }

  /** The sessions become one in the slot of the first of them. A session with other bounds is another window: its panes count anew. */
  #merge(into: number, merged: readonly number[], { start, end }: WindowBounds): void {
    const store = this.#store;
    // Discarding panes are parts: what was told before still holds.
    const told = this.#definition.trigger.panes === "discarding" ? [] : merged.flatMap((slot) => this.#toldOf(slot));
    for (const slot of merged) {
      if (slot === into) continue;
      store.combine(into, slot);
      store.remove(slot);
    }
    if (store.starts[into] !== start || store.ends[into] !== end || merged.length > 1) {
      store.setTold(into, told);
      store.starts[into] = start;
      store.ends[into] = end;
      store.panes[into] = 0;
      this.#enterPhase(into);
    }
    if (merged.length > 1) this.#sweep();
  }

  /** Under which bounds a session was told, those it has now included. */
  #toldOf(slot: number): readonly WindowBounds[] {
    const store = this.#store;
    if (store.panes[slot] === 0) return store.told(slot);
    return [...store.told(slot), { start: store.starts[slot] as number, end: store.ends[slot] as number }];
  }

  #enterPhase(slot: number): void {
    this.#store.passed[slot] = (this.#store.ends[slot] as number) <= this.#watermark ? 1 : 0;
    this.#setTimer(slot);
  }

  #addTo(slot: number, order: number, time: number): void {
    const store = this.#store;
    store.addRecord(slot, order, time);
    const { early, late } = this.#definition.trigger;
    const fresh = store.fresh[slot] as number;
    if (store.passed[slot] === 1) {
      if (fresh >= late.count) this.#fire(slot, "late", false);
      return;
    }
    if (early?.count !== undefined && fresh >= early.count) return this.#fire(slot, "early", false);
    if (early?.everyMs !== undefined && fresh === 1) this.#setTimer(slot);
  }

  /** Sets a timer for what comes next of the window; one that rings too soon is set again then. */
  #setTimer(slot: number): void {
    const time = this.#due(slot);
    if (time >= (this.#store.rings[slot] as number)) return;
    this.#store.rings[slot] = time;
    this.#timers.push(time, this.#store.numbers[slot] as number, slot);
  }

  /** When the next thing of a window is due; told from its state and the watermark alone, so that a restored one does the same. */
  #due(slot: number): number {
    const store = this.#store;
    const end = store.ends[slot] as number;
    if (store.passed[slot] === 1) return end + this.#definition.allowedLatenessMs;
    const everyMs = this.#definition.trigger.early?.everyMs;
    if (everyMs === undefined || store.fresh[slot] === 0) return end;
    const from = Math.max(this.#watermark, store.starts[slot] as number);
    return Math.min(end, (Math.floor(from / everyMs) + 1) * everyMs);
  }

  #ring(slot: number, time: number): void {
    const store = this.#store;
    store.rings[slot] = Infinity;
    const end = store.ends[slot] as number;
    const isGone = end + this.#definition.allowedLatenessMs <= this.#watermark;
    if (store.passed[slot] === 1) {
      if (isGone && (store.fresh[slot] as number) > 0) this.#fire(slot, "late", true);
    } else if (end <= this.#watermark) {
      store.passed[slot] = 1;
      this.#fire(slot, "onTime", isGone);
    } else if (this.#isTimeForEarly(slot, time)) this.#fire(slot, "early", false);
    if (isGone) store.remove(slot);
    else this.#setTimer(slot);
  }

  /** A timer may ring for the end that a session had before it grew. */
  #isTimeForEarly(slot: number, time: number): boolean {
    const everyMs = this.#definition.trigger.early?.everyMs;
    return everyMs !== undefined && time % everyMs === 0 && (this.#store.fresh[slot] as number) > 0;
  }

  #fire(slot: number, timing: Pane["timing"], final: boolean): void {
    const store = this.#store;
    const replaces = store.told(slot);
    const pane: Pane = {
      key: store.nameOf(slot),
      window: { start: store.starts[slot] as number, end: store.ends[slot] as number },
      timing,
      index: store.panes[slot] as number,
      final,
      count: store.counts[slot] as number,
      values: store.results(slot),
    };
    store.panes[slot] = (store.panes[slot] as number) + 1;
    store.fresh[slot] = 0;
    if (this.#definition.trigger.panes === "discarding") store.clear(slot);
    if (replaces.length > 0) store.setTold(slot, []);
    this.#tell(replaces.length > 0 ? { ...pane, replaces } : pane);
  }

  #sweep(): void {
    if (this.#timers.size <= 2 * this.#store.size.panes + STALE_TIMERS_MAX) return;
    this.#timers.clear();
    for (const slot of this.#store.slots()) {
      this.#store.rings[slot] = Infinity;
      this.#setTimer(slot);
    }
  }
}

function aligned(window: PaneWindow): { readonly sizeMs: number; readonly everyMs: number; readonly offsetMs: number } {
  if (window.kind === "session") return { sizeMs: window.gapMs, everyMs: window.gapMs, offsetMs: 0 };
  const everyMs = window.kind === "tumbling" ? window.sizeMs : window.everyMs;
  return { sizeMs: window.sizeMs, everyMs, offsetMs: window.offsetMs ?? 0 };
}
