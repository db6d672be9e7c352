/**
 * What a mapping keeps of one shard, in its cell: how far it has come, its window, records of its batches, and what leaves for its
 * on-failure destination. What belongs together is one commit (P2, P5).
 *
 * Writes go one behind the other, those that wait together in one commit: what was not written cannot be overtaken by what follows it.
 */
import { deferred, delay, type Clock, type Deferred, isLambentError } from "../../base/index.ts";
import type { LedgerRecord } from "../../ledger/index.ts";
import type { NewDelivery, Outbox } from "../../outbox/index.ts";
import type { OwnRow } from "../../storage/index.ts";
import type { OpenWindow } from "./held.ts";
import { advanced, decodeProgress, decodeWindow, encodeProgress, encodeWindow, from, positionOf, type Progress } from "./progress.ts";

const PROGRESS_KEY = "progress";
const WINDOW_KEY = "window";
/** Entries of one commit. */
const ENTRIES_PER_COMMIT_MAX = 16;
/** After a refusal by the storage. */
const BUSY_RETRY_MS = 250;

/** What goes into one commit together. */
export interface Entry {
  /** A slot has come to `next`. */
  readonly slot?: { readonly index: number; readonly next: number } | undefined;
  /** Nothing before it is to be read any more. */
  readonly from?: number | undefined;
  /** The shard is closed, and all of it is done. */
  readonly ended?: true | undefined;
  readonly window?: OpenWindow | "none" | undefined;
  readonly record?: LedgerRecord | undefined;
  readonly delivery?: NewDelivery | undefined;
}

interface Waiting {
  readonly entry: Entry;
  readonly written: Deferred<undefined>;
}

type Cell = Pick<Outbox, "accept" | "getRows" | "ledger">;

export class ShardBook {
  readonly #cell: Cell;
  readonly #clock: Clock;
  #progress: Progress;
  #window: OpenWindow | undefined;
  /** Of batches that have not ended. */
  readonly #noted: Map<string, LedgerRecord>;
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;

  private constructor(cell: Cell, clock: Clock, progress: Progress, kept: Pick<Kept, "window" | "noted">) {
    this.#cell = cell;
    this.#clock = clock;
    this.#progress = progress;
    this.#window = kept.window;
    this.#noted = new Map(kept.noted.map((record) => [record.id, record]));
  }

  /** `begin`: where a shard begins that has none; it is asked what there is. */
  static async open(cell: Cell, clock: Clock, begin: (kept: Progress | undefined) => Promise<Progress>): Promise<ShardBook> {
    const kept = await read(cell);
    const progress = await begin(kept.progress);
    const again = kept.progress?.streamId === progress.streamId;
    const book = new ShardBook(cell, clock, progress, again ? kept : { window: undefined, noted: kept.noted });
    // Where it begins stays, whatever comes to the stream before the first batch has ended.
    if (!again) await book.write({ window: "none" });
    return book;
  }

  /** As it was last written. */
  get progress(): Progress {
    return this.#progress;
  }

  get window(): OpenWindow | undefined {
    return this.#window;
  }

  /** The record of a batch that was tried in vain. */
  noted(id: string): LedgerRecord | undefined {
    return this.#noted.get(id);
  }

  /** Resolves once it is durable; a storage that is busy is asked again. Rejects where the storage, or the server, has stopped. */
  write(entry: Entry): Promise<undefined> {
    const written = deferred<undefined>();
    this.#waiting.push({ entry, written });
    this.#running ??= this.#run();
    return written.promise;
  }

  /** Resolves once nothing is to be written any more: only then another one may be opened. */
  async idle(): Promise<void> {
    await this.#running;
  }

  async #run(): Promise<void> {
    // Those that are given in the same tick go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const some = this.#take();
      try {
        await this.#commit(some.map(({ entry }) => entry));
        for (const { written } of some) written.resolve(undefined);
      } catch (error) {
        for (const { written } of some) written.reject(error);
      }
    }
    this.#running = undefined;
  }

  /** At most one delivery goes with a commit: all of it is then there, or nothing. */
  #take(): Waiting[] {
    const second = this.#waiting.findIndex(
      ({ entry }, at) => entry.delivery && this.#waiting.slice(0, at).some((before) => before.entry.delivery),
    );
    return this.#waiting.splice(0, Math.min(ENTRIES_PER_COMMIT_MAX, second < 0 ? this.#waiting.length : second));
  }

  async #commit(entries: readonly Entry[]): Promise<void> {
    const noted = new Map(this.#noted);
    let progress = this.#progress;
    let window: Entry["window"];
    for (const entry of entries) {
      if (entry.slot) progress = advanced(progress, entry.slot.index, entry.slot.next);
      if (entry.from !== undefined) progress = from(progress, entry.from);
      if (entry.ended) progress = { ...progress, ended: true };
      if (entry.record) note(noted, entry.record);
      window = entry.window ?? window;
    }
    // What was cut into other batches since has no end of its own.
    const position = positionOf(progress);
    const stale = [...noted.values()].filter(({ offsets }) => offsets !== undefined && offsets.first < position);
    for (const { id } of stale) noted.delete(id);
    progress = { ...progress, noted: [...noted.keys()] };
    const rows: OwnRow[] = [
      { key: PROGRESS_KEY, value: encodeProgress(progress) },
      ...(window === undefined ? [] : [{ key: WINDOW_KEY, value: window === "none" ? undefined : encodeWindow(window) }]),
      ...this.#cell.ledger.forget(stale),
    ];
    const deliveries = entries.flatMap(({ delivery }) => (delivery ? [delivery] : []));
    await this.#accept(deliveries, rows, latest(entries));
    this.#progress = progress;
    if (window !== undefined) this.#window = window === "none" ? undefined : window;
    this.#noted.clear();
    for (const [id, record] of noted) this.#noted.set(id, record);
  }

  async #accept(deliveries: readonly NewDelivery[], rows: readonly OwnRow[], records: readonly LedgerRecord[]): Promise<void> {
    for (;;) {
      try {
        return await this.#cell.accept(deliveries, { rows, records });
      } catch (error) {
        if (!isLambentError(error, "StorageBusy", "Throttled")) throw error;
        await delay(this.#clock, BUSY_RETRY_MS);
      }
    }
  }
}

interface Kept {
  readonly progress: Progress | undefined;
  readonly window: OpenWindow | undefined;
  readonly noted: readonly LedgerRecord[];
}

async function read(cell: Cell): Promise<Kept> {
  const [progressRow, windowRow] = await cell.getRows([PROGRESS_KEY, WINDOW_KEY]);
  const progress = progressRow && decodeProgress(progressRow);
  const found = await Promise.all((progress?.noted ?? []).map((id) => cell.ledger.get(id)));
  return {
    progress,
    window: windowRow && decodeWindow(windowRow),
    noted: found.filter((record) => record !== undefined && record.state.kind !== "ended").map((record) => record as LedgerRecord),
  };
}

function note(noted: Map<string, LedgerRecord>, record: LedgerRecord): void {
  if (record.state.kind === "ended") noted.delete(record.id);
  else noted.set(record.id, record);
}

/** Of each record as it is behind all entries: a batch may be noted and end in one commit. */
function latest(entries: readonly Entry[]): LedgerRecord[] {
  return [...new Map(entries.flatMap(({ record }) => (record ? [[record.id, record] as const] : []))).values()];
}
