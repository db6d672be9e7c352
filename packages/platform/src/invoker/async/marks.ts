import { LambentError } from "../../base/index.ts";
import { READ_ROWS_MAX, type OwnRow, type WorkList } from "../../storage/index.ts";

/** Events of one function that were cancelled and whose turn has not come. @limit */
export const CANCELLED_EVENTS_MAX = 10_000;
/** Keys of one function whose newest event waits to be left alone (debounce). @limit */
export const DEBOUNCED_KEYS_MAX = 100_000;
const CANCELLED_PREFIX = "cancelled/";
const NEWEST_PREFIX = "newest/";

/** What is remembered beside the waiting events themselves: which were cancelled, and which is the newest of its key. Durable with them. */
export class Marks {
  readonly #cancelled = new Set<string>();
  /** The newest event's place in the order of acceptance. */
  readonly #newest = new Map<string, number>();

  static async open(list: Pick<WorkList, "readRows">): Promise<Marks> {
    const marks = new Marks();
    for await (const { key } of rowsOf(list, CANCELLED_PREFIX)) marks.#cancelled.add(key.slice(CANCELLED_PREFIX.length));
    for await (const { key, value } of rowsOf(list, NEWEST_PREFIX))
      marks.#newest.set(key.slice(NEWEST_PREFIX.length), Number(Buffer.from(value).toString("utf8")));
    return marks;
  }

  /** The row that says that an event ends when its turn comes. Throws `Throttled` at the bound. */
  cancelRow(id: string): OwnRow {
    if (this.#cancelled.size >= CANCELLED_EVENTS_MAX)
      throw new LambentError("Throttled", `${CANCELLED_EVENTS_MAX} cancelled events wait for their turn, which is the bound.`);
    return { key: CANCELLED_PREFIX + id, value: Buffer.alloc(0) };
  }

  /** Behind the commit of `cancelRow`. */
  cancelled(id: string): void {
    this.#cancelled.add(id);
  }

  uncancel(id: string): OwnRow[] {
    this.#cancelled.delete(id);
    return [{ key: CANCELLED_PREFIX + id, value: undefined }];
  }

  isCancelled(id: string): boolean {
    return this.#cancelled.has(id);
  }

  /** Throws `Throttled` when there is no room for one key more. */
  requireRoomFor(key: string): void {
    if (this.#newest.size >= DEBOUNCED_KEYS_MAX && !this.#newest.has(key))
      throw new LambentError("Throttled", `Events of ${DEBOUNCED_KEYS_MAX} keys wait to be left alone, which is the bound.`);
  }

  /** The row that says which event is the newest of its key. */
  newestRow(key: string, sequence: number): OwnRow {
    return { key: NEWEST_PREFIX + key, value: Buffer.from(String(sequence)) };
  }

  /** Behind the commit of `newestRow`: an event is superseded only by one that is there. */
  newest(key: string, sequence: number): void {
    this.#newest.set(key, Math.max(sequence, this.#newest.get(key) ?? 0));
  }

  isSuperseded(key: string, sequence: number): boolean {
    return (this.#newest.get(key) ?? 0) > sequence;
  }

  /** The event has ended; a newer one keeps its mark. */
  noLongerNewest(key: string, sequence: number): OwnRow[] {
    if (this.#newest.get(key) !== sequence) return [];
    this.#newest.delete(key);
    return [{ key: NEWEST_PREFIX + key, value: undefined }];
  }
}

async function* rowsOf(list: Pick<WorkList, "readRows">, prefix: string): AsyncGenerator<{ key: string; value: Uint8Array }> {
  for (let after: string | undefined; ;) {
    const rows = await list.readRows({ prefix, limit: READ_ROWS_MAX, ...(after === undefined ? {} : { after }) });
    yield* rows;
    after = rows.at(-1)?.key;
    if (after === undefined) return;
  }
}
