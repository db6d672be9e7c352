/**
 * The buses that are open, one a cell (P11): opened when something is put on one, and after a start where deliveries wait. A bus that is gone
 * stays open while it has deliveries; what it leaves in the store ends at a later start, when its records need not be kept any longer.
 */
import { isLambentError, LambentError, type Clock, type Random, type SecureRandom } from "../base/index.ts";
import { forgetPast } from "../ledger/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import { Outbox } from "../outbox/index.ts";
import { BodyCache, type CellKey, eachCell, isList, openItems, removeList, type Store } from "../storage/index.ts";
import { BusLine } from "./bus-line.ts";
import type { BusRecord, RuleRecord } from "./definitions.ts";
import { deadLetterAttributes, asService } from "./routing.ts";

export const BUS_CELL_KIND = "bus";
/** Bodies of deliveries kept in memory, of all buses together. */
const BODY_CACHE_BYTES_MAX = 16 * 1024 * 1024;

export interface BusLinesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  readonly retryTimeFactor: number;
  readonly rulesOf: (realm: Realm, bus: string) => readonly RuleRecord[];
  /** Whether the bus that has this cell is there. */
  readonly isThere: (realm: Realm, cell: CellKey) => boolean;
  readonly onOpened: (cell: CellKey, outbox: Outbox) => void;
}

interface OpenBus {
  readonly realm: Realm;
  readonly line: Promise<BusLine>;
}

export class BusLines {
  readonly #parts: BusLinesParts;
  readonly #open = new Map<CellKey, OpenBus>();
  readonly #bodies = new BodyCache(BODY_CACHE_BYTES_MAX);
  #closed = false;

  constructor(parts: BusLinesParts) {
    this.#parts = parts;
  }

  /** The bus of a cell, open. Rejects with `ShuttingDown` behind the end. */
  line(realm: Realm, cell: CellKey): Promise<BusLine> {
    const known = this.#open.get(cell);
    if (known) return known.line;
    if (this.#closed) return Promise.reject(new LambentError("ShuttingDown", "The server is stopping."));
    const line = this.#openLine(realm, cell);
    this.#open.set(cell, { realm, line });
    line.catch(() => this.#open.delete(cell));
    return line;
  }

  /** The same where it is open, or being opened. */
  opened(cell: CellKey): Promise<BusLine> | undefined {
    return this.#open.get(cell)?.line;
  }

  /** Opens a cell whose deliveries wait, or ends what a bus that is gone has left there. */
  async takeUp(realm: Realm, cell: CellKey): Promise<void> {
    const { store } = this.#parts;
    if ((await openItems(store, cell)) > 0) await this.line(realm, cell);
    else if (!this.#parts.isThere(realm, cell) && !this.#open.has(cell) && (await isList(store, cell))) await this.#end(cell);
  }

  /** Cells of the buses of a realm, also of those that are gone. */
  cells(realm: Realm): AsyncGenerator<CellKey> {
    return eachCell(this.#parts.store, `${realmKey(realm)}/${BUS_CELL_KIND}/`);
  }

  /** Closes those of buses that are gone and have delivered everything: nothing is put on them any more (P7). */
  async closeGone(): Promise<void> {
    for (const [cell, { realm, line }] of this.#open) {
      if (this.#parts.isThere(realm, cell)) continue;
      const outbox = await line.then((open) => open.outbox).catch(() => undefined);
      if (!outbox || !isEmpty(outbox)) continue;
      this.#open.delete(cell);
      await outbox.close();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open.values()].map(({ line }) => line.then(({ outbox }) => outbox.close()).catch(() => undefined)));
  }

  async #openLine(realm: Realm, cell: CellKey): Promise<BusLine> {
    const { clock, secureRandom, rulesOf, onOpened } = this.#parts;
    const outbox = await this.#outbox(cell);
    const [, , bus = ""] = cell.split("/");
    const line = new BusLine(realm, bus, outbox, { clock, secureRandom });
    // Behind a bus that is gone, there may be another one of its name, with rules that are not for what is left here.
    if (this.#parts.isThere(realm, cell)) for (const rule of rulesOf(realm, bus)) line.putRule(rule);
    onOpened(cell, outbox);
    return line;
  }

  #outbox(cell: CellKey): Promise<Outbox> {
    const { store, clock, random, secureRandom, retryTimeFactor } = this.#parts;
    return Outbox.open({
      ...{ store, cell, clock, random, secureRandom, retryTimeFactor, bodies: this.#bodies },
      ordering: "fair",
      deadLetter: deadLetterAttributes,
      deadLetterSender: asService,
    });
  }

  /** Nobody has it open, and nobody opens it again: a bus of that name has another cell. */
  async #end(cell: CellKey): Promise<void> {
    const { store, clock } = this.#parts;
    const outbox = await this.#outbox(cell);
    let isDone = false;
    try {
      isDone = await forgetPast(outbox, clock.now());
    } finally {
      await outbox.close();
    }
    if (isDone) await removeList(store, cell);
  }
}

/** The cell of one bus. */
export function busCell(realm: Realm, { name, id }: Pick<BusRecord, "name" | "id">): CellKey {
  return `${realmKey(realm)}/${BUS_CELL_KIND}/${name}/${id}`;
}

/** While its cell is read anew, nobody knows. */
function isEmpty(outbox: Outbox): boolean {
  try {
    return outbox.open === 0;
  } catch (error) {
    if (isLambentError(error, "StorageBusy")) return false;
    throw error;
  }
}
