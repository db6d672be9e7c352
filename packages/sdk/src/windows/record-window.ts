/** The window of one key that slides by records: what is in it, and the aggregates of that. */
import { type BlockReader, type BlockWriter, SnapshotFault } from "./blocks.ts";
import type { JsonValue } from "./definition.ts";
import { Fifo } from "./fifo.ts";
import { bytesOf, fieldOf } from "./json-values.ts";
import { LaneCells, type LaneLayout } from "./lane-cells.ts";
import { MonotoneDeque } from "./monotone-deque.ts";
import type { BoxColumn, LaneColumn, Plan } from "./plan.ts";
import { ANSWER, SlidingQueue } from "./sliding-queue.ts";
import { bagOf, type WindowBag } from "./window-bags.ts";

/** Which of a plan's columns are computed how over a window that slides by records; one for all keys. */
export class RecordPlan implements LaneLayout {
  readonly plan: Plan;
  /** Those that are combined, each with its first lane in a cell. */
  readonly combined: readonly (LaneLayout["combined"][number] & { readonly column: number; readonly name: string })[];
  readonly extremes: readonly { readonly keep: "min" | "max"; readonly column: number; readonly name: string }[];
  readonly counts: readonly string[];
  readonly lanes: number;
  readonly keepsValues: boolean;
  /** About how much one record takes, its value apart. */
  readonly recordBytes: number;

  constructor(plan: Plan) {
    this.plan = plan;
    const columns = plan.laneColumns.map((each, column) => ({ ...each, column }));
    let lanes = 0;
    const combined = columns.filter(({ aggregate }) => /^(sum|mean|variance|sampleVariance)$/u.test(aggregate));
    this.combined = combined.map(({ operation, column, name }) => ({
      operation,
      column,
      name,
      lane: (lanes += operation.lanes) - operation.lanes,
    }));
    this.lanes = lanes;
    this.extremes = columns.flatMap((each) => extremeOf(each));
    this.counts = columns.filter(({ aggregate }) => aggregate === "count").map(({ name }) => name);
    this.keepsValues = plan.keepsWhole || plan.boxColumns.length > 0;
    this.recordBytes = 8 + 8 * lanes + 32 * this.extremes.length + 8 * plan.boxColumns.length;
  }
}

function extremeOf({ aggregate, column, name }: LaneColumn & { readonly column: number }): RecordPlan["extremes"] {
  if (aggregate === "min" || aggregate === "earliest") return [{ keep: "min", column, name }];
  if (aggregate === "max" || aggregate === "latest") return [{ keep: "max", column, name }];
  return [];
}

export class RecordWindow {
  readonly #plan: RecordPlan;
  readonly times = new Fifo<number>();
  readonly values = new Fifo<JsonValue>();
  readonly #cells: LaneCells;
  readonly #queue: SlidingQueue;
  readonly #extremes: readonly MonotoneDeque[];
  readonly #bags: readonly WindowBag[];
  /** Panes told. */
  panes = 0;
  bytes = 0;

  constructor(plan: RecordPlan) {
    this.#plan = plan;
    this.#cells = new LaneCells(plan);
    this.#queue = new SlidingQueue(this.#cells);
    this.#extremes = plan.extremes.map(({ keep }) => new MonotoneDeque(keep));
    this.#bags = plan.plan.boxColumns.map(bagOf);
  }

  get size(): number {
    return this.times.size;
  }

  /** Adds what the plan read last. */
  push(time: number, value: JsonValue): void {
    const { plan, combined, extremes, keepsValues, lanes, recordBytes } = this.#plan;
    this.times.push(time);
    if (lanes > 0) {
      const cell = this.#queue.place() * lanes;
      for (let at = 0; at < combined.length; at++) {
        const { operation, lane, column } = combined[at] as (typeof combined)[number];
        operation.clear(this.#cells.doubles, cell + lane);
        operation.add(this.#cells.doubles, cell + lane, plan.numbers[column] as number);
      }
      this.#queue.push();
    }
    for (let at = 0; at < extremes.length; at++) this.#extremes[at]?.push(plan.numbers[extremes[at]?.column ?? 0] as number);
    for (let at = 0; at < this.#bags.length; at++) this.#bags[at]?.add(plan.values[at] as JsonValue);
    this.bytes += recordBytes;
    if (!keepsValues) return;
    this.values.push(value);
    this.bytes += bytesOf(value) ?? 0;
  }

  /** The oldest record goes. */
  shift(): void {
    const { plan, keepsValues, lanes, recordBytes } = this.#plan;
    this.times.shift();
    if (lanes > 0) this.#queue.shift();
    for (const extreme of this.#extremes) extreme.shift();
    this.bytes -= recordBytes;
    if (!keepsValues) return;
    const value = this.values.shift();
    this.bytes -= bytesOf(value) ?? 0;
    for (let at = 0; at < this.#bags.length; at++)
      this.#bags[at]?.remove(fieldOf(value, (plan.boxColumns[at] as BoxColumn).path) as JsonValue);
  }

  /** Of a window with a record. */
  results(): Readonly<Record<string, JsonValue>> {
    const { plan, combined, extremes, counts, lanes } = this.#plan;
    if (lanes > 0) this.#queue.query();
    const { doubles } = this.#cells;
    if (plan.names.length === 1 && combined.length === 1) {
      const [{ name, operation, lane }] = combined as [(typeof combined)[number]];
      return { [name]: operation.result(doubles, ANSWER * lanes + lane) };
    }
    const results = new Map<string, JsonValue>();
    for (const { name, operation, lane } of combined) results.set(name, operation.result(doubles, ANSWER * lanes + lane));
    for (const [at, { name }] of extremes.entries()) results.set(name, this.#extremes[at]?.best ?? null);
    for (const name of counts) results.set(name, this.size);
    for (const [at, { name }] of plan.boxColumns.entries()) results.set(name, this.#bags[at]?.result(this.values) ?? null);
    return plan.inOrder(results);
  }

  write(to: BlockWriter): void {
    to.count(this.panes);
    to.count(this.size);
    for (let at = 0; at < this.size; at++) to.double(this.times.at(at) as number);
    if (this.#plan.keepsValues) for (let at = 0; at < this.size; at++) to.json(this.values.at(at));
    for (const extreme of this.#extremes) extreme.write(to);
    if (this.#plan.lanes === 0) return;
    const { left, right, ready, back } = this.#queue.shape;
    for (const border of [left, right, ready, back]) to.count(border);
    for (let own = 0; own < ANSWER; own++) this.#cells.write(to, own);
    for (let at = 0; at < this.size; at++) this.#cells.write(to, this.#queue.placeOf(at));
  }

  /** Only of a fresh one. */
  read(from: BlockReader): void {
    this.panes = from.count();
    const size = from.count();
    for (let at = 0; at < size; at++) this.times.push(from.double());
    this.bytes += size * this.#plan.recordBytes;
    if (this.#plan.keepsValues) for (let at = 0; at < size; at++) this.#readValue(from.json() as JsonValue);
    for (const extreme of this.#extremes) extreme.read(from);
    if (this.#plan.lanes === 0) return;
    const [left, right, ready, back] = [from.count(), from.count(), from.count(), from.count()];
    if (left > right || right > ready || ready > back || back > size) throw new SnapshotFault("The snapshot has a queue out of order.");
    this.#queue.restore({ size, left, right, ready, back });
    for (let own = 0; own < ANSWER; own++) this.#cells.read(from, own);
    for (let at = 0; at < size; at++) this.#cells.read(from, this.#queue.placeOf(at));
  }

  /** Bags are what the values make of them. */
  #readValue(value: JsonValue): void {
    this.values.push(value);
    this.bytes += bytesOf(value) ?? 0;
    for (const [at, { path }] of this.#plan.plan.boxColumns.entries()) this.#bags[at]?.add(fieldOf(value, path) as JsonValue);
  }
}
