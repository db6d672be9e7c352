/** The outboxes of topics, one a cell: opened when something is published, and after a start where deliveries wait. */
import { type Clock, LambentError, type Random, type SecureRandom } from "../base/index.ts";
import { forgetPast } from "../ledger/index.ts";
import type { Realm } from "../model/index.ts";
import { type DeadDelivery, Outbox, type ParcelAttribute, untilTaken } from "../outbox/index.ts";
import { BodyCache, type CellKey, eachCell, isList, openItems, removeList, type Store } from "../storage/index.ts";
import { FifoLog } from "./fifo.ts";
import { topicCell, topicCells } from "./registry.ts";
import type { TopicRecord } from "./topic.ts";

/** Payloads that are kept in memory, of all topics together. */
const BODY_CACHE_BYTES_MAX = 16 * 1024 * 1024;
/** Message attributes that a queue takes. */
const QUEUE_ATTRIBUTES_MAX = 10;

export type OutboxOpened = (cell: CellKey, realm: Realm, outbox: Outbox) => void;

export interface TopicOutboxParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  readonly onOpened: OutboxOpened;
  readonly onProblem: (error: unknown) => void;
  readonly retryTimeFactor: number;
}

export class TopicOutboxes {
  readonly #parts: TopicOutboxParts;
  readonly #open = new Map<CellKey, Promise<Outbox>>();
  readonly #logs = new Map<CellKey, Promise<FifoLog>>();
  readonly #bodies = new BodyCache(BODY_CACHE_BYTES_MAX);
  #closed = false;

  constructor(parts: TopicOutboxParts) {
    this.#parts = parts;
  }

  outbox(realm: Realm, topic: Pick<TopicRecord, "name" | "id">): Promise<Outbox> {
    return this.#at(topicCell(realm, topic), realm, orderingOf(topic.name));
  }

  /** The order of a FIFO topic. */
  fifo(realm: Realm, topic: Pick<TopicRecord, "name" | "id">): Promise<FifoLog> {
    const cell = topicCell(realm, topic);
    const known = this.#logs.get(cell);
    if (known) return known;
    const opening = this.outbox(realm, topic).then((outbox) => FifoLog.open(outbox, this.#parts.clock));
    this.#logs.set(cell, opening);
    opening.catch(() => this.#logs.delete(cell));
    return opening;
  }

  /** Opens what has deliveries that wait, also of topics that were deleted: what was accepted is delivered. Ends what else those left. */
  async resume(realm: Realm, idOf: (name: string) => string | undefined): Promise<void> {
    const prefix = topicCells(realm);
    for await (const cell of eachCell(this.#parts.store, prefix)) {
      const [name = "", id = ""] = cell.slice(prefix.length).split("/");
      await this.untilTaken(() => this.#resumeCell(realm, cell, { name, id }, () => idOf(name) === id));
    }
  }

  /** Does `work` again while the storage is busy. */
  untilTaken(work: () => Promise<void>): Promise<void> {
    const { clock, onProblem } = this.#parts;
    return untilTaken(work, { clock, onProblem, isClosed: () => this.#closed });
  }

  async #resumeCell(realm: Realm, cell: CellKey, topic: Pick<TopicRecord, "name" | "id">, isThere: () => boolean): Promise<void> {
    const { store } = this.#parts;
    if (this.#open.has(cell)) return;
    if ((await openItems(store, cell)) > 0) await this.outbox(realm, topic);
    else if (!isThere() && !this.#open.has(cell) && (await isList(store, cell))) await this.#end(cell, orderingOf(topic.name));
  }

  /** A topic is no more. What it has not delivered goes on; where there is nothing, nothing of it stays in memory. */
  async release(realm: Realm, topic: Pick<TopicRecord, "name" | "id">): Promise<void> {
    const cell = topicCell(realm, topic);
    const outbox = await this.#open.get(cell);
    if (!outbox || outbox.open > 0) return;
    await outbox.close();
    this.#open.delete(cell);
    this.#logs.delete(cell);
    // What was being written as it was closed.
    if ((await openItems(this.#parts.store, cell)) > 0) await this.outbox(realm, topic);
  }

  /** Nobody has it open, and nobody opens it again: a topic of that name is another one. */
  async #end(cell: CellKey, ordering: Ordering): Promise<void> {
    const outbox = await this.#opened(cell, ordering);
    let isEmpty = false;
    try {
      isEmpty = await forgetPast(outbox, this.#parts.clock.now());
    } finally {
      await outbox.close();
    }
    if (isEmpty) await removeList(this.#parts.store, cell);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#open.values()].map((opening) => opening.then((outbox) => outbox.close()).catch(() => undefined)));
  }

  #at(cell: CellKey, realm: Realm, ordering: Ordering): Promise<Outbox> {
    if (this.#closed) return Promise.reject(new LambentError("ShuttingDown", "The server is stopping."));
    const known = this.#open.get(cell);
    if (known) return known;
    const opening = this.#openAt(cell, realm, ordering);
    this.#open.set(cell, opening);
    opening.catch(() => this.#open.delete(cell));
    return opening;
  }

  async #openAt(cell: CellKey, realm: Realm, ordering: Ordering): Promise<Outbox> {
    const outbox = await this.#opened(cell, ordering);
    this.#parts.onOpened(cell, realm, outbox);
    return outbox;
  }

  #opened(cell: CellKey, ordering: Ordering): Promise<Outbox> {
    const { store, clock, random, secureRandom, retryTimeFactor } = this.#parts;
    const deadLetter = deadLetterAttributes;
    return Outbox.open({ store, cell, clock, random, secureRandom, bodies: this.#bodies, ordering, deadLetter, retryTimeFactor });
  }
}

type Ordering = "fair" | "fifo";

function orderingOf(topic: string): Ordering {
  return topic.endsWith(".fifo") ? "fifo" : "fair";
}

/** Why it is there, behind the attributes that it had: as many as fit. */
function deadLetterAttributes({ delivery, refusal }: DeadDelivery): Record<string, ParcelAttribute> {
  const why = { RequestID: text(delivery.id), ErrorCode: text(refusal.code), ErrorMessage: text(refusal.message) };
  return Object.fromEntries(Object.entries({ ...delivery.parcel.options.attributes, ...why }).slice(0, QUEUE_ATTRIBUTES_MAX));
}

function text(value: string): ParcelAttribute {
  return { type: "String", value: value === "" ? "-" : value };
}
