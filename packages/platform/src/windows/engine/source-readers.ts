/** The readers of all partitions of a window's stream: begun, followed by those of new partitions, and called idle where nothing comes. */
import type { Clock, Timer } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { StreamRecord, Streams } from "../../streams/index.ts";
import type { ManagedWindow } from "../definition.ts";
import { extractor } from "../input/extract.ts";
import { PartitionReader } from "../input/partition-reader.ts";
import { followers } from "./start-steps.ts";
import type { StepQueue } from "./step-queue.ts";
import type { SourcePosition } from "./window-state.ts";

export interface SourceReadersParts {
  readonly clock: Clock;
  readonly streams: Pick<Streams, "find" | "partition">;
  readonly realm: Realm;
  readonly definition: ManagedWindow;
  readonly queue: StepQueue;
  /** As the state knows them when the readers are begun. */
  readonly positions: () => ReadonlyMap<number, SourcePosition>;
  readonly onProblem: (error: unknown) => void;
}

interface Running {
  readonly reader: PartitionReader;
  readonly ended: Promise<void>;
  /** What it was quiet since when it was called idle. */
  idleSince: number | undefined;
}

export class SourceReaders {
  readonly #parts: SourceReadersParts;
  readonly #extract: ReturnType<typeof extractor>;
  readonly #running = new Map<number, Running>();
  /** What has been queued, which the state may not have been told yet. */
  readonly #positions = new Map<number, SourcePosition>();
  #stop = new AbortController();
  #signal: AbortSignal | undefined;
  #idleTimer: Timer | undefined;

  constructor(parts: SourceReadersParts) {
    this.#parts = parts;
    this.#extract = extractor(parts.definition.source);
  }

  start(signal: AbortSignal): void {
    this.#signal = signal;
    for (const [source, position] of this.#parts.positions()) this.#positions.set(source, position);
    signal.addEventListener("abort", () => this.#halt(), { once: true });
    this.reconcile();
  }

  /** The stream may be another one, or have other partitions. */
  reconcile(): void {
    const { streams, realm, definition } = this.#parts;
    if (!this.#signal || this.#signal.aborted) return;
    const record = streams.find(realm, definition.source.stream);
    if (!record) return;
    // A stream of the same name that was made anew is read from its beginning.
    if ([...this.#positions.values()].some(({ streamId }) => streamId !== record.id)) this.#beginAnew(record);
    for (const { number } of followers(record, this.#positions, undefined)) this.#open(record, number);
    for (const [source, { next, ended }] of this.#positions) if (!ended && !this.#running.has(source)) this.#begin(record, source, next);
    this.#watchIdle();
  }

  async close(): Promise<void> {
    this.#halt();
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
  }

  #halt(): void {
    this.#stop.abort();
    this.#idleTimer?.cancel();
    this.#idleTimer = undefined;
  }

  #beginAnew(record: StreamRecord): void {
    this.#stop.abort();
    this.#stop = new AbortController();
    for (const [source, { ended }] of this.#positions) if (!ended) this.#parts.queue.push({ kind: "ended", source });
    this.#running.clear();
    this.#positions.clear();
    for (const { number } of followers(record, this.#positions, undefined)) this.#open(record, number);
  }

  #open({ id }: StreamRecord, source: number): void {
    this.#positions.set(source, { next: 0, ended: false, streamId: id });
    this.#parts.queue.push({ kind: "opened", source, next: 0, streamId: id });
  }

  #begin(record: StreamRecord, source: number, next: number): void {
    const { clock, streams, realm, definition, queue, onProblem } = this.#parts;
    const reader = new PartitionReader(
      {
        ...{ clock, queue, onProblem },
        rules: {
          source,
          extract: this.#extract,
          keepsRefused: definition.setAside !== undefined,
          valuesPerResult: valuesPerResult(definition),
        },
        open: () => streams.partition(realm, record.name, source),
        onEnded: () => this.#ended(record, source),
        onRead: () => this.#watchIdle(),
      },
      next,
    );
    const ended = reader.run(this.#stop.signal).catch((error: unknown) => onProblem(error));
    this.#running.set(source, { reader, ended, idleSince: undefined });
  }

  /** What follows a shard is opened before it is ended: the watermark waits for its records. */
  #ended({ name, id }: StreamRecord, source: number): void {
    const { streams, realm, queue } = this.#parts;
    const record = streams.find(realm, name);
    if (record?.id !== id) return;
    for (const { number } of followers(record, this.#positions, source)) this.#open(record, number);
    queue.push({ kind: "ended", source });
    const known = this.#positions.get(source);
    if (known) this.#positions.set(source, { ...known, ended: true });
    this.reconcile();
  }

  /** Looks again when the first of those that are quiet has been so for long enough. */
  #watchIdle(): void {
    const { clock, definition } = this.#parts;
    const { idleAfterMs } = definition.window;
    if (this.#idleTimer || this.#stop.signal.aborted) return;
    const quiet = [...this.#running.values()].flatMap(({ reader, idleSince }) => {
      const { quietSince } = reader;
      return quietSince === undefined || quietSince === idleSince ? [] : [quietSince];
    });
    if (quiet.length === 0) return;
    const waitMs = Math.max(0, Math.ceil(Math.min(...quiet) + idleAfterMs - clock.monotonicMs()));
    this.#idleTimer = clock.schedule(waitMs, () => {
      this.#idleTimer = undefined;
      this.#callIdle(clock.monotonicMs() - idleAfterMs);
      this.#watchIdle();
    });
  }

  #callIdle(until: number): void {
    for (const [source, running] of this.#running) {
      const { quietSince } = running.reader;
      if (quietSince === undefined || quietSince > until || quietSince === running.idleSince || this.#positions.get(source)?.ended)
        continue;
      running.idleSince = quietSince;
      this.#parts.queue.push({ kind: "idle", source });
    }
  }
}

/** What a result has of single values: of most aggregates one, of lists of values as many as they hold. */
function valuesPerResult({ window: { window, aggregates } }: ManagedWindow): number {
  const told = Object.values(aggregates).map((spec) => {
    if (typeof spec === "string") return 1;
    if ("collect" in spec) return spec.collect;
    if ("topK" in spec) return spec.topK;
    return "largest" in spec ? spec.largest : 1;
  });
  return told.reduce((sum, count) => sum + count, window.kind === "rolling" ? window.size : 0);
}
