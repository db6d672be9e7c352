/**
 * What is left of a queue that was deleted goes: its messages first, then every row of its cell. Only records of its events
 * stay, each with an ending, for as long as the ledger keeps them at least (P2); then they go together.
 *
 * Nothing polls: cells that keep records are known from their emptying, or from the one look at the start.
 */
import { isLambentError, type Clock, type Instant, type SecureRandom, type Timer } from "../base/index.ts";
import { LEDGER_KEEP_MS_MIN, LedgerRows } from "../ledger/index.ts";
import { realmKey } from "../model/index.ts";
import {
  type CellKey,
  eachCell,
  isList,
  openWorkList,
  type OwnRow,
  readOwnRows,
  removeList,
  type Store,
  type WorkList,
} from "../storage/index.ts";
import { withQuietEnding } from "./quiet-ending.ts";
import type { QueueRecord, QueueRegistry } from "./registry.ts";

/** Before the keys of own rows that stay: the records, what counts them, and until when. */
const KEPT_PREFIX = "ledger";
/** When all of them may go. */
const KEPT_UNTIL_KEY = "ledger-until";
/** Records that are ended in one commit. */
const RECORDS_PER_COMMIT = 30;
/** Between two looks at which records may go, while there are any. */
const SWEEP_PAUSE_MS = 3_600_000;
/** Cells whose records are removed in time; those beyond are by the next server (P7). */
const KEPT_CELLS_MAX = 100_000;

interface RemovalParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly onProblem: (error: unknown) => void;
}

export class Removals {
  readonly #parts: RemovalParts;
  /** Cells that are being emptied. */
  readonly #emptying = new Set<CellKey>();
  /** Cells that keep records, and until when. */
  readonly #keptUntil = new Map<CellKey, Instant>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(parts: RemovalParts) {
    this.#parts = parts;
  }

  /**
   * Empties the cell of a queue nobody knows any more; `queue` says how it was, where that is still known. The queue is gone
   * whatever becomes of this: what could not be removed is by the next server.
   */
  async empty(cell: CellKey, queue?: QueueRecord, open?: WorkList): Promise<void> {
    this.#emptying.add(cell);
    try {
      if (open) await purgeAndClose(open);
      await this.#empty(cell, queue);
    } catch (error) {
      if (!isLambentError(error)) this.#parts.onProblem(error);
    } finally {
      this.#emptying.delete(cell);
    }
  }

  /** Cells of a realm that no queue has. */
  async *cellsLeft(registry: QueueRegistry): AsyncGenerator<CellKey> {
    const prefix = `${realmKey(registry.realm)}/queue/`;
    for await (const cell of eachCell(this.#parts.store, prefix)) {
      // Queues are created meanwhile: asked anew for each cell, and a cell that no queue has now never has one again.
      const [name = "", id = ""] = cell.slice(prefix.length).split("/");
      if (registry.queues.get(name)?.id !== id && !this.#emptying.has(cell)) yield cell;
    }
  }

  /** A crash between forgetting a queue and emptying it leaves its messages; and records wait for their time. */
  async takeUp(cell: CellKey): Promise<void> {
    const { store, clock } = this.#parts;
    if (await isList(store, cell)) return this.empty(cell);
    const [row] = await readOwnRows(store, cell, { prefix: KEPT_UNTIL_KEY, limit: 1 });
    if (!row) return;
    const until = Number(Buffer.from(row.value).toString("utf8"));
    if (until <= clock.now()) await removeList(store, cell);
    else this.#keep(cell, until);
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
  }

  async #empty(cell: CellKey, queue: QueueRecord | undefined): Promise<void> {
    const list = await openLeft(this.#parts, cell);
    let keptUntil: Instant | undefined;
    try {
      await list.purge();
      keptUntil = await endRecords(list, this.#parts.clock, queue);
    } finally {
      await list.close();
    }
    await removeList(this.#parts.store, cell, keptUntil === undefined ? undefined : KEPT_PREFIX);
    if (keptUntil !== undefined) this.#keep(cell, keptUntil);
  }

  #keep(cell: CellKey, until: Instant): void {
    if (this.#keptUntil.size < KEPT_CELLS_MAX) this.#keptUntil.set(cell, until);
    this.#planSweep();
  }

  #planSweep(): void {
    if (this.#closed || this.#keptUntil.size === 0) return;
    this.#timer ??= this.#parts.clock.schedule(SWEEP_PAUSE_MS, () => {
      void this.#sweep().finally(() => {
        this.#timer = undefined;
        this.#planSweep();
      });
    });
  }

  async #sweep(): Promise<void> {
    const { store, clock, onProblem } = this.#parts;
    for (const [cell, until] of this.#keptUntil) {
      if (this.#closed) return;
      if (until > clock.now()) continue;
      try {
        await removeList(store, cell);
      } catch (error) {
        // Tried again with the next sweep.
        if (isLambentError(error, "StorageBusy")) continue;
        if (!isLambentError(error, "ShuttingDown")) onProblem(error);
      }
      this.#keptUntil.delete(cell);
    }
  }
}

/** Whoever still worked on its messages writes nothing any more. */
async function purgeAndClose(list: WorkList): Promise<void> {
  try {
    await list.purge();
  } finally {
    await list.close();
  }
}

/** Gives every record an ending, and forgets those whose time has passed. Returns until when the others are kept; undefined when there are none. */
async function endRecords(list: WorkList, clock: Clock, queue: QueueRecord | undefined): Promise<Instant | undefined> {
  const ledger = await LedgerRows.open(list, clock);
  let anyKept = false;
  for (let after: string | undefined; ;) {
    const records = await ledger.page(after, RECORDS_PER_COMMIT);
    after = records.at(-1)?.id;
    if (after === undefined) break;
    const now = clock.now();
    const rows: OwnRow[] = [];
    for (const record of records) {
      // It may have expired, or gone with a purge, before the queue was deleted.
      const last = withQuietEnding(withQuietEnding(record, queue, now), undefined, now);
      const isPast = last.state.kind === "ended" && last.state.at + LEDGER_KEEP_MS_MIN <= now;
      if (isPast) rows.push(...ledger.forget([record]));
      else if (last !== record) rows.push(...ledger.write(last));
      anyKept ||= !isPast;
    }
    if (rows.length > 0) await list.writeRows(rows);
  }
  if (!anyKept) return undefined;
  const until = clock.now() + LEDGER_KEEP_MS_MIN;
  await list.writeRows([{ key: KEPT_UNTIL_KEY, value: Buffer.from(String(until)) }]);
  return until;
}

/** Nothing is handed out of it any more: any rules do. */
function openLeft({ store, clock, secureRandom }: RemovalParts, cell: CellKey): Promise<WorkList> {
  const rules = { ordering: "fair", leasesMax: 1, retentionMs: 60_000, deduplicationMs: 60_000 } as const;
  return openWorkList({ store, clock, secureRandom, cell, rules, holders: "here" });
}
