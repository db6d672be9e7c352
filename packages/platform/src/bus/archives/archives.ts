/**
 * Archives: what a bus keeps of its events so that they can be replayed. An archive is a target of a rule that the platform manages, as on
 * AWS, so that its events come durably and exactly the way those of any target do.
 */
import { isLambentError, LambentError, type Clock, type Instant, type SecureRandom, type Timer } from "../../base/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { parsePattern } from "../../patterns/index.ts";
import type { CellKey, RealmTables, Store } from "../../storage/index.ts";
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
    const record = this.#parts.tables.of(realm).items.get(name);
    if (!record) throw new LambentError("NotFound", `Archive ${name} does not exist.`);
    return record;
  }

  list(realm: Realm, prefix: string): ArchiveRecord[] {
    return [...this.#parts.tables.of(realm).items.values()]
      .filter(({ name }) => name.startsWith(prefix))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Events kept, and their bytes. */
  counts(realm: Realm, record: ArchiveRecord): Promise<ArchiveCounts> {
    return this.store(realm, record).counts();
  }

  /** Throws `AlreadyExists`, `InvalidPattern`, `LimitExceeded`, `NotFound` for the bus. */
  create(realm: Realm, draft: ArchiveDraft): Promise<ArchiveRecord> {
    const table = this.#parts.tables.of(realm);
    return table.changes.take(async () => {
      if (table.items.has(draft.name)) throw new LambentError("AlreadyExists", `Archive ${draft.name} already exists.`);
      if (table.items.size >= ARCHIVES_MAX)
        throw new LambentError("LimitExceeded", `The requested resource exceeds the maximum number allowed: ${ARCHIVES_MAX} archives.`);
      const record: ArchiveRecord = { ...draft, id: this.#parts.secureRandom.uuid(), createdAt: this.#parts.clock.now() };
      await this.#putRule(realm, record);
      await table.put(draft.name, record);
      return record;
    });
  }

  update(
    realm: Realm,
    name: string,
    change: Partial<Pick<ArchiveDraft, "description" | "pattern" | "retentionDays">>,
  ): Promise<ArchiveRecord> {
    const table = this.#parts.tables.of(realm);
    return table.changes.take(async () => {
      const record = { ...this.get(realm, name), ...change };
      await this.#putRule(realm, record);
      await table.put(name, record);
      return record;
    });
  }

  /** Removes an archive with its events. */
  delete(realm: Realm, name: string): Promise<void> {
    const table = this.#parts.tables.of(realm);
    return table.changes.take(async () => {
      const record = this.get(realm, name);
      await this.#parts.rules.removeManaged(realm, record.bus, RULE_PREFIX + name);
      await table.remove(name);
      await this.store(realm, record).forget(Number.MAX_SAFE_INTEGER);
    });
  }

  /** Keeps an event. Throws `NotFound` for an archive that is gone. */
  add(realm: Realm, name: string, event: BusEvent): Promise<void> {
    return this.store(realm, this.get(realm, name)).add(event);
  }

  store(realm: Realm, { name, id }: ArchiveRecord): ArchiveStore {
    const cell = `${realmKey(realm)}/archive/${name}/${id}`;
    const store = this.#stores.get(cell) ?? new ArchiveStore(this.#parts.store, cell);
    this.#stores.set(cell, store);
    return store;
  }

  /** Forgets what is older than its archive keeps, now and every hour, as long as there are archives that forget. */
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

  #putRule(realm: Realm, { name, bus, pattern }: ArchiveRecord): Promise<void> {
    if (pattern !== undefined) parsePattern(pattern);
    // What a replay brings was in an archive before.
    const asked = { ...(pattern === undefined ? {} : (JSON.parse(pattern) as object)), "replay-name": [{ exists: false }] };
    return this.#parts.rules.putManaged(realm, {
      ...{ bus, name: RULE_PREFIX + name, pattern: JSON.stringify(asked) },
      target: { id: RULE_PREFIX + name, arn: eventsArn(realm, "archive", name) },
    });
  }
}
