/** Which mappings a realm has: one cell a realm, held in memory, written before anybody is told. */
import { Turns } from "../../base/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { type CellKey, eachRealm, eachRow, type Store } from "../../storage/index.ts";
import type { Mapping } from "./mapping.ts";

/** Changes of mappings that wait for their turn in one realm (P7). @limit */
const MAPPING_CHANGES_WAITING_MAX = 10_000;
const PREFIX = "mapping/";

export class MappingRegistry {
  readonly realm: Realm;
  readonly mappings = new Map<string, Mapping>();
  readonly changes = new Turns("mappings", MAPPING_CHANGES_WAITING_MAX);
  readonly #store: Store;
  readonly #cell: CellKey;

  constructor(store: Store, realm: Realm) {
    this.#store = store;
    this.realm = realm;
    this.#cell = `${realmKey(realm)}/registry/mappings/0`;
  }

  async load(): Promise<void> {
    for await (const { key, value } of eachRow(this.#store, this.#cell, PREFIX))
      this.mappings.set(key.slice(PREFIX.length), JSON.parse(Buffer.from(value).toString("utf8")) as Mapping);
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
  for await (const realm of eachRealm(store)) {
    const registry = new MappingRegistry(store, realm);
    await registry.load();
    if (registry.mappings.size > 0) registries.push(registry);
  }
  return registries;
}
