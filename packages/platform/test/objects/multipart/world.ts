/** A bucket with its uploads on a disk that outlives them: `reopen` opens them as after a crash. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { TestContext } from "node:test";
import { ManualClock, systemSecureRandom } from "../../../src/base/index.ts";
import { BucketCell } from "../../../src/objects/bucket-cell.ts";
import { NO_NOTIFICATIONS, type BucketRecord } from "../../../src/objects/bucket-record.ts";
import { Bucket } from "../../../src/objects/bucket.ts";
import type { IncomingBody } from "../../../src/objects/incoming-body.ts";
import {
  partRows,
  Uploads,
  type NamedPart,
  type Upload,
  type UploadedPart,
  type UploadRules,
} from "../../../src/objects/multipart/index.ts";
import { PartsList } from "../../../src/objects/parts-list.ts";
import { decodeLoose, decodeVersion, LOOSE_PREFIX, namesOf } from "../../../src/objects/rows.ts";
import type { Caller, ObjectEvent } from "../../../src/objects/object-event.ts";
import { Outbox } from "../../../src/outbox/index.ts";
import { type BodyFiles, type FaultPlan, MemoryDisk, openBodyFiles, openMemoryStore, type Store } from "../../../src/storage/index.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const REALM = { account: "000000000000", region: "us-east-1" };
const CELL = "000000000000.us-east-1/objects/photos/0a1b";
export const BUCKET_ID = "0a1b";
export const CALLER: Caller = { principalId: "AIDAROOT", sourceAddress: "127.0.0.1", requestId: "r-1", traceHeader: undefined };
export const NO_ATTRIBUTES = { headers: {}, metadata: {}, tags: {}, storageClass: "STANDARD" };

export class UploadsWorld {
  readonly clock = new ManualClock();
  readonly disk = new MemoryDisk();
  readonly events: ObjectEvent[] = [];
  readonly problems: unknown[] = [];
  faults: FaultPlan = () => undefined;
  store!: Store;
  bodies!: BodyFiles;
  cell!: BucketCell;
  uploads!: Uploads;
  bucket!: Bucket;
  record: BucketRecord;
  readonly #folder: string;
  readonly #rules: UploadRules;
  #life = 0;

  private constructor(folder: string, rules: UploadRules, record: Partial<BucketRecord>) {
    this.#folder = folder;
    this.#rules = rules;
    this.record = {
      ...{ name: "photos", id: BUCKET_ID, realm: REALM, createdAt: 0, versioning: "off", tags: {} },
      ...{ notifications: NO_NOTIFICATIONS, lifecycle: [], documents: {} },
      ...record,
    };
  }

  /** Parts may be as small as `partBytesMin`. */
  static async open(
    test: TestContext,
    { partBytesMin = 0, uploadsMax, ...record }: UploadRules & Partial<BucketRecord> = {},
  ): Promise<UploadsWorld> {
    const world = new UploadsWorld(temporaryFolder(test), { partBytesMin, ...(uploadsMax ? { uploadsMax } : {}) }, record);
    await world.reopen();
    test.after(() => world.cell.close());
    return world;
  }

  /** As after a crash: what the life before had not committed is gone, and it commits nothing any more. */
  async reopen(): Promise<void> {
    const life = ++this.#life;
    const { disk, clock } = this;
    this.store = openMemoryStore({ disk, faults: (step) => (life === this.#life ? this.faults(step) : { kind: "stopBefore" }) });
    this.bodies = await openBodyFiles(this.#folder, { open: openUnsynced, syncFolder: () => Promise.resolve() });
    const outbox = await Outbox.open({
      ...{ store: this.store, cell: CELL, clock, random: { next: () => 1 }, secureRandom: systemSecureRandom },
      ...{ ordering: "fair", deadLetter: () => ({}), retryTimeFactor: 1 },
    });
    const onProblem = (error: unknown): void => void this.problems.push(error);
    this.cell = await BucketCell.open({
      ...{ outbox, bodies: this.bodies, clock, secureRandom: systemSecureRandom, bucketId: BUCKET_ID, onProblem },
      notifier: { deliveries: (_, event) => (this.events.push(event), []), testDeliveries: () => [] },
      record: () => this.record,
    });
    this.uploads = await Uploads.open(this.cell, onProblem, this.#rules);
    this.bucket = new Bucket(this.cell, this.uploads);
  }

  begin(key: string, draft: Partial<Parameters<Uploads["create"]>[1]> = {}): Promise<Upload> {
    return this.uploads.create(key, { ...NO_ATTRIBUTES, ...draft }, CALLER);
  }

  put(upload: Upload, number: number, content: string | Buffer, more: Partial<IncomingBody> = {}): Promise<UploadedPart> {
    return this.uploads.putPart(upload.key, upload.id, number, { source: Buffer.from(content), ...more });
  }

  complete(upload: Upload, parts: readonly (NamedPart | UploadedPart)[], more: Partial<Parameters<Uploads["complete"]>[2]> = {}) {
    return this.uploads.complete(upload.key, upload.id, { parts: parts.map(named), ...more }, { caller: CALLER });
  }

  async content(key: string, range?: { readonly start: number; readonly end: number }): Promise<Buffer> {
    const opened = await this.bucket.open(await this.bucket.get(key), range);
    if (Buffer.isBuffer(opened)) return opened;
    return Buffer.concat(await opened.toArray());
  }

  /** Lets what is done behind answers happen, and opens anew: files go that nothing refers to. */
  async settle(): Promise<void> {
    await this.cell.alone(() => Promise.resolve("stays"));
    await this.reopen();
    assert.deepEqual(this.problems, []);
  }

  rows(prefix: string): Promise<{ key: string; value: Uint8Array }[]> {
    return this.cell.outbox.readRows({ prefix, limit: 1_000 });
  }

  async files(): Promise<string[]> {
    const names: string[] = [];
    for await (const { body } of this.bodies.list()) names.push(body?.file ?? assert.fail("a file without a name"));
    return names.toSorted();
  }

  /** Files that rows of versions and parts refer to. */
  async referred(): Promise<string[]> {
    const files = new Set<string>();
    for (const { key, value } of await this.rows("q/")) files.add(partRows.decode(key, value).file);
    for (const prefix of ["k/", "n/"]) {
      for (const { key, value } of await this.rows(prefix)) {
        const version = decodeVersion(value);
        if (version.kind !== "object" || version.body.kind === "inline") continue;
        if (version.body.kind === "file") files.add(version.body.file);
        else for (const { file } of await this.#listOf(prefix, key)) files.add(file);
      }
    }
    return [...files].toSorted();
  }

  async loose(): Promise<string[]> {
    return (await this.rows(LOOSE_PREFIX)).flatMap((row) => namesOf(decodeLoose(row)));
  }

  /** Every file is referred to or loose, and every one that is referred to is there. */
  async checkFiles(): Promise<void> {
    const [files, referred, loose] = [await this.files(), await this.referred(), await this.loose()];
    assert.deepEqual(
      files.filter((file) => !referred.includes(file) && !loose.includes(file)),
      [],
      "files that nothing knows of",
    );
    assert.deepEqual(
      referred.filter((file) => !files.includes(file)),
      [],
      "files that are missing",
    );
  }

  async #listOf(prefix: string, rowKey: string): Promise<PartsList> {
    const [row] = await this.cell.outbox.getRows([(prefix === "k/" ? "b/" : "m/") + rowKey.slice(prefix.length)]);
    return new PartsList(row ?? assert.fail(`${rowKey} has no list of parts`));
  }
}

/** No power is cut here: nothing waits for the disk. */
const openUnsynced: typeof open = async (...given) => Object.assign(await open(...given), { datasync: () => Promise.resolve() });

export function named(part: NamedPart | UploadedPart): NamedPart {
  return "md5" in part ? { number: part.number, etag: part.md5, checksum: part.checksum } : part;
}

export const md5Of = (content: string | Buffer): string => createHash("md5").update(content).digest("hex");

/** The error a call was refused with. */
export function refusedAs(code: string, text?: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof Error && "code" in error, String(error));
    assert.equal(error.code, code, error.message);
    if (text) assert.match(error.message, text);
    return true;
  };
}
