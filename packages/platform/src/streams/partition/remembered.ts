import { invariant } from "../../base/index.ts";
import { type CellKey, eachRow, type Op, type Store } from "../../storage/index.ts";

/**
 * What a partition knows of its producers: a bounded table, written to state rows whenever a segment begins. What changed since is in the
 * log's rows behind that, and read from there. At the bound whoever appended longest ago is forgotten (P7).
 */
export class Remembered<T extends { readonly lastOffset: number }> {
  readonly #cell: CellKey;
  readonly #prefix: string;
  readonly #entriesMax: number;
  readonly #entries = new Map<string, T>();
  /** Names of those that are not as their rows say. */
  readonly #changed = new Set<string>();

  constructor(cell: CellKey, prefix: string, entriesMax: number) {
    this.#cell = cell;
    this.#prefix = prefix;
    this.#entriesMax = entriesMax;
  }

  async load(store: Store): Promise<void> {
    const rows: [string, T][] = [];
    for await (const { key, value } of eachRow(store, this.#cell, this.#prefix))
      rows.push([key.slice(this.#prefix.length), JSON.parse(Buffer.from(value).toString("utf8")) as T]);
    rows.sort(([, left], [, right]) => left.lastOffset - right.lastOffset);
    for (const [name, entry] of rows) this.#entries.set(name, entry);
  }

  get changes(): number {
    return this.#changed.size;
  }

  get(name: string): T | undefined {
    return this.#entries.get(name);
  }

  set(name: string, entry: T): void {
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    this.#changed.add(name);
    if (this.#entries.size <= this.#entriesMax) return;
    const [oldest] = this.#entries.keys();
    invariant(oldest !== undefined, "a table over its bound is not empty");
    this.#entries.delete(oldest);
    this.#changed.add(oldest);
  }

  /** Brings the rows up to what is known now. */
  ops(): Op[] {
    return [...this.#changed].map((name): Op => {
      const entry = this.#entries.get(name);
      const key = this.#prefix + name;
      if (entry === undefined) return { kind: "delete", cell: this.#cell, key };
      return { kind: "put", cell: this.#cell, key, value: Buffer.from(JSON.stringify(entry)) };
    });
  }

  /** The ops are durable. */
  written(): void {
    this.#changed.clear();
  }
}
