/** The rows of one group's cell: what waits while a commit is under way goes together into the next one. */
import { LambentError } from "../../base/index.ts";
import { type CellKey, eachRow, type Op, OPS_PER_COMMIT_MAX, READ_KEYS_MAX, type Store } from "../../storage/index.ts";
import { decodeOffset, GROUP_KEY, offsetKey, OFFSETS_PREFIX, parseOffsetKey, topicPrefix, type CommittedOffset } from "./group-record.ts";

/** Rows of one group that wait to be written (P7). @limit */
export const OFFSETS_WAITING_MAX = 20_000;

export interface OffsetRow {
  readonly key: string;
  readonly topic: string;
  readonly partition: number;
  readonly value: CommittedOffset;
}

/** Rows to write; undefined removes. */
export type RowChanges = ReadonlyMap<string, Uint8Array | undefined>;

export class GroupRows {
  readonly #store: Store;
  readonly #cell: CellKey;
  #waiting = new Map<string, Uint8Array | undefined>();
  #next: Promise<void> | undefined;
  #last: Promise<void> = Promise.resolve();
  /** What was written since a sweep began. */
  readonly #sinceSweep = new Set<string>();
  #sweeps = 0;
  /** Counts what was asked to be written, but for what sweeps removed. */
  #writes = 0;

  constructor(store: Store, cell: CellKey) {
    this.#store = store;
    this.#cell = cell;
  }

  get writes(): number {
    return this.#writes;
  }

  /** Resolves when the rows are durable (P1); of two writes of a row the later stands. Rejects as `Store.commit` does. */
  write(rows: RowChanges): Promise<void> {
    this.#writes += 1;
    return this.#write(rows);
  }

  #write(rows: RowChanges): Promise<void> {
    if (this.#waiting.size + rows.size > OFFSETS_WAITING_MAX) return Promise.reject(tooMany());
    for (const [key, row] of rows) this.#waiting.set(key, row);
    if (this.#sweeps > 0) for (const key of rows.keys()) this.#sinceSweep.add(key);
    if (this.#next) return this.#next;
    const next = this.#last.then(() => this.#flush());
    this.#next = next;
    this.#last = next.catch(() => undefined);
    return next;
  }

  /** Resolves when what was written before has ended, well or not. */
  settled(): Promise<void> {
    return this.#last;
  }

  /** Offsets of some partitions, those that there are; never one that could still be lost. */
  async offsets(topic: string, partitions: readonly number[]): Promise<ReadonlyMap<number, CommittedOffset>> {
    await this.settled();
    const found = new Map<number, CommittedOffset>();
    if (partitions.length > READ_KEYS_MAX) {
      const wanted = new Set(partitions);
      for await (const row of this.#offsets(topicPrefix(topic))) if (wanted.has(row.partition)) found.set(row.partition, row.value);
      return found;
    }
    const rows = await this.#store.getAll(
      this.#cell,
      partitions.map((partition) => offsetKey(topic, partition)),
    );
    for (const [index, row] of rows.entries()) if (row) found.set(partitions[index] as number, decodeOffset(row));
    return found;
  }

  /** All of them, by topic; or those of one. */
  async *allOffsets(topic?: string): AsyncGenerator<OffsetRow> {
    await this.settled();
    yield* this.#offsets(topic === undefined ? OFFSETS_PREFIX : topicPrefix(topic));
  }

  /** Removes offsets for which `isPast` holds, but none that is committed anew meanwhile. `stays` sees the others. */
  async sweep(isPast: (row: OffsetRow) => boolean, stays: (row: OffsetRow) => void): Promise<void> {
    this.#sweeps += 1;
    try {
      let past: string[] = [];
      const remove = async (): Promise<void> => {
        const keys = past.filter((key) => !this.#sinceSweep.has(key));
        past = [];
        if (keys.length > 0) await this.#write(new Map(keys.map((key) => [key, undefined])));
      };
      for await (const row of this.allOffsets()) {
        if (!isPast(row)) stays(row);
        else if (past.push(row.key) >= OPS_PER_COMMIT_MAX) await remove();
      }
      await remove();
    } finally {
      this.#sweeps -= 1;
      if (this.#sweeps === 0) this.#sinceSweep.clear();
    }
  }

  /** Forgets the group. Its own row goes last: a crash on the way leaves a group that can be removed again. */
  async removeAll(): Promise<void> {
    await this.settled();
    let keys: string[] = [];
    for await (const { key } of eachRow(this.#store, this.#cell)) {
      if (key === GROUP_KEY) continue;
      if (keys.push(key) >= OPS_PER_COMMIT_MAX) {
        await this.write(new Map(keys.map((each) => [each, undefined])));
        keys = [];
      }
    }
    await this.write(new Map([...keys, GROUP_KEY].map((key) => [key, undefined])));
  }

  async *#offsets(prefix: string): AsyncGenerator<OffsetRow> {
    for await (const { key, value } of eachRow(this.#store, this.#cell, prefix))
      yield { key, ...parseOffsetKey(key), value: decodeOffset(value) };
  }

  async #flush(): Promise<void> {
    const rows = [...this.#waiting];
    this.#waiting = new Map();
    this.#next = undefined;
    for (let start = 0; start < rows.length; start += OPS_PER_COMMIT_MAX)
      await this.#store.commit(
        this.#cell,
        "any",
        rows.slice(start, start + OPS_PER_COMMIT_MAX).map(([key, value]) => this.#op(key, value)),
      );
  }

  #op(key: string, value: Uint8Array | undefined): Op {
    return value === undefined ? { kind: "delete", cell: this.#cell, key } : { kind: "put", cell: this.#cell, key, value };
  }
}

function tooMany(): LambentError {
  return new LambentError("StorageBusy", `More than ${OFFSETS_WAITING_MAX} offsets of the group wait to be written, which is the bound.`);
}
