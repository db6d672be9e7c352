import { Turns } from "../base/index.ts";
import { DEFAULT_ACCOUNT, DEFAULT_REGION, realmKey } from "../model/index.ts";
import type { Store } from "../storage/index.ts";

/** Ids that one commit sets aside; a stop forgets those of them that nobody got. */
const IDS_A_BLOCK = 1_000;
/** Who may wait for an id at once (P7). */
const WAITING_MAX = 10_000;
/** Ids are unique over all realms. */
const CELL = `${realmKey({ account: DEFAULT_ACCOUNT, region: DEFAULT_REGION })}/registry/producer-ids/0`;
const KEY = "next";

/** Numbers for idempotent Kafka producers, each given once, over restarts too. */
export class ProducerIds {
  readonly #store: Store;
  readonly #turns = new Turns("producer ids", WAITING_MAX);
  #next = 0;
  #reservedUpTo = 0;

  constructor(store: Store) {
    this.#store = store;
  }

  next(): Promise<bigint> {
    return this.#turns.take(async () => {
      if (this.#next === this.#reservedUpTo) await this.#reserve();
      return BigInt(this.#next++);
    });
  }

  async #reserve(): Promise<void> {
    const row = await this.#store.get(CELL, KEY);
    const from = row ? Number(Buffer.from(row).toString("utf8")) : 0;
    const upTo = from + IDS_A_BLOCK;
    await this.#store.commit(CELL, "any", [{ kind: "put", cell: CELL, key: KEY, value: Buffer.from(String(upTo)) }]);
    this.#next = from;
    this.#reservedUpTo = upTo;
  }
}
