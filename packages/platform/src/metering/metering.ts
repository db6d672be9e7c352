/**
 * What invocations used. Subscribes to the signal `usage`, keeps one record a started invocation (P9), commits them in
 * groups that nobody waits for, and adds them up again.
 *
 * It knows no prices, and nothing about why an invocation ran. Nor does it look for doubles: the invoker emits once for each
 * started invocation, and a request id does not tell two of them apart, because an asynchronous one keeps it over its attempts.
 * Records of asynchronous attempts come another way (`UsageRows`): they lie in the commit that settled the attempt until they are
 * taken over from there, each once.
 */
import { isLambentError, type Clock, type Timer } from "../base/index.ts";
import type { Realm, Signals, UsageRecord } from "../model/index.ts";
import { eachCell, READ_ROWS_MAX, type CellKey, type Op, type Store } from "../storage/index.ts";
import { UsageBuffer, type PendingUsage } from "./usage-buffer.ts";
import { batchesFrom, encodeBatch, isUsageCell, positionAt, takenKey, usageCell, type FunctionIdentity } from "./usage-log.ts";
import { addUsage, NO_USAGE, type UsageReport } from "./usage-report.ts";

/** A record is committed this long after its invocation ended, at the latest; what a crash can lose (P9). */
export const METERING_FLUSH_MS_MAX = 1_000;
/** Half of that: the commit takes time too. */
const FLUSH_DELAY_MS = 500;
/** Again after the storage was busy. */
const RETRY_DELAY_MS = 250;
const DAY_MS = 86_400_000;
/** The first trim, behind the start: it looks at every cell. */
const FIRST_TRIM_MS = 30_000;
/** Thirteen months. */
export const USAGE_KEEP_MS = 396 * DAY_MS;
/** A record is committed at most this long after its invocation began: the longest timeout, the longest init, and the flush. */
const START_TO_COMMIT_MS_MAX = 900_000 + 60_000;
const NO_RECORDS = Buffer.alloc(0);

/** Records of another cell that are taken over in one commit, and removed there in another. */
export const TAKEN_RECORDS_MAX = 100;

/** A record in another cell, numbered there. */
export interface NumberedUsage {
  readonly number: number;
  /** As `encodeRecord` wrote it. */
  readonly record: Uint8Array;
}

/** Where the server notes that it runs, so that a start can tell a crash from a stop. */
const SESSION_CELL = "server/metering/session/0";

export interface Metering {
  /** What a function used by invocations that began in `from` (inclusive) to `to` (exclusive). */
  usage(realm: Realm, functionName: string, from: number, to: number): Promise<UsageReport>;
  /** The records themselves, in the order they were committed. */
  records(realm: Realm, functionName: string, from: number, to: number): AsyncGenerator<UsageRecord>;
  /**
   * Takes over records that lie in another cell, each once: one whose number is not above the last one taken from `source` is
   * there already. They come in the order of their numbers, at most `TAKEN_RECORDS_MAX` at once.
   */
  takeOver(of: FunctionIdentity, source: CellKey, records: readonly NumberedUsage[]): Promise<void>;
  /** The number of the last record taken from `source`, 0 before the first. */
  lastTaken(of: FunctionIdentity, source: CellKey): Promise<number>;
  /** `bring` is called before usage is read: it hands over what still lies elsewhere. Returns how to take it back. */
  onRead(bring: () => Promise<void>): () => void;
  /** Commits what waits and takes no more. */
  close(): Promise<void>;
}

export interface MeteringParts {
  readonly store: Store;
  readonly signals: Signals;
  readonly clock: Clock;
}

/** Starts metering: from now on every `usage` signal is recorded. Notes a crash of the server before. */
export async function startMetering(parts: MeteringParts): Promise<Metering> {
  const metering = new StoreMetering(parts);
  await metering.open();
  parts.signals.on("usage", (record) => metering.add(record));
  return metering;
}

class StoreMetering implements Metering {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #buffer = new UsageBuffer();
  #flushTimer: Timer | undefined;
  #trimTimer: Timer | undefined;
  /** Flushes follow one another: the log's times rise, and closing waits for the last. */
  #flushing: Promise<void> = Promise.resolve();
  #lastFlushAt = 0;
  readonly #bringers = new Set<() => Promise<void>>();

  constructor(parts: MeteringParts) {
    this.#store = parts.store;
    this.#clock = parts.clock;
  }

  async open(): Promise<void> {
    const before = await this.#store.get(SESSION_CELL, "running");
    const now = this.#clock.now();
    const ops: Op[] = [{ kind: "put", cell: SESSION_CELL, key: "running", value: Buffer.from(String(now)) }];
    if (before) ops.push({ kind: "append", cell: SESSION_CELL, value: Buffer.from(String(now)) });
    await this.#store.commit(SESSION_CELL, "any", ops);
    this.#planTrim(FIRST_TRIM_MS);
  }

  add(record: UsageRecord): void {
    this.#buffer.add(record);
    this.#flushTimer ??= this.#clock.schedule(FLUSH_DELAY_MS, () => void this.#flush());
  }

  onRead(bring: () => Promise<void>): () => void {
    this.#bringers.add(bring);
    return () => void this.#bringers.delete(bring);
  }

  async lastTaken(of: FunctionIdentity, source: CellKey): Promise<number> {
    const taken = await this.#store.get(usageCell(of), takenKey(source));
    return taken ? Number(Buffer.from(taken).toString("utf8")) : 0;
  }

  takeOver(of: FunctionIdentity, source: CellKey, records: readonly NumberedUsage[]): Promise<void> {
    const taking = this.#flushing.then(() => this.#take(of, source, records));
    // One that failed is its caller's to repeat; the next flush is not kept from its turn.
    this.#flushing = taking.catch(() => undefined);
    return taking;
  }

  async #take(of: FunctionIdentity, source: CellKey, records: readonly NumberedUsage[]): Promise<void> {
    const cell = usageCell(of);
    const last = await this.lastTaken(of, source);
    const fresh = records.filter(({ number }) => number > last);
    const newest = fresh.at(-1);
    if (!newest) return;
    this.#lastFlushAt = Math.max(this.#lastFlushAt, this.#clock.now());
    const joined = Buffer.from(fresh.map(({ record }) => Buffer.from(record).toString("utf8")).join(","));
    const ops: Op[] = [
      { kind: "append", cell, value: encodeBatch(this.#lastFlushAt, 0, joined) },
      { kind: "put", cell, key: takenKey(source), value: Buffer.from(String(newest.number)) },
    ];
    await this.#store.commit(cell, "any", ops, "log");
  }

  async #bringAll(): Promise<void> {
    await Promise.all([...this.#bringers].map((bring) => bring()));
    await this.#flush();
  }

  async usage(realm: Realm, functionName: string, from: number, to: number): Promise<UsageReport> {
    let totals = NO_USAGE;
    let lost = 0;
    await this.#bringAll();
    for await (const batch of this.#batches({ ...realm, functionName }, from, to)) {
      if (batch.at >= from && batch.at < to) lost += batch.lost;
      for (const record of batch.records) if (record.startedAt >= from && record.startedAt < to) totals = addUsage(totals, record);
    }
    return { totals, lost, crashesNoticedAt: await this.#crashes(from, to) };
  }

  async *records(realm: Realm, functionName: string, from: number, to: number): AsyncGenerator<UsageRecord> {
    await this.#bringAll();
    for await (const batch of this.#batches({ ...realm, functionName }, from, to)) {
      for (const record of batch.records) if (record.startedAt >= from && record.startedAt < to) yield record;
    }
  }

  async close(): Promise<void> {
    this.#trimTimer?.cancel();
    await this.#flush();
    await this.#store.commit(SESSION_CELL, "any", [{ kind: "delete", cell: SESSION_CELL, key: "running" }]);
  }

  async *#batches(of: FunctionIdentity, from: number, to: number): ReturnType<typeof batchesFrom> {
    for await (const batch of batchesFrom(this.#store, of, from)) {
      if (batch.at > to + START_TO_COMMIT_MS_MAX) return;
      yield batch;
    }
  }

  async #crashes(from: number, to: number): Promise<number[]> {
    const rows = await this.#store.read(SESSION_CELL, 1, READ_ROWS_MAX);
    return rows.map((row) => Number(Buffer.from(row.value).toString("utf8"))).filter((at) => at >= from && at < to + DAY_MS);
  }

  #flush(): Promise<void> {
    this.#flushTimer?.cancel();
    this.#flushTimer = undefined;
    this.#flushing = this.#flushing.then(async () => {
      if (this.#buffer.isEmpty) return;
      // A wall clock that went back would disorder the logs, which are searched by time (P10).
      this.#lastFlushAt = Math.max(this.#lastFlushAt, this.#clock.now());
      await Promise.all(this.#buffer.take().map((pending) => this.#commit(pending, this.#lastFlushAt)));
    });
    return this.#flushing;
  }

  /** One commit a row; what is not committed when the storage is busy goes back and is tried again. */
  async #commit(pending: PendingUsage, at: number): Promise<void> {
    const cell = usageCell(pending.of);
    const { rows } = pending;
    try {
      do {
        const value = encodeBatch(at, pending.lost, rows[0]?.records.content() ?? NO_RECORDS);
        await this.#store.commit(cell, "any", [{ kind: "append", cell, value }], "log");
        rows.shift();
        pending.lost = 0;
      } while (rows.length > 0);
    } catch (error) {
      if (!isLambentError(error)) throw error;
      // A storage that stopped, or a damaged cell, records nothing any more; the server says so where it is noticed.
      if (error.code !== "StorageBusy") return;
      this.#buffer.putBack(pending);
      this.#flushTimer ??= this.#clock.schedule(RETRY_DELAY_MS, () => void this.#flush());
    }
  }

  /** Trims after `delayMs` and then daily. */
  #planTrim(delayMs: number): void {
    this.#trimTimer = this.#clock.schedule(delayMs, () => {
      void this.#trimAll().catch(ignoreStorageEnd);
      this.#planTrim(DAY_MS);
    });
  }

  /** Forgets what is older than `USAGE_KEEP_MS`. */
  async #trimAll(): Promise<void> {
    const keepFrom = this.#clock.now() - USAGE_KEEP_MS;
    for await (const cell of eachCell(this.#store)) if (isUsageCell(cell)) await trimCell(this.#store, cell, keepFrom);
  }
}

async function trimCell(store: Store, cell: string, keepFrom: number): Promise<void> {
  try {
    const [first] = await store.read(cell, 1, 1);
    const before = await positionAt(store, cell, keepFrom);
    if (first && before > first.position) await store.commit(cell, "any", [{ kind: "trim", cell, before }], "maintenance");
  } catch (error) {
    if (!isLambentError(error, "StorageCorrupt", "StorageBusy")) throw error;
  }
}

/** A trim has no caller: when the storage is closing or has stopped, there is nothing to trim. */
function ignoreStorageEnd(error: unknown): void {
  if (!isLambentError(error)) throw error;
}
