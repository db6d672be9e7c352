/**
 * Event buses: which there are, their rules, and the events put on them.
 *
 * Owns a cell a bus (P11): its deliveries, its records, and the definitions of a realm in the realm's registry. Keeps P1 (an event is told
 * taken once it and what it leads to are durable), P2 (one record an event, one a target), P6. Does not know how a target is reached
 * (`delivery/`), nor how a request looks on the wire.
 */
import { LambentError, type Clock, type Instant, type Random, type SecureRandom, timeOrderedId } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import { type NewDelivery, type Outbox, untilTaken } from "../outbox/index.ts";
import { type CellKey, eachRealm, RealmTables, type Store } from "../storage/index.ts";
import { type ArchiveRecord, Archives } from "./archives/archives.ts";
import { type ReplayRecord, Replays } from "./archives/replays.ts";
import { busCell, BusLines } from "./bus-lines.ts";
import type { BusRecord, RuleRecord } from "./definitions.ts";
import { checkBusName, DEFAULT_BUS } from "./names.ts";
import { type PublishedEvent, scheduledDeliveries } from "./routing.ts";
import { checkTags } from "./rule-checks.ts";
import { Rules, type RuleTimerPort } from "./rules.ts";

/** Buses of one realm. @limit */
const BUSES_MAX = 100;
/** Changes of buses, and of rules, that wait for their turn in one realm (P7). @limit */
const CHANGES_WAITING_MAX = 10_000;
const DEFAULT_RECORD: BusRecord = {
  ...{ name: DEFAULT_BUS, id: DEFAULT_BUS, description: undefined, policy: undefined, tags: {}, createdAt: 0, modifiedAt: 0 },
};

export interface BusesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  readonly retryTimeFactor: number;
  readonly timers: () => RuleTimerPort;
  /** Deliveries of a bus are to be handed over from now on. */
  readonly onOpened: (cell: CellKey, outbox: Outbox) => void;
  readonly onProblem: (error: unknown) => void;
}

/** Loads the definitions of all realms; a bus is opened when something is put on it. */
export async function openBuses(parts: BusesParts): Promise<Buses> {
  const { store } = parts;
  const common = { store, kind: "buses", changesWaitingMax: CHANGES_WAITING_MAX };
  const [buses, rules, archives, replays] = await Promise.all([
    RealmTables.load<BusRecord>({ ...common, prefix: "bus/" }),
    RealmTables.load<RuleRecord>({ ...common, prefix: "rule/" }),
    RealmTables.load<ArchiveRecord>({ ...common, prefix: "archive/" }),
    RealmTables.load<ReplayRecord>({ ...common, prefix: "replay/" }),
  ]);
  return new Buses(parts, { buses, rules, archives, replays });
}

/** What all realms define. */
interface Tables {
  readonly buses: RealmTables<BusRecord>;
  readonly rules: RealmTables<RuleRecord>;
  readonly archives: RealmTables<ArchiveRecord>;
  readonly replays: RealmTables<ReplayRecord>;
}

export class Buses {
  readonly rules: Rules;
  readonly archives: Archives;
  readonly replays: Replays;
  readonly #parts: BusesParts;
  readonly #buses: RealmTables<BusRecord>;
  readonly #lines: BusLines;
  #closed = false;

  constructor(parts: BusesParts, tables: Tables) {
    this.#parts = parts;
    this.#buses = tables.buses;
    this.rules = new Rules({
      clock: parts.clock,
      tables: tables.rules,
      timers: parts.timers,
      requireBus: (realm, bus) => void this.get(realm, bus),
    });
    this.#lines = new BusLines({
      ...parts,
      rulesOf: (realm, bus) => this.rules.list(realm, bus, ""),
      isThere: (realm, cell) => this.#isThere(realm, cell),
    });
    this.archives = new Archives({ ...parts, tables: tables.archives, rules: this.rules });
    this.replays = new Replays({
      ...{ ...parts, tables: tables.replays, archives: this.archives },
      publish: (realm, bus, events) => this.publish(realm, bus, events),
    });
    this.rules.onChange((realm, bus, name) => this.#ruleChanged(realm, bus, name));
  }

  /** Throws `NotFound`. */
  get(realm: Realm, name: string): BusRecord {
    const record = this.find(realm, name);
    if (!record) throw new LambentError("NotFound", `Event bus ${name} does not exist.`);
    return record;
  }

  find(realm: Realm, name: string): BusRecord | undefined {
    return this.#buses.items(realm).get(name) ?? (name === DEFAULT_BUS ? DEFAULT_RECORD : undefined);
  }

  /** Buses of a realm by name. */
  list(realm: Realm, prefix: string): BusRecord[] {
    const items = this.#buses.items(realm);
    return [...(items.has(DEFAULT_BUS) ? [] : [DEFAULT_RECORD]), ...items.values()]
      .filter(({ name }) => name.startsWith(prefix))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Throws `AlreadyExists`, `InvalidParameter`, `LimitExceeded`. */
  create(realm: Realm, draft: Pick<BusRecord, "name" | "description" | "tags">): Promise<BusRecord> {
    checkBusName(draft.name);
    checkTags(draft.tags);
    const table = this.#buses.of(realm);
    return table.changes.take(async () => {
      // Whoever makes and removes buses over and over leaves none open.
      await this.#lines.closeGone();
      if (this.find(realm, draft.name)) throw new LambentError("AlreadyExists", `Event bus ${draft.name} already exists.`);
      if (table.items.size >= BUSES_MAX)
        throw new LambentError("LimitExceeded", `The requested resource exceeds the maximum number allowed: ${BUSES_MAX} event buses.`);
      const now = this.#parts.clock.now();
      const record: BusRecord = { ...draft, id: this.#parts.secureRandom.uuid(), policy: undefined, createdAt: now, modifiedAt: now };
      await table.put(draft.name, record);
      return record;
    });
  }

  /** Changes what is said of a bus. Throws `NotFound`. */
  update(
    realm: Realm,
    name: string,
    change: (bus: BusRecord) => Partial<Pick<BusRecord, "description" | "policy" | "tags">>,
  ): Promise<BusRecord> {
    const table = this.#buses.of(realm);
    return table.changes.take(async () => {
      const known = this.get(realm, name);
      const record = { ...known, ...change(known), modifiedAt: this.#parts.clock.now() };
      checkTags(record.tags);
      await table.put(name, record);
      return record;
    });
  }

  /** Removes a bus that has no rules; one that is not there is no error, as on AWS. What was put on it before is still delivered. */
  delete(realm: Realm, name: string): Promise<void> {
    if (name === DEFAULT_BUS) throw new LambentError("InvalidParameter", `Cannot delete event bus ${DEFAULT_BUS}.`);
    const table = this.#buses.of(realm);
    const remove = async (): Promise<void> => {
      if (this.rules.count(realm, name) > 0)
        throw new LambentError("InvalidParameter", `Cannot delete event bus ${name}: it has rules. Delete them first.`);
      await table.remove(name);
    };
    // No rule is put on it between the look and the end.
    return table.changes.take(() => this.rules.whileUnchanged(realm, remove));
  }

  /** Takes events and resolves once they are durable, with all they lead to (P1). Throws `NotFound`, `Throttled`. */
  async publish(realm: Realm, bus: string, events: readonly PublishedEvent[]): Promise<void> {
    await (await this.#line(realm, bus)).publish(events);
  }

  /** What a rule with a schedule leads to when it is due; undefined when there is none any more, or it was disabled. */
  scheduledDeliveries(realm: Realm, name: string, dueAt: Instant): readonly NewDelivery[] | undefined {
    const rule = this.rules.find(realm, DEFAULT_BUS, name);
    // A timer that a crash left behind may be ahead of what corrects it.
    if (rule?.schedule === undefined || !rule.enabled) return undefined;
    const { clock, secureRandom } = this.#parts;
    return scheduledDeliveries(realm, rule, dueAt, { now: clock.now(), newId: () => timeOrderedId(clock, secureRandom) });
  }

  /** Whether an event of this record was taken before. Throws `NotFound`. */
  async knows(realm: Realm, bus: string, recordId: string): Promise<boolean> {
    const { outbox } = await this.#line(realm, bus);
    return (await outbox.ledger.get(recordId)) !== undefined;
  }

  /** Takes up what a stop or a crash left: timers, archives, replays, and deliveries, also those of buses that are gone. For after the start. */
  async resume(): Promise<void> {
    this.archives.start();
    this.replays.resume();
    for await (const realm of eachRealm(this.#parts.store)) {
      await this.#takeUp(() => this.rules.syncTimers(realm));
      await this.#takeUp(() => this.archives.mend(realm));
      for await (const cell of this.#lines.cells(realm)) await this.#takeUp(() => this.#lines.takeUp(realm, cell));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.archives.close();
    await this.replays.close();
    await this.#lines.close();
  }

  /** Does `work` again while the storage is busy. */
  #takeUp(work: () => Promise<unknown>): Promise<void> {
    const { clock, onProblem } = this.#parts;
    return untilTaken(work, { clock, onProblem, isClosed: () => this.#closed });
  }

  /** Throws `NotFound`. */
  #line(realm: Realm, bus: string): ReturnType<BusLines["line"]> {
    return this.#lines.line(realm, busCell(realm, this.get(realm, bus)));
  }

  #isThere(realm: Realm, cell: CellKey): boolean {
    const [, , name = ""] = cell.split("/");
    const record = this.find(realm, name);
    return record !== undefined && busCell(realm, record) === cell;
  }

  /** A bus that is being opened reads the rules itself, behind whatever this is about. */
  #ruleChanged(realm: Realm, bus: string, name: string): void {
    const record = this.find(realm, bus);
    const line = record && this.#lines.opened(busCell(realm, record));
    const rule = this.rules.find(realm, bus, name);
    void line?.then(
      (open) => (rule ? open.putRule(rule) : open.removeRule(name)),
      () => undefined,
    );
  }
}
