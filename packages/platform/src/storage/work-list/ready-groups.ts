import type { Instant } from "../../base/index.ts";
import { IndexedHeap } from "./indexed-heap.ts";
import { isOlder, READY_SLOTS, type Item } from "./item.ts";

interface Group {
  readonly key: string | undefined;
  /** Its waiting items, oldest first: visible ones, and with `fifo` also those that are not yet. */
  readonly waiting: IndexedHeap<Item>;
  /** Live leases on it. */
  leased: number;
  /** It stands in the row for its turn. */
  queued: boolean;
}

/** Turns that were taken are cut off the row once this many lie before the next one. */
const TURNS_KEPT_MAX = 1_024;

/**
 * Which item is next. Groups stand in a row for their turn, but for those that are held. `fair`: a turn is one item. `fifo`: a group has a turn only
 * while no lease on it is live and its oldest item is visible (P4), and a turn is as many items as are wanted.
 */
export class ReadyGroups {
  readonly #ordering: "fifo" | "fair";
  readonly #held: ReadonlySet<string>;
  readonly #groups = new Map<string | undefined, Group>();
  #turns: Group[] = [];
  #next = 0;
  #waiting = 0;

  constructor(ordering: "fifo" | "fair", held: ReadonlySet<string>) {
    this.#ordering = ordering;
    this.#held = held;
  }

  /** Waiting items it holds. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Those of them whose group is held. */
  get heldWaiting(): number {
    let count = 0;
    for (const key of this.#held) count += this.#groups.get(key)?.waiting.size ?? 0;
    return count;
  }

  hasGroup(key: string | undefined): boolean {
    return this.#groups.has(key);
  }

  /** A waiting item joins its group. */
  enter(item: Item): void {
    const group = this.#groupOf(item);
    group.waiting.push(item);
    this.#waiting += 1;
    this.#offer(group);
  }

  /** A waiting item leaves otherwise than through `next`. */
  leave(item: Item): void {
    if (item.readySlot < 0) return;
    const group = this.#groupOf(item);
    group.waiting.remove(item);
    this.#waiting -= 1;
    this.#offer(group);
  }

  /** The time of a waiting item has come. */
  visible(item: Item): void {
    this.#offer(this.#groupOf(item));
  }

  lock(item: Item): void {
    this.#groupOf(item).leased += 1;
  }

  unlock(item: Item): void {
    const group = this.#groupOf(item);
    group.leased -= 1;
    this.#offer(group);
  }

  /** The group is held no more. */
  freed(key: string): void {
    const group = this.#groups.get(key);
    if (group) this.#offer(group);
  }

  hasNext(now: Instant): boolean {
    return this.#peek(now) !== undefined;
  }

  /** Takes out one turn: at most `max` items, none when nothing is ready. */
  next(now: Instant, max: number): Item[] {
    const group = this.#peek(now);
    if (group === undefined) return [];
    this.#next += 1;
    group.queued = false;
    const items: Item[] = [];
    const turn = this.#ordering === "fifo" ? max : 1;
    while (items.length < turn && isVisible(group.waiting.peek(), now)) items.push(group.waiting.pop() as Item);
    this.#waiting -= items.length;
    this.#offer(group);
    return items;
  }

  #peek(now: Instant): Group | undefined {
    for (;;) {
      const group = this.#turns[this.#next];
      if (group === undefined) break;
      if (this.#mayHaveTurn(group) && isVisible(group.waiting.peek(), now)) return group;
      group.queued = false;
      this.#next += 1;
      this.#dropIfEmpty(group);
    }
    this.#turns = [];
    this.#next = 0;
    return undefined;
  }

  #mayHaveTurn(group: Group): boolean {
    if (group.key !== undefined && this.#held.has(group.key)) return false;
    return this.#ordering === "fair" || group.leased === 0;
  }

  #offer(group: Group): void {
    if (group.queued) return;
    if (group.waiting.size === 0) return this.#dropIfEmpty(group);
    group.queued = true;
    if (this.#next > TURNS_KEPT_MAX) {
      this.#turns = this.#turns.slice(this.#next);
      this.#next = 0;
    }
    this.#turns.push(group);
  }

  #dropIfEmpty(group: Group): void {
    if (group.waiting.size === 0 && group.leased === 0 && !group.queued) this.#groups.delete(group.key);
  }

  #groupOf({ group: key }: Item): Group {
    const known = this.#groups.get(key);
    if (known) return known;
    const made: Group = { key, waiting: new IndexedHeap<Item>(isOlder, READY_SLOTS), leased: 0, queued: false };
    this.#groups.set(key, made);
    return made;
  }
}

function isVisible(item: Item | undefined, now: Instant): boolean {
  return item?.state.kind === "waiting" && item.state.visibleAt <= now;
}
