import { compareUtf8 } from "../utf8-order.ts";
import { READ_BYTES_MAX } from "../store.ts";
import type { LogRow, Op, Revision, StateRange, StateRow } from "../store.ts";

/** One cell as plain maps: the definition of what ops mean, against which the engines are tested. */
export class MemoryCell {
  #revision: Revision = 0;
  readonly #state = new Map<string, Uint8Array>();
  readonly #log = new Map<number, Uint8Array>();
  #first = 1;
  #next = 1;

  get revision(): Revision {
    return this.#revision;
  }

  apply(ops: readonly Op[]): Revision {
    for (const op of ops) this.#applyOne(op);
    return ++this.#revision;
  }

  get(key: string): Uint8Array | undefined {
    return this.#state.get(key)?.slice();
  }

  list({ prefix, after, delimiter, limit }: StateRange): StateRow[] {
    const keys = [...this.#state.keys()]
      .filter((key) => key.startsWith(prefix) && (after === undefined || compareUtf8(key, after) > 0))
      .sort(compareUtf8);
    const listed = delimiter === undefined ? keys : firstsOf(keys, prefix, delimiter);
    const rows: StateRow[] = [];
    let bytes = 0;
    for (const key of listed.slice(0, limit)) {
      const value = this.#state.get(key) as Uint8Array;
      bytes += value.byteLength;
      if (rows.length > 0 && bytes > READ_BYTES_MAX) break;
      rows.push({ key, value: value.slice() });
    }
    return rows;
  }

  read(from: number, limit: number): LogRow[] {
    const rows: LogRow[] = [];
    let bytes = 0;
    for (let position = Math.max(from, this.#first); position < this.#next && rows.length < limit; position++) {
      const value = this.#log.get(position) as Uint8Array;
      bytes += value.byteLength;
      if (rows.length > 0 && bytes > READ_BYTES_MAX) break;
      rows.push({ position, value: value.slice() });
    }
    return rows;
  }

  #applyOne(op: Op): void {
    switch (op.kind) {
      case "put":
        this.#state.set(op.key, op.value.slice());
        return;
      case "delete":
        this.#state.delete(op.key);
        return;
      case "append":
        this.#log.set(this.#next++, op.value.slice());
        return;
      case "trim":
        for (const to = Math.min(op.before, this.#next); this.#first < to; this.#first++) this.#log.delete(this.#first);
        return;
    }
  }
}

/** Of sorted keys that are alike up to the delimiter, the first. */
function firstsOf(keys: readonly string[], prefix: string, delimiter: string): string[] {
  const told = new Set<string>();
  return keys.filter((key) => {
    const at = key.indexOf(delimiter, prefix.length);
    if (at < 0) return true;
    const group = key.slice(0, at + delimiter.length);
    return !told.has(group) && told.add(group);
  });
}
