/** The cells of mappings' shards: opened when a shard is read, and after a start where something is on its way to a destination. */
import { type Clock, LambentError, type Random, type SecureRandom } from "../../base/index.ts";
import { forgetPast } from "../../ledger/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { Outbox, untilTaken } from "../../outbox/index.ts";
import { BodyCache, type CellKey, eachCell, eachRealm, isList, openItems, removeList, type Store } from "../../storage/index.ts";

/** The second word of the cells' names. */
export const MAPPING_SHARD_CELL_KIND = "mapping-shards";
/** Payloads that are kept in memory, of all mappings together. */
const BODY_CACHE_BYTES_MAX = 8 * 1024 * 1024;

export type ShardCellOpened = (cell: CellKey, realm: Realm, outbox: Outbox) => void;

export interface ShardCellParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  readonly retryTimeFactor: number;
  /** What is on its way is to be handed over from now on. */
  readonly onOpened: ShardCellOpened;
  readonly onProblem: (error: unknown) => void;
}

export class ShardCells {
  readonly #parts: ShardCellParts;
  readonly #open = new Map<CellKey, Promise<Outbox>>();
  readonly #bodies = new BodyCache(BODY_CACHE_BYTES_MAX);
  #closed = false;

  constructor(parts: ShardCellParts) {
    this.#parts = parts;
  }

  at(realm: Realm, uuid: string, shard: number): Promise<Outbox> {
    return this.#at(`${cellsOf(realm)}${uuid}/${shard}`, realm);
  }

  /** Opens what has something on its way, also of mappings that are no more; ends what else those left. */
  async resume(isThere: (realm: Realm, uuid: string) => boolean): Promise<void> {
    const { store, clock, onProblem } = this.#parts;
    for await (const realm of eachRealm(store)) {
      for await (const cell of eachCell(store, cellsOf(realm))) {
        const [, , uuid = ""] = cell.split("/");
        await untilTaken(() => this.#resumeCell(realm, cell, () => isThere(realm, uuid)), {
          clock,
          onProblem,
          isClosed: () => this.#closed,
        });
      }
    }
  }

  /** A mapping is no more, and nobody reads for it: what has nothing on its way is closed. Its records go at a later start. */
  async release(realm: Realm, uuid: string): Promise<void> {
    const prefix = `${cellsOf(realm)}${uuid}/`;
    for (const [cell, opening] of this.#open) {
      if (!cell.startsWith(prefix)) continue;
      const outbox = await opening.catch(() => undefined);
      if (outbox && outbox.open > 0) continue;
      this.#open.delete(cell);
      await outbox?.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open.values()].map((opening) => opening.then((outbox) => outbox.close()).catch(() => undefined)));
  }

  async #resumeCell(realm: Realm, cell: CellKey, isThere: () => boolean): Promise<void> {
    const { store } = this.#parts;
    if (this.#open.has(cell)) return;
    if ((await openItems(store, cell)) > 0) await this.#at(cell, realm);
    else if (!isThere() && !this.#open.has(cell) && (await isList(store, cell))) await this.#end(cell);
  }

  /** Nobody has it open, and nobody opens it again: another mapping has another id. */
  async #end(cell: CellKey): Promise<void> {
    const outbox = await this.#opened(cell);
    let isEmpty = false;
    try {
      isEmpty = await forgetPast(outbox, this.#parts.clock.now());
    } finally {
      await outbox.close();
    }
    if (isEmpty) await removeList(this.#parts.store, cell);
  }

  #at(cell: CellKey, realm: Realm): Promise<Outbox> {
    if (this.#closed) return Promise.reject(new LambentError("ShuttingDown", "The server is stopping."));
    const known = this.#open.get(cell);
    if (known) return known;
    const opening = this.#opened(cell).then((outbox) => {
      this.#parts.onOpened(cell, realm, outbox);
      return outbox;
    });
    this.#open.set(cell, opening);
    opening.catch(() => this.#open.delete(cell));
    return opening;
  }

  #opened(cell: CellKey): Promise<Outbox> {
    const { store, clock, random, secureRandom, retryTimeFactor } = this.#parts;
    const common = { store, cell, clock, random, secureRandom, retryTimeFactor, bodies: this.#bodies };
    // What an on-failure destination does not take has nowhere else to go.
    return Outbox.open({ ...common, ordering: "fair", deadLetter: () => ({}) });
  }
}

function cellsOf(realm: Realm): string {
  return `${realmKey(realm)}/${MAPPING_SHARD_CELL_KIND}/`;
}
