/**
 * Buckets: which there are, of all realms, since their names are unique; and their objects, each bucket a cell of its own.
 *
 * Keeps P1 (an object that was answered is durable, whole, with its notifications), P2 (those each have their record), P7, P8, and P11: one owner
 * a cell. A crash leaves no half object, and no file that no row knows. Deliberately does not: know how a request looks on the wire, say who may do
 * what, give events AWS's form (`sources/objects`), or hand them over (`delivery/`).
 */
import { invariant, LambentError, Turns } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import { eachRealm, RealmTables } from "../storage/index.ts";
import { BUCKET_TAGS_MAX, checkTags } from "./attributes.ts";
import { BucketCells, type BucketCellsParts } from "./bucket-cells.ts";
import { checkBucketName } from "./bucket-names.ts";
import { type BucketRecord, NO_NOTIFICATIONS, type Notifications } from "./bucket-record.ts";
import type { Bucket } from "./bucket.ts";
import { LifecycleRuns } from "./lifecycle-runs.ts";
import { uploadRows } from "./multipart/index.ts";
import type { Caller } from "./object-event.ts";
import { CURRENT_PREFIX, NONCURRENT_PREFIX } from "./rows.ts";
import { mayBecome } from "./versioning.ts";

/** Buckets of one account. @limit */
export const BUCKETS_PER_ACCOUNT_MAX = 1_000;
/** Notification rules of one bucket. @limit */
export const NOTIFICATION_RULES_MAX = 100;
/** Lifecycle rules of one bucket. @limit */
export const LIFECYCLE_RULES_MAX = 1_000;
/** Bytes of everything that is kept of a bucket itself: policy, rules, configurations. @limit */
export const BUCKET_RECORD_BYTES_MAX = 1024 * 1024;
/** Changes of buckets that wait for their turn (P7). @limit */
const BUCKET_CHANGES_WAITING_MAX = 10_000;

export type BucketsParts = BucketCellsParts;

export class Buckets {
  readonly #parts: BucketsParts;
  readonly #tables: RealmTables<BucketRecord>;
  readonly #byName = new Map<string, BucketRecord>();
  readonly #changes = new Turns("buckets", BUCKET_CHANGES_WAITING_MAX);
  readonly #cells: BucketCells;
  readonly #lifecycle: LifecycleRuns;
  #releasing: Promise<void> = Promise.resolve();

  private constructor(parts: BucketsParts, tables: RealmTables<BucketRecord>) {
    this.#parts = parts;
    this.#tables = tables;
    for (const { items } of tables) for (const record of items.values()) this.#byName.set(record.name, record);
    this.#cells = new BucketCells(parts);
    const all = (): Iterable<BucketRecord> => [...this.#byName.values()];
    this.#lifecycle = new LifecycleRuns({ ...parts, buckets: all, bucket: (name) => this.bucket(name) });
  }

  /** Opens the buckets of all realms; their objects are read once they are asked for, and what waits is taken up by `resume`. */
  static async open(parts: BucketsParts): Promise<Buckets> {
    const options = { store: parts.store, kind: "buckets", prefix: "bucket/", changesWaitingMax: BUCKET_CHANGES_WAITING_MAX };
    return new Buckets(parts, await RealmTables.load<BucketRecord>(options));
  }

  find(name: string): BucketRecord | undefined {
    return this.#byName.get(name);
  }

  /** Throws `NotFound`. */
  get(name: string): BucketRecord {
    return this.find(name) ?? refuseUnknown(name);
  }

  /** Those of an account, by name. */
  list(account: string): BucketRecord[] {
    return [...this.#byName.values()]
      .filter(({ realm }) => realm.account === account)
      .sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** Makes a bucket. Throws `InvalidBucketName`, `AlreadyExists` (with `owned`: the same account has it), `LimitExceeded`. */
  async create(realm: Realm, name: string, draft: Partial<Pick<BucketRecord, "tags" | "documents">> = {}): Promise<BucketRecord> {
    checkBucketName(name);
    return this.#changes.take(async () => {
      const known = this.find(name);
      if (known) throw alreadyExists(known, realm);
      if (this.list(realm.account).length >= BUCKETS_PER_ACCOUNT_MAX)
        throw new LambentError("LimitExceeded", `You have attempted to create more buckets than allowed: ${BUCKETS_PER_ACCOUNT_MAX}.`, {
          what: "buckets",
        });
      const { clock, secureRandom } = this.#parts;
      const record: BucketRecord = {
        ...{ name, id: secureRandom.uuid(), realm, createdAt: clock.now(), versioning: "off", tags: draft.tags ?? {} },
        ...{ notifications: NO_NOTIFICATIONS, lifecycle: [], documents: draft.documents ?? {} },
      };
      await this.#put(record);
      return record;
    });
  }

  /** Changes what is kept of a bucket; `change` sees it as it is. Throws `NotFound`, and what is wrong with the result. */
  update(name: string, change: (record: BucketRecord) => BucketRecord): Promise<BucketRecord> {
    return this.#changes.take(async () => {
      const known = this.get(name);
      const changed = change(known);
      invariant(changed.name === name && changed.id === known.id, "a bucket stays the one that it is");
      if (!mayBecome(known.versioning, changed.versioning))
        throw new LambentError("InvalidParameter", "A bucket that had versions keeps them: its versioning can be suspended.", {
          what: "versioning",
        });
      await this.#put(changed);
      return changed;
    });
  }

  /** Changes what is told of a bucket's objects; targets that are new are told so. */
  async setNotifications(name: string, notifications: Notifications, caller: Caller): Promise<void> {
    let known: Notifications = NO_NOTIFICATIONS;
    const record = await this.update(name, (before) => {
      known = before.notifications;
      return { ...before, notifications };
    });
    const added = notifications.rules.filter(({ target }) => !known.rules.some((rule) => rule.target === target));
    const deliveries = this.#parts.notifier.testDeliveries(record, added, caller);
    if (deliveries.length > 0) await (await this.bucket(name)).cell.outbox.accept(deliveries);
  }

  /** Removes a bucket that has no object, no version and no upload; what it accepted for others is still delivered. Throws `NotFound`, `BucketNotEmpty`. */
  async delete(name: string): Promise<void> {
    // Opening it may take a while, and the changes of other buckets do not wait for that.
    await this.bucket(name);
    const record = await this.#changes.take(async () => {
      const known = this.get(name);
      const { cell } = await this.bucket(name);
      await cell.alone(async () => {
        for (const prefix of [CURRENT_PREFIX, NONCURRENT_PREFIX, uploadRows.prefix]) {
          const rows = await cell.outbox.readRows({ prefix, limit: 1 });
          if (rows.length > 0) throw new LambentError("BucketNotEmpty", "The bucket you tried to delete is not empty", { name });
        }
        await this.#tables.of(known.realm).remove(name);
        this.#byName.delete(name);
        return "gone";
      });
      return known;
    });
    const released = this.#cells.untilTaken(() => this.#cells.release(record));
    this.#releasing = Promise.all([this.#releasing, released]).then(() => undefined);
  }

  /** Resolves once nothing is left of the buckets that were deleted, but what they have to deliver. */
  released(): Promise<void> {
    return this.#releasing;
  }

  /** Resolves once what lifecycle rules asked for is done. */
  lifecycleIdle(): Promise<void> {
    return this.#lifecycle.idle();
  }

  /** The bucket, open. Throws `NotFound`. */
  bucket(name: string): Promise<Bucket> {
    const record = this.find(name);
    if (!record) return Promise.reject(unknown(name));
    return this.#cells.bucket(record, () => {
      const current = this.find(name);
      return current?.id === record.id ? current : refuseUnknown(name);
    });
  }

  /**
   * Takes up what a restart interrupted: deliveries that wait, files and parts that nothing refers to, what is left of buckets that were deleted. Begins
   * to look for what lifecycle rules ask for. Nobody waits for it.
   */
  async resume(): Promise<void> {
    // Also realms without buckets: the last one may have been deleted, with deliveries on their way.
    for await (const realm of eachRealm(this.#parts.store))
      await this.#cells.resume(
        realm,
        (name) => this.find(name),
        (name) => this.bucket(name),
      );
    this.#lifecycle.start();
  }

  async close(): Promise<void> {
    await this.#lifecycle.close();
    await this.#cells.close();
  }

  async #put(record: BucketRecord): Promise<void> {
    checkRecord(record);
    await this.#tables.of(record.realm).put(record.name, record);
    this.#byName.set(record.name, record);
  }
}

function checkRecord(record: BucketRecord): void {
  const { tags, notifications, lifecycle } = record;
  checkTags(tags, BUCKET_TAGS_MAX);
  const tooMany = (what: string, count: number, most: number): LambentError =>
    new LambentError("InvalidParameter", `There are ${count} ${what}; a bucket has at most ${most}.`, { what: "argument" });
  if (notifications.rules.length > NOTIFICATION_RULES_MAX)
    throw tooMany("notification configurations", notifications.rules.length, NOTIFICATION_RULES_MAX);
  if (lifecycle.length > LIFECYCLE_RULES_MAX) throw tooMany("lifecycle rules", lifecycle.length, LIFECYCLE_RULES_MAX);
  const bytes = Buffer.byteLength(JSON.stringify(record));
  if (bytes > BUCKET_RECORD_BYTES_MAX)
    throw new LambentError(
      "InvalidParameter",
      `The bucket's configurations would have ${bytes} bytes; at most ${BUCKET_RECORD_BYTES_MAX} are kept.`,
      {
        what: "argument",
      },
    );
}

function alreadyExists(known: BucketRecord, realm: Realm): LambentError {
  const owned = known.realm.account === realm.account;
  const message = owned
    ? "Your previous request to create the named bucket succeeded and you already own it."
    : "The requested bucket name is not available. Bucket names are unique over all accounts. Select a different name and try again.";
  return new LambentError("AlreadyExists", message, { owned, name: known.name });
}

function unknown(name: string): LambentError {
  return new LambentError("NotFound", "The specified bucket does not exist", { what: "bucket", name });
}

function refuseUnknown(name: string): never {
  throw unknown(name);
}
