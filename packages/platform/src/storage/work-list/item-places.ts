import type { Instant } from "../../base/index.ts";
import { IndexedHeap } from "./indexed-heap.ts";
import { dueAt, TIMED_SLOTS, type Item } from "./item.ts";
import { ReadyGroups } from "./ready-groups.ts";

/**
 * Where known items stand by their state: waiting ones in their groups, hidden and leased ones by their deadlines,
 * outgoing ones by their numbers. An item is in the places of its state, or between `leave` and `place`.
 */
export class ItemPlaces {
  readonly #ordering: "fifo" | "fair";
  readonly #heldGroups: ReadonlySet<string>;
  readonly #timed = new IndexedHeap<Item>((left, right) => dueAt(left) < dueAt(right), TIMED_SLOTS);
  #outgoing = new Map<number, Item>();
  #ready: ReadyGroups;
  #leased = 0;

  constructor(ordering: "fifo" | "fair", heldGroups: ReadonlySet<string>) {
    this.#ordering = ordering;
    this.#heldGroups = heldGroups;
    this.#ready = new ReadyGroups(ordering, heldGroups);
  }

  /** Waiting items: with `fifo` also those that are hidden. */
  get waiting(): number {
    return this.#ready.waiting;
  }

  /** Those of them whose group is held. */
  get heldWaiting(): number {
    return this.#ready.heldWaiting;
  }

  get leased(): number {
    return this.#leased;
  }

  /** Waiting items whose delay is not over. */
  get hidden(): number {
    return this.#timed.size - this.#leased;
  }

  get outgoing(): ReadonlyMap<number, Item> {
    return this.#outgoing;
  }

  /** When the next lease or delay ends. */
  get nextDueAt(): Instant {
    const timed = this.#timed.peek();
    return timed ? dueAt(timed) : Number.POSITIVE_INFINITY;
  }

  hasGroup(group: string): boolean {
    return this.#ready.hasGroup(group);
  }

  freed(group: string): void {
    this.#ready.freed(group);
  }

  hasNext(now: Instant): boolean {
    return this.#ready.hasNext(now);
  }

  /** Takes out one turn of waiting items, at most `max`. They stand nowhere then. */
  next(now: Instant, max: number): Item[] {
    return this.#ready.next(now, max);
  }

  /** Puts an item where its state belongs. */
  place(item: Item, now: Instant): void {
    switch (item.state.kind) {
      case "waiting":
        if (item.state.visibleAt > now) this.#timed.push(item);
        if (item.state.visibleAt <= now || this.#ordering === "fifo") this.#ready.enter(item);
        return;
      case "leased":
        this.#leased += 1;
        this.#timed.push(item);
        this.#ready.lock(item);
        return;
      case "outgoing":
        this.#outgoing.set(item.state.number, item);
        return;
      case "ended":
        return;
    }
  }

  /** Takes an item out of where its state put it. */
  leave(item: Item): void {
    this.#timed.remove(item);
    switch (item.state.kind) {
      case "waiting":
        this.#ready.leave(item);
        return;
      case "leased":
        this.#leased -= 1;
        this.#ready.unlock(item);
        return;
      case "outgoing":
        this.#outgoing.delete(item.state.number);
        return;
      case "ended":
        return;
    }
  }

  /** Leases and delays that are over by `now` end. */
  advance(now: Instant): void {
    for (let item = this.#timed.peek(); item && dueAt(item) <= now; item = this.#timed.peek()) {
      this.#timed.remove(item);
      if (item.state.kind === "leased") {
        item.state = { kind: "waiting", visibleAt: item.state.until };
        this.#leased -= 1;
        this.#ready.unlock(item);
        this.#ready.enter(item);
      } else if (this.#ordering === "fifo") this.#ready.visible(item);
      else this.#ready.enter(item);
    }
  }

  /** What goes out does so in the order of its numbers, in whatever order it was placed. */
  orderOutgoing(): void {
    this.#outgoing = new Map([...this.#outgoing].toSorted(([left], [right]) => left - right));
  }

  clear(): void {
    this.#timed.clear();
    this.#outgoing.clear();
    this.#ready = new ReadyGroups(this.#ordering, this.#heldGroups);
    this.#leased = 0;
  }
}
