/** One bucket: what is asked of it, each in a few words. How it is done is in the files beside this one. */
import type { Readable } from "node:stream";
import type { ByteRange } from "../storage/index.ts";
import { checkAttributes, checkTags, OBJECT_TAGS_MAX } from "./attributes.ts";
import type { BucketCell } from "./bucket-cell.ts";
import type { BucketRecord } from "./bucket-record.ts";
import { changeAttributes, deleteVersion, findVersion, storeVersion, type Deleted, type DeleteOptions } from "./changing.ts";
import type { WriteConditions } from "./conditions.ts";
import { copyObject } from "./copying.ts";
import type { IncomingBody } from "./incoming-body.ts";
import { checkKey } from "./keys.ts";
import { type Listing, listObjects, type ListQuery, listVersions, type ListVersionsQuery, type VersionListing } from "./listing.ts";
import type { Uploads } from "./multipart/index.ts";
import type { Caller } from "./object-event.ts";
import { findObject, type FoundObject, openObject } from "./reading.ts";
import { encodeInline } from "./rows.ts";
import { looseFileOf, storeBody } from "./storing-body.ts";
import { NULL_VERSION, type ObjectAttributes, type StoredObject } from "./version.ts";

export interface PutOptions {
  readonly conditions?: WriteConditions | undefined;
  readonly caller: Caller;
  /** What it is told as; by default what the operation is. */
  readonly event?: string | undefined;
}

export class Bucket {
  /** Objects that are uploaded in parts. */
  readonly uploads: Uploads;
  readonly #cell: BucketCell;

  constructor(cell: BucketCell, uploads: Uploads) {
    this.#cell = cell;
    this.uploads = uploads;
  }

  /** As it is now. Throws `NotFound` once it was deleted. */
  get record(): BucketRecord {
    return this.#cell.record;
  }

  /** For this folder: what copies from one bucket to another. */
  get cell(): BucketCell {
    return this.#cell;
  }

  /**
   * Stores an object; resolves once it is durable. Throws `IncompleteBody`, `ChecksumMismatch`, `PreconditionFailed`, `StorageFull` and others: then nothing
   * is stored.
   */
  async put(
    key: string,
    attributes: ObjectAttributes,
    body: IncomingBody,
    { conditions, caller, event = "ObjectCreated:Put" }: PutOptions,
  ): Promise<StoredObject> {
    const cell = this.#cell;
    checkKey(key);
    checkAttributes(attributes);
    const stored = await storeBody(cell, body);
    const { bytes, md5, checksum, place } = stored;
    const takes = looseFileOf(stored);
    const content = {
      ...{ bytes, etag: md5, checksum: checksum && { ...checksum, type: "FULL_OBJECT" as const } },
      ...(place.kind === "inline"
        ? { body: { kind: "inline" as const }, row: encodeInline(place.content) }
        : { body: { kind: "file" as const, file: place.file }, row: undefined }),
    };
    return cell.keeping(takes, () =>
      cell.inTurn(key, () => storeVersion(cell, key, attributes, content, { conditions, caller, event, takes })),
    );
  }

  /** Finds an object in one look at the store. Throws `NotFound` of a key or a version, `IsDeleteMarker`. */
  async get(key: string, versionId?: string): Promise<FoundObject> {
    checkKey(key);
    return findObject(this.#cell, key, versionId);
  }

  /**
   * The bytes of what was found, or those of `range`: of that version, also when it is removed while it is read. Throws `NotFound` where it was
   * removed a while before. Whoever does not read a stream to its end destroys it.
   */
  open(found: FoundObject, range?: ByteRange): Promise<Readable | Buffer> {
    return openObject(this.#cell, found, range);
  }

  /** Deletes a key, or one version of it; what is not there is deleted. */
  async delete(key: string, options: DeleteOptions): Promise<Deleted> {
    checkKey(key);
    return this.#cell.inTurn(key, () => deleteVersion(this.#cell, key, options));
  }

  /** Stores a copy of what was found in `source.bucket`, with these attributes; its bytes are not written again. */
  async copyFrom(
    source: { readonly bucket: Bucket; readonly found: FoundObject },
    key: string,
    attributes: ObjectAttributes,
    { conditions, caller, event = "ObjectCreated:Copy" }: PutOptions,
  ): Promise<StoredObject> {
    checkKey(key);
    checkAttributes(attributes);
    const { bucket, found } = source;
    return copyObject(this.#cell, { cell: bucket.cell, found }, key, attributes, { conditions, caller, event });
  }

  /** Gives a version other tags; none removes them. Throws `NotFound`, `IsDeleteMarker`. */
  async setTags(key: string, versionId: string | undefined, tags: Readonly<Record<string, string>>, caller: Caller): Promise<StoredObject> {
    checkTags(tags, OBJECT_TAGS_MAX);
    const event = Object.keys(tags).length > 0 ? "ObjectTagging:Put" : "ObjectTagging:Delete";
    return this.#change(key, versionId, (object) => ({ ...object, tags }), { event, caller });
  }

  /** Gives a version another access list, which is kept as it is. Throws `NotFound`, `IsDeleteMarker`. */
  setAcl(key: string, versionId: string | undefined, acl: unknown, caller: Caller): Promise<StoredObject> {
    const change = (object: StoredObject): StoredObject => {
      checkAttributes({ ...object, acl });
      return { ...object, acl };
    };
    return this.#change(key, versionId, change, { event: "ObjectAcl:Put", caller });
  }

  /** Current objects by key; `max` counts objects and common prefixes together. A short page is the last one only without `next`. */
  list(query: ListQuery): Promise<Listing> {
    return listObjects((range) => this.#cell.outbox.readRows(range), query);
  }

  /** All versions and delete markers, of one key the newest first. */
  listVersions(query: ListVersionsQuery): Promise<VersionListing> {
    return listVersions(
      (range) => this.#cell.outbox.readRows(range),
      query,
      async (key) => {
        const found = await findVersion(this.#cell, key, NULL_VERSION);
        if (!found) return undefined;
        return found.isCurrent ? { kind: "current" } : { kind: "noncurrent", number: found.version.number };
      },
    );
  }

  #change(
    key: string,
    versionId: string | undefined,
    change: (object: StoredObject) => StoredObject,
    told: { readonly event: string; readonly caller: Caller },
  ): Promise<StoredObject> {
    return this.#cell.inTurn(key, () => changeAttributes(this.#cell, key, versionId, change, told));
  }
}
