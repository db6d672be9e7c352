/** The cells of buckets: opened when something is asked of one, and after a start where something waits; ended behind a bucket that was deleted. */
import { type Clock, LambentError, type Random, type SecureRandom } from "../base/index.ts";
import { forgetPast } from "../ledger/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import { type DeadDelivery, Outbox, type ParcelAttribute, untilTaken } from "../outbox/index.ts";
import {
  BodyCache,
  type BodyFiles,
  type CellKey,
  eachCell,
  isList,
  openItems,
  readOwnRows,
  removeList,
  type Store,
} from "../storage/index.ts";
import { BucketCell } from "./bucket-cell.ts";
import type { BucketRecord } from "./bucket-record.ts";
import { Bucket } from "./bucket.ts";
import { leftoverRows, Uploads } from "./multipart/index.ts";
import type { Notifier } from "./object-event.ts";
import { LOOSE_PREFIX } from "./rows.ts";

/** Payloads of deliveries that are kept in memory, of all buckets together. */
const BODY_CACHE_BYTES_MAX = 16 * 1024 * 1024;
/** The word for cells of buckets. */
export const BUCKET_CELL_KIND = "objects";

export type OutboxOpened = (cell: CellKey, realm: Realm, outbox: Outbox) => void;

export interface BucketCellsParts {
  readonly store: Store;
  readonly bodies: BodyFiles;
  readonly clock: Clock;
  /** Spreads deliveries that are tried again. */
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  /** What waits between attempts are multiplied with. */
  readonly retryTimeFactor: number;
  readonly notifier: Notifier;
  /** Told of every outbox that is opened: whoever hands over looks after it from then on. */
  readonly onOpened: OutboxOpened;
  readonly onProblem: (error: unknown) => void;
}

/** What is open of a cell: without a bucket where it only delivers what a deleted one had accepted. */
interface OpenCell {
  readonly outbox: Outbox;
  readonly cell?: BucketCell;
  readonly bucket?: Bucket;
}

type Named = Pick<BucketRecord, "name" | "id" | "realm">;

export class BucketCells {
  readonly #parts: BucketCellsParts;
  readonly #open = new Map<CellKey, Promise<OpenCell>>();
  readonly #ending = new Set<CellKey>();
  readonly #payloads = new BodyCache(BODY_CACHE_BYTES_MAX);
  #closed = false;

  constructor(parts: BucketCellsParts) {
    this.#parts = parts;
  }

  /** The bucket, open. `current` gives its record as it is when asked, and throws `NotFound` once it was deleted. */
  async bucket(record: Named, current: () => BucketRecord): Promise<Bucket> {
    const { bucket } = await this.#at(cellOf(record), () => this.#openBucket(record, current));
    return bucket ?? refuseGone();
  }

  /** Takes up what waits in the cells of a realm, and ends those whose buckets were deleted. `find` gives the bucket of a name. */
  async resume(realm: Realm, find: (name: string) => BucketRecord | undefined, open: (name: string) => Promise<Bucket>): Promise<void> {
    const prefix = `${realmKey(realm)}/${BUCKET_CELL_KIND}/`;
    for await (const cell of eachCell(this.#parts.store, prefix)) {
      const [name = "", id = ""] = cell.slice(prefix.length).split("/");
      await this.untilTaken(async () => {
        if (this.#open.has(cell)) return;
        if (find(name)?.id !== id) return this.#end({ name, id, realm });
        if (await this.#hasWork(cell)) await open(name);
      });
    }
  }

  /** Behind the removal of a bucket's record: its rows and its folder go; what it accepted before is still delivered. */
  async release(record: Named): Promise<void> {
    const key = cellOf(record);
    const opened = await this.#open.get(key);
    await opened?.cell?.untilUnused();
    await opened?.cell?.loose.close();
    await this.#parts.bodies.removeOwner(record.id);
    if (!opened || opened.outbox.open > 0) return;
    await opened.outbox.close();
    const ending = this.#end(record);
    this.#open.delete(key);
    await ending;
  }

  /** Does `work` again while the storage is busy. */
  untilTaken(work: () => Promise<void>): Promise<void> {
    const { clock, onProblem } = this.#parts;
    return untilTaken(work, { clock, onProblem, isClosed: () => this.#closed });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(
      [...this.#open.values()].map((opening) => opening.then(({ cell, outbox }) => (cell ?? outbox).close()).catch(() => undefined)),
    );
  }

  /** Deliveries, loose files, and what is left of uploads. */
  async #hasWork(cell: CellKey): Promise<boolean> {
    const { store } = this.#parts;
    if ((await openItems(store, cell)) > 0) return true;
    for (const prefix of [LOOSE_PREFIX, leftoverRows.prefix])
      if ((await readOwnRows(store, cell, { prefix, limit: 1 })).length > 0) return true;
    return false;
  }

  /** Of a bucket that was deleted. Nobody opens it again: a bucket of that name is another one. */
  async #end(record: Named): Promise<void> {
    const cell = cellOf(record);
    // Deleting a bucket and taking up what was left of it may meet; a cell has one owner.
    if (this.#ending.has(cell)) return;
    this.#ending.add(cell);
    try {
      await this.#endCell(cell, record);
    } finally {
      this.#ending.delete(cell);
    }
  }

  async #endCell(cell: CellKey, record: Named): Promise<void> {
    const { store, bodies, clock } = this.#parts;
    await bodies.removeOwner(record.id);
    if (!(await isList(store, cell))) return;
    if ((await openItems(store, cell)) > 0) {
      await this.#at(cell, async () => {
        const outbox = await this.#openOutbox(cell);
        this.#parts.onOpened(cell, record.realm, outbox);
        return { outbox };
      });
      return;
    }
    const outbox = await this.#openOutbox(cell);
    let isEmpty = false;
    try {
      isEmpty = await forgetPast(outbox, clock.now());
    } finally {
      await outbox.close();
    }
    if (isEmpty) await removeList(store, cell);
  }

  #at(cell: CellKey, open: () => Promise<OpenCell>): Promise<OpenCell> {
    if (this.#closed) return Promise.reject(new LambentError("ShuttingDown", "The server is stopping."));
    const known = this.#open.get(cell);
    if (known) return known;
    const opening = open();
    this.#open.set(cell, opening);
    opening.catch(() => this.#open.delete(cell));
    return opening;
  }

  async #openBucket(record: Named, current: () => BucketRecord): Promise<OpenCell> {
    const { bodies, clock, secureRandom, notifier, onProblem, onOpened } = this.#parts;
    const key = cellOf(record);
    const outbox = await this.#openOutbox(key);
    try {
      const cell = await BucketCell.open({
        outbox,
        bodies,
        clock,
        secureRandom,
        notifier,
        bucketId: record.id,
        record: current,
        onProblem,
      });
      const bucket = new Bucket(cell, await Uploads.open(cell, onProblem));
      onOpened(key, record.realm, outbox);
      return { outbox, cell, bucket };
    } catch (error) {
      // Whoever tries again opens another one, and a cell has one owner.
      await outbox.close();
      throw error;
    }
  }

  #openOutbox(cell: CellKey): Promise<Outbox> {
    const { store, clock, random, secureRandom, retryTimeFactor } = this.#parts;
    const deadLetter = deadLetterAttributes;
    return Outbox.open({ store, cell, clock, random, secureRandom, bodies: this.#payloads, ordering: "fair", deadLetter, retryTimeFactor });
  }
}

/** The cell of one bucket. */
export function cellOf({ name, id, realm }: Named): CellKey {
  return `${realmKey(realm)}/${BUCKET_CELL_KIND}/${name}/${id}`;
}

function refuseGone(): never {
  throw new LambentError("NotFound", "The specified bucket does not exist", { what: "bucket" });
}

/** Why it is there. */
function deadLetterAttributes({ delivery, refusal }: DeadDelivery): Record<string, ParcelAttribute> {
  const text = (value: string): ParcelAttribute => ({ type: "String", value: value === "" ? "-" : value });
  return {
    ...delivery.parcel.options.attributes,
    ...{ RequestID: text(delivery.id), ErrorCode: text(refusal.code), ErrorMessage: text(refusal.message) },
  };
}
