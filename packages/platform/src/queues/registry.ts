/** Which queues a realm has, with their settings: one cell a realm, held in memory, written before anybody is told. */
import { Turns, type Instant } from "../base/index.ts";
import { realmKey, type Realm } from "../model/index.ts";
import { type CellKey, eachRealm, eachRow, type Op, type Store } from "../storage/index.ts";
import { DEFAULT_QUEUE_SETTINGS, type QueueSettings } from "./settings.ts";
import type { MoveTask } from "./move-task.ts";

export interface QueueRecord {
  readonly name: string;
  /** Another one each time a queue of this name is created: names its cell. */
  readonly id: string;
  readonly settings: QueueSettings;
  readonly tags: Readonly<Record<string, string>>;
  readonly createdAt: Instant;
  readonly modifiedAt: Instant;
  /** When it was emptied last. */
  readonly purgedAt?: Instant;
}

/** Changes of queues that wait for their turn in one realm (P7). @limit */
const QUEUE_CHANGES_WAITING_MAX = 10_000;

const QUEUE_PREFIX = "queue/";
const DELETED_PREFIX = "deleted/";
const TASK_PREFIX = "task/";
const CELL_SUFFIX = "/registry/queues/0";

export class QueueRegistry {
  readonly realm: Realm;
  readonly queues = new Map<string, QueueRecord>();
  readonly deletedAt = new Map<string, Instant>();
  readonly tasks = new Map<string, MoveTask>();
  /** Nothing changes between what a change reads and what it commits. */
  readonly changes = new Turns("queues", QUEUE_CHANGES_WAITING_MAX);
  readonly #store: Store;
  readonly #cell: CellKey;

  constructor(store: Store, realm: Realm) {
    this.#store = store;
    this.realm = realm;
    this.#cell = `${realmKey(realm)}${CELL_SUFFIX}`;
  }

  async load(): Promise<void> {
    for await (const { key, value } of eachRow(this.#store, this.#cell)) this.#take(key, JSON.parse(Buffer.from(value).toString("utf8")));
  }

  async putQueue(record: QueueRecord): Promise<void> {
    await this.#commit([this.#put(QUEUE_PREFIX + record.name, record), this.#delete(DELETED_PREFIX + record.name)]);
    this.queues.set(record.name, record);
    this.deletedAt.delete(record.name);
  }

  async removeQueue(name: string, now: Instant, forgetBefore: Instant): Promise<void> {
    const past = [...this.deletedAt].filter(([, at]) => at <= forgetBefore).slice(0, 100);
    const forget = past.map(([each]) => this.#delete(DELETED_PREFIX + each));
    await this.#commit([this.#delete(QUEUE_PREFIX + name), this.#put(DELETED_PREFIX + name, now), ...forget]);
    for (const [each] of past) this.deletedAt.delete(each);
    this.queues.delete(name);
    this.deletedAt.set(name, now);
  }

  async putTask(task: MoveTask): Promise<void> {
    await this.#commit([this.#put(TASK_PREFIX + task.id, task)]);
    this.tasks.set(task.id, task);
  }

  async removeTasks(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#commit(ids.map((id) => this.#delete(TASK_PREFIX + id)));
    for (const id of ids) this.tasks.delete(id);
  }

  #take(key: string, value: unknown): void {
    if (key.startsWith(QUEUE_PREFIX)) {
      const record = value as QueueRecord;
      this.queues.set(record.name, { ...record, settings: { ...DEFAULT_QUEUE_SETTINGS, ...record.settings } });
    } else if (key.startsWith(DELETED_PREFIX)) this.deletedAt.set(key.slice(DELETED_PREFIX.length), value as Instant);
    else if (key.startsWith(TASK_PREFIX)) this.tasks.set(key.slice(TASK_PREFIX.length), value as MoveTask);
  }

  async #commit(ops: readonly Op[]): Promise<void> {
    await this.#store.commit(this.#cell, "any", ops);
  }

  #put(key: string, value: unknown): Op {
    return { kind: "put", cell: this.#cell, key, value: Buffer.from(JSON.stringify(value)) };
  }

  #delete(key: string): Op {
    return { kind: "delete", cell: this.#cell, key };
  }
}

/** The registries of all realms that have one. */
export async function loadRegistries(store: Store): Promise<QueueRegistry[]> {
  const registries: QueueRegistry[] = [];
  for await (const realm of eachRealm(store)) {
    const registry = new QueueRegistry(store, realm);
    await registry.load();
    registries.push(registry);
  }
  return registries;
}

/** The cell of one queue. */
export function queueCell(realm: Realm, { name, id }: Pick<QueueRecord, "name" | "id">): CellKey {
  return `${realmKey(realm)}/queue/${name}/${id}`;
}
