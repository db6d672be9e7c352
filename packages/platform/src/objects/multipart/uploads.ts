/**
 * Uploads in parts: which are under way in a bucket, their parts, and how they end.
 *
 * Keeps P1 (a part that was answered is durable, and so is an object that was completed), P7. A part is a file; completing writes the list of
 * them and moves nothing. An upload ends in the commit that removes its row. Rows of more parts than fit into that go in bounded steps behind
 * the answer, still in the turn of its key: so no row names a file that is gone. What a version is, is decided in `changing.ts`.
 */
import { deferred, invariant, isLambentError, LambentError, timeOrderedId } from "../../base/index.ts";
import { type ByteRange, eachRow, type OwnRow, type StateRow } from "../../storage/index.ts";
import { checkAttributes } from "../attributes.ts";
import type { BucketCell } from "../bucket-cell.ts";
import { storeVersion } from "../changing.ts";
import type { WriteConditions } from "../conditions.ts";
import type { IncomingBody } from "../incoming-body.ts";
import { checkKey } from "../keys.ts";
import type { Caller } from "../object-event.ts";
import { encodeParts } from "../parts-list.ts";
import type { FoundObject } from "../reading.ts";
import { looseFileOf, storeBody, type StoredBody } from "../storing-body.ts";
import type { BodyPlace, ObjectAttributes, StoredObject } from "../version.ts";
import { CompletedAnswers } from "./answers.ts";
import { clearAllLeft, clearBehind, clearingOf, PARTS_CLEARED_PER_COMMIT } from "./clearing.ts";
import { checkPartNumber, type CompleteRequest, decideCompletion, PART_BYTES_MIN } from "./completing.ts";
import { storeCopy } from "./copying-part.ts";
import { listUploads, type UploadListing, type UploadsQuery } from "./listing.ts";
import {
  checkedChecksum,
  isUploadId,
  type Leftover,
  leftoverRows,
  partRows,
  type Upload,
  type UploadedPart,
  uploadRows,
  type WantedChecksum,
} from "./upload.ts";

/** Uploads of one bucket that are under way; one more is refused with `LimitExceeded` (P7). @limit */
export const UPLOADS_MAX = 100_000;

export interface UploadDraft extends ObjectAttributes {
  readonly checksum?: WantedChecksum | undefined;
}

export interface PartsPage {
  readonly upload: Upload;
  readonly parts: readonly UploadedPart[];
  /** The last number of this page, where there are more. */
  readonly next?: number | undefined;
}

/** How an upload ended: what is answered at once, and what is left to do. */
interface Ended<T> {
  readonly answer: T;
  readonly left?: (() => Promise<void>) | undefined;
}

/** What a part is copied from, as it was found in its bucket. */
export interface PartSource {
  readonly bucket: { readonly cell: BucketCell };
  readonly found: FoundObject;
}

/** Bounds other than the usual ones. */
export interface UploadRules {
  /** Of every part but the last one. */
  readonly partBytesMin?: number;
  /** Under way in the bucket. */
  readonly uploadsMax?: number;
}

export interface CompleteOptions {
  readonly conditions?: WriteConditions | undefined;
  readonly caller: Caller;
}

export class Uploads {
  readonly #cell: BucketCell;
  readonly #answers: CompletedAnswers;
  readonly #onProblem: (error: unknown) => void;
  readonly #rules: Required<UploadRules>;
  #count: number;

  private constructor(cell: BucketCell, count: number, onProblem: (error: unknown) => void, rules: Required<UploadRules>) {
    this.#cell = cell;
    this.#rules = rules;
    this.#answers = new CompletedAnswers(cell);
    this.#count = count;
    this.#onProblem = onProblem;
  }

  /** Opens a bucket's uploads, clearing what a life before this one left of those that had ended. Before anything else is done with the bucket. */
  static async open(
    cell: BucketCell,
    onProblem: (error: unknown) => void,
    { partBytesMin = PART_BYTES_MIN, uploadsMax = UPLOADS_MAX }: UploadRules = {},
  ): Promise<Uploads> {
    await clearAllLeft(cell);
    let count = 0;
    for await (const _ of rowsOf(cell, uploadRows.prefix)) count += 1;
    return new Uploads(cell, count, onProblem, { partBytesMin, uploadsMax });
  }

  /** Uploads under way. */
  get count(): number {
    return this.#count;
  }

  /** Begins an upload. Throws `LimitExceeded` at the bound, `InvalidParameter` for a key or a checksum that there cannot be. */
  async create(key: string, draft: UploadDraft, caller: Caller): Promise<Upload> {
    checkKey(key);
    const { clock, secureRandom } = this.#cell;
    const { checksum, headers, metadata, tags, storageClass, encryption, acl } = draft;
    const attributes: ObjectAttributes = {
      ...{ headers, metadata, tags, storageClass },
      ...(encryption ? { encryption } : {}),
      ...(acl === undefined ? {} : { acl }),
    };
    checkAttributes(attributes);
    const upload: Upload = {
      ...{ key, id: timeOrderedId(clock, secureRandom), attributes, initiatedAt: clock.now() },
      ...{ owner: this.#cell.record.realm.account, initiator: caller.principalId },
      ...(checksum ? { checksum: checkedChecksum(checksum) } : {}),
    };
    if (this.#count >= this.#rules.uploadsMax)
      throw new LambentError(
        "LimitExceeded",
        `${this.#count} uploads are under way in the bucket, which is the bound; complete or abort some.`,
      );
    this.#count += 1;
    try {
      await this.#cell.inTurn(key, () =>
        this.#cell.commit({ rows: [{ key: uploadRows.key(key, upload.id), value: uploadRows.encode(upload) }] }),
      );
    } catch (error) {
      this.#count -= 1;
      throw error;
    }
    return upload;
  }

  /** An upload under way. Throws `NotFound` for one that is not, or that is another key's. */
  async get(key: string, uploadId: string): Promise<Upload> {
    const { upload } = await this.#read(key, uploadId);
    return upload;
  }

  /** Takes a part in (1–10,000), instead of the one of that number before it. Throws `NotFound` when the upload ended meanwhile. */
  async putPart(key: string, uploadId: string, number: number, body: IncomingBody): Promise<UploadedPart> {
    checkPartNumber(number);
    const upload = await this.get(key, uploadId);
    return this.#keepPart(upload, number, await storeBody(this.#cell, withChecksum(body, upload), -1));
  }

  /** The same, from an object that is there, or from a range of its bytes. Throws what `storeCopy` does. */
  async copyPart(key: string, uploadId: string, number: number, { bucket, found }: PartSource, range?: ByteRange): Promise<UploadedPart> {
    checkPartNumber(number);
    const upload = await this.get(key, uploadId);
    return this.#keepPart(upload, number, await storeCopy(this.#cell, { cell: bucket.cell, found }, range, upload.checksum?.algorithm));
  }

  /** Parts with numbers behind `after`, at most `max` (up to 1,000). */
  async listParts(
    key: string,
    uploadId: string,
    { after = 0, max }: { readonly after?: number; readonly max: number },
  ): Promise<PartsPage> {
    const upload = await this.get(key, uploadId);
    if (max <= 0) return { upload, parts: [] };
    const rows = await this.#partRows(upload, after, max);
    const parts = rows.map((row) => partRows.decode(row.key, row.value));
    const last = parts.at(-1)?.number;
    const hasMore = last !== undefined && (await this.#partRows(upload, last, 1)).length > 0;
    return { upload, parts, ...(hasMore ? { next: last } : {}) };
  }

  /** Uploads under way, by key and then in the order they were begun. */
  list(query: UploadsQuery): Promise<UploadListing> {
    return listUploads((range) => this.#cell.outbox.readRows(range), query);
  }

  /**
   * Makes the object of the parts that are named; the others go. Throws what `decideCompletion` does, what the bucket's conditions do, and `NotFound`.
   * For a day the same request is answered the same again.
   */
  complete(key: string, uploadId: string, request: CompleteRequest, { conditions, caller }: CompleteOptions): Promise<StoredObject> {
    return this.#ending(key, async () => {
      const found = await this.#find(key, uploadId);
      if (!found) return { answer: (await this.#answered(key, uploadId, request)) ?? refuseUpload(uploadId) };
      const { upload } = found;
      const { rows, uploaded } = await this.#allParts(uploadId);
      const { kept, parts, ...content } = decideCompletion(upload, uploaded, request, this.#rules.partBytesMin);
      const end = endingOf(upload, rows, kept);
      const row = encodeParts(parts);
      const body: BodyPlace = { kind: "parts", count: parts.length };
      const answer = await storeVersion(
        this.#cell,
        key,
        upload.attributes,
        { ...content, body, row },
        {
          ...{ conditions, caller, event: "ObjectCreated:CompleteMultipartUpload", leaves: end.leaves },
          rows: (object) => [...end.rows, this.#answers.row(key, uploadId, object)],
        },
      );
      this.#count -= 1;
      return { answer, left: () => this.#behind(upload, end.left, () => this.#answers.forgetSome()) };
    });
  }

  /** Ends an upload; its parts go. */
  abort(key: string, uploadId: string): Promise<void> {
    return this.#ending(key, async () => {
      const { upload } = await this.#read(key, uploadId);
      const rows = await this.#cell.outbox.readRows({ prefix: partRows.of(uploadId), limit: PARTS_CLEARED_PER_COMMIT + 1 });
      const { left, ...change } = endingOf(upload, rows, []);
      await this.#cell.commit(change);
      this.#count -= 1;
      return { answer: undefined, left: () => this.#behind(upload, left) };
    });
  }

  /** Commits a part whose file is there, unless the upload ended meanwhile. */
  #keepPart(upload: Upload, number: number, stored: StoredBody): Promise<UploadedPart> {
    const { bytes, md5, checksum } = stored;
    const takes = looseFileOf(stored);
    invariant(takes, "a part is a file");
    const keep = () =>
      this.#cell.inTurn(upload.key, async () => {
        const key = partRows.key(upload.id, number);
        const { before } = await this.#read(upload.key, upload.id, key);
        const part: UploadedPart = {
          number,
          bytes,
          md5,
          modifiedAt: this.#cell.clock.now(),
          file: takes.name,
          ...(checksum ? { checksum } : {}),
        };
        const leaves = before ? [{ name: partRows.decode(key, before).file }] : [];
        await this.#cell.commit({ rows: [{ key, value: partRows.encode(part) }], takes, leaves });
        return part;
      });
    return this.#cell.keeping(takes, keep);
  }

  /** Runs `end` in the key's turn, and in the same turn what it leaves to do behind the answer. */
  #ending<T>(key: string, end: () => Promise<Ended<T>>): Promise<T> {
    const answered = deferred<T>();
    const turn = this.#cell.inTurn(key, async () => {
      const { answer, left } = await end();
      answered.resolve(answer);
      await left?.();
    });
    turn.catch(answered.reject);
    return answered.promise;
  }

  async #behind(upload: Upload, left: Leftover | undefined, more?: () => Promise<void>): Promise<void> {
    try {
      if (left) await clearBehind(this.#cell, upload.id, left);
      await more?.();
    } catch (error) {
      // What is left then is taken up at the next opening.
      if (!isLambentError(error, "ShuttingDown", "StorageStopped", "StorageBusy")) this.#onProblem(error);
    }
  }

  async #allParts(uploadId: string) {
    const rows: StateRow[] = [];
    const uploaded = new Map<number, UploadedPart>();
    for await (const row of rowsOf(this.#cell, partRows.of(uploadId))) {
      rows.push(row);
      const part = partRows.decode(row.key, row.value);
      uploaded.set(part.number, part);
    }
    return { rows, uploaded };
  }

  #partRows(upload: Upload, after: number, limit: number): Promise<readonly StateRow[]> {
    return this.#cell.outbox.readRows({ prefix: partRows.of(upload.id), after: partRows.key(upload.id, after), limit });
  }

  async #answered(key: string, uploadId: string, request: CompleteRequest): Promise<StoredObject | undefined> {
    return isUploadId(uploadId) ? this.#answers.find(key, uploadId, request) : undefined;
  }

  async #read(
    key: string,
    uploadId: string,
    beside?: string,
  ): Promise<{ readonly upload: Upload; readonly before: Uint8Array | undefined }> {
    return (await this.#find(key, uploadId, beside)) ?? refuseUpload(uploadId);
  }

  /** An upload with the row `beside` it, both of one moment. */
  async #find(key: string, uploadId: string, beside?: string) {
    checkKey(key);
    if (!isUploadId(uploadId)) return undefined;
    const rowKey = uploadRows.key(key, uploadId);
    const [row, before] = await this.#cell.outbox.getRows(beside === undefined ? [rowKey] : [rowKey, beside]);
    return row && { upload: uploadRows.decode(rowKey, row), before };
  }
}

/** What the commit that ends an upload does to its rows: as many of its parts' as fit; `left` says what remains. */
function endingOf({ key, id }: Upload, parts: readonly StateRow[], kept: Leftover["kept"]) {
  const { rows, leaves } = clearingOf(parts.slice(0, PARTS_CLEARED_PER_COMMIT), kept);
  const left: Leftover | undefined = parts.length > PARTS_CLEARED_PER_COMMIT ? { kept } : undefined;
  const ended: OwnRow[] = [{ key: uploadRows.key(key, id), value: undefined }];
  if (left) ended.push({ key: leftoverRows.key(id), value: leftoverRows.encode(left) });
  return { rows: [...ended, ...rows], leaves, left };
}

/** Every row of the bucket whose key begins with `prefix`. */
function rowsOf({ outbox }: BucketCell, prefix: string): AsyncGenerator<StateRow> {
  return eachRow({ list: (_, range) => outbox.readRows(range) }, "", prefix);
}

/** The body with the checksum that its upload wants of every part. Throws `InvalidParameter` where it comes with another one. */
function withChecksum(body: IncomingBody, { checksum }: Upload): IncomingBody {
  if (!checksum || body.checksum?.algorithm === checksum.algorithm) return body;
  if (body.checksum)
    throw new LambentError(
      "InvalidParameter",
      `Checksum Type mismatch occurred, expected checksum Type: ${checksum.algorithm.toLowerCase()}, actual checksum Type: ${body.checksum.algorithm.toLowerCase()}`,
      { what: "request" },
    );
  const { source, length, md5, signedSha256 } = body;
  return { source, length, md5, signedSha256, checksum: { algorithm: checksum.algorithm } };
}

function refuseUpload(uploadId: string): never {
  throw new LambentError(
    "NotFound",
    "The specified upload does not exist. It may be no id of one, or the upload was aborted or completed.",
    {
      what: "upload",
      name: uploadId,
    },
  );
}
