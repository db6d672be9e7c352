/**
 * What a window knows: its keys and panes, where it has read to, what it has put out. Everything follows from the steps it is told, in their
 * order: no clock, no chance, nothing read. The same steps again lead to the same results in the same rows, which is what makes a journal of
 * the steps enough to be as if each record was applied once (P5).
 */
import { KeyedWindows, type Pane, type SetAside, type WindowOutput } from "@lambent/sdk/windows";
import { invariant } from "../../base/index.ts";
import type { Anomalies } from "../anomaly.ts";
import type { ManagedWindow } from "../definition.ts";
import type { Refused, Route, Step } from "../journal/step.ts";
import { LANES, type Lane, type PerLane, perLane } from "./lane.ts";
import { atOnce } from "./paced.ts";
import { type ResultRow, RowMaker } from "./result-row.ts";
import { resultText } from "./result-text.ts";

/** Records that were set aside last, and are told by a description. @limit */
export const SET_ASIDE_TOLD_MAX = 10;
/** Bytes of one result, which has to fit a record of a stream; one that is larger is set aside. @limit */
export const RESULT_BYTES_MAX = 1_000_000;
/** Characters of each. */
const TOLD_LENGTH_MAX = 200;
/** Records told to the windows, and windows ended, before others may have their turn. */
const RECORDS_BETWEEN_TURNS = 64;
const STEPS_BETWEEN_TURNS = 1_000;

export interface ToldRecord {
  readonly reason: string;
  readonly source: number;
  /** Undefined where the window itself set it aside: it knows records by their keys and times. */
  readonly offset: number | undefined;
  readonly key: string | undefined;
  readonly time: number;
}

export interface SourcePosition {
  /** The next record to be read. */
  readonly next: number;
  readonly ended: boolean;
  /** A stream of the same name that is made anew has records of its own. */
  readonly streamId: string;
}

/** What a snapshot has beside the windows' own blocks. */
export interface StateHead {
  readonly positions: readonly (readonly [source: number, position: SourcePosition])[];
  readonly routes: readonly (readonly [stream: string, route: Route])[];
  readonly lanes: PerLane<{ readonly number: number; readonly emitted: number }>;
  readonly read: number;
  readonly skipped: number;
  readonly setAside: Readonly<Record<string, number>>;
  readonly told: readonly ToldRecord[];
}

export const EMPTY_STATE: StateHead = {
  ...{ positions: [], routes: [], read: 0, skipped: 0, setAside: {}, told: [] },
  lanes: perLane(() => ({ number: 0, emitted: 0 })),
};

export interface Restored {
  readonly head: StateHead;
  readonly blocks: readonly Uint8Array[];
}

/** No sink would take it, and those behind it would wait for ever. */
function isTooLarge(text: string): boolean {
  return text.length > RESULT_BYTES_MAX / 3 && Buffer.byteLength(text) > RESULT_BYTES_MAX;
}

/** Where the partitions are read to behind a step. */
export function moveOn(positions: Map<number, SourcePosition>, step: Step): void {
  switch (step.kind) {
    case "opened":
      // Of a stream that was there before under the name nothing is left, or the next opening would take it for the one that is read.
      for (const [source, { streamId }] of positions) if (streamId !== step.streamId) positions.delete(source);
      return void positions.set(step.source, { next: step.next, ended: false, streamId: step.streamId });
    case "records":
    case "skipped":
      return void positions.set(step.source, { ...openedPosition(positions, step.source), next: step.next });
    case "ended":
      return void positions.set(step.source, { ...openedPosition(positions, step.source), ended: true });
    case "idle":
    case "routed":
      return;
  }
}

function openedPosition(positions: ReadonlyMap<number, SourcePosition>, source: number): SourcePosition {
  const known = positions.get(source);
  invariant(known !== undefined, "a partition is opened before it is read");
  return known;
}

type MakeWindows = (output: WindowOutput) => KeyedWindows;

export class WindowState {
  readonly #windows: KeyedWindows;
  readonly #anomalies: Anomalies | undefined;
  readonly #putsOutRefused: boolean;
  readonly #positions: Map<number, SourcePosition>;
  #routes: ReadonlyMap<string, Route>;
  readonly #makers: PerLane<RowMaker>;
  readonly #setAside: Map<string, number>;
  readonly #told: ToldRecord[];
  #read: number;
  #skipped: number;
  #rows: ResultRow[] = [];

  private constructor({ setAside, anomaly }: ManagedWindow, anomalies: Anomalies | undefined, head: StateHead, windows: MakeWindows) {
    this.#windows = windows({ pane: (pane) => this.#pane(pane), setAside: (record) => this.#leave(record) });
    this.#anomalies = anomaly && anomalies;
    this.#putsOutRefused = setAside !== undefined;
    this.#positions = new Map(head.positions);
    this.#routes = new Map(head.routes);
    this.#makers = perLane((lane) => new RowMaker(lane, head.lanes[lane]));
    this.#setAside = new Map(Object.entries(head.setAside));
    this.#told = [...head.told];
    this.#read = head.read;
    this.#skipped = head.skipped;
  }

  /** With nothing behind it. */
  static fresh(definition: ManagedWindow, anomalies: Anomalies | undefined): WindowState {
    const { window } = definition;
    return new WindowState(definition, anomalies, EMPTY_STATE, (output) => new KeyedWindows(window, output, {}, STEPS_BETWEEN_TURNS));
  }

  /** As a snapshot left it. Throws `SnapshotFault` for blocks that are damaged. */
  static *restoring(definition: ManagedWindow, anomalies: Anomalies | undefined, { head, blocks }: Restored): Generator<void, WindowState> {
    let output: WindowOutput | undefined;
    // Nothing is put out while a snapshot is read: there is somebody to take it before there is anything.
    const later: WindowOutput = { pane: (pane) => output?.pane(pane), setAside: (record) => output?.setAside?.(record) };
    const windows = yield* KeyedWindows.restoring(definition.window, later, blocks, {}, STEPS_BETWEEN_TURNS);
    return new WindowState(definition, anomalies, head, (made) => {
      output = made;
      return windows;
    });
  }

  get windows(): Pick<KeyedWindows, "watermark" | "watermarkOf" | "size" | "counts"> {
    return this.#windows;
  }

  get positions(): ReadonlyMap<number, SourcePosition> {
    return this.#positions;
  }

  route(stream: string): Route | undefined {
    return this.#routes.get(stream);
  }

  /** By lane, how many results there were. */
  get emitted(): Record<Lane, number> {
    return perLane((lane) => this.#makers[lane].counters.emitted);
  }

  get head(): StateHead {
    return {
      positions: [...this.#positions],
      routes: [...this.#routes],
      lanes: perLane((lane) => this.#makers[lane].counters),
      read: this.#read,
      skipped: this.#skipped,
      setAside: Object.fromEntries(this.#setAside),
      told: this.#told,
    };
  }

  /** What it knows, in blocks that go into a commit each; all of them are taken before it is told anything more. */
  blocks(): Iterable<Uint8Array> {
    return this.#windows.snapshot();
  }

  /** What its detectors learnt, likewise. */
  anomalyBlocks(): Iterable<Uint8Array> {
    return this.#anomalies?.blocks() ?? [];
  }

  /** Tells it the steps of one commit; returns what it puts out. */
  apply(steps: readonly Step[]): readonly ResultRow[] {
    return atOnce(this.applying(steps));
  }

  /** The same, yielding now and then; nothing else may be told meanwhile. */
  *applying(steps: readonly Step[]): Generator<void, readonly ResultRow[]> {
    for (const step of steps) yield* this.#apply(step);
    for (const lane of LANES) this.#cut(lane);
    const rows = this.#rows;
    this.#rows = [];
    return rows;
  }

  *#apply(step: Step): Generator<void, void> {
    if (step.kind === "skipped") this.#skipped += step.next - (this.#positions.get(step.source)?.next ?? 0);
    moveOn(this.#positions, step);
    switch (step.kind) {
      case "records":
        return yield* this.#take(step);
      case "opened":
        return this.#windows.openSource(step.source);
      case "ended":
        this.#windows.closeSource(step.source);
        return yield* this.#goOn();
      case "idle":
        this.#windows.idle(step.source);
        return yield* this.#goOn();
      case "skipped":
        return;
      case "routed":
        this.#routes = new Map([...this.#routes, [step.stream, step.route]]);
    }
  }

  *#take({ source, inputs, refused }: Extract<Step, { readonly kind: "records" }>): Generator<void, void> {
    const { keys, times, values, arrivals } = inputs;
    let at = 0;
    for (const [count, arrivedAt] of arrivals) {
      for (const end = at + count; at < end; at += 1) {
        const key = keys[at] as string;
        const time = times[at] as number;
        const value = values[at];
        this.#windows.add(source, key, time, value, arrivedAt);
        if (this.#windows.isBehind) yield* this.#goOn();
        if (this.#anomalies?.of === "value") this.#judge(key, time, value);
        if (at % RECORDS_BETWEEN_TURNS === 0) yield;
      }
    }
    invariant(at === keys.length, "each input arrived at some time");
    this.#read += at + refused.length;
    for (const each of refused) this.#refuse(each);
  }

  /** What follows from the last step and was not done yet: it may be the end of a million windows. */
  *#goOn(): Generator<void, void> {
    for (; this.#windows.isBehind; this.#windows.goOn()) yield;
  }

  #pane(pane: Pane): void {
    const { key, window, values } = pane;
    const time = window.end - 1;
    const of = this.#anomalies?.of;
    const judged = of === undefined || of === "value" ? undefined : this.#anomalies?.judge(key, time, values[of]);
    const text = resultText(pane, judged);
    this.#put("results", key, time, text);
    if (judged?.isAnomaly) this.#put("anomalies", key, time, text);
  }

  #judge(key: string, time: number, value: unknown): void {
    const judged = this.#anomalies?.judge(key, time, value);
    if (judged?.isAnomaly) this.#put("anomalies", key, time, JSON.stringify({ key, time, value, anomaly: judged }));
  }

  #leave({ source, key, time, value, reason, aggregate }: SetAside): void {
    this.#tell({ reason, source, offset: undefined, key, time });
    const text = (): string =>
      JSON.stringify({ reason, ...(aggregate === undefined ? {} : { aggregate }), key, time, value, partition: source });
    if (reason === "late") this.#put("late", key, time, text());
    else if (this.#putsOutRefused) this.#put("setAside", key, time, text());
  }

  #refuse({ reason, source, offset, time, key, value }: Refused): void {
    const keyText = key === undefined ? undefined : Buffer.from(key, "base64").toString("utf8");
    this.#tell({ reason, source, offset, key: keyText, time });
    if (!this.#putsOutRefused) return;
    const text = value === undefined ? undefined : Buffer.from(value, "base64").toString("utf8");
    this.#put("setAside", keyText ?? "", time, JSON.stringify({ reason, key: keyText, time, record: text, partition: source, offset }));
  }

  #tell(record: ToldRecord): void {
    this.#setAside.set(record.reason, (this.#setAside.get(record.reason) ?? 0) + 1);
    this.#told.push({ ...record, key: record.key?.slice(0, TOLD_LENGTH_MAX) });
    if (this.#told.length > SET_ASIDE_TOLD_MAX) this.#told.shift();
  }

  #put(lane: Lane, key: string, time: number, text: string): void {
    if (isTooLarge(text)) return this.#tell({ reason: "resultTooLarge", source: -1, offset: undefined, key, time });
    const maker = this.#makers[lane];
    maker.add(key, time, text);
    if (maker.isFull) this.#cut(lane);
  }

  #cut(lane: Lane): void {
    const row = this.#makers[lane].cut(this.#routes);
    if (row) this.#rows.push(row);
  }
}
