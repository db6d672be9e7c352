/**
 * One window at work: reads the partitions of its stream, tells its state what was read, commits what it told, and hands results that are
 * durable to the sinks.
 *
 * Keeps P5: a commit is one journal row with all the state follows from, positions included; results are reckoned again from it behind a crash and come
 * out in the same rows, so that sinks know what they have. One commit is in flight; what comes meanwhile is reckoned ahead and goes into the next one.
 * Bounded (P7) by the steps that wait (`STEPS_BYTES_MAX`) and the results that no sink has taken (`UNSUNK_BYTES_MAX`): beyond either nothing more is read.
 */
import { type Clock, isLambentError, type Random, type Timer } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { Store } from "../../storage/index.ts";
import type { StreamRecord, Streams } from "../../streams/index.ts";
import type { WindowRecord } from "../definition.ts";
import type { Step } from "../journal/step.ts";
import { windowCell } from "../names.ts";
import type { Sink } from "../sinks/sink.ts";
import { routeOf } from "../sinks/stream-sink.ts";
import { LANES, type PerLane, perLane } from "./lane.ts";
import { type OpenedState, openState, writeSnapshot } from "./opening.ts";
import { paced } from "./paced.ts";
import { reportOf, type RunnerReport } from "./report.ts";
import type { ResultRow } from "./result-row.ts";
import { SinkLine } from "./sink-line.ts";
import { SourceReaders } from "./source-readers.ts";
import { StepQueue } from "./step-queue.ts";
import { UnsunkRows } from "./unsunk-rows.ts";
import { type JournalBounds, WindowCell } from "./window-cell.ts";
import type { WindowState } from "./window-state.ts";

/** Bytes of results that not all sinks have taken: beyond them nothing more is read (P7). @limit */
export const UNSUNK_BYTES_MAX = 16 * 1_048_576;
/** How far the sinks are goes into the next commit, or into one of its own after this long. */
const SUNK_COMMIT_MS = 200;

export interface RunnerParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly streams: Streams;
  readonly realm: Realm;
  readonly record: WindowRecord;
  readonly sinks: readonly Sink[];
  readonly retryTimeFactor: number;
  readonly journalBounds?: JournalBounds;
  readonly onProblem: (error: unknown) => void;
}

type Condition =
  | { readonly kind: "running" }
  | { readonly kind: "closed" }
  /** It does nothing more until it is reset, changed or begun again. */
  | { readonly kind: "failed"; readonly why: string };

export class Runner {
  readonly #parts: RunnerParts;
  readonly #cell: WindowCell;
  readonly #state: WindowState;
  readonly #queue = new StepQueue();
  readonly #unsunk: PerLane<UnsunkRows>;
  readonly #lines: readonly SinkLine[];
  readonly #readers: SourceReaders;
  /** Streams that results go to, as they were looked at last. */
  readonly #routed = new Map<string, StreamRecord>();
  readonly #stopping = new AbortController();
  #condition: Condition = { kind: "running" };
  /** How far the sinks are is not all in the journal. */
  #sunkChanged = false;
  #sunkTimer: Timer | undefined;
  #sunkDue = false;
  #working: Promise<unknown> = Promise.resolve();
  #sinking: Promise<unknown> = Promise.resolve();

  private constructor(parts: RunnerParts, cell: WindowCell, { state, rows, sunk, givenUp }: OpenedState) {
    const { sinks, clock, onProblem, record } = parts;
    this.#parts = parts;
    this.#cell = cell;
    this.#state = state;
    const { emitted } = state;
    this.#unsunk = perLane((lane) => {
      const mine = sinks.filter((sink) => sink.lane === lane);
      // One that is new gets what comes from now on.
      const taken = new Map(mine.map(({ id }) => [id, sunk[id] ?? emitted[lane]]));
      const unsunk = new UnsunkRows(taken, new Map(mine.map(({ id }) => [id, givenUp[id] ?? 0])));
      unsunk.push(rows.filter((row) => row.lane === lane));
      return unsunk;
    });
    this.#lines = sinks.map(
      (sink) => new SinkLine({ ...parts, sink, rows: this.#unsunk[sink.lane], clock, onProgress: () => this.#sunk(), onProblem }),
    );
    this.#readers = new SourceReaders({ ...parts, definition: record.definition, queue: this.#queue, positions: () => state.positions });
  }

  /** Reads what the window knows; it begins to work with `start`. */
  static async open(parts: RunnerParts): Promise<Runner> {
    const { store, clock, realm, record } = parts;
    const cell = await WindowCell.open(store, clock, windowCell(realm, record.id), parts.journalBounds);
    return new Runner(parts, cell, await openState({ ...parts, cell }));
  }

  start(): void {
    const { signal } = this.#stopping;
    this.#readers.start(signal);
    this.#sinking = Promise.all(this.#lines.map((line) => line.run(signal))).catch((error: unknown) => this.#fail(error));
    this.#working = this.#work().catch((error: unknown) => this.#fail(error));
  }

  /** The stream, or one that results go to, is not as it was. */
  streamChanged(): void {
    this.#readers.reconcile();
    this.#queue.wake();
  }

  /** Reads nothing more. What sinks are being handed has until `grace` to be taken; what is not is handed over again by the next opening. */
  async close(grace: Promise<void>): Promise<void> {
    this.#stop();
    await Promise.all([this.#readers.close(), this.#working, Promise.race([this.#sinking, grace])]);
    if (this.#condition.kind === "failed") return;
    this.#condition = { kind: "closed" };
    if (!this.#sunkChanged) return;
    await this.#cell.append({ steps: [], ...this.#sunkNow(), emitted: this.#state.emitted });
  }

  #stop(): void {
    this.#stopping.abort();
    this.#sunkTimer?.cancel();
    this.#queue.wake();
  }

  report(): Promise<RunnerReport> {
    const { streams, realm, record } = this.#parts;
    return reportOf({
      ...{ streams, realm, record, state: this.#state, journal: this.#cell.journal },
      failed: this.#condition.kind === "failed" ? this.#condition.why : undefined,
      sinks: this.#lines.map((line, at) => {
        const { id, lane } = this.#parts.sinks[at] as Sink;
        const sunk = this.#unsunk[lane].sunk.get(id) ?? 0;
        const givenUp = this.#unsunk[lane].givenUp.get(id) ?? 0;
        return { id, lane, sunk, givenUp, waiting: this.#state.emitted[lane] - sunk, problem: line.problem };
      }),
    });
  }

  async #work(): Promise<void> {
    let committing: Promise<void> = Promise.resolve();
    for (;;) {
      const steps = await this.#next();
      if (!steps) break;
      const rows = await paced(this.#parts.clock, this.#state.applying(steps));
      this.#sunkChanged = false;
      this.#sunkDue = false;
      const row = { steps, ...this.#sunkNow(), emitted: this.#state.emitted };
      await committing;
      committing = this.#cell.append(row).then(() => this.#handOver(rows));
      committing.catch((error: unknown) => this.#fail(error));
      if (!this.#cell.isLong) continue;
      await committing;
      await this.#snapshot();
    }
    await committing;
  }

  /** What the next commit tells the state; undefined when there is to be none. */
  async #next(): Promise<Step[] | undefined> {
    for (;;) {
      if (this.#stopping.signal.aborted) return undefined;
      const steps = this.#hasRoom ? this.#queue.take() : [];
      if (steps.length > 0) return [...this.#newRoutes(), ...steps];
      if (this.#sunkDue && this.#sunkChanged) return [];
      await this.#queue.filled();
    }
  }

  get #hasRoom(): boolean {
    return LANES.reduce((bytes, lane) => bytes + this.#unsunk[lane].bytes, 0) < UNSUNK_BYTES_MAX;
  }

  /** Which shard gets a result is decided with the result. */
  #newRoutes(): Step[] {
    const { streams, realm, sinks } = this.#parts;
    const names = new Set(sinks.flatMap(({ stream }) => stream ?? []));
    return [...names].flatMap((stream): Step[] => {
      const record = streams.find(realm, stream);
      if (!record || record === this.#routed.get(stream)) return [];
      this.#routed.set(stream, record);
      const route = routeOf(record);
      return JSON.stringify(route) === JSON.stringify(this.#state.route(stream)) ? [] : [{ kind: "routed", stream, route }];
    });
  }

  #handOver(rows: readonly ResultRow[]): void {
    if (rows.length === 0) return;
    for (const [lane, mine] of Map.groupBy(rows, ({ lane }) => lane)) this.#unsunk[lane].push(mine);
    for (const line of this.#lines) line.wake();
  }

  /** A sink has more. */
  #sunk(): void {
    this.#sunkChanged = true;
    if (this.#stopping.signal.aborted) return;
    this.#queue.wake();
    this.#sunkTimer ??= this.#parts.clock.schedule(SUNK_COMMIT_MS, () => {
      this.#sunkTimer = undefined;
      this.#sunkDue = true;
      this.#queue.wake();
    });
  }

  #sunkNow(): Pick<OpenedState, "sunk" | "givenUp"> {
    return {
      sunk: Object.fromEntries(LANES.flatMap((lane) => [...this.#unsunk[lane].sunk])),
      givenUp: Object.fromEntries(LANES.flatMap((lane) => [...this.#unsunk[lane].givenUp])),
    };
  }

  /** Nothing is told meanwhile: what is written in several commits is of one moment. */
  async #snapshot(): Promise<void> {
    const { definition, generation } = this.#parts.record;
    const rows = LANES.flatMap((lane) => [...this.#unsunk[lane].rows]);
    await writeSnapshot(this.#cell, { definition, generation }, { state: this.#state, rows, ...this.#sunkNow() });
  }

  #fail(error: unknown): void {
    this.#stop();
    if (this.#condition.kind !== "running") return;
    this.#condition = { kind: "failed", why: error instanceof Error ? error.message : String(error) };
    if (!isLambentError(error, "ShuttingDown", "StorageStopped")) this.#parts.onProblem(error);
  }
}
