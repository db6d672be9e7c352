/** Carries out lifecycle rules: looks through the buckets that have some, once a day and when rules change, one thing at a time. */
import { type Clock, isLambentError, type SecureRandom, timeOrderedId, type Timer, turnOfTheLoop } from "../base/index.ts";
import type { BucketCell } from "./bucket-cell.ts";
import type { BucketRecord, LifecycleRule } from "./bucket-record.ts";
import type { Bucket } from "./bucket.ts";
import { deleteVersion } from "./changing.ts";
import { dayOf, isExpired, isNoncurrentExpired, isUploadOver } from "./lifecycle.ts";
import { eachVersion, type ListedVersion } from "./listing.ts";
import type { Caller } from "./object-event.ts";

/** Between two looks at whether there is something to do. */
const PAUSE_MS = 3_600_000;
/** Rules looked at before others have a turn of the thread: a bucket may have a thousand, for each of its objects. */
const RULES_PER_TURN = 20_000;
/** Uploads looked at together. */
const UPLOADS_AT_ONCE = 1_000;
const EVENTS = { removed: "LifecycleExpiration:Delete", marked: "LifecycleExpiration:DeleteMarkerCreated" };
const PRINCIPAL = "s3.amazonaws.com";

interface LifecycleParts {
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly onProblem: (error: unknown) => void;
  readonly buckets: () => Iterable<BucketRecord>;
  readonly bucket: (name: string) => Promise<Bucket>;
}

export class LifecycleRuns {
  readonly #parts: LifecycleParts;
  /** By bucket's id: the day it was looked through, by which rules. */
  readonly #done = new Map<string, { readonly day: number; readonly rules: readonly LifecycleRule[] }>();
  #timer: Timer | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: LifecycleParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#closed) return;
    this.#running = this.#run().then(() => {
      if (!this.#closed) this.#timer = this.#parts.clock.schedule(PAUSE_MS, () => this.start());
    });
  }

  /** Resolves behind the run that is under way. */
  idle(): Promise<void> {
    return this.#running;
  }

  /** Ends a run behind what it is doing. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { clock, buckets, bucket, onProblem } = this.#parts;
    const there = [...buckets()];
    this.#forget(there);
    for (const { id, name, lifecycle: rules } of there) {
      const day = dayOf(clock.now());
      const done = this.#done.get(id);
      if (this.#closed || !rules.some(({ enabled }) => enabled) || (done?.day === day && done.rules === rules)) continue;
      try {
        const opened = await bucket(name);
        await this.#lookThrough(opened.cell, rules);
        await this.#abortUploads(opened, rules);
        if (!this.#closed) this.#done.set(id, { day, rules });
      } catch (error) {
        // Looked through again in an hour.
        if (!isLambentError(error, "ShuttingDown", "NotFound", "StorageBusy")) onProblem(error);
      }
    }
  }

  #forget(there: readonly BucketRecord[]): void {
    const ids = new Set(there.map(({ id }) => id));
    for (const id of this.#done.keys()) if (!ids.has(id)) this.#done.delete(id);
  }

  async #lookThrough(cell: BucketCell, rules: readonly LifecycleRule[]): Promise<void> {
    const { clock } = this.#parts;
    /** A delete marker that is current: whether it is the only version is known when the next row is seen. */
    let marker: ListedVersion | undefined;
    let before: ListedVersion | undefined;
    let newer = 0;
    let looked = 0;
    for await (const listed of eachVersion((range) => cell.outbox.readRows(range))) {
      looked += rules.length;
      if (looked > RULES_PER_TURN) {
        await turnOfTheLoop();
        looked = 0;
      }
      if (this.#closed) return;
      const { key, version, isLatest } = listed;
      const now = clock.now();
      if (marker && marker.key !== key) await this.#removeLone(cell, rules, marker);
      marker = undefined;
      if (isLatest) {
        newer = 0;
        if (version.kind === "deleteMarker") marker = listed;
        else if (isExpired(rules, key, version, false, now)) await this.#delete(cell, listed, undefined);
      } else {
        const since = before?.key === key ? before.version.modifiedAt : now;
        if (isNoncurrentExpired(rules, key, version, { since, newer }, now)) await this.#delete(cell, listed, version.versionId);
        newer += 1;
      }
      before = listed;
    }
    if (marker && !this.#closed) await this.#removeLone(cell, rules, marker);
  }

  async #removeLone(cell: BucketCell, rules: readonly LifecycleRule[], marker: ListedVersion): Promise<void> {
    const { key, version } = marker;
    if (isExpired(rules, key, version, true, this.#parts.clock.now())) await this.#delete(cell, marker, version.versionId);
  }

  /** Unless it has become another one meanwhile. */
  async #delete(cell: BucketCell, { key, version: { number } }: ListedVersion, versionId: string | undefined): Promise<void> {
    const options = {
      versionId,
      caller: this.#caller(),
      events: EVENTS,
      onlyIf: (found: { readonly number: number }) => found.number === number,
    };
    await cell.inTurn(key, () => deleteVersion(cell, key, options));
  }

  async #abortUploads({ uploads }: Bucket, rules: readonly LifecycleRule[]): Promise<void> {
    if (!rules.some(({ enabled, abortUploadsAfterDays }) => enabled && abortUploadsAfterDays !== undefined)) return;
    let next: { readonly keyMarker?: string; readonly uploadIdMarker?: string | undefined } | undefined = {};
    while (next && !this.#closed) {
      const page = await uploads.list({ prefix: "", max: UPLOADS_AT_ONCE, ...next });
      for (const { key, id, initiatedAt } of page.uploads)
        if (isUploadOver(rules, key, initiatedAt, this.#parts.clock.now())) await abortIfThere(() => uploads.abort(key, id));
      next = page.next;
    }
  }

  #caller(): Caller {
    const { clock, secureRandom } = this.#parts;
    return { principalId: PRINCIPAL, sourceAddress: PRINCIPAL, requestId: timeOrderedId(clock, secureRandom), traceHeader: undefined };
  }
}

async function abortIfThere(abort: () => Promise<void>): Promise<void> {
  try {
    await abort();
  } catch (error) {
    if (!isLambentError(error, "NotFound")) throw error;
  }
}
