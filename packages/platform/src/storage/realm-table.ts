import { Turns } from "../base/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import { eachRealm, eachRow } from "./scan.ts";
import { OPS_PER_COMMIT_MAX, type CellKey, type Op, type Store } from "./store.ts";

export interface RealmTableOptions {
  readonly store: Store;
  readonly realm: Realm;
  /** Names the cell: `<realm>/registry/<kind>/0`. Tables of one kind share it, each with a prefix of its own. */
  readonly kind: string;
  /** What is defined, and a slash: `topic/`. */
  readonly prefix: string;
  /** Changes of the table that may wait for their turn (P7). */
  readonly changesWaitingMax: number;
}

/** Definitions of one kind in one realm: held in memory, written before anybody is told (P1). */
export class RealmTable<T> {
  readonly realm: Realm;
  /** Nothing changes between what a change reads and what it writes. */
  readonly changes: Turns;
  readonly #store: Store;
  readonly #cell: CellKey;
  readonly #prefix: string;
  readonly #items = new Map<string, T>();

  constructor(options: RealmTableOptions) {
    this.realm = options.realm;
    this.changes = new Turns(`${options.prefix.slice(0, -1)} definitions`, options.changesWaitingMax);
    this.#store = options.store;
    this.#cell = `${realmKey(options.realm)}/registry/${options.kind}/0`;
    this.#prefix = options.prefix;
  }

  get items(): ReadonlyMap<string, T> {
    return this.#items;
  }

  async load(): Promise<void> {
    for await (const { key, value } of eachRow(this.#store, this.#cell, this.#prefix))
      this.#items.set(key.slice(this.#prefix.length), JSON.parse(Buffer.from(value).toString("utf8")) as T);
  }

  put(name: string, item: T): Promise<void> {
    return this.write(new Map([[name, item]]));
  }

  remove(name: string): Promise<void> {
    return this.write(new Map([[name, undefined]]));
  }

  /** What is undefined is removed. More than a commit takes go in several, in order: when one of them fails, those before it stand. */
  async write(changes: ReadonlyMap<string, T | undefined>): Promise<void> {
    const all = [...changes];
    for (let start = 0; start < all.length; start += OPS_PER_COMMIT_MAX) {
      const some = all.slice(start, start + OPS_PER_COMMIT_MAX);
      const ops = some.map(([name, item]) => this.#op(this.#prefix + name, item));
      await this.#store.commit(this.#cell, "any", ops);
      for (const [name, item] of some) {
        if (item === undefined) this.#items.delete(name);
        else this.#items.set(name, item);
      }
    }
  }

  #op(key: string, item: T | undefined): Op {
    if (item === undefined) return { kind: "delete", cell: this.#cell, key };
    return { kind: "put", cell: this.#cell, key, value: Buffer.from(JSON.stringify(item)) };
  }
}

/** The tables of a kind in all realms, loaded; one is made for a realm that has none when it is asked for. */
export class RealmTables<T> {
  readonly #options: Omit<RealmTableOptions, "realm">;
  readonly #tables = new Map<string, RealmTable<T>>();

  private constructor(options: Omit<RealmTableOptions, "realm">) {
    this.#options = options;
  }

  static async load<T>(options: Omit<RealmTableOptions, "realm">): Promise<RealmTables<T>> {
    const tables = new RealmTables<T>(options);
    for await (const realm of eachRealm(options.store)) {
      const table = tables.#made(realm);
      await table.load();
      if (table.items.size > 0) tables.#tables.set(realmKey(realm), table);
    }
    return tables;
  }

  /** What a realm has. Keeps nothing for one that has nothing: whoever asks may name any realm there could be (P7). */
  items(realm: Realm): ReadonlyMap<string, T> {
    return this.#tables.get(realmKey(realm))?.items ?? new Map<string, T>();
  }

  /** The table of a realm, for who changes it. */
  of(realm: Realm): RealmTable<T> {
    const key = realmKey(realm);
    const table = this.#tables.get(key) ?? this.#made(realm);
    this.#tables.set(key, table);
    return table;
  }

  /** Those that have something, or had since the start. */
  [Symbol.iterator](): Iterator<RealmTable<T>> {
    return this.#tables.values();
  }

  #made(realm: Realm): RealmTable<T> {
    return new RealmTable<T>({ ...this.#options, realm });
  }
}
