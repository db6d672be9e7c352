/**
 * The windows that have state, side by side in columns: a window of a million keys takes some sixty bytes and its aggregates' doubles, no
 * objects. A key's windows are a list, the earliest first.
 */
import type { BlockReader, BlockWriter } from "./blocks.ts";
import type { Box } from "./boxes/index.ts";
import type { JsonValue, WindowLimits } from "./definition.ts";
import { grownFloats, grownIntegers } from "./growing.ts";
import type { WindowBounds } from "./output.ts";
import type { BoxColumn, LaneColumn, Plan } from "./plan.ts";

/** No slot. */
export const NONE = -1;
const CAPACITY_FIRST = 64;
/** What the columns of one window take, its doubles apart. */
const SLOT_BYTES = 68;
/** A key's entry in the table, its text apart. */
const KEY_BYTES = 64;

export class PaneStore {
  readonly plan: Plan;
  readonly #limits: WindowLimits;
  starts = new Float64Array(CAPACITY_FIRST);
  ends = new Float64Array(CAPACITY_FIRST);
  /** Number by which a window is told from one that had its slot before; NONE in a free slot. */
  numbers = new Float64Array(CAPACITY_FIRST).fill(NONE);
  /** When its timer rings; Infinity when none is set. */
  rings = new Float64Array(CAPACITY_FIRST);
  /** Records in it: all, or with discarding panes those since the last pane. */
  counts = new Float64Array(CAPACITY_FIRST);
  /** Records since the last pane. */
  fresh = new Float64Array(CAPACITY_FIRST);
  /** Panes told. */
  panes = new Int32Array(CAPACITY_FIRST);
  /** 1 once its end has passed. */
  passed = new Int32Array(CAPACITY_FIRST);
  nexts = new Int32Array(CAPACITY_FIRST);
  keys = new Int32Array(CAPACITY_FIRST);
  #lanes: Float64Array<ArrayBuffer>;
  readonly #boxes: (Box | undefined)[] = [];
  /** Of sessions: the bounds under which they were told before. */
  readonly #told = new Map<number, readonly WindowBounds[]>();
  #free = NONE;
  #used = 0;
  #live = 0;
  #created = 0;

  readonly #ids = new Map<string, number>();
  readonly #names: (string | undefined)[] = [];
  readonly #freeKeys: number[] = [];
  #heads = new Int32Array(CAPACITY_FIRST).fill(NONE);
  /** Of each key the window that was noted last: records come nearly in order, and their windows may be many. */
  #noted = new Int32Array(CAPACITY_FIRST).fill(NONE);
  #keyBytes = 0;
  #boxBytes = 0;

  constructor(plan: Plan, limits: WindowLimits) {
    this.plan = plan;
    this.#limits = limits;
    this.#lanes = new Float64Array(CAPACITY_FIRST * plan.lanes);
  }

  get size(): { readonly keys: number; readonly panes: number; readonly bytes: number } {
    return { keys: this.#ids.size, panes: this.#live, bytes: this.#bytes };
  }

  get #bytes(): number {
    return this.#live * (SLOT_BYTES + 8 * this.plan.lanes) + this.#ids.size * KEY_BYTES + this.#keyBytes + this.#boxBytes;
  }

  /** Why `more` windows of `key` have no place, or undefined when they have. */
  placeFor(key: string, more: number): "tooManyKeys" | "tooManyPanes" | "tooMuchMemory" | undefined {
    if (this.#bytes >= this.#limits.bytesMax) return "tooMuchMemory";
    if (this.#live + more > this.#limits.panesMax) return "tooManyPanes";
    if (this.#ids.size >= this.#limits.keysMax && !this.#ids.has(key)) return "tooManyKeys";
    return undefined;
  }

  /** The first window of `key`, or NONE. */
  first(key: string): number {
    const id = this.#ids.get(key);
    return id === undefined ? NONE : (this.#heads[id] as number);
  }

  /** Where to look for windows of `key` that begin at `start` or later: the one that was noted last unless it begins later, else the first. */
  from(key: string, start: number): number {
    const id = this.#ids.get(key);
    if (id === undefined) return NONE;
    const noted = this.#noted[id] as number;
    return noted !== NONE && (this.starts[noted] as number) <= start ? noted : (this.#heads[id] as number);
  }

  /** The next record of its key will be near this one. */
  note(slot: number): void {
    this.#noted[this.keys[slot] as number] = slot;
  }

  nameOf(slot: number): string {
    return this.#names[this.keys[slot] as number] ?? "";
  }

  /** A fresh window of `key`, behind `after` in its list, or first. */
  create(key: string, start: number, end: number, after: number): number {
    if (this.#free === NONE) this.#extend();
    const slot = this.#free;
    this.#free = this.nexts[slot] as number;
    const id = this.#idOf(key);
    this.keys[slot] = id;
    this.starts[slot] = start;
    this.ends[slot] = end;
    this.numbers[slot] = this.#created++;
    this.rings[slot] = Infinity;
    this.panes[slot] = 0;
    this.passed[slot] = 0;
    this.counts[slot] = 0;
    this.fresh[slot] = 0;
    this.#clearLanes(slot);
    this.#makeBoxes(slot);
    if (after === NONE) {
      this.nexts[slot] = this.#heads[id] as number;
      this.#heads[id] = slot;
    } else {
      this.nexts[slot] = this.nexts[after] as number;
      this.nexts[after] = slot;
    }
    this.#live += 1;
    return slot;
  }

  /** Takes the window out of its key's list; with the last one goes the key. */
  remove(slot: number): void {
    const id = this.keys[slot] as number;
    const head = this.#heads[id] as number;
    if (head === slot) this.#heads[id] = this.nexts[slot] as number;
    else {
      let before = head;
      while (this.nexts[before] !== slot) before = this.nexts[before] as number;
      this.nexts[before] = this.nexts[slot] as number;
    }
    if (this.#noted[id] === slot) this.#noted[id] = NONE;
    if (this.#heads[id] === NONE) this.#removeKey(id);
    this.#dropBoxes(slot);
    this.#told.delete(slot);
    this.numbers[slot] = NONE;
    this.nexts[slot] = this.#free;
    this.#free = slot;
    this.#live -= 1;
  }

  /** Adds what the plan read last. */
  addRecord(slot: number, order: number, time: number): void {
    this.counts[slot] = (this.counts[slot] as number) + 1;
    this.fresh[slot] = (this.fresh[slot] as number) + 1;
    const { laneColumns, boxColumns, numbers, values, lanes } = this.plan;
    for (let at = 0; at < laneColumns.length; at++) {
      const { operation, lane } = laneColumns[at] as LaneColumn;
      operation.add(this.#lanes, slot * lanes + lane, numbers[at] as number);
    }
    for (let at = 0; at < boxColumns.length; at++) {
      const box = this.#boxOf(slot, at);
      const before = box.bytes;
      box.add(values[at] as JsonValue, time, order);
      this.#boxBytes += box.bytes - before;
    }
  }

  /** Adds to `into` what `from` has of records and state. */
  combine(into: number, from: number): void {
    this.counts[into] = (this.counts[into] as number) + (this.counts[from] as number);
    this.fresh[into] = (this.fresh[into] as number) + (this.fresh[from] as number);
    const { laneColumns, boxColumns, lanes } = this.plan;
    for (const { operation, lane } of laneColumns)
      operation.combine(this.#lanes, into * lanes + lane, from * lanes + lane, into * lanes + lane);
    for (let at = 0; at < boxColumns.length; at++) {
      const box = this.#boxOf(into, at);
      const before = box.bytes;
      box.merge(this.#boxOf(from, at));
      this.#boxBytes += box.bytes - before;
    }
  }

  /** Its state becomes that of no records. */
  clear(slot: number): void {
    this.counts[slot] = 0;
    this.#clearLanes(slot);
    this.#dropBoxes(slot);
    this.#makeBoxes(slot);
  }

  results(slot: number): Readonly<Record<string, JsonValue>> {
    const { laneColumns, boxColumns, lanes } = this.plan;
    if (laneColumns.length === 1 && boxColumns.length === 0) {
      const { name, operation, lane } = laneColumns[0] as LaneColumn;
      return { [name]: operation.result(this.#lanes, slot * lanes + lane) };
    }
    const results = new Map<string, JsonValue>();
    for (const { name, operation, lane } of laneColumns) results.set(name, operation.result(this.#lanes, slot * lanes + lane));
    for (const [at, { name }] of boxColumns.entries()) results.set(name, this.#boxOf(slot, at).result());
    return this.plan.inOrder(results);
  }

  told(slot: number): readonly WindowBounds[] {
    return this.#told.get(slot) ?? [];
  }

  setTold(slot: number, told: readonly WindowBounds[]): void {
    if (told.length === 0) this.#told.delete(slot);
    else this.#told.set(slot, told);
  }

  /** Slots with a window, in no order that means anything. */
  *slots(): IterableIterator<number> {
    for (let slot = 0; slot < this.#used; slot++) if (this.numbers[slot] !== NONE) yield slot;
  }

  *write(to: BlockWriter): IterableIterator<void> {
    to.count(this.#created);
    to.count(this.#ids.size);
    for (const [key, id] of this.#ids) {
      to.text(key);
      let windows = 0;
      for (let slot = this.#heads[id] as number; slot !== NONE; slot = this.nexts[slot] as number) windows += 1;
      to.count(windows);
      for (let slot = this.#heads[id] as number; slot !== NONE; slot = this.nexts[slot] as number) this.#writeSlot(to, slot);
      yield;
    }
  }

  *read(from: BlockReader): IterableIterator<void> {
    const created = from.count();
    for (let keys = from.count(); keys > 0; keys--) {
      const key = from.text();
      let last = NONE;
      for (let windows = from.count(); windows > 0; windows--) last = this.#readSlot(from, key, last);
      yield;
    }
    this.#created = created;
  }

  #writeSlot(to: BlockWriter, slot: number): void {
    to.double(this.starts[slot] as number);
    to.double(this.ends[slot] as number);
    to.count(this.numbers[slot] as number);
    to.count(this.counts[slot] as number);
    to.count(this.fresh[slot] as number);
    to.count(this.panes[slot] as number);
    to.byte(this.passed[slot] as number);
    const told = this.told(slot);
    to.count(told.length);
    for (const { start, end } of told) {
      to.double(start);
      to.double(end);
    }
    const { lanes, boxColumns } = this.plan;
    for (let at = slot * lanes; at < (slot + 1) * lanes; at++) to.double(this.#lanes[at] as number);
    for (let at = 0; at < boxColumns.length; at++) this.#boxOf(slot, at).write(to);
  }

  #readSlot(from: BlockReader, key: string, after: number): number {
    const start = from.double();
    const slot = this.create(key, start, from.double(), after);
    this.numbers[slot] = from.count();
    this.counts[slot] = from.count();
    this.fresh[slot] = from.count();
    this.panes[slot] = from.count();
    this.passed[slot] = from.byte();
    const told: WindowBounds[] = [];
    for (let left = from.count(); left > 0; left--) {
      const first = from.double();
      told.push({ start: first, end: from.double() });
    }
    this.setTold(slot, told);
    const { lanes, boxColumns } = this.plan;
    for (let at = slot * lanes; at < (slot + 1) * lanes; at++) this.#lanes[at] = from.double();
    for (let at = 0; at < boxColumns.length; at++) {
      const box = this.#boxOf(slot, at);
      const before = box.bytes;
      box.read(from);
      this.#boxBytes += box.bytes - before;
    }
    return slot;
  }

  #boxOf(slot: number, at: number): Box {
    return this.#boxes[slot * this.plan.boxColumns.length + at] as Box;
  }

  #clearLanes(slot: number): void {
    const { laneColumns, lanes } = this.plan;
    for (let at = 0; at < laneColumns.length; at++) {
      const { operation, lane } = laneColumns[at] as LaneColumn;
      operation.clear(this.#lanes, slot * lanes + lane);
    }
  }

  #makeBoxes(slot: number): void {
    const { boxColumns } = this.plan;
    for (let at = 0; at < boxColumns.length; at++) {
      const box = this.plan.makeBox(boxColumns[at] as BoxColumn);
      this.#boxes[slot * boxColumns.length + at] = box;
      this.#boxBytes += box.bytes;
    }
  }

  #dropBoxes(slot: number): void {
    const { boxColumns } = this.plan;
    for (let at = 0; at < boxColumns.length; at++) {
      this.#boxBytes -= this.#boxOf(slot, at).bytes;
      this.#boxes[slot * boxColumns.length + at] = undefined;
    }
  }

  #idOf(key: string): number {
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    const id = this.#freeKeys.pop() ?? this.#names.length;
    if (id === this.#heads.length) {
      this.#heads = grownIntegers(this.#heads, id * 2);
      this.#noted = grownIntegers(this.#noted, id * 2);
    }
    this.#names[id] = key;
    this.#heads[id] = NONE;
    this.#noted[id] = NONE;
    this.#ids.set(key, id);
    this.#keyBytes += 2 * key.length;
    return id;
  }

  #removeKey(id: number): void {
    const key = this.#names[id] ?? "";
    this.#names[id] = undefined;
    this.#ids.delete(key);
    this.#freeKeys.push(id);
    this.#keyBytes -= 2 * key.length;
  }

  /** Makes one more slot free. */
  #extend(): void {
    if (this.#used === this.nexts.length) this.#grow(this.#used * 2);
    const slot = this.#used++;
    this.nexts[slot] = NONE;
    this.#free = slot;
  }

  #grow(capacity: number): void {
    this.starts = grownFloats(this.starts, capacity);
    this.ends = grownFloats(this.ends, capacity);
    this.numbers = grownFloats(this.numbers, capacity);
    this.rings = grownFloats(this.rings, capacity);
    this.counts = grownFloats(this.counts, capacity);
    this.fresh = grownFloats(this.fresh, capacity);
    this.panes = grownIntegers(this.panes, capacity);
    this.passed = grownIntegers(this.passed, capacity);
    this.nexts = grownIntegers(this.nexts, capacity);
    this.keys = grownIntegers(this.keys, capacity);
    this.#lanes = grownFloats(this.#lanes, capacity * this.plan.lanes);
  }
}
