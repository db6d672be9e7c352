/**
 * The decisions of a work list, in memory: commands in, outcomes and ops out. Reads no clock and no store; the same
 * commands at the same times lead to the same ops. What a command changed is not durable before the ops are: the owner
 * tells nobody before, and after a failed commit drops this state and reads it anew.
 */
import { LambentError, type Instant } from "../../base/index.ts";
import type { CellKey, Op } from "../store.ts";
import { Changes, doneKey, type ListHead, type RowDraft, rowKey, SOURCE_PREFIX } from "./changes.ts";
import { Deduplications } from "./deduplications.ts";
import { DoneRanges } from "./done-ranges.ts";
import { ItemPlaces } from "./item-places.ts";
import type { LeaseGrant, OutgoingGrant, Wanted } from "./grants.ts";
import { freshItem, sequenceOf, type Item, type Row } from "./item.ts";
import { ParkedRows } from "./parked-rows.ts";
import { parseReceipt, receiptOf } from "./receipt.ts";
import type { ItemHead } from "./row-codec.ts";
import { DEDUPLICATIONS_MAX, OUTGOING_MAX } from "./work-list.ts";
import type { EnqueueOutcome, ExtendOutcome, ListCounts, ListRules, ListTotals, NewItem, OwnRow, SettleOutcome } from "./work-list.ts";

/** Waiting items that are known, beyond which new ones stay in the store until their turn comes near. */
export const WINDOW_ITEMS_MAX = 10_000;
/** Waiting items known at which more are read. */
const WINDOW_ITEMS_LOW = 1_000;
/** Waiting items, but for those of held groups, that a list looks through for one that is free. */
export const LOOK_AHEAD_ITEMS_MAX = 120_000;
/** Rows beyond the window that are known because a group of theirs has nothing else: quiet groups do not wait behind loud ones. */
const AHEAD_ROWS_MAX = 1_000;
/** Items one decision looks at, when most have expired or are sent on instead of being leased. */
const LOOKED_AT_MAX = 1_000;

type Ending = keyof ListTotals;

const NOTHING_YET: ListHead = {
  first: 1,
  next: 1,
  open: 0,
  nextOutgoing: 1,
  highWater: 0,
  totals: { settled: 0, expired: 0, sentOn: 0, purged: 0 },
};

export class ListState {
  readonly changes = new Changes();
  readonly deduplications = new Deduplications();
  readonly delivered = new Map<string, number>();
  readonly #rows = new Map<number, Row>();
  readonly #done = new DoneRanges();
  readonly #parked = new ParkedRows();
  readonly #totals: Record<Ending, number>;
  readonly #places: ItemPlaces;
  #rules: ListRules;
  #first: number;
  #next: number;
  /** Rows before it are known, parked or done. */
  #cursor: number;
  /** `fifo`: nothing is handed out before the rows up to here are known, because one of them may hold the oldest of a group (P4). */
  #orderedFrom = 0;
  #open: number;
  #ahead = 0;
  #nextOutgoing: number;

  constructor(
    { rules, heldGroups }: { readonly rules: ListRules; readonly heldGroups: ReadonlySet<string> },
    head: ListHead = NOTHING_YET,
  ) {
    this.#rules = rules;
    this.#places = new ItemPlaces(rules.ordering, heldGroups);
    this.#first = head.first;
    this.#cursor = head.first;
    this.#next = head.next;
    this.#open = head.open;
    this.#nextOutgoing = head.nextOutgoing;
    this.#totals = { ...head.totals };
  }

  get next(): number {
    return this.#next;
  }

  get outgoingCount(): number {
    return this.#places.outgoing.size;
  }

  configure(rules: ListRules): void {
    this.#rules = rules;
  }

  /** The group is held no more. */
  freed(group: string): void {
    this.#places.freed(group);
  }

  // Reading at open, and later.

  loadDone(start: number, end: number): void {
    if (end < this.#first) return this.changes.discard([doneKey(start)]);
    this.changes.loadedDone(start);
    this.#done.load(start, end);
  }

  /** Takes over a row whose items changed since they were enqueued. Leases that ended, or whose holder is gone, are given back. */
  loadState(row: Row, now: Instant, isAbandoned: (receipt: string) => boolean): void {
    if (row.position < this.#first) return this.changes.discard([rowKey(row.position)]);
    this.#rows.set(row.position, row);
    if (this.#rules.ordering === "fifo") this.#orderedFrom = row.position;
    for (const item of row.items) {
      if (item.state.kind === "leased" && (item.state.until <= now || isAbandoned(receiptOf(item))))
        item.state = { kind: "waiting", visibleAt: now };
      this.#places.place(item, now);
    }
  }

  /** Everything that changed was loaded: what goes out does so in the order of its numbers. */
  loaded(): void {
    this.#places.orderOutgoing();
  }

  /** Takes over a log row that was read because it was wanted. */
  loadRow(position: number, heads: readonly ItemHead[], now: Instant): void {
    if (position === this.#cursor) this.#cursor += 1;
    this.#parked.delete(position);
    if (position < this.#first || this.#rows.has(position) || this.#done.has(position)) return;
    if (this.#parks(heads, now)) return this.#park(position, heads);
    const row: Row = { position, items: [], open: heads.length, stored: false };
    this.#rows.set(position, row);
    for (const [index, head] of heads.entries()) {
      const item = freshItem(row, index, head);
      row.items.push(item);
      this.#places.place(item, now);
    }
  }

  /** What to read now, of rows before `durableNext`; undefined when nothing. A `fifo` list looks further while somebody waits. */
  wanted(now: Instant, durableNext: number, somebodyWaits: boolean): Wanted | undefined {
    const parked = this.#parked.due(now);
    if (parked !== undefined) return { kind: "row", position: parked };
    this.#skipKnown();
    if (this.#cursor >= durableNext || !this.#wantsMore(now, somebodyWaits)) return undefined;
    return { kind: "page", from: this.#cursor };
  }

  #wantsMore(now: Instant, somebodyWaits: boolean): boolean {
    const { waiting, heldWaiting } = this.#places;
    if (waiting < WINDOW_ITEMS_LOW || this.#cursor < this.#orderedFrom) return true;
    const mayLookAhead = this.#rules.ordering === "fifo" || heldWaiting > 0;
    // How much of held groups waits is bounded by whoever holds them: what is free behind them must not wait for it.
    return somebodyWaits && mayLookAhead && waiting - heldWaiting < LOOK_AHEAD_ITEMS_MAX && !this.#places.hasNext(now);
  }

  #skipKnown(): void {
    this.#cursor = Math.max(this.#cursor, this.#first);
    while (this.#cursor < this.#next) {
      const doneEnd = this.#done.endOf(this.#cursor);
      if (doneEnd !== undefined) this.#cursor = doneEnd + 1;
      else if (this.#rows.has(this.#cursor)) {
        this.#cursor += 1;
        if (this.#ahead > 0) this.#ahead -= 1;
      } else return;
    }
  }

  // Time.

  /** Leases and delays that are over by `now` end. */
  advance(now: Instant): void {
    this.#places.advance(now);
    for (const key of this.deduplications.forget(now)) this.changes.put(key, undefined);
  }

  /** Ends what is at the front and too old. */
  expireFront(now: Instant): void {
    const before = now - this.#rules.retentionMs;
    for (let row = this.#rows.get(this.#first); row && !this.changes.full; row = this.#rows.get(this.#first)) {
      for (const item of row.items) if (item.state.kind !== "outgoing" && item.enqueuedAt <= before) this.#end(item, "expired");
      if (row.open > 0) return;
    }
  }

  /** When the next lease, delay or retention ends. */
  nextDueAt(): Instant | undefined {
    const due = Math.min(this.#places.nextDueAt, this.#parked.nextDueAt, this.#frontExpiresAt());
    return Number.isFinite(due) ? due : undefined;
  }

  #frontExpiresAt(): Instant {
    let oldest = Number.POSITIVE_INFINITY;
    for (const { state, enqueuedAt } of this.#rows.get(this.#first)?.items ?? [])
      if (state.kind === "waiting" || state.kind === "leased") oldest = Math.min(oldest, enqueuedAt);
    return oldest + this.#rules.retentionMs;
  }

  // Commands.

  enqueue(items: readonly NewItem[], now: Instant): EnqueueOutcome[] {
    return items.map((item) => this.#enqueueOne(item, now));
  }

  #enqueueOne(item: NewItem, now: Instant): EnqueueOutcome {
    const { delivery, deduplication } = item;
    if (delivery && delivery.number <= (this.delivered.get(delivery.source) ?? 0)) return { kind: "duplicate", id: item.id, sequence: 0 };
    const known = deduplication === undefined ? undefined : this.deduplications.find(deduplication, now);
    if (delivery) this.#noteDelivered(delivery.source, delivery.number);
    if (known) return { kind: "duplicate", id: known.id, sequence: known.sequence };
    const sequence = this.#append(item, now);
    if (deduplication !== undefined) this.#remember(deduplication, { id: item.id, sequence }, now);
    return { kind: "enqueued", id: item.id, sequence };
  }

  #noteDelivered(source: string, number: number): void {
    this.delivered.set(source, number);
    this.changes.put(SOURCE_PREFIX + source, Buffer.from(String(number)));
  }

  #remember(deduplication: string, remembered: { readonly id: string; readonly sequence: number }, now: Instant): void {
    this.deduplications.remember(deduplication, remembered, now + this.#rules.deduplicationMs);
  }

  /** Whether `items` have room; asked before, because a command is applied whole. */
  refuseBeyondBounds(items: readonly NewItem[]): void {
    if (this.deduplications.size + items.length > DEDUPLICATIONS_MAX && items.some((item) => item.deduplication !== undefined))
      throw new LambentError("Throttled", `${DEDUPLICATIONS_MAX} deduplication ids are remembered, which is the bound.`);
    if (this.#places.outgoing.size >= OUTGOING_MAX && items.some((item) => item.target !== undefined))
      throw new LambentError("Throttled", `${OUTGOING_MAX} items wait to be sent on, which is the bound.`);
  }

  #append({ id, body, group, delayMs, enqueuedAt, target }: NewItem, now: Instant): number {
    const head: ItemHead = { id, enqueuedAt: enqueuedAt ?? now, visibleAt: now + (delayMs ?? 0), group };
    const draft = this.#draftFor(group, target !== undefined);
    const index = draft.items.length;
    this.changes.add(draft, { ...head, body });
    this.#open += 1;
    if (draft.row) {
      const item = freshItem(draft.row, index, head);
      draft.row.items.push(item);
      draft.row.open += 1;
      if (target === undefined) this.#places.place(item, now);
      else this.#makeOutgoing(item, target);
    }
    return sequenceOf(draft.position, index);
  }

  #draftFor(group: string | undefined, mustBeKnown: boolean): RowDraft {
    const open = this.changes.openDraft;
    const quiet = this.#rules.ordering === "fair" && group !== undefined && this.#ahead < AHEAD_ROWS_MAX && !this.#places.hasGroup(group);
    if (open && (open.row ? mustBeKnown || !open.ahead : !(mustBeKnown || quiet))) return open;
    const position = this.#next++;
    this.#skipKnown();
    const inWindow = this.#cursor === position && this.#places.waiting + this.#places.hidden < this.#windowMax();
    if (inWindow) this.#cursor = position + 1;
    else if (mustBeKnown || quiet) this.#ahead += 1;
    const row: Row | undefined = inWindow || mustBeKnown || quiet ? { position, items: [], open: 0, stored: false } : undefined;
    if (row) this.#rows.set(position, row);
    const draft: RowDraft = { position, items: [], bytes: 0, row, ahead: !inWindow && this.#rules.ordering === "fifo" };
    this.changes.begin(draft);
    return draft;
  }

  #windowMax(): number {
    return this.#rules.ordering === "fifo" ? LOOK_AHEAD_ITEMS_MAX : WINDOW_ITEMS_MAX;
  }

  get leasesAreExhausted(): boolean {
    return this.#places.leased >= this.#rules.leasesMax;
  }

  hasNext(now: Instant): boolean {
    // Rows that were known at open may lie between the cursor and what order asks for; there is then nothing to read.
    this.#skipKnown();
    return this.#cursor >= this.#orderedFrom && this.#places.hasNext(now);
  }

  lease(max: number, leaseMs: number, now: Instant, nonce: () => string): LeaseGrant[] {
    const grants: LeaseGrant[] = [];
    this.#takeTurns(Math.min(max, this.#rules.leasesMax - this.#places.leased), now, (item) => {
      const { sendOn } = this.#rules;
      if (sendOn && item.receiveCount >= sendOn.afterReceives && this.#places.outgoing.size < OUTGOING_MAX) {
        this.#makeOutgoing(item, sendOn.target);
        return false;
      }
      grants.push(this.#grant(item, leaseMs, now, nonce()));
      return true;
    });
    return grants;
  }

  sendOn(max: number, target: string, now: Instant): number {
    return this.#takeTurns(Math.min(max, OUTGOING_MAX - this.#places.outgoing.size), now, (item) => {
      this.#makeOutgoing(item, target);
      return true;
    });
  }

  /** Gives items that are next to `take` until it has taken `max`; those too old end instead. */
  #takeTurns(max: number, now: Instant, take: (item: Item) => boolean): number {
    if (this.#cursor < this.#orderedFrom) return 0;
    let taken = 0;
    let lookedAt = 0;
    while (taken < max && lookedAt < LOOKED_AT_MAX && !this.changes.full) {
      const turn = this.#places.next(now, max - taken);
      if (turn.length === 0) break;
      lookedAt += turn.length;
      for (const item of turn) {
        if (item.enqueuedAt + this.#rules.retentionMs <= now) this.#end(item, "expired");
        else if (take(item)) taken += 1;
      }
    }
    return taken;
  }

  #grant(item: Item, leaseMs: number, now: Instant, nonce: string): LeaseGrant {
    item.state = { kind: "leased", until: now + leaseMs };
    item.nonce = nonce;
    item.receiveCount += 1;
    if (item.receiveCount === 1) item.firstReceivedAt = now;
    this.#places.place(item, now);
    this.changes.touch(item.row);
    const { row, index, group, enqueuedAt, receiveCount, firstReceivedAt, note } = item;
    return { position: row.position, index, receipt: receiptOf(item), group, enqueuedAt, receiveCount, firstReceivedAt, note };
  }

  settle(receipt: string, now: Instant, evenExpired: boolean): SettleOutcome {
    const found = this.#find(receipt, now);
    if (found.kind === "live" || (found.kind === "expired" && evenExpired)) {
      this.#end(found.item, "settled");
      return { kind: "settled" };
    }
    return { kind: found.kind };
  }

  extend(receipt: string, leaseMs: number, now: Instant): ExtendOutcome {
    const found = this.#find(receipt, now);
    if (found.kind !== "live") return { kind: found.kind };
    this.#places.leave(found.item);
    found.item.state = leaseMs === 0 ? { kind: "waiting", visibleAt: now } : { kind: "leased", until: now + leaseMs };
    this.#places.place(found.item, now);
    this.changes.touch(found.item.row);
    return { kind: "extended" };
  }

  release(receipt: string, delayMs: number, note: Uint8Array | undefined, now: Instant): ExtendOutcome {
    const found = this.#find(receipt, now);
    if (found.kind !== "live") return { kind: found.kind };
    this.#places.leave(found.item);
    found.item.state = { kind: "waiting", visibleAt: now + delayMs };
    found.item.note = note;
    this.#places.place(found.item, now);
    this.changes.touch(found.item.row);
    return { kind: "extended" };
  }

  outgoing(max: number, after: number): OutgoingGrant[] {
    const grants: OutgoingGrant[] = [];
    for (const [number, item] of this.#places.outgoing) {
      if (grants.length >= max) break;
      if (item.state.kind !== "outgoing" || number <= after) continue;
      grants.push({ number, target: item.state.target, position: item.row.position, index: item.index });
    }
    return grants;
  }

  settleOutgoing(numbers: readonly number[]): void {
    for (const number of numbers) {
      const item = this.#places.outgoing.get(number);
      if (item) this.#end(item, "sentOn");
    }
  }

  returnOutgoing(numbers: readonly number[], now: Instant): void {
    for (const number of numbers) {
      const item = this.#places.outgoing.get(number);
      if (!item) continue;
      this.#places.leave(item);
      item.state = { kind: "waiting", visibleAt: now };
      this.#places.place(item, now);
      this.changes.touch(item.row);
    }
  }

  purge(): void {
    this.#totals.purged += this.#open;
    this.changes.forgetRows();
    this.changes.discard([...this.#rows.values()].filter((row) => row.stored).map((row) => rowKey(row.position)));
    for (const row of this.#rows.values()) row.open = 0;
    this.#rows.clear();
    this.#done.clear();
    this.#parked.clear();
    this.#places.clear();
    this.#open = 0;
    this.#ahead = 0;
    this.#first = this.#next;
    this.#cursor = this.#next;
    this.changes.trim(this.#first);
  }

  writeOwn(rows: readonly OwnRow[]): void {
    this.changes.putOwn(rows);
  }

  counts(): ListCounts {
    const delayed = this.#places.hidden + this.#parked.items;
    const visible = Math.max(0, this.#open - this.#places.leased - delayed - this.#places.outgoing.size);
    let oldestAt: Instant | undefined;
    for (const { state, enqueuedAt } of this.#rows.get(this.#first)?.items ?? [])
      if (state.kind !== "ended") oldestAt = Math.min(oldestAt ?? enqueuedAt, enqueuedAt);
    return { visible, delayed, leased: this.#places.leased, outgoing: this.#places.outgoing.size, totals: { ...this.#totals }, oldestAt };
  }

  /** The ops of everything decided since the last call. */
  takeOps(cell: CellKey, now: Instant): Op[] {
    const fresh = this.deduplications.takeFresh(this.#next);
    if (fresh) this.changes.put(fresh.key, fresh.value);
    // Delayed rows that did not fit the window wait outside it, and the next row can be known at once.
    for (const { position, row, items } of this.changes.drafts) {
      if (row === undefined && position === this.#cursor && this.#parks(items, now)) {
        this.#cursor += 1;
        this.#park(position, items);
      }
    }
    return this.changes.take(cell, {
      first: this.#first,
      next: this.#next,
      open: this.#open,
      nextOutgoing: this.#nextOutgoing,
      outgoing: this.#places.outgoing.size,
      highWater: now,
      totals: { ...this.#totals },
    });
  }

  // Items.

  #find(
    receipt: string,
    now: Instant,
  ): { readonly kind: "live" | "expired"; readonly item: Item } | { readonly kind: "stale" | "gone" | "unknown" } {
    const parsed = parseReceipt(receipt);
    if (!parsed || parsed.position >= this.#next) return { kind: "unknown" };
    const row = this.#rows.get(parsed.position);
    if (!row) return { kind: parsed.position < this.#first || this.#done.has(parsed.position) ? "gone" : "unknown" };
    const item = row.items[parsed.index];
    if (!item) return { kind: "unknown" };
    if (item.state.kind === "ended" || item.state.kind === "outgoing") return { kind: "gone" };
    if (item.nonce !== parsed.nonce) return { kind: item.receiveCount > 1 ? "stale" : "unknown" };
    return { kind: item.state.kind === "leased" && item.state.until > now ? "live" : "expired", item };
  }

  #makeOutgoing(item: Item, target: string): void {
    item.state = { kind: "outgoing", number: this.#nextOutgoing++, target };
    this.#places.place(item, 0);
    this.changes.touch(item.row);
  }

  #end(item: Item, ending: Ending): void {
    if (item.state.kind === "ended") return;
    this.#places.leave(item);
    item.state = { kind: "ended" };
    this.#totals[ending] += 1;
    this.#open -= 1;
    const { row } = item;
    row.open -= 1;
    if (row.open > 0) return this.changes.touch(row);
    this.#rows.delete(row.position);
    if (row.position >= this.#cursor && this.#ahead > 0) this.#ahead -= 1;
    this.changes.finish(row);
    this.#finishPosition(row.position);
  }

  #finishPosition(position: number): void {
    const { start, end, joined } = this.#done.add(position);
    if (joined !== undefined) this.changes.removeDone(joined);
    if (start !== this.#first) return this.changes.putDone(start, end);
    this.changes.removeDone(start);
    this.#done.takeFirst(start);
    this.#first = end + 1;
    this.changes.trim(this.#first);
  }

  /** Rows all of whose items are hidden wait outside the window once it is full; order within groups would break by that. */
  #parks(heads: readonly ItemHead[], now: Instant): boolean {
    return this.#rules.ordering === "fair" && this.#places.hidden >= WINDOW_ITEMS_MAX && heads.every((head) => head.visibleAt > now);
  }

  #park(position: number, heads: readonly ItemHead[]): void {
    this.#parked.add(position, Math.min(...heads.map((head) => head.visibleAt)), heads.length);
  }
}
