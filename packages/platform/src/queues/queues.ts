/**
 * Queues: which there are, their rules, their messages (standard and FIFO), dead-letter queues and moves between them.
 *
 * Keeps P1, P2 (every message ends as deleted, moved, expired or purged, and is counted), P4 (FIFO groups), P6 (a
 * receive that waits is woken). Does not know how a request looks on the wire, and who may send what.
 */
import { isLambentError, LambentError, type Clock, type SecureRandom } from "../base/index.ts";
import type { LedgerRecord } from "../ledger/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import { BodyCache, type CellKey, type ListRules, openWorkList, outgoingItems, type Store } from "../storage/index.ts";
import { Deliverer, type DeadLetters } from "./deliverer.ts";
import { MoveTasks } from "./move-tasks.ts";
import { checkQueueName, parseQueueArn, queueArn } from "./names.ts";
import { Queue, queueGone } from "./queue.ts";
import { withQuietEnding } from "./quiet-ending.ts";
import { checkRedrive, sourcesOf, takesFrom } from "./redrive.ts";
import { loadRegistries, queueCell, QueueRegistry, type QueueRecord } from "./registry.ts";
import { Removals } from "./removal.ts";
import { checkSettings, type QueueSettings } from "./settings.ts";

/** Queues of one realm. @limit */
const QUEUES_MAX = 100_000;
/** Messages of one queue that are in flight at once. @limit */
const IN_FLIGHT_MESSAGES_MAX = 120_000;
/** How long a deduplication id is remembered. @limit */
const DEDUPLICATION_MS = 300_000;
/** Tags of one queue. @limit */
export const QUEUE_TAGS_MAX = 50;
/** A name that was deleted can be used again after this. */
const DELETED_PAUSE_MS = 60_000;
/** Bodies of messages that are kept in memory, of all queues together. */
const BODY_CACHE_BYTES_MAX = 32 * 1024 * 1024;

export interface QueuesOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly onProblem: (error: unknown) => void;
}

/** Opens the queues of all realms; their messages are read once they are asked for. */
export async function openQueues(options: QueuesOptions): Promise<Queues> {
  return new Queues(options, await loadRegistries(options.store));
}

export class Queues {
  readonly tasks: MoveTasks;
  readonly #options: QueuesOptions;
  readonly #registries = new Map<string, QueueRegistry>();
  readonly #open = new Map<string, Promise<Queue>>();
  readonly #bodies = new BodyCache(BODY_CACHE_BYTES_MAX);
  readonly #deliverer: Deliverer;
  readonly #removals: Removals;
  #onDeadLettered: (letters: DeadLetters) => Promise<void> = () => Promise.resolve();
  #closed = false;

  constructor(options: QueuesOptions, registries: readonly QueueRegistry[]) {
    this.#options = options;
    for (const registry of registries) this.#registries.set(realmKey(registry.realm), registry);
    this.#deliverer = new Deliverer({
      ...options,
      queue: (realm, name) => this.#find(realm, name),
      deadLettered: (letters) => this.#onDeadLettered(letters),
    });
    this.#removals = new Removals(options);
    this.tasks = new MoveTasks({ ...options, queues: this, registry: (realm) => this.#registry(realm) });
  }

  /**
   * Takes up what a restart interrupted: messages on their way to another queue, moves, queues that were deleted but not
   * emptied. For after the start; nobody waits for it.
   */
  async resume(): Promise<void> {
    for (const registry of this.#registries.values()) {
      await this.#tellTrouble(() => this.#takeUpLeft(registry));
      for (const record of [...registry.queues.values()]) {
        if (this.#closed) return;
        await this.#tellTrouble(() => this.#takeUpOutgoing(registry.realm, record));
      }
      this.tasks.resume(registry);
    }
  }

  async #takeUpLeft(registry: QueueRegistry): Promise<void> {
    for await (const cell of this.#removals.cellsLeft(registry)) {
      if (this.#closed) return;
      await this.#tellTrouble(() => this.#removals.takeUp(cell));
    }
  }

  /** Only a queue with messages on their way is opened; the others are by whoever asks for them. */
  async #takeUpOutgoing(realm: Realm, record: QueueRecord): Promise<void> {
    const outgoing = await outgoingItems(this.#options.store, queueCell(realm, record));
    if (outgoing !== 0) await this.#find(realm, record.name);
  }

  /** One damaged cell does not keep the others from being taken up. */
  async #tellTrouble(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isLambentError(error, "ShuttingDown")) this.#options.onProblem(error);
    }
  }

  /** Calls `listener` with messages that went to a dead-letter queue: again after a crash between it and the source's commit. */
  onDeadLettered(listener: (letters: DeadLetters) => Promise<void>): void {
    this.#onDeadLettered = listener;
  }

  /** The queue of that name, open. Throws `NotFound`. */
  queue(realm: Realm, name: string): Promise<Queue> {
    const record = this.record(realm, name);
    const key = queueCell(realm, record);
    const known = this.#open.get(key);
    if (known) return known;
    const opening = this.#openQueue(realm, record);
    this.#open.set(key, opening);
    opening.catch(() => this.#open.delete(key));
    return opening;
  }

  /** Throws `NotFound`. */
  record(realm: Realm, name: string): QueueRecord {
    const record = this.find(realm, name);
    if (!record) throw queueGone(name, this.#otherRegion(realm, name));
    return record;
  }

  /** A name is often looked for in the wrong region. */
  #otherRegion({ account }: Realm, name: string): string | undefined {
    for (const { realm, queues } of this.#registries.values()) if (realm.account === account && queues.has(name)) return realm.region;
    return undefined;
  }

  find(realm: Realm, name: string): QueueRecord | undefined {
    return this.#registries.get(realmKey(realm))?.queues.get(name);
  }

  /** Queues of a realm by name, behind `after` when given. */
  list(realm: Realm, range: { readonly prefix: string; readonly after?: string | undefined; readonly limit: number }): QueueRecord[] {
    const { prefix, after, limit } = range;
    return [...this.#registry(realm).queues.values()]
      .filter(({ name }) => name.startsWith(prefix) && (after === undefined || name > after))
      .sort((left, right) => (left.name < right.name ? -1 : 1))
      .slice(0, limit);
  }

  /** Queues whose dead-letter queue this one is. */
  sources(realm: Realm, name: string): QueueRecord[] {
    this.record(realm, name);
    return sourcesOf(this.#registry(realm), name);
  }

  /** Creates a queue, or returns the one that is there with the same settings. `given` are the settings that were named. */
  create(
    realm: Realm,
    name: string,
    settings: QueueSettings,
    given: readonly (keyof QueueSettings)[],
    tags: Readonly<Record<string, string>>,
  ): Promise<QueueRecord> {
    checkQueueName(name, settings.kind === "fifo");
    checkSettings(settings);
    checkTags(tags);
    const registry = this.#registry(realm);
    return registry.changes.take(async () => {
      const known = registry.queues.get(name);
      if (known) return sameOrRefuse(known, settings, given);
      const now = this.#options.clock.now();
      if (now < (registry.deletedAt.get(name) ?? Number.NEGATIVE_INFINITY) + DELETED_PAUSE_MS)
        throw new LambentError(
          "QueueDeletedRecently",
          "You must wait 60 seconds after deleting a queue before you can create another with the same name.",
        );
      if (registry.queues.size >= QUEUES_MAX) throw new LambentError("LimitExceeded", `A realm has at most ${QUEUES_MAX} queues.`);
      const record: QueueRecord = { name, id: this.#options.secureRandom.uuid(), settings, tags, createdAt: now, modifiedAt: now };
      checkRedrive(registry, record);
      await registry.putQueue(record);
      await this.#reconfigure(registry, name);
      return record;
    });
  }

  /** Changes settings; `change` sees the current ones. */
  update(realm: Realm, name: string, change: (record: QueueRecord) => Pick<QueueRecord, "settings" | "tags">): Promise<void> {
    const registry = this.#registry(realm);
    return registry.changes.take(async () => {
      const known = this.record(realm, name);
      const { settings, tags } = change(known);
      checkSettings(settings);
      checkTags(tags);
      const modifiedAt = settings === known.settings ? known.modifiedAt : this.#options.clock.now();
      const record: QueueRecord = { ...known, settings, tags, modifiedAt };
      if (settings.redrive !== known.settings.redrive) checkRedrive(registry, record);
      await registry.putQueue(record);
      await this.#reconfigure(registry, name);
    });
  }

  /** Ends all messages of a queue. Throws `PurgeInProgress` within a minute of the last time. */
  async purge(realm: Realm, name: string): Promise<void> {
    const purgedAt = this.#options.clock.now();
    await (await this.queue(realm, name)).purge();
    const registry = this.#registry(realm);
    await registry.changes.take(async () => {
      const known = registry.queues.get(name);
      if (known) await registry.putQueue({ ...known, purgedAt });
    });
  }

  /** What the ledger says of a message of the queue in `cell`, with what ends messages without anybody handling them. */
  live(cell: CellKey, record: LedgerRecord): LedgerRecord {
    return withQuietEnding(record, this.#ofCell(cell), this.#options.clock.now());
  }

  /** Removes a queue with its messages. */
  delete(realm: Realm, name: string): Promise<void> {
    const registry = this.#registry(realm);
    return registry.changes.take(async () => {
      const record = this.record(realm, name);
      const now = this.#options.clock.now();
      // What cannot be read can still be forgotten.
      const queue = await this.queue(realm, name).catch((error: unknown) => {
        if (isLambentError(error, "StorageCorrupt")) return undefined;
        throw error;
      });
      await registry.removeQueue(name, now, now - DELETED_PAUSE_MS);
      this.#open.delete(queueCell(realm, record));
      await this.#reconfigure(registry, name);
      await this.#removals.empty(queueCell(realm, record), record, queue?.list);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.tasks.close();
    this.#deliverer.close();
    this.#removals.close();
    await Promise.all([...this.#open.values()].map((opening) => opening.then(({ list }) => list.close()).catch(() => undefined)));
  }

  #ofCell(cell: CellKey): QueueRecord | undefined {
    for (const registry of this.#registries.values()) {
      const [realm, , name = ""] = cell.split("/");
      const record = realm === realmKey(registry.realm) ? registry.queues.get(name) : undefined;
      if (record && queueCell(registry.realm, record) === cell) return record;
    }
    return undefined;
  }

  #registry(realm: Realm): QueueRegistry {
    const key = realmKey(realm);
    const known = this.#registries.get(key);
    if (known) return known;
    const made = new QueueRegistry(this.#options.store, realm);
    this.#registries.set(key, made);
    return made;
  }

  async #find(realm: Realm, name: string): Promise<Queue | undefined> {
    return this.find(realm, name) ? this.queue(realm, name) : undefined;
  }

  async #openQueue(realm: Realm, opened: QueueRecord): Promise<Queue> {
    if (this.#closed) throw new LambentError("ShuttingDown", "The server is stopping.");
    const { store, clock, secureRandom } = this.#options;
    const cell = queueCell(realm, opened);
    const record = (): QueueRecord => {
      const current = this.find(realm, opened.name);
      if (current?.id !== opened.id) throw queueGone(opened.name);
      return current;
    };
    const onOutgoing = (): void => this.#deliverer.wake(realm, opened.name, cell);
    const rules = this.#rules(this.#registry(realm), opened);
    const list = await openWorkList({ store, cell, clock, secureRandom, rules, holders: "elsewhere", bodies: this.#bodies, onOutgoing });
    return new Queue(list, record, { clock, secureRandom });
  }

  #rules(registry: QueueRegistry, { name, settings }: QueueRecord): ListRules {
    const { redrive } = settings;
    const target = redrive && parseQueueArn(redrive.target);
    const takes = redrive && target && takesFrom(registry.queues.get(target.name), queueArn(registry.realm, name));
    return {
      ordering: settings.kind === "fifo" ? "fifo" : "fair",
      leasesMax: IN_FLIGHT_MESSAGES_MAX,
      retentionMs: settings.retentionMs,
      deduplicationMs: DEDUPLICATION_MS,
      sendOn: takes ? { afterReceives: redrive.receivesMax, target: `dead:${redrive.target}` } : undefined,
    };
  }

  /** A queue and those that name it as their dead-letter queue decide by what is now. */
  async #reconfigure(registry: QueueRegistry, name: string): Promise<void> {
    const own = registry.queues.get(name);
    for (const record of [...sourcesOf(registry, name), ...(own ? [own] : [])]) {
      const queue = await this.#open.get(queueCell(registry.realm, record));
      queue?.list.configure(this.#rules(registry, record));
    }
  }
}

function sameOrRefuse(known: QueueRecord, settings: QueueSettings, given: readonly (keyof QueueSettings)[]): QueueRecord {
  const different = given.find((member) => JSON.stringify(known.settings[member]) !== JSON.stringify(settings[member]));
  if (different === undefined && known.settings.kind === settings.kind) return known;
  throw new LambentError("AlreadyExists", "A queue already exists with the same name and a different value for an attribute.");
}

function checkTags(tags: Readonly<Record<string, string>>): void {
  const entries = Object.entries(tags);
  if (entries.length > QUEUE_TAGS_MAX)
    throw new LambentError("InvalidParameter", `Tags has ${entries.length} entries; at most ${QUEUE_TAGS_MAX} are allowed.`);
  const bad = entries.find(([key, value]) => key.length < 1 || key.length > 128 || value.length > 256);
  if (bad)
    throw new LambentError(
      "InvalidParameter",
      `The tag ${JSON.stringify(bad[0].slice(0, 128))} has a key of 1 to 128 characters and a value of at most 256.`,
    );
}
