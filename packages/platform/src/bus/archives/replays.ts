/**
 * Replays: events of an archive put on their bus once more, in the order in which they happened, for all rules or chosen ones. They keep their ids.
 *
 * How far a replay has come is durable behind every page, so a restart carries on; the page that a crash interrupted may come twice.
 */
import { delay, isLambentError, LambentError, type Clock, type Instant, type SecureRandom, timeOrderedId } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { RealmTable, RealmTables } from "../../storage/index.ts";
import { eventsArn } from "../names.ts";
import type { PublishedEvent } from "../routing.ts";
import type { Archives } from "./archives.ts";

/** Replays of one realm that have not ended. @limit */
export const REPLAYS_RUNNING_MAX = 10;
/** Replays that are remembered when they have ended; the oldest go first. */
const REPLAYS_KEPT_MAX = 1_000;
const PAGE_EVENTS = 20;
/** What ends with the server goes on at the next start. */
const ENDS_ALL: ReadonlySet<string> = new Set(["ShuttingDown", "StorageStopped"]);
/** After a refusal by the storage. */
const BUSY_RETRY_MS = 1_000;

export type ReplayState =
  | { readonly kind: "running"; readonly after: string | undefined }
  | { readonly kind: "completed"; readonly at: Instant }
  | { readonly kind: "cancelled"; readonly at: Instant }
  | { readonly kind: "failed"; readonly at: Instant; readonly reason: string };

export interface ReplayRecord {
  readonly name: string;
  readonly archive: string;
  readonly bus: string;
  readonly description: string | undefined;
  readonly from: Instant;
  readonly to: Instant;
  /** ARNs of the only rules it reaches. */
  readonly onlyRules: readonly string[] | undefined;
  readonly startedAt: Instant;
  /** When the event happened that was put last. */
  readonly lastAt: Instant | undefined;
  readonly state: ReplayState;
}

export interface ReplaysParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly tables: RealmTables<ReplayRecord>;
  readonly archives: Archives;
  readonly publish: (realm: Realm, bus: string, events: readonly PublishedEvent[]) => Promise<void>;
  readonly onProblem: (error: unknown) => void;
}

export class Replays {
  readonly #parts: ReplaysParts;
  readonly #running = new Set<Promise<void>>();
  #closed = false;

  constructor(parts: ReplaysParts) {
    this.#parts = parts;
  }

  /** Throws `NotFound`. */
  get(realm: Realm, name: string): ReplayRecord {
    const record = this.#parts.tables.items(realm).get(name);
    if (!record) throw new LambentError("NotFound", `Replay ${name} does not exist.`);
    return record;
  }

  list(realm: Realm, prefix: string): ReplayRecord[] {
    return [...this.#parts.tables.items(realm).values()]
      .filter(({ name }) => name.startsWith(prefix))
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Begins a replay. Throws `AlreadyExists`, `LimitExceeded`, `NotFound` for the archive. */
  start(realm: Realm, draft: Omit<ReplayRecord, "startedAt" | "state" | "lastAt" | "bus">): Promise<ReplayRecord> {
    const table = this.#parts.tables.of(realm);
    return table.changes.take(async () => {
      if (table.items.has(draft.name)) throw new LambentError("AlreadyExists", `Replay ${draft.name} already exists.`);
      const { bus } = this.#parts.archives.get(realm, draft.archive);
      const running = [...table.items.values()].filter(({ state }) => state.kind === "running");
      if (running.length >= REPLAYS_RUNNING_MAX)
        throw new LambentError(
          "LimitExceeded",
          `The requested resource exceeds the maximum number allowed: ${REPLAYS_RUNNING_MAX} replays.`,
        );
      const record: ReplayRecord = {
        ...{ ...draft, bus, startedAt: this.#parts.clock.now(), lastAt: undefined },
        state: { kind: "running", after: undefined },
      };
      await table.write(new Map([...forgotten(table), [draft.name, record]]));
      this.#run(table, draft.name);
      return record;
    });
  }

  /** Ends a replay that runs; what it put stays. Throws `Conflict` when it has ended. */
  cancel(realm: Realm, name: string): Promise<ReplayRecord> {
    const table = this.#parts.tables.of(realm);
    return table.changes.take(async () => {
      const known = this.get(realm, name);
      if (known.state.kind !== "running")
        throw new LambentError("IllegalState", `Replay ${name} is not in a valid state for this operation.`);
      const record: ReplayRecord = { ...known, state: { kind: "cancelled", at: this.#parts.clock.now() } };
      await table.put(name, record);
      return record;
    });
  }

  /** Carries on with what a stop interrupted. For after the start. */
  resume(): void {
    for (const table of this.#parts.tables)
      for (const { name, state } of table.items.values()) if (state.kind === "running") this.#run(table, name);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#running);
  }

  #run(table: RealmTable<ReplayRecord>, name: string): void {
    const running = this.#replay(table, name)
      .catch((error: unknown) => {
        if (!isLambentError(error, "ShuttingDown", "StorageStopped")) this.#parts.onProblem(error);
      })
      .finally(() => void this.#running.delete(running));
    this.#running.add(running);
  }

  async #replay(table: RealmTable<ReplayRecord>, name: string): Promise<void> {
    while (!this.#closed) {
      const record = table.items.get(name);
      if (record?.state.kind !== "running") return;
      try {
        await this.#page(table, record, record.state.after);
      } catch (error) {
        if (isLambentError(error, "StorageBusy", "Throttled")) await delay(this.#parts.clock, BUSY_RETRY_MS);
        // The archive or its bus is gone, or what it holds cannot be read: it would be the same the next time.
        else if (isLambentError(error) && !ENDS_ALL.has(error.code))
          return this.#put(table, name, { kind: "failed", at: this.#parts.clock.now(), reason: error.message });
        else throw error;
      }
    }
  }

  async #page(table: RealmTable<ReplayRecord>, record: ReplayRecord, after: string | undefined): Promise<void> {
    const { archives, publish, clock } = this.#parts;
    const { realm } = table;
    const store = archives.store(realm, archives.get(realm, record.archive));
    const page = await store.page({ from: record.from, to: record.to, after, limit: PAGE_EVENTS });
    const last = page.at(-1);
    if (!last) return this.#put(table, record.name, { kind: "completed", at: clock.now() });
    const events = page.map(({ event }): PublishedEvent => ({
      event: { ...event, replayName: record.name },
      recordId: timeOrderedId(clock, this.#parts.secureRandom),
      origin: eventsArn(realm, "replay", record.name),
      onlyRules: record.onlyRules,
      ...{ traceHeader: undefined, cause: event.id, correlation: event.id },
    }));
    await publish(realm, record.bus, events);
    await this.#put(table, record.name, { kind: "running", after: last.key }, last.event.time);
  }

  /** What was cancelled meanwhile stays so. */
  #put(table: RealmTable<ReplayRecord>, name: string, state: ReplayState, lastAt?: Instant): Promise<void> {
    return table.changes.take(async () => {
      const known = table.items.get(name);
      if (known?.state.kind === "running") await table.put(name, { ...known, state, lastAt: lastAt ?? known.lastAt });
    });
  }
}

/** Replays that have ended and have no room any more, as changes of the table. */
function forgotten({ items }: RealmTable<ReplayRecord>): [string, undefined][] {
  const ended = [...items.values()].filter(({ state }) => state.kind !== "running").sort((left, right) => left.startedAt - right.startedAt);
  return ended.slice(0, Math.max(0, ended.length - REPLAYS_KEPT_MAX + 1)).map(({ name }) => [name, undefined]);
}
