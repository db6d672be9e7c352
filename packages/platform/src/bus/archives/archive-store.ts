/** The events of one archive: rows sorted by the time they happened, in a cell of the archive's own (P11). */
import { Turns, type Instant } from "../../base/index.ts";
import { type CellKey, OPS_PER_COMMIT_MAX, type Op, READ_ROWS_MAX, type Store } from "../../storage/index.ts";
import { type BusEvent, decodeBusEvent, encodeBusEvent } from "../envelope.ts";

/** Events that wait to be written into one archive at once (P7). */
const WRITES_WAITING_MAX = 10_000;
/** Events of one commit, and their bytes beyond a first one that is larger. */
const WRITTEN_AT_ONCE_MAX = 100;
const BYTES_AT_ONCE_MAX = 1024 * 1024;
const EVENT_PREFIX = "event/";
const COUNTS_KEY = "counts";
const TIME_DIGITS = 15;

export interface ArchiveCounts {
  readonly events: number;
  readonly bytes: number;
}

/** An event that is to be written. */
interface Write {
  readonly key: string;
  readonly value: Buffer;
  /** The commit it is in, once it is in one: maybe that of one that was there before it. */
  commit: Promise<void> | undefined;
}

export class ArchiveStore {
  readonly #store: Store;
  readonly #cell: CellKey;
  readonly #writes = new Turns("an archive", WRITES_WAITING_MAX);
  readonly #waiting = new Set<Write>();
  #counts: ArchiveCounts | undefined;

  constructor(store: Store, cell: CellKey) {
    this.#store = store;
    this.#cell = cell;
  }

  async counts(): Promise<ArchiveCounts> {
    if (this.#counts) return this.#counts;
    const row = await this.#store.get(this.#cell, COUNTS_KEY);
    return (this.#counts = row ? (JSON.parse(Buffer.from(row).toString("utf8")) as ArchiveCounts) : { events: 0, bytes: 0 });
  }

  /** Keeps an event; one that is there already is not kept twice. Those that wait together share a commit. */
  async add(event: BusEvent): Promise<void> {
    const write: Write = { key: keyOf(event.time, event.id), value: encodeBusEvent(event), commit: undefined };
    this.#waiting.add(write);
    try {
      await this.#writes.take(() => write.commit ?? this.#writeSome());
    } finally {
      this.#waiting.delete(write);
    }
  }

  /** Writes the first of those that wait; the others of them hear of it in their own turns. */
  #writeSome(): Promise<void> {
    const some: Write[] = [];
    let bytes = 0;
    for (const write of this.#waiting) {
      bytes += write.value.length;
      if (some.length > 0 && (some.length === WRITTEN_AT_ONCE_MAX || bytes > BYTES_AT_ONCE_MAX)) break;
      some.push(write);
    }
    const commit = this.#write(some);
    for (const write of some) {
      write.commit = commit;
      this.#waiting.delete(write);
    }
    return commit;
  }

  async #write(some: readonly Write[]): Promise<void> {
    const known = await Promise.all(some.map(({ key }) => this.#store.get(this.#cell, key)));
    const fresh = new Map(some.flatMap(({ key, value }, index) => (known[index] ? [] : [[key, value] as const])));
    if (fresh.size === 0) return;
    const { events, bytes } = await this.counts();
    const added = fresh.values().reduce((sum, value) => sum + value.length, 0);
    const puts = [...fresh].map(([key, value]): Op => ({ kind: "put", cell: this.#cell, key, value }));
    await this.#commit(puts, { events: events + fresh.size, bytes: bytes + added });
  }

  /** Events from `from` on and before `to`, behind the key `after`, with their keys. */
  async page(range: { readonly from: Instant; readonly to: Instant; readonly after: string | undefined; readonly limit: number }) {
    const { from, to, after = keyOf(from, ""), limit } = range;
    const rows = await this.#store.list(this.#cell, { prefix: EVENT_PREFIX, after, limit });
    const end = keyOf(to, "");
    return rows.filter(({ key }) => key < end).map(({ key, value }) => ({ key, event: decodeBusEvent(value) }));
  }

  /** Forgets what happened before `before`. */
  async forget(before: Instant): Promise<void> {
    const end = keyOf(before, "");
    for (let gone = false; !gone;) {
      gone = await this.#writes.take(async () => {
        const rows = await this.#store.list(this.#cell, { prefix: EVENT_PREFIX, limit: Math.min(READ_ROWS_MAX, OPS_PER_COMMIT_MAX - 1) });
        const past = rows.filter(({ key }) => key < end);
        if (past.length === 0) return true;
        const { events, bytes } = await this.counts();
        const freed = past.reduce((sum, { value }) => sum + value.byteLength, 0);
        const removals = past.map(({ key }): Op => ({ kind: "delete", cell: this.#cell, key }));
        await this.#commit(removals, { events: events - past.length, bytes: bytes - freed });
        return past.length < rows.length;
      });
    }
  }

  /** Ends the archive with all its events; does nothing where that was done. */
  async remove(): Promise<void> {
    await this.forget(Number.MAX_SAFE_INTEGER);
    await this.#writes.take(async () => {
      if (!(await this.#store.get(this.#cell, COUNTS_KEY))) return;
      await this.#store.commit(this.#cell, "any", [{ kind: "delete", cell: this.#cell, key: COUNTS_KEY }]);
      this.#counts = undefined;
    });
  }

  async #commit(ops: readonly Op[], counts: ArchiveCounts): Promise<void> {
    await this.#store.commit(this.#cell, "any", [
      ...ops,
      { kind: "put", cell: this.#cell, key: COUNTS_KEY, value: Buffer.from(JSON.stringify(counts)) },
    ]);
    this.#counts = counts;
  }
}

/** The key before all events of that time, with an empty id. */
function keyOf(time: Instant, id: string): string {
  return `${EVENT_PREFIX}${String(Math.max(0, Math.floor(time))).padStart(TIME_DIGITS, "0")}/${id}`;
}
