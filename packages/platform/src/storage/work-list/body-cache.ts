import type { CellKey } from "../store.ts";
import type { StoredItem } from "./row-codec.ts";

interface Entry {
  readonly items: readonly StoredItem[];
  readonly bytes: number;
}

/** Bytes an item takes beside its body. */
const ITEM_OVERHEAD_BYTES = 256;

/** Log rows with their bodies, so that what was just enqueued or read ahead is not read again; the least recently used go (P7). */
export class BodyCache {
  readonly #entries = new Map<string, Entry>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get(cell: CellKey, position: number): readonly StoredItem[] | undefined {
    return this.#entries.get(keyOf(cell, position))?.items;
  }

  set(cell: CellKey, position: number, items: readonly StoredItem[]): void {
    const key = keyOf(cell, position);
    this.#remove(key);
    const bytes = items.reduce((sum, { body }) => sum + body.byteLength + ITEM_OVERHEAD_BYTES, 0);
    this.#entries.set(key, { items, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= this.#bytesMax) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const entry = this.#entries.get(key);
    if (!entry) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

function keyOf(cell: CellKey, position: number): string {
  return `${cell}#${position}`;
}
