/** Buckets on a disk that outlives them: `crash` opens them as after a power cut. Everything that is told is recorded. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { LambentError, ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import {
  type Bucket,
  type BucketRecord,
  Buckets,
  type Caller,
  cellOf,
  type FoundObject,
  type IncomingBody,
  NO_ATTRIBUTES,
  type NotificationRule,
  type ObjectAttributes,
  type ObjectEvent,
  type PutOptions,
  type StoredObject,
  type Versioning,
} from "../../src/objects/index.ts";
import { partRows } from "../../src/objects/multipart/index.ts";
import { decodeLoose, decodeVersion, filesOf, namesOf } from "../../src/objects/rows.ts";
import { BACK_OFF_WAITS_MS, type NewDelivery, type Outbox } from "../../src/outbox/index.ts";
import { type BodyFiles, type FaultPlan, MemoryDisk, openBodyFiles, openMemoryStore, readOwnRows } from "../../src/storage/index.ts";

export const REALM = { account: "000000000000", region: "us-east-1" };
export const CALLER: Caller = { principalId: "AIDAROOT", sourceAddress: "127.0.0.1", requestId: "r-1", traceHeader: undefined };
export const QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:uploads";

/** What happens to the disk: before each step somebody may say no. */
export type Step = "commit" | "write" | "link" | "remove" | "removeOwner";

export class ObjectsWorld {
  readonly clock = new ManualClock();
  readonly disk = new MemoryDisk();
  readonly folder = mkdtempSync(join(tmpdir(), "lambent-objects-"));
  readonly events: ObjectEvent[] = [];
  readonly tested: NotificationRule[] = [];
  readonly problems: unknown[] = [];
  readonly outboxes = new Map<string, Outbox>();
  faults: FaultPlan = () => undefined;
  /** Asked before each step on files; throws where it goes wrong. */
  onFiles: (step: Step) => void = () => undefined;
  /** Whether each event goes to a queue. */
  delivers = false;
  buckets!: Buckets;
  bodies!: BodyFiles;
  #life = 0;
  #made = 0;

  static async open(test?: TestContext): Promise<ObjectsWorld> {
    const world = new ObjectsWorld();
    test?.after(() => world.end());
    await world.crash();
    return world;
  }

  /** What the life before had not done is not done, and it does nothing any more. */
  async crash(): Promise<void> {
    const life = ++this.#life;
    const { clock, disk } = this;
    const store = openMemoryStore({ disk, faults: (step) => (life === this.#life ? this.faults(step) : { kind: "stopBefore" }) });
    const files = await openBodyFiles(this.folder);
    this.bodies = guarded(files, (step) => {
      if (life !== this.#life) throw new LambentError("StorageStopped", "That life is over.");
      this.onFiles(step);
    });
    this.buckets = await Buckets.open({
      ...{ store, bodies: this.bodies, clock, random: { next: () => 1 }, secureRandom: systemSecureRandom, retryTimeFactor: 1 },
      notifier: {
        deliveries: (bucket, event) => (this.events.push(event), this.delivers ? [this.#delivery(bucket, event.name)] : []),
        testDeliveries: (bucket, rules) => (this.tested.push(...rules), rules.map(() => this.#delivery(bucket, "s3:TestEvent"))),
      },
      onOpened: (cell, _, outbox) => void this.outboxes.set(cell, outbox),
      onProblem: (error) => void (life === this.#life && this.problems.push(error)),
    });
  }

  async end(): Promise<void> {
    await this.buckets.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Makes a bucket. */
  async make(name = "photos", versioning: Versioning = "off"): Promise<Bucket> {
    await this.buckets.create(REALM, name);
    if (versioning !== "off") await this.setVersioning(versioning, name);
    return this.buckets.bucket(name);
  }

  async setVersioning(versioning: Versioning, name = "photos"): Promise<void> {
    if (versioning === "suspended") await this.buckets.update(name, (record) => ({ ...record, versioning: "enabled" }));
    await this.buckets.update(name, (record) => ({ ...record, versioning }));
  }

  /** What is told since the last time this was asked: names, keys, versions. */
  told(): string[] {
    return this.events.splice(0).map(({ name, key }) => `${name} ${key}`);
  }

  /** Files of all buckets, by name. */
  async files(): Promise<string[]> {
    const found: string[] = [];
    for await (const { path, body } of this.bodies.list()) found.push(body?.file ?? assert.fail(`${path} names no file`));
    return found.sort();
  }

  /** Files that rows of the cell refer to, and those that are loose. */
  async referred(record: BucketRecord): Promise<{ readonly files: string[]; readonly loose: string[] }> {
    const rows = await this.rows(record);
    const body = (key: string): Uint8Array | undefined => rows.get(key);
    const files: string[] = [];
    const loose: string[] = [];
    for (const [key, value] of rows) {
      if (key.startsWith("f/")) loose.push(...namesOf(decodeLoose({ key, value })));
      if (key.startsWith("q/")) files.push(partRows.decode(key, value).file);
      if (!/^[kn]\//u.test(key)) continue;
      const version = decodeVersion(value);
      if (version.kind === "object") files.push(...filesOf(version.body, body((key.startsWith("k/") ? "b/" : "m/") + key.slice(2))));
    }
    return { files: files.sort(), loose: loose.sort() };
  }

  async rows(record: BucketRecord): Promise<Map<string, Uint8Array>> {
    const rows = await readOwnRows(openMemoryStore({ disk: this.disk }), cellOf(record), { prefix: "", limit: 1_000 });
    return new Map(rows.map(({ key, value }) => [key, value]));
  }

  /** No file is there that nothing refers to, and none is missing. */
  async checkFiles(...records: readonly BucketRecord[]): Promise<void> {
    const referred: string[] = [];
    for (const record of records) {
      const { files, loose } = await this.referred(record);
      assert.deepEqual(loose, [], "no row says that a file is loose");
      referred.push(...files);
    }
    assert.deepEqual(await this.files(), referred.sort(), "what is on the disk is what rows refer to");
  }

  async checkFilesOf(name: string): Promise<void> {
    await this.checkFiles(this.buckets.get(name));
  }

  /** Lets files go that became loose. The disk is real: their removal ends behind the clock's time. */
  async settle(): Promise<void> {
    await this.clock.advance(10_000);
    for (const { name } of this.buckets.list(REALM.account)) {
      const { cell } = await this.buckets.bucket(name);
      await cell.loose.settled();
    }
  }

  #delivery(bucket: BucketRecord, subject: string): NewDelivery {
    const sourceArn = `arn:aws:s3:::${bucket.name}`;
    const sender = { kind: "service", realm: REALM, service: "s3.amazonaws.com", sourceArn } as const;
    return {
      id: `01890000-0000-7000-8000-${String(++this.#made).padStart(12, "0")}`,
      parcel: { target: QUEUE_ARN, sender, payload: Buffer.from(subject), options: {}, traceHeader: undefined },
      ...{ source: "objects", origin: sourceArn, subject, cause: undefined, correlation: "c", acceptedAt: this.clock.now() },
      retry: { retriesMax: 1, ageMsMax: 86_400_000, waitsMs: BACK_OFF_WAITS_MS },
    };
  }
}

function guarded(files: BodyFiles, before: (step: Step) => void): BodyFiles {
  const stepped =
    <A extends unknown[], T>(step: Step, work: (...given: A) => Promise<T>) =>
    async (...given: A): Promise<T> => {
      before(step);
      return work(...given);
    };
  return {
    write: stepped("write", (owner, file, source) => files.write(owner, file, source)),
    read: (owner, file, range) => files.read(owner, file, range),
    link: stepped("link", (from, to) => files.link(from, to)),
    remove: stepped("remove", (owner, file) => files.remove(owner, file)),
    removeOwner: stepped("removeOwner", (owner) => files.removeOwner(owner)),
    holdRemovals: () => files.holdRemovals(),
    list: () => files.list(),
  };
}

export interface PutMore extends Partial<Omit<PutOptions, "caller">>, Partial<Omit<IncomingBody, "source">> {
  readonly attributes?: Partial<ObjectAttributes>;
}

/** Stores `content`. */
export function put(bucket: Bucket, key: string, content: IncomingBody["source"] | string, more: PutMore = {}): Promise<StoredObject> {
  const { attributes, conditions, event, ...body } = more;
  const source = typeof content === "string" ? Buffer.from(content) : content;
  return bucket.put(key, { ...NO_ATTRIBUTES, ...attributes }, { source, ...body }, { caller: CALLER, conditions, event });
}

export async function bytesOf(
  bucket: Bucket,
  found: FoundObject,
  range?: { readonly start: number; readonly end: number },
): Promise<Buffer> {
  const opened = await bucket.open(found, range);
  return Buffer.isBuffer(opened) ? opened : Buffer.concat(await opened.toArray());
}

/** What a key has now, as text. */
export async function textOf(bucket: Bucket, key: string, versionId?: string): Promise<string> {
  return (await bytesOf(bucket, await bucket.get(key, versionId))).toString("latin1");
}

/** A body that is too large for a row, different for each `mark`. */
export function large(mark: string, bytes = 20_000): Buffer {
  return Buffer.alloc(bytes, mark);
}

export async function* inChunks(content: Buffer, chunkBytes = 7_000): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < content.length; start += chunkBytes) yield content.subarray(start, start + chunkBytes);
}

/** Stores an object of one part: a list of files. */
export async function upload(bucket: Bucket, key: string, content: Buffer): Promise<StoredObject> {
  const { id } = await bucket.uploads.create(key, NO_ATTRIBUTES, CALLER);
  const { md5 } = await bucket.uploads.putPart(key, id, 1, { source: content });
  return bucket.uploads.complete(key, id, { parts: [{ number: 1, etag: md5 }] }, { caller: CALLER });
}
