import type { OwnRow, WorkList } from "../../storage/index.ts";
import { decodeEvent, encodeEvent, type AsyncEvent } from "./event.ts";

/** Events of one function that failed and can be replayed; at the bound the oldest go (P7). @limit */
export const KEPT_EVENTS_MAX = 1_000;
/** Bytes of them. @limit */
export const KEPT_EVENTS_BYTES_MAX = 64 * 1024 * 1024;
/** A larger event is not kept: it would have to fit the commit that settles it, beside what its destinations are told. @limit */
export const KEPT_EVENT_BYTES_MAX = 256 * 1024;
const BODY_PREFIX = "kept/";
const SIZE_PREFIX = "kept-size/";

/** Events that failed, kept whole in the function's cell so that they can be handed over again. */
export class KeptEvents {
  readonly #list: Pick<WorkList, "readRows">;
  /** By id, the oldest first. */
  readonly #sizes = new Map<string, number>();
  #bytes = 0;

  private constructor(list: Pick<WorkList, "readRows">) {
    this.#list = list;
  }

  /** Reads which there are, not the events themselves. */
  static async open(list: Pick<WorkList, "readRows">): Promise<KeptEvents> {
    const kept = new KeptEvents(list);
    for (const { key, value } of await list.readRows({ prefix: SIZE_PREFIX, limit: KEPT_EVENTS_MAX }))
      kept.#add(key.slice(SIZE_PREFIX.length), Number(Buffer.from(value).toString("utf8")));
    return kept;
  }

  /** The rows that keep `event`, and let go of what has no room beside it. */
  keep(event: AsyncEvent): OwnRow[] {
    const body = encodeEvent(event);
    if (body.length > KEPT_EVENT_BYTES_MAX) return [];
    const rows: OwnRow[] = [];
    for (const [id, size] of this.#sizes) {
      if (this.#sizes.size < KEPT_EVENTS_MAX && this.#bytes + body.length <= KEPT_EVENTS_BYTES_MAX) break;
      this.#sizes.delete(id);
      this.#bytes -= size;
      rows.push({ key: BODY_PREFIX + id, value: undefined }, { key: SIZE_PREFIX + id, value: undefined });
      // What is left over goes with the next ones: a commit takes so many rows.
      if (rows.length >= 32) break;
    }
    this.#add(event.id, body.length);
    return [
      ...rows,
      { key: BODY_PREFIX + event.id, value: body },
      { key: SIZE_PREFIX + event.id, value: Buffer.from(String(body.length)) },
    ];
  }

  async get(id: string): Promise<AsyncEvent | undefined> {
    const [row] = await this.#list.readRows({ prefix: BODY_PREFIX + id, limit: 1 });
    return row?.key === BODY_PREFIX + id ? decodeEvent(row.value) : undefined;
  }

  #add(id: string, size: number): void {
    this.#bytes += size - (this.#sizes.get(id) ?? 0);
    this.#sizes.set(id, size);
  }
}
