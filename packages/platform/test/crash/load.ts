import { type Clock, deferred, randomBelow, type Random, seededRandom } from "../../src/base/index.ts";
import type { LeasedItem, NewItem, WorkList } from "../../src/storage/index.ts";
import type { ProducerPlan } from "./plan.ts";
import { bodyOf, groupOf, isCrossing, itemId, type JournalWriter, type ListName } from "./journal.ts";

/** What everybody at work shares. */
export interface Load {
  readonly lists: Readonly<Record<ListName, WorkList>>;
  readonly journal: JournalWriter;
  readonly clock: Clock;
  /** False once the life is to end in order. */
  goesOn(): boolean;
}

const ITEMS_PER_CALL_MAX = 3;
/** Items of one producer that wait at most: a store that is slow to read does not let the lists grow without end. */
const AHEAD_MAX = 400;
const SHORT_LEASE_MS = 300;
/** Outlives every life: nobody else may have the item or its group. */
const LONG_LEASE_MS = 600_000;
const LEASE_ITEMS_MAX = 4;
const LEASE_WAIT_MS = 50;
const CARRIED_AT_ONCE = 20;

/** Sends items one call after the other, first those whose answer an earlier life did not hear. */
export class Producer {
  readonly #load: Load;
  readonly #plan: ProducerPlan;
  readonly #random: Random;

  constructor(load: Load, plan: ProducerPlan) {
    this.#load = load;
    this.#plan = plan;
    this.#random = seededRandom(plan.next + plan.name.length);
  }

  async run(): Promise<void> {
    const { again, name } = this.#plan;
    if (again.length > 0) await this.#send(again);
    for (let number = this.#plan.next; this.#load.goesOn() && number < this.#plan.next + AHEAD_MAX;) {
      const count = 1 + randomBelow(this.#random, ITEMS_PER_CALL_MAX);
      await this.#send(Array.from({ length: count }, (_, index) => itemId(name, number + index)));
      number += count;
    }
  }

  async #send(ids: readonly string[]): Promise<void> {
    const { list } = this.#plan;
    this.#load.journal.say({ kind: "sending", list, ids });
    await this.#load.lists[list].enqueue(ids.map((id) => newItem(list, id)));
    this.#load.journal.say({ kind: "sent", list, ids });
  }
}

/** Every item has a deduplication id, so one that is sent again is there once. */
export function newItem(list: ListName, id: string): NewItem {
  const item = { id, body: bodyOf(id), deduplication: id };
  if (list === "fifo") return { ...item, group: groupOf(id) };
  return isCrossing(id) ? { ...item, target: "crossed" } : item;
}

/** Leases items and settles most of them; some it gives back, some it forgets. */
export class Consumer {
  readonly #load: Load;
  readonly #list: ListName;
  readonly #random: Random;

  constructor(load: Load, list: ListName, seed: number) {
    this.#load = load;
    this.#list = list;
    this.#random = seededRandom(seed);
  }

  async run(): Promise<void> {
    while (this.#load.goesOn()) {
      const leaseMs = this.#random.next() < 0.04 ? LONG_LEASE_MS : SHORT_LEASE_MS;
      const until = this.#load.clock.now() + leaseMs;
      const max = 1 + randomBelow(this.#random, LEASE_ITEMS_MAX);
      const outcome = await this.#load.lists[this.#list].lease({ max, leaseMs, waitMs: LEASE_WAIT_MS });
      if (outcome.kind !== "leased" || outcome.items.length === 0) continue;
      const ids = outcome.items.map(({ id }) => id);
      this.#load.journal.say({ kind: "leased", list: this.#list, ids, until, at: this.#load.clock.now() });
      for (const item of outcome.items) this.#checkBody(item);
      if (leaseMs === SHORT_LEASE_MS) for (const item of outcome.items) await this.#handle(item);
    }
  }

  #checkBody({ id, body }: LeasedItem): void {
    if (!bodyOf(id).equals(body)) this.#load.journal.say({ kind: "body", id, what: Buffer.from(body).toString("latin1", 0, 100) });
  }

  async #handle({ id, receipt }: LeasedItem): Promise<void> {
    const chance = this.#random.next();
    if (chance < 0.06) return;
    if (chance < 0.14) {
      this.#load.journal.say({ kind: "releasing", list: this.#list, id });
      await this.#load.lists[this.#list].release(receipt, { delayMs: 0 });
    } else await this.#settle(id, receipt);
  }

  async #settle(id: string, receipt: string): Promise<void> {
    const followUp = this.#list === "fair" && !id.endsWith("+") && this.#random.next() < 0.2 ? `${id}+` : undefined;
    const entry = { list: this.#list, id, followUp };
    this.#load.journal.say({ kind: "settling", ...entry });
    const outcome = await this.#load.lists[this.#list].settle(receipt, {
      rows: [{ key: outcomeKey(id), value: Buffer.from(id) }],
      ...(followUp === undefined ? {} : { enqueue: [newItem(this.#list, followUp)] }),
    });
    this.#load.journal.say({ kind: "settled", ...entry, outcome: outcome.kind });
  }
}

/** The row in which an item's end is recorded, in the commit that settles it. */
export const outcomeKey = (id: string): string => `outcome/${id}`;

/** Brings outgoing items of `fair` to `crossed`, as often as it is woken. */
export function carry(): { readonly wake: () => void; run(load: Load): Promise<void> } {
  let woken = deferred<void>();
  return {
    wake: () => woken.resolve(),
    async run(load) {
      while (load.goesOn()) {
        await Promise.race([woken.promise, new Promise<void>((resolve) => load.clock.schedule(LEASE_WAIT_MS, resolve))]);
        woken = deferred<void>();
        await carryAll(load.lists);
      }
    },
  };
}

/** Sends on until nothing is left; what was delivered before a crash and not settled is delivered again under its number. */
export async function carryAll({ fair, crossed }: Readonly<Record<ListName, WorkList>>): Promise<void> {
  for (;;) {
    const items = await fair.outgoing(CARRIED_AT_ONCE);
    if (items.length === 0) return;
    await crossed.enqueue(items.map(({ id, body, number }) => ({ id, body, delivery: { source: "fair", number } })));
    await fair.settleOutgoing(items.map(({ number }) => number));
  }
}
