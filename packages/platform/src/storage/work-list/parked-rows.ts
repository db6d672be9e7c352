import type { Instant } from "../../base/index.ts";
import { IndexedHeap } from "./indexed-heap.ts";

interface ParkedRow {
  readonly position: number;
  readonly dueAt: Instant;
  readonly items: number;
  slot: number;
}

/** Rows of which only is known that none of their items is visible before a time. */
export class ParkedRows {
  readonly #rows = new Map<number, ParkedRow>();
  readonly #byTime = new IndexedHeap<ParkedRow>((left, right) => left.dueAt < right.dueAt, {
    get: (row) => row.slot,
    set: (row, slot) => void (row.slot = slot),
  });
  #items = 0;

  get items(): number {
    return this.#items;
  }

  get nextDueAt(): Instant {
    return this.#byTime.peek()?.dueAt ?? Number.POSITIVE_INFINITY;
  }

  /** The position of a row that is due. */
  due(now: Instant): number | undefined {
    const row = this.#byTime.peek();
    return row && row.dueAt <= now ? row.position : undefined;
  }

  add(position: number, dueAt: Instant, items: number): void {
    const row: ParkedRow = { position, dueAt, items, slot: -1 };
    this.#rows.set(position, row);
    this.#byTime.push(row);
    this.#items += items;
  }

  delete(position: number): void {
    const row = this.#rows.get(position);
    if (!row) return;
    this.#rows.delete(position);
    this.#byTime.remove(row);
    this.#items -= row.items;
  }

  clear(): void {
    this.#rows.clear();
    this.#byTime.clear();
    this.#items = 0;
  }
}
