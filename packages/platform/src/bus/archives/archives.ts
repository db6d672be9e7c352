/**
 * Archives: what a bus keeps of its events so that they can be replayed. An archive is a target of a rule that the platform manages, as on
 * AWS, so that its events come durably and exactly the way those of any target do. The archive's record decides: its rule follows it, and what a
 * crash left between the two, or of an archive that is gone, is mended at the next start.
 */
import { isLambentError, LambentError, type Clock, type Instant, type SecureRandom, type Timer } from "../../base/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { parsePattern } from "../../patterns/index.ts";
import { type CellKey, eachCell, type RealmTables, type Store } from "../../storage/index.ts";
import type { BusEvent } from "../envelope.ts";
import { eventsArn } from "../names.ts";
import type { Rules } from "../rules.ts";
import { type ArchiveCounts, ArchiveStore } from "./archive-store.ts";

/** Archives of one realm. @limit */
export const ARCHIVES_MAX = 100;
const DAY_MS = 86_400_000;
/** What is too old is looked for this often. */
const FORGET_EVERY_MS = 3_600_000;
const RULE_PREFIX = "Events-Archive-";

export interface ArchiveRecord {
  readonly name: string;
  /** Another one each time an archive of this name is created: names its cell. */
  readonly id: string;
  readonly bus: string;
  readonly description: string | undefined;
  readonly pattern: string | undefined;
  /** 0: for ever. */
  readonly retentionDays: number;
  readonly createdAt: Instant;
}

export type ArchiveDraft = Pick<ArchiveRecord, "name" | "bus" | "description" | "pattern" | "retentionDays">;

export interface ArchivesParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly tables: RealmTables<ArchiveRecord>;
  readonly rules: Rules;
  readonly onProblem: (error: unknown) => void;
}

export class Archives {
  readonly #parts: ArchivesParts;
  readonly #stores = new Map<CellKey, ArchiveStore>();
  #timer: Timer | undefined;

  constructor(parts: ArchivesParts) {
    this.#parts = parts;
  }

  /** Throws `NotFound`. */
  get(realm: Realm, name: string): ArchiveRecord {
    const record = this.#parts.tables.items(realm).get(name);
    if (!record) throw new LambentError("NotFound", `Archive ${name} does not exist.`);
    return record;
  }

  list(realm: Realm, prefix: string): ArchiveRecord[] {
    return [...this.#parts.tables.items(realm).values()]
      .filter(({ name }) => name.startsWith(prefix))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Events kept, and their bytes. */
  counts(realm: Realm, record: ArchiveRecord): Promise<ArchiveCounts> {
    return this.store(realm, record).counts();
  }

  /** Throws `AlreadyExists`, `InvalidPattern`, `LimitExceeded`, `NotFound` for the bus. */
  async create(realm: Realm, draft: ArchiveDraft): Promise<ArchiveRecord> {
    if (draft.pattern !== undefined) parsePattern(draft.pattern);
    const table = this.#parts.tables.of(realm);
    return table.changes.take(async () => {
      if (table.items.has(draft.name)) throw new LambentError("AlreadyExists", `Archive ${draft.name} already exists.`);
      if (table.items.size >= ARCHIVES_MAX)
        throw new LambentError("LimitExceeded", `The requested resource exceeds the maximum number allowed: ${ARCHIVES_MAX} archives.`);
      const record: ArchiveRecord = { ...draft, id: this.#parts.secureRandom.uuid(), createdAt: this.#parts.clock.now() };
      await table.put(draft.name, record);
      try {
        await this.#putRule(realm, record);
      } catch (error) {
        await table.remove(draft.name);
        throw error;
      }
      return record;
    });
  }

  /** Throws `InvalidPattern`, `NotFound`. */
  async update(
    realm: Realm,
    name: string,
    change: Partial<Pick<ArchiveDraft, "description" | "pattern" | "retentionDays">>,
  ): Promise<ArchiveRecord> {
    if (change.pattern !== undefined) parsePattern(change.pattern);
    const table = this.#parts.tables.of(realm);
    return table.changes.take(async () => {
      const record = { ...this.get(realm, name), ...change };
      await this.#putRule(realm, record);
      await table.put(name, record);
      return record;
    });
  }

  /** Removes an archive with its events. */
  async delete(realm: Realm, name: string): Promise<void> {
    const table = this.#parts.tables.of(realm);
    const record = await table.changes.take(async () => {
      const known = this.get(realm, name);
      await this.#parts.rules.removeManaged(realm, known.bus, RULE_PREFIX + name);
      await table.remove(name);
      return known;
    });
    // What was on its way is refused from here on, and what was being written stands before this.
    const cell = cellOf(realm, record);
    await this.store(realm, record).remove();
    this.#stores.delete(cell);
  }

  /** Makes the rules of a realm's archives what the archives say, and ends those that are gone. For after the start. */
  async mend(realm: Realm): Promise<void> {
    const { tables, store } = this.#parts;
    await tables.of(realm).changes.take(() => this.#mendRules(realm));
    const there = new Set([...tables.items(realm).values()].map((record) => cellOf(realm, record)));
    for await (const cell of eachCell(store, `${realmKey(realm)}/archive/`))
      // One that was made meanwhile is in nobody's way.
      if (!there.has(cell) && !this.#stores.has(cell)) await new ArchiveStore(store, cell).remove();
  }

  /** Keeps an event. Throws `NotFound` for an archive that is gone. */
  add(realm: Realm, name: string, event: BusEvent): Promise<void> {
    return this.store(realm, this.get(realm, name)).add(event);
  }

  store(realm: Realm, record: ArchiveRecord): ArchiveStore {
    const cell = cellOf(realm, record);
    const store = this.#stores.get(cell) ?? new ArchiveStore(this.#parts.store, cell);
    this.#stores.set(cell, store);
    return store;
  }

  /** Forgets what is older than its archive keeps, now and every hour. */
  start(): void {
    void this.#forget().catch((error: unknown) => {
      if (!isLambentError(error, "ShuttingDown", "StorageStopped", "StorageBusy")) this.#parts.onProblem(error);
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  async #forget(): Promise<void> {
    const { clock, tables } = this.#parts;
    this.#timer = clock.schedule(FORGET_EVERY_MS, () => this.start());
    for (const { realm, items } of tables)
      for (const record of items.values())
        if (record.retentionDays > 0) await this.store(realm, record).forget(clock.now() - record.retentionDays * DAY_MS);
  }

  async #mendRules(realm: Realm): Promise<void> {
    const { tables, rules, onProblem } = this.#parts;
    const items = tables.items(realm);
    for (const { bus, name } of rules.managed(realm))
      if (items.get(name.slice(RULE_PREFIX.length))?.bus !== bus) await rules.removeManaged(realm, bus, name);
    for (const record of items.values()) {
      if (rules.find(realm, record.bus, RULE_PREFIX + record.name)?.pattern === askedPattern(record)) continue;
      try {
        await this.#putRule(realm, record);
      } catch (error) {
        // Its bus is gone, or somebody has a rule of that name: the others do not wait for that.
        if (!isLambentError(error, "NotFound", "AlreadyExists")) throw error;
        onProblem(error);
      }
    }
  }

  #putRule(realm: Realm, record: ArchiveRecord): Promise<void> {
    const { name, bus } = record;
    return this.#parts.rules.putManaged(realm, {
      ...{ bus, name: RULE_PREFIX + name, pattern: askedPattern(record) },
      target: { id: RULE_PREFIX + name, arn: eventsArn(realm, "archive", name) },
    });
  }
}

/** What a replay brings was in an archive before. */
function askedPattern({ pattern }: ArchiveRecord): string {
  return JSON.stringify({ ...(pattern === undefined ? {} : (JSON.parse(pattern) as object)), "replay-name": [{ exists: false }] });
}

function cellOf(realm: Realm, { name, id }: ArchiveRecord): CellKey {
  return `${realmKey(realm)}/archive/${name}/${id}`;
}
