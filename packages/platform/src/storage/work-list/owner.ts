import {
  deferred,
  invariant,
  isLambentError,
  LambentError,
  type Clock,
  type MonotonicMs,
  type SecureRandom,
  type Timer,
} from "../../base/index.ts";
import { READ_ROWS_MAX, type CellKey, type LogRow, type Store } from "../store.ts";
import { BodyCache } from "./body-cache.ts";
import { OWN_PREFIX } from "./changes.ts";
import { LeaseWaiters } from "./lease-waiters.ts";
import { ListTime } from "./list-time.ts";
import type { LeaseGrant, Wanted } from "./grants.ts";
import type { ListState } from "./list-state.ts";
import { readOwnRows } from "./own-rows.ts";
import { readHead, readState } from "./read-state.ts";
import { decodeRow, type StoredItem } from "./row-codec.ts";
import { sequenceOf } from "./item.ts";
import { ITEM_BYTES_MAX, ITEMS_PER_CALL_MAX, LIST_COMMANDS_MAX, NOTE_BYTES_MAX } from "./work-list.ts";
import type { LeasedItem, LeaseOutcome, LeaseRequest, ListRules, NewItem, OutgoingItem, OwnRow, WorkList } from "./work-list.ts";

/** Bytes of bodies kept for one list whose opener gives it no cache to share. */
const OWN_CACHE_BYTES_MAX = 8 * 1024 * 1024;
/** Behind a commit that was refused because the store is busy. */
const BUSY_RETRY_MS = 100;
/** Bytes that reading ahead aims at in one page. */
const PAGE_BYTES_TARGET = 1024 * 1024;
/** Bytes of all items of one call: they go into one commit. */
const CALL_BYTES_MAX = 2 * 1024 * 1024 + 64 * 1024;

export interface WorkListOptions {
  readonly store: Store;
  readonly cell: CellKey;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly rules: ListRules;
  /** `here`: who holds a lease lives in this process, so leases found at open are nobody's and end. */
  readonly holders: "here" | "elsewhere";
  /** Bodies of several lists under one bound. */
  readonly bodies?: BodyCache;
  /** There are items to be sent on: called behind commits, and at open. */
  readonly onOutgoing?: () => void;
}

/** Opens the work list of `cell`; the caller is its one owner in this process. Reads no items. */
export async function openWorkList(options: WorkListOptions): Promise<WorkList> {
  const list = new OwnedList(options);
  await list.open();
  return list;
}

interface Command {
  decide(state: ListState, now: number): void;
  resolve(): void;
  reject(error: unknown): void;
}

/** What the list has of itself in memory. */
interface Known {
  readonly state: ListState;
  /** Log rows before it are durable. */
  durableNext: number;
}

type Condition = { readonly kind: "open" } | { readonly kind: "closed" };

/**
 * The list's one owner. Commands wait in memory; one turn decides as many as fit a commit, and answers them when it is
 * durable. Only one turn runs at a time, so at most one commit is in flight and what a turn sees is durable or its own.
 */
class OwnedList implements WorkList {
  readonly #options: WorkListOptions;
  readonly #bodies: BodyCache;
  readonly #waiters: LeaseWaiters;
  readonly #heldGroups = new Set<string>();
  /** Leases of a process that is gone, as they were at the opening: at most as many as a list may have at once. */
  readonly #abandoned = new Set<string>();
  #rules: ListRules;
  #condition: Condition = { kind: "open" };
  #time: ListTime | undefined;
  /** Undefined before it was read, and after a failed commit until it is read again. */
  #known: Known | undefined;
  #commands: Command[] = [];
  #running: Promise<void> | undefined;
  /** Something happened since the turn began: another one is due. */
  #woken = false;
  /** Reading ahead, while it is under way. */
  #load: Promise<void> | undefined;
  #timer: Timer | undefined;
  #rowBytes = 1_024;

  constructor(options: WorkListOptions) {
    this.#options = options;
    this.#rules = options.rules;
    this.#bodies = options.bodies ?? new BodyCache(OWN_CACHE_BYTES_MAX);
    this.#waiters = new LeaseWaiters(options.clock);
  }

  async open(): Promise<void> {
    const { holders } = this.#options;
    // In the store these leases are live until a commit says otherwise: a later look, behind one that failed, must know them.
    await this.#read((receipt) => {
      if (holders === "here") this.#abandoned.add(receipt);
      return holders === "here";
    });
    this.#wake();
  }

  async #read(isAbandoned: (receipt: string) => boolean): Promise<Known> {
    const { store, cell, clock } = this.#options;
    const head = await readHead(store, cell);
    this.#time ??= new ListTime(clock, head?.highWater ?? 0);
    const state = await readState(store, cell, head, {
      rules: this.#rules,
      heldGroups: this.#heldGroups,
      now: this.#time.now(),
      isAbandoned,
    });
    this.#known = { state, durableNext: state.next };
    if (state.outgoingCount > 0) this.#options.onOutgoing?.();
    return this.#known;
  }

  // Commands.

  enqueue(items: readonly NewItem[], rows: Parameters<WorkList["enqueue"]>[1] = []) {
    checkItems(items);
    return this.#do((state, now) => {
      state.refuseBeyondBounds(items);
      const outcomes = state.enqueue(items, now);
      state.writeOwn(typeof rows === "function" ? rows(outcomes) : rows);
      return outcomes;
    });
  }

  async lease(request: LeaseRequest): Promise<LeaseOutcome> {
    invariant(request.max >= 1 && request.max <= 10_000, "a lease is of 1 to 10,000 items");
    this.#refuseWhenClosed();
    const outcome = this.#waiters.add(request);
    this.#wake();
    return outcome;
  }

  settle(receipt: string, options: Parameters<WorkList["settle"]>[1] = {}) {
    const { evenExpired = false, enqueue = [], rows = [] } = options;
    checkItems(enqueue);
    return this.#do((state, now) => {
      state.refuseBeyondBounds(enqueue);
      const outcome = state.settle(receipt, now, evenExpired);
      if (outcome.kind !== "settled") return outcome;
      state.enqueue(enqueue, now);
      state.writeOwn(rows);
      return outcome;
    });
  }

  extend(receipt: string, leaseMs: number) {
    return this.#do((state, now) => state.extend(receipt, leaseMs, now));
  }

  release(receipt: string, { delayMs, note, rows = [] }: Parameters<WorkList["release"]>[1]) {
    invariant((note?.byteLength ?? 0) <= NOTE_BYTES_MAX, `a note has at most ${NOTE_BYTES_MAX} bytes`);
    return this.#do((state, now) => {
      const outcome = state.release(receipt, delayMs, note, now);
      if (outcome.kind === "extended") state.writeOwn(rows);
      return outcome;
    });
  }

  async sendOn(max: number, target: string): Promise<number> {
    for (;;) {
      const { sent, more } = await this.#do((state, now) => ({
        sent: state.sendOn(max, target, now),
        more: state.wanted(now, this.#known?.durableNext ?? 0, true) !== undefined,
      }));
      if (sent > 0 || !(more || this.#load)) return sent;
      await this.#load;
    }
  }

  async outgoing(max: number, after = 0): Promise<OutgoingItem[]> {
    const grants = await this.#do((state) => state.outgoing(max, after));
    const stored = await this.#storedItems(grants);
    return grants.flatMap(({ number, target, position, index }) => {
      const item = stored.get(position)?.[index];
      return item ? [{ ...item, number, target, sequence: sequenceOf(position, index) }] : [];
    });
  }

  settleOutgoing(numbers: readonly number[], rows: readonly OwnRow[] = []) {
    return this.#do((state) => {
      state.settleOutgoing(numbers);
      state.writeOwn(rows);
    });
  }

  returnOutgoing(numbers: readonly number[]) {
    return this.#do((state, now) => state.returnOutgoing(numbers, now));
  }

  holdGroup(group: string): void {
    this.#heldGroups.add(group);
  }

  freeGroup(group: string): void {
    if (!this.#heldGroups.delete(group)) return;
    this.#known?.state.freed(group);
    this.#wake();
  }

  purge() {
    return this.#do((state) => state.purge());
  }

  writeRows(rows: readonly OwnRow[]) {
    return this.#do((state) => state.writeOwn(rows));
  }

  getRows(keys: readonly string[]) {
    const { store, cell } = this.#options;
    return store.getAll(
      cell,
      keys.map((key) => OWN_PREFIX + key),
    );
  }

  readRows(range: Parameters<WorkList["readRows"]>[0]) {
    return readOwnRows(this.#options.store, this.#options.cell, range);
  }

  configure(rules: Partial<ListRules>): void {
    invariant(rules.ordering === undefined || rules.ordering === this.#rules.ordering, "a list keeps its ordering");
    this.#rules = { ...this.#rules, ...rules };
    this.#known?.state.configure(this.#rules);
    this.#wake();
  }

  counts() {
    const counts = this.#known?.state.counts();
    if (counts) return counts;
    // Whoever only asks and adds nothing would else wait for somebody to set the reading off.
    this.#wake();
    throw new LambentError("StorageBusy", `What cell ${this.#options.cell} holds is being read.`);
  }

  async close(): Promise<void> {
    this.#condition = { kind: "closed" };
    this.#waiters.answerAll({ kind: "closed" });
    await this.#running;
    this.#timer?.cancel();
  }

  #do<T>(decide: (state: ListState, now: number) => T): Promise<T> {
    const answer = deferred<T>();
    try {
      this.#refuseWhenClosed();
      if (this.#commands.length >= LIST_COMMANDS_MAX)
        throw new LambentError("StorageBusy", `${LIST_COMMANDS_MAX} commands wait at cell ${this.#options.cell}, which is the bound.`);
    } catch (error) {
      return Promise.reject(error);
    }
    let outcome: T;
    this.#commands.push({
      decide: (state, now) => void (outcome = decide(state, now)),
      resolve: () => answer.resolve(outcome),
      reject: answer.reject,
    });
    this.#wake();
    return answer.promise;
  }

  #refuseWhenClosed(): void {
    if (this.#condition.kind === "closed") throw new LambentError("ShuttingDown", `Cell ${this.#options.cell} is closed.`);
  }

  // Turns.

  /** Commands given in the same tick share a turn: it begins behind them. */
  #wake(): void {
    this.#woken = true;
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    try {
      do this.#woken = false;
      while ((await this.#turn()) || this.#woken);
    } finally {
      this.#running = undefined;
    }
  }

  /** One commit, or nothing to commit. Returns whether there is more to do at once. */
  async #turn(): Promise<boolean> {
    const known = await this.#knownOrRead();
    if (!known) return false;
    const { state } = known;
    const now = this.#now();
    state.advance(now);
    state.expireFront(now);
    // Those who wait come first: new items may fill the commit, turn after turn.
    const decided: Command[] = [];
    this.#serve(state, now, decided);
    this.#decide(state, now, decided);
    this.#serve(state, now, decided);
    const drafts = [...state.changes.drafts];
    const ops = state.takeOps(this.#options.cell, now);
    if (ops.length > 0) {
      try {
        await this.#options.store.commit(this.#options.cell, "any", ops);
      } catch (error) {
        return this.#commitFailed(error, decided);
      }
      known.durableNext = state.next;
      for (const { position, items, row } of drafts) if (row) this.#bodies.set(this.#options.cell, position, items);
      if (state.outgoingCount > 0) this.#options.onOutgoing?.();
    }
    for (const command of decided) command.resolve();
    return this.#goOn(known, now);
  }

  /** What was decided is not so. A store that is busy is asked again, for those who wait; one that stopped has nothing for them any more. */
  #commitFailed(error: unknown, decided: readonly Command[]): boolean {
    this.#known = undefined;
    for (const command of decided) command.reject(error);
    if (isLambentError(error, "StorageBusy")) {
      this.#waiters.rejectImpatient(error);
      this.#timer?.cancel();
      if (this.#condition.kind === "open") this.#timer = this.#options.clock.schedule(BUSY_RETRY_MS, () => this.#wake());
    } else this.#waiters.rejectAll(error);
    return this.#commands.length > 0;
  }

  async #knownOrRead(): Promise<Known | undefined> {
    if (this.#known) return this.#known;
    try {
      return await this.#read((receipt) => this.#abandoned.has(receipt));
    } catch (error) {
      for (const command of this.#commands.splice(0)) command.reject(error);
      this.#waiters.rejectAll(error);
      return undefined;
    }
  }

  #decide(state: ListState, now: number, decided: Command[]): void {
    let taken = 0;
    for (const command of this.#commands) {
      if (state.changes.full) break;
      taken += 1;
      try {
        command.decide(state, now);
        decided.push(command);
      } catch (error) {
        command.reject(error);
      }
    }
    this.#commands = taken === this.#commands.length ? [] : this.#commands.slice(taken);
  }

  /** Leases what is ready to those who wait, in the order they came. */
  #serve(state: ListState, now: number, decided: Command[]): void {
    for (const waiter of this.#waiters) {
      if (state.changes.full || state.leasesAreExhausted || !state.hasNext(now)) break;
      const { max, leaseMs } = waiter.request;
      const grants = state.lease(max, leaseMs, now, () => this.#options.secureRandom.bytes(8).toString("base64url"));
      if (grants.length === 0) continue;
      this.#waiters.remove(waiter);
      const leasedAt = this.#options.clock.monotonicMs();
      decided.push({
        decide: () => undefined,
        resolve: () => void this.#leased(grants, leasedAt).then(waiter.answer.resolve, waiter.answer.reject),
        reject: waiter.answer.reject,
      });
    }
  }

  /** Behind a commit: reads ahead, answers who does not wait, sets the timer. */
  #goOn(known: Known, now: number): boolean {
    const { state } = known;
    if (this.#woken || this.#commands.length > 0 || state.changes.hasGarbage) return true;
    if (this.#waiters.size > 0 && !state.leasesAreExhausted && state.hasNext(now)) return true;
    const wanted = this.#load ? undefined : state.wanted(now, known.durableNext, this.#waiters.size > 0);
    if (wanted) this.#load = this.#readAhead(known, wanted);
    if (this.#load) return false;
    if (state.leasesAreExhausted) this.#waiters.answerImpatient({ kind: "overLimit" });
    this.#waiters.answerImpatient({ kind: "leased", items: [] });
    this.#setTimer(state, now);
    return false;
  }

  #setTimer(state: ListState, now: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    const dueAt = state.nextDueAt();
    if (dueAt !== undefined && this.#condition.kind === "open")
      this.#timer = this.#options.clock.schedule(Math.max(0, dueAt - now), () => this.#wake());
  }

  #now(): number {
    invariant(this.#time !== undefined, "a list knows the time once it was read");
    return this.#time.now();
  }

  // Bodies.

  async #readAhead(known: Known, wanted: Wanted): Promise<void> {
    try {
      const rows = await this.#readRows(wanted, known.durableNext);
      const now = this.#now();
      for (const { position, value } of rows) {
        const items = decodeRow(value);
        this.#bodies.set(this.#options.cell, position, items);
        known.state.loadRow(position, items, now);
      }
      // What was read away meanwhile, by a purge, is not wanted any more. What still is, is gone.
      if (isSame(wanted, known.state.wanted(now, known.durableNext, this.#waiters.size > 0))) throw rowMissing(this.#options.cell, wanted);
    } catch (error) {
      this.#waiters.rejectAll(error);
      this.#load = undefined;
      return;
    }
    this.#load = undefined;
    this.#wake();
  }

  async #readRows(wanted: Wanted, durableNext: number): Promise<LogRow[]> {
    const { store, cell } = this.#options;
    if (wanted.kind === "row") return (await store.read(cell, wanted.position, 1)).filter((row) => row.position === wanted.position);
    const wish = Math.min(Math.floor(PAGE_BYTES_TARGET / this.#rowBytes), READ_ROWS_MAX, durableNext - wanted.from);
    const rows = await store.read(cell, wanted.from, Math.max(1, wish));
    const bytes = rows.reduce((sum, row) => sum + row.value.byteLength, 0);
    this.#rowBytes = Math.max(1, bytes / Math.max(1, rows.length));
    return rows;
  }

  async #leased(grants: readonly LeaseGrant[], leasedAt: MonotonicMs): Promise<LeaseOutcome> {
    const stored = await this.#storedItems(grants);
    const items = grants.flatMap(({ position, index, ...grant }): LeasedItem[] => {
      // A purge may have been faster than the reading.
      const item = stored.get(position)?.[index];
      return item ? [{ ...grant, leasedAt, id: item.id, body: item.body, sequence: sequenceOf(position, index) }] : [];
    });
    return { kind: "leased", items };
  }

  async #storedItems(places: readonly { readonly position: number }[]): Promise<ReadonlyMap<number, readonly StoredItem[]>> {
    const { store, cell } = this.#options;
    const found = new Map<number, readonly StoredItem[]>();
    const missing: number[] = [];
    for (const position of new Set(places.map((place) => place.position))) {
      const items = this.#bodies.get(cell, position);
      if (items) found.set(position, items);
      else missing.push(position);
    }
    await Promise.all(
      missing.map(async (position) => {
        const [row] = await store.read(cell, position, 1);
        if (row?.position !== position) return;
        const items = decodeRow(row.value);
        found.set(position, items);
        this.#bodies.set(cell, position, items);
      }),
    );
    return found;
  }
}

function isSame(wanted: Wanted, again: Wanted | undefined): boolean {
  return wanted.kind === "row"
    ? again?.kind === "row" && again.position === wanted.position
    : again?.kind === "page" && again.from === wanted.from;
}

/** Asking for it again would never end. */
function rowMissing(cell: CellKey, wanted: Wanted): LambentError {
  return new LambentError(
    "StorageCorrupt",
    `Row ${wanted.kind === "row" ? wanted.position : wanted.from} of the waiting work of cell ${cell} is missing.`,
  );
}

function checkItems(items: readonly NewItem[]): void {
  invariant(items.length <= ITEMS_PER_CALL_MAX, `a call enqueues at most ${ITEMS_PER_CALL_MAX} items`);
  let bytes = 0;
  for (const { body } of items) {
    invariant(body.byteLength <= ITEM_BYTES_MAX, `an item has at most ${ITEM_BYTES_MAX} bytes`);
    bytes += body.byteLength;
  }
  invariant(bytes <= CALL_BYTES_MAX, `the items of one call have at most ${CALL_BYTES_MAX} bytes`);
}
