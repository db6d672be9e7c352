/** Uploads under way and their parts, as they are and as their rows hold them. */
import { type Instant, LambentError } from "../../base/index.ts";
import type { CombinableAlgorithm } from "../checksums/index.ts";
import { PARTS_MAX } from "../parts-list.ts";
import type { ChecksumAlgorithm, ObjectAttributes, ObjectChecksum, StoredObject } from "../version.ts";

/** What an upload's object will have for a checksum: of the parts' checksums, or of the whole, put together from those of its parts. */
export type UploadChecksum =
  | { readonly type: "COMPOSITE"; readonly algorithm: Exclude<ChecksumAlgorithm, "CRC64NVME"> }
  | { readonly type: "FULL_OBJECT"; readonly algorithm: CombinableAlgorithm };

/** A checksum as whoever begins an upload asks for it. */
export interface WantedChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** By default COMPOSITE where the algorithm has it. */
  readonly type?: ObjectChecksum["type"] | undefined;
}

/** Refuses a type that the algorithm does not have, with `InvalidParameter`. */
export function checkedChecksum({ algorithm, type }: WantedChecksum): UploadChecksum {
  if (algorithm === "CRC64NVME") {
    if (type !== "COMPOSITE") return { type: "FULL_OBJECT", algorithm };
  } else if (type !== "FULL_OBJECT") {
    return { type: "COMPOSITE", algorithm };
  } else if (algorithm === "CRC32" || algorithm === "CRC32C") {
    return { type, algorithm };
  }
  throw new LambentError("InvalidParameter", `The ${type} checksum type cannot be used with the ${algorithm} checksum algorithm.`, {
    what: "request",
  });
}

/** An upload under way. */
export interface Upload {
  readonly key: string;
  readonly id: string;
  /** Its object's. */
  readonly attributes: ObjectAttributes;
  readonly initiatedAt: Instant;
  /** Account. */
  readonly owner: string;
  /** Who began it, as events name callers. */
  readonly initiator: string;
  readonly checksum?: UploadChecksum | undefined;
}

/** A part that was uploaded. */
export interface UploadedPart {
  /** 1–10,000. */
  readonly number: number;
  readonly bytes: number;
  /** Hex MD5: its ETag. */
  readonly md5: string;
  /** Of the upload's algorithm where it has one, else of the one that came with the part. */
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
  readonly modifiedAt: Instant;
  /** In the bucket's folder. */
  readonly file: string;
}

/** What completing an upload answered, kept for whoever asks again. */
export interface Completed {
  readonly key: string;
  readonly at: Instant;
  readonly object: StoredObject;
}

/** Parts of an upload that ended whose rows have still to go. */
export interface Leftover {
  /** Numbers of the parts that the object is made of, rising: pairs of the first and the last one of each run. Empty where it was aborted. */
  readonly kept: readonly (readonly [first: number, last: number])[];
}

const UPLOAD_PREFIX = "u/";
const PART_PREFIX = "q/";
const COMPLETED_PREFIX = "c/done/";
const LEFTOVER_PREFIX = "c/left/";

/** What separates a key from an upload's id; keys have no NUL. */
const SEPARATOR = "\0";

/** A time-ordered id: uploads of one key are listed in the order they were begun. */
const UPLOAD_ID_FORM = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/u;

export const uploadRows = {
  prefix: UPLOAD_PREFIX,
  key: (key: string, id: string): string => `${UPLOAD_PREFIX}${key}${SEPARATOR}${id}`,
  /** Of all uploads of keys that begin so. */
  under: (prefix: string): string => UPLOAD_PREFIX + prefix,
  encode: (upload: Upload): Buffer => Buffer.from(JSON.stringify({ ...upload, key: undefined, id: undefined })),
  decode(rowKey: string, value: Uint8Array): Upload {
    const at = rowKey.indexOf(SEPARATOR);
    return { ...(parsed(value) as Omit<Upload, "key" | "id">), key: rowKey.slice(UPLOAD_PREFIX.length, at), id: rowKey.slice(at + 1) };
  },
};

export const partRows = {
  prefix: PART_PREFIX,
  of: (uploadId: string): string => `${PART_PREFIX}${uploadId}/`,
  key: (uploadId: string, number: number): string => `${PART_PREFIX}${uploadId}/${String(number).padStart(5, "0")}`,
  encode: (part: UploadedPart): Buffer => Buffer.from(JSON.stringify({ ...part, number: undefined })),
  decode(rowKey: string, value: Uint8Array): UploadedPart {
    return { ...(parsed(value) as Omit<UploadedPart, "number">), number: Number(rowKey.slice(rowKey.lastIndexOf("/") + 1)) };
  },
};

export const completedRows = {
  prefix: COMPLETED_PREFIX,
  key: (uploadId: string): string => COMPLETED_PREFIX + uploadId,
  encode: (completed: Completed): Buffer => Buffer.from(JSON.stringify(completed)),
  decode: (value: Uint8Array): Completed => parsed(value) as Completed,
};

export const leftoverRows = {
  prefix: LEFTOVER_PREFIX,
  key: (uploadId: string): string => LEFTOVER_PREFIX + uploadId,
  uploadId: (rowKey: string): string => rowKey.slice(LEFTOVER_PREFIX.length),
  encode: (leftover: Leftover): Buffer => Buffer.from(JSON.stringify(leftover)),
  decode: (value: Uint8Array): Leftover => parsed(value) as Leftover,
};

/** Ids come from outside: what is none names no row. */
export function isUploadId(id: string): boolean {
  return UPLOAD_ID_FORM.test(id);
}

export function isPartNumber(number: number): boolean {
  return Number.isInteger(number) && number >= 1 && number <= PARTS_MAX;
}

function parsed(value: Uint8Array): unknown {
  return JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8"));
}
