/**
 * Schedules: groups of them, when they are due, and what is done then: a delivery in the outbox of their group's cell.
 *
 * Keeps P1, P2 (every occurrence is delivered or recorded as missed), P6 (one timer over all groups), P7 (a schedule costs its rows in the
 * store; in memory is what is due within seconds), P11. Deliberately absent: handing over (`delivery/`), how a request looks on the wire, who may do
 * what, and what a rule of a bus sends (whoever keeps the rules says it: `DueRules`).
 */
import { type Clock, delay, isLambentError, LambentError, Lru, type Random, type SecureRandom } from "../base/index.ts";
import { forgetPast } from "../ledger/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import { type DeadDelivery, Outbox, type ParcelAttribute } from "../outbox/index.ts";
import { BodyCache, type CellKey, eachCell, eachRealm, readOwnRows, RealmTables, type Store } from "../storage/index.ts";
import { deadLetterAttributes } from "./deliveries.ts";
import { created, type Creation, type EditTime, scheduleGone, updated } from "./editing.ts";
import { type DueRules, type KeptSchedule, readSchedule, ScheduleGroup } from "./group.ts";
import { changedTags, givenGroup, groupCell, type GroupRecord, parseGroupCell } from "./group-record.ts";
import { DEFAULT_GROUP, RULES_GROUP, SCHEDULES_CELL_KIND } from "./names.ts";
import { firstDue, hasDeliveries, removeCell } from "./remains.ts";
import { decodeSchedule, SCHEDULE_PREFIX } from "./rows.ts";
import type { ScheduleRecord, ScheduleSettings } from "./schedule.ts";
import { Wakes } from "./wakes.ts";

/** Groups of one realm. @limit */
const SCHEDULE_GROUPS_MAX = 500;
/** Changes of groups that wait for their turn in one realm (P7). @limit */
const GROUP_CHANGES_WAITING_MAX = 1_000;
/** Payloads of deliveries that are kept in memory, of all groups together. */
const BODY_CACHE_BYTES_MAX = 16 * 1024 * 1024;
/** After a refusal by the storage. */
const BUSY_RETRY_MS = 1_000;
/** Tokens of removals that are remembered, so that one that comes again is answered as the first one. */
const REMOVAL_TOKENS_MAX = 1_000;

export interface SchedulesOptions {
  readonly store: Store;
  readonly clock: Clock;
  /** Places occurrences in their windows and spreads deliveries that are tried again. */
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  /** What waits between attempts are multiplied with. */
  readonly retryTimeFactor: number;
  readonly rules: DueRules & {
    /** What the dead-letter queue of a rule's target is told. */
    deadLetter(dead: DeadDelivery): Readonly<Record<string, ParcelAttribute>>;
  };
  /** A group's deliveries are to be handed over from here on. */
  readonly onOpened: (cell: CellKey, realm: Realm, outbox: Outbox) => void;
  readonly onProblem: (error: unknown) => void;
}

/** Opens the schedules of all realms. Only the groups are read; what they hold once it is due or asked for. */
export async function openSchedules(options: SchedulesOptions): Promise<Schedules> {
  const { store } = options;
  return new Schedules(
    options,
    await RealmTables.load<GroupRecord>({ store, kind: "schedules", prefix: "group/", changesWaitingMax: GROUP_CHANGES_WAITING_MAX }),
  );
}

export class Schedules {
  readonly #options: SchedulesOptions;
  readonly #groups: RealmTables<GroupRecord>;
  readonly #open = new Map<CellKey, Promise<ScheduleGroup>>();
  readonly #wakes: Wakes;
  readonly #bodies = new BodyCache(BODY_CACHE_BYTES_MAX);
  readonly #removalTokens = new Lru<string, string>(REMOVAL_TOKENS_MAX);
  #closed = false;

  constructor(options: SchedulesOptions, groups: RealmTables<GroupRecord>) {
    this.#options = options;
    this.#groups = groups;
    this.#wakes = new Wakes(options.clock, (cell) => this.#wake(cell));
  }

  /** Takes up what a restart interrupted: what is due, deliveries, groups that are being removed. For after the start; nobody waits for it. */
  async resume(): Promise<void> {
    for await (const realm of eachRealm(this.#options.store)) {
      for await (const cell of eachCell(this.#options.store, `${realmKey(realm)}/${SCHEDULES_CELL_KIND}/`)) {
        if (this.#closed) return;
        // One damaged cell does not keep the others from being taken up.
        await this.#resumeCell(cell).catch((error: unknown) => this.#later(cell, error));
      }
      for (const group of this.#groups.items(realm).values()) if (group.state === "DELETING") void this.#remove(realm, group);
    }
  }

  // Groups.

  /** Throws `NotFound`. */
  group(realm: Realm, name: string): GroupRecord {
    const group = this.#find(realm, name);
    if (!group || name === RULES_GROUP) throw new LambentError("NotFound", `Schedule group ${name} does not exist.`);
    return group;
  }

  /** Groups of a realm by name, behind `after` when given. */
  groups(realm: Realm, range: { readonly prefix: string; readonly after?: string | undefined; readonly limit: number }): GroupRecord[] {
    const { prefix, after, limit } = range;
    const made = this.#groups.items(realm);
    const all = [...made.values(), ...(made.has(DEFAULT_GROUP) ? [] : [givenGroup(DEFAULT_GROUP)])].filter((group) => group !== undefined);
    return all
      .filter(({ name }) => name.startsWith(prefix) && (after === undefined || name > after))
      .sort((left, right) => (left.name < right.name ? -1 : 1))
      .slice(0, limit);
  }

  /** Makes a group. The same request by its token makes it once. */
  createGroup(realm: Realm, name: string, tags: Readonly<Record<string, string>>, token: string): Promise<GroupRecord> {
    const table = this.#groups.of(realm);
    return table.changes.take(async () => {
      const known = this.#find(realm, name);
      if (known?.state === "ACTIVE" && known.token === token) return known;
      if (known) throw new LambentError("AlreadyExists", `Schedule group ${name} already exists.`);
      if (table.items.size >= SCHEDULE_GROUPS_MAX)
        throw new LambentError("LimitExceeded", `A realm has at most ${SCHEDULE_GROUPS_MAX} schedule groups.`);
      const { clock, secureRandom } = this.#options;
      const now = clock.now();
      const id = secureRandom.uuid();
      const group: GroupRecord = { name, id, state: "ACTIVE", tags: changedTags({}, tags, []), createdAt: now, modifiedAt: now, token };
      await table.put(name, group);
      return group;
    });
  }

  /** Changes a group's tags. */
  changeTags(realm: Realm, name: string, added: Readonly<Record<string, string>>, removed: readonly string[]): Promise<void> {
    const table = this.#groups.of(realm);
    return table.changes.take(async () => {
      const known = this.group(realm, name);
      await table.put(name, { ...known, tags: changedTags(known.tags, added, removed), modifiedAt: this.#options.clock.now() });
    });
  }

  /** Removes a group: it takes nothing any more, and once its schedules are removed it is gone. */
  async deleteGroup(realm: Realm, name: string, token: string): Promise<void> {
    if (name === DEFAULT_GROUP) throw new LambentError("InvalidParameter", "The default schedule group cannot be deleted.");
    const table = this.#groups.of(realm);
    const key = `${realmKey(realm)}/${name}`;
    const removed = await table.changes.take(async () => {
      if (!this.#find(realm, name) && this.#removalTokens.get(key) === token) return undefined;
      const known = this.group(realm, name);
      if (known.state === "DELETING") return undefined;
      const deleting: GroupRecord = { ...known, state: "DELETING", modifiedAt: this.#options.clock.now() };
      await table.put(name, deleting);
      this.#removalTokens.set(key, token);
      return deleting;
    });
    if (removed) void this.#remove(realm, removed);
  }

  // Schedules.

  /** Changes a schedule of a group, or makes one: `change` decides on what there is, and nothing changes meanwhile. Throws `NotFound` for a group that is none. */
  async change<T>(
    realm: Realm,
    group: string,
    name: string,
    change: (known: KeptSchedule | undefined) => { readonly kept: KeptSchedule | undefined; readonly answer: T },
  ): Promise<T> {
    const open = await this.#opened(realm, this.#active(realm, group));
    return open.change(name, (known) => {
      // While the change waited, the group may have been removed.
      this.#active(realm, group);
      return change(known);
    });
  }

  /** Makes a schedule. The same request by its token makes it once. */
  create(realm: Realm, group: string, creation: Creation): Promise<void> {
    return this.change(realm, group, creation.name, (known) => ({ kept: created(known, creation, this.#editTime()), answer: undefined }));
  }

  /** Gives a schedule other settings; those that are not named are the default ones. */
  update(realm: Realm, group: string, name: string, settings: ScheduleSettings): Promise<void> {
    return this.change(realm, group, name, (known) => ({ kept: updated(known, name, settings, this.#editTime()), answer: undefined }));
  }

  /** Removes a schedule; what it is delivering goes on. The same request by its token may come again. */
  delete(realm: Realm, group: string, name: string, token: string): Promise<void> {
    const key = `${realmKey(realm)}/${group}/${name}`;
    return this.change(realm, group, name, (known) => {
      if (!known && this.#removalTokens.get(key) !== token) throw scheduleGone(name);
      this.#removalTokens.set(key, token);
      return { kept: undefined, answer: undefined };
    });
  }

  /** A schedule, with what was done of it last and what will be next. Throws `NotFound`. */
  async read(realm: Realm, group: string, name: string): Promise<KeptSchedule> {
    const cell = groupCell(realm, this.#active(realm, group));
    const kept = await readSchedule((range) => readOwnRows(this.#options.store, cell, range), name);
    if (!kept) throw scheduleGone(name);
    return kept;
  }

  /** Schedules of a group by name, behind `after` when given. */
  async list(
    realm: Realm,
    group: string,
    range: { readonly prefix: string; readonly after?: string | undefined; readonly limit: number },
  ): Promise<ScheduleRecord[]> {
    const { prefix, after, limit } = range;
    const rows = await readOwnRows(this.#options.store, groupCell(realm, this.#active(realm, group)), {
      prefix: SCHEDULE_PREFIX + prefix,
      limit,
      ...(after === undefined ? {} : { after: SCHEDULE_PREFIX + after }),
    });
    return rows.map(({ value }) => decodeSchedule(value));
  }

  /** Nothing is due any more. Deliveries that are being tried end first, where the caller has not ended them. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#wakes.close();
    await Promise.all([...this.#open.values()].map((opening) => opening.then((group) => group.close()).catch(() => undefined)));
  }

  #editTime(): EditTime {
    return { now: this.#options.clock.now(), chance: this.#options.random.next() };
  }

  #find(realm: Realm, name: string): GroupRecord | undefined {
    return this.#groups.items(realm).get(name) ?? givenGroup(name);
  }

  #active(realm: Realm, name: string): GroupRecord {
    const group = this.#find(realm, name);
    if (!group || group.state === "DELETING") throw new LambentError("NotFound", `Schedule group ${name} does not exist.`);
    return group;
  }

  #opened(realm: Realm, record: Pick<GroupRecord, "name" | "id">): Promise<ScheduleGroup> {
    const cell = groupCell(realm, record);
    const known = this.#open.get(cell);
    if (known) return known;
    if (this.#closed) return Promise.reject(new LambentError("ShuttingDown", "The server is stopping."));
    const opening = this.#openGroup(cell, realm, record.name);
    this.#open.set(cell, opening);
    opening.catch(() => this.#open.delete(cell));
    return opening;
  }

  async #openGroup(cell: CellKey, realm: Realm, group: string): Promise<ScheduleGroup> {
    const { store, clock, random, secureRandom, retryTimeFactor, rules, onOpened, onProblem } = this.#options;
    const deadLetter = group === RULES_GROUP ? (dead: DeadDelivery) => rules.deadLetter(dead) : deadLetterAttributes;
    const outbox = await Outbox.open({
      ...{ store, cell, clock, random, secureRandom, retryTimeFactor, deadLetter },
      bodies: this.#bodies,
      ordering: "fair",
    });
    onOpened(cell, realm, outbox);
    const onNext = (at: number | undefined): void => this.#wakes.set(cell, at);
    const opened = new ScheduleGroup({ realm, group, outbox, clock, random, secureRandom, rules, onNext, onProblem });
    // Of one that is being removed nothing is done any more.
    if (this.#find(realm, group)?.state === "ACTIVE") void opened.run();
    return opened;
  }

  #wake(cell: CellKey): void {
    const parsed = parseGroupCell(cell);
    if (!parsed || this.#closed) return;
    this.#opened(parsed.realm, parsed)
      .then((group) => group.run())
      .catch((error: unknown) => this.#later(cell, error));
  }

  /** What the storage refused now stays due. */
  #later(cell: CellKey, error: unknown): void {
    if (isLambentError(error, "StorageBusy")) this.#wakes.set(cell, this.#options.clock.now() + BUSY_RETRY_MS);
    else this.#told(error);
  }

  async #resumeCell(cell: CellKey): Promise<void> {
    const { store } = this.#options;
    const parsed = parseGroupCell(cell);
    if (!parsed || this.#open.has(cell)) return;
    if (await hasDeliveries(store, cell)) {
      await this.#opened(parsed.realm, parsed);
    } else if (this.#find(parsed.realm, parsed.name)?.id === parsed.id) {
      if (this.#find(parsed.realm, parsed.name)?.state === "DELETING") return;
      const at = await firstDue(store, cell);
      // Whoever opened the group meanwhile knows better.
      if (at !== undefined && !this.#open.has(cell)) this.#wakes.set(cell, at);
    } else await this.#forgetGroup(cell, parsed);
  }

  /** Of a group that is no more, what the ledger has to keep stays for as long as it has to. */
  async #forgetGroup(cell: CellKey, parsed: { readonly realm: Realm; readonly name: string; readonly id: string }): Promise<void> {
    const group = await this.#opened(parsed.realm, parsed);
    const isDone = await forgetPast(group.outbox, this.#options.clock.now());
    await this.#closeGroup(cell, group);
    if (isDone) await removeCell(this.#options.store, cell);
  }

  /** The group is being removed whatever becomes of this: the next start goes on with it. */
  async #remove(realm: Realm, record: GroupRecord): Promise<void> {
    for (;;) {
      try {
        return await this.#removeGroup(realm, record);
      } catch (error) {
        if (!isLambentError(error, "StorageBusy")) return this.#told(error);
        await delay(this.#options.clock, BUSY_RETRY_MS);
      }
    }
  }

  async #removeGroup(realm: Realm, record: GroupRecord): Promise<void> {
    const table = this.#groups.of(realm);
    const group = await this.#opened(realm, record);
    await group.removeAll();
    await table.changes.take(() => table.remove(record.name));
    // Deliveries that have not ended are tried on; then the next start finds that there is nothing more.
    if (group.outbox.open === 0) await this.#closeGroup(groupCell(realm, record), group);
  }

  async #closeGroup(cell: CellKey, group: ScheduleGroup): Promise<void> {
    this.#wakes.set(cell, undefined);
    await group.close();
    this.#open.delete(cell);
  }

  #told(error: unknown): void {
    if (!isLambentError(error, "ShuttingDown", "StorageStopped")) this.#options.onProblem(error);
  }
}
