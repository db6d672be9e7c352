/** Which mappings a realm has: one cell a realm, held in memory, written before anybody is told. */
import { realmKey, type Realm } from "../../model/index.ts";
import { type CellKey, READ_ROWS_MAX, type Store } from "../../storage/index.ts";
import type { Mapping } from "./mapping.ts";

const PREFIX = "mapping/";

export class MappingRegistry {
  readonly realm: Realm;
  readonly mappings = new Map<string, Mapping>();
  readonly #store: Store;
  readonly #cell: CellKey;
  #last: Promise<unknown> = Promise.resolve();

  constructor(store: Store, realm: Realm) {
    this.#store = store;
    this.realm = realm;
    this.#cell = `${realmKey(realm)}/registry/mappings/0`;
  }

  async load(): Promise<void> {
    let after: string | undefined;
    for (;;) {
      const rows = await this.#store.list(this.#cell, { prefix: PREFIX, limit: READ_ROWS_MAX, ...(after === undefined ? {} : { after }) });
      for (const { key, value } of rows)
        this.mappings.set(key.slice(PREFIX.length), JSON.parse(Buffer.from(value).toString("utf8")) as Mapping);
      after = rows.at(-1)?.key;
      if (after === undefined) return;
    }
  }

  /** Runs `change` behind all changes before it. */
  change<T>(change: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(change, change);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async put(mapping: Mapping): Promise<void> {
    const value = Buffer.from(JSON.stringify(mapping));
    await this.#store.commit(this.#cell, "any", [{ kind: "put", cell: this.#cell, key: PREFIX + mapping.uuid, value }]);
    this.mappings.set(mapping.uuid, mapping);
  }

  async remove(uuid: string): Promise<void> {
    await this.#store.commit(this.#cell, "any", [{ kind: "delete", cell: this.#cell, key: PREFIX + uuid }]);
    this.mappings.delete(uuid);
  }
}

/** The registries of all realms that have one. */
export async function loadMappingRegistries(store: Store): Promise<MappingRegistry[]> {
  const registries: MappingRegistry[] = [];
  // A realm is the first part of a key: one look per realm, however many cells it has. "0" follows "/" in the order of keys.
  for (let after = ""; ;) {
    const [first] = await store.cells({ prefix: "", limit: 1, ...(after === "" ? {} : { after }) });
    if (first === undefined) return registries;
    const word = first.split("/")[0] ?? "";
    const dot = word.indexOf(".");
    if (dot > 0) {
      const registry = new MappingRegistry(store, { account: word.slice(0, dot), region: word.slice(dot + 1) });
      await registry.load();
      if (registry.mappings.size > 0) registries.push(registry);
    }
    after = `${word}0`;
  }
}
