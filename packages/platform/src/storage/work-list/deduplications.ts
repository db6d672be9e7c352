import type { Instant } from "../../base/index.ts";
import type { StateRow } from "../store.ts";

export interface Remembered {
  readonly id: string;
  readonly sequence: number;
}

interface Block {
  readonly key: string;
  readonly until: Instant;
  readonly ids: readonly string[];
}

type BlockRow = readonly [deduplication: string, id: string, sequence: number][];

export const DEDUPLICATION_PREFIX = "dedup/";

/** Blocks that are forgotten in one commit. */
const FORGET_BLOCKS_MAX = 16;

/** Which deduplication ids are remembered and until when. What one commit remembers is one row, named by its end. */
export class Deduplications {
  readonly #known = new Map<string, Remembered & { readonly until: Instant }>();
  #blocks: Block[] = [];
  #fresh: { readonly ids: string[]; readonly rows: [string, string, number][]; until: Instant } | undefined;

  get size(): number {
    return this.#known.size;
  }

  find(deduplication: string, now: Instant): Remembered | undefined {
    const known = this.#known.get(deduplication);
    return known && known.until > now ? known : undefined;
  }

  remember(deduplication: string, remembered: Remembered, until: Instant): void {
    this.#known.set(deduplication, { ...remembered, until });
    const fresh = (this.#fresh ??= { ids: [], rows: [], until });
    fresh.ids.push(deduplication);
    fresh.rows.push([deduplication, remembered.id, remembered.sequence]);
    fresh.until = Math.max(fresh.until, until);
  }

  /** The row of what was remembered since the last call. `number` makes its name the only one. */
  takeFresh(number: number): { readonly key: string; readonly value: Uint8Array } | undefined {
    const fresh = this.#fresh;
    if (!fresh) return undefined;
    this.#fresh = undefined;
    const key = `${DEDUPLICATION_PREFIX}${String(fresh.until).padStart(15, "0")}/${number}`;
    this.#blocks.push({ key, until: fresh.until, ids: fresh.ids });
    return { key, value: Buffer.from(JSON.stringify(fresh.rows satisfies BlockRow)) };
  }

  /** Forgets what is past; returns the rows to remove. */
  forget(now: Instant): string[] {
    let count = 0;
    while (count < FORGET_BLOCKS_MAX && (this.#blocks[count]?.until ?? Number.POSITIVE_INFINITY) <= now) count += 1;
    if (count === 0) return [];
    const past = this.#blocks.slice(0, count);
    this.#blocks = this.#blocks.slice(count);
    for (const id of past.flatMap((block) => block.ids)) {
      // It may have been remembered anew since.
      if ((this.#known.get(id)?.until ?? now) <= now) this.#known.delete(id);
    }
    return past.map((block) => block.key);
  }

  /** Takes over a row that was read at open; they come in the order of their ends. */
  load({ key, value }: StateRow): void {
    const until = Number(key.slice(DEDUPLICATION_PREFIX.length, DEDUPLICATION_PREFIX.length + 15));
    const rows = JSON.parse(Buffer.from(value).toString("utf8")) as BlockRow;
    for (const [deduplication, id, sequence] of rows) this.#known.set(deduplication, { id, sequence, until });
    this.#blocks.push({ key, until, ids: rows.map(([deduplication]) => deduplication) });
  }
}
