/** One version of an object, as its bucket keeps it: what `k/` and `n/` rows hold. Keys are in the rows' names, not in them. */
import type { Instant } from "../base/index.ts";

/** What a version of a key is called where its bucket keeps one only. */
export const NULL_VERSION = "null";

export const CHECKSUM_ALGORITHMS = ["CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"] as const;
export type ChecksumAlgorithm = (typeof CHECKSUM_ALGORITHMS)[number];

export interface ObjectChecksum {
  readonly algorithm: ChecksumAlgorithm;
  /** Base64, big-endian; of an object made of parts and COMPOSITE without its `-<parts>`. */
  readonly value: string;
  readonly type: "FULL_OBJECT" | "COMPOSITE";
}

/** Where the bytes are. */
export type BodyPlace =
  /** In the row beside it, in the same commit. */
  | { readonly kind: "inline" }
  /** One file of the bucket's folder. */
  | { readonly kind: "file"; readonly file: string }
  /** Files, in the order that the row beside it lists. */
  | { readonly kind: "parts"; readonly count: number };

/** What is told back with an object as it was given. */
export interface ObjectHeaders {
  readonly contentType?: string | undefined;
  readonly cacheControl?: string | undefined;
  readonly contentDisposition?: string | undefined;
  readonly contentEncoding?: string | undefined;
  readonly contentLanguage?: string | undefined;
  /** As it was sent. */
  readonly expires?: string | undefined;
  readonly websiteRedirectLocation?: string | undefined;
}

/** What whoever stores an object says of it. */
export interface ObjectAttributes {
  readonly headers: ObjectHeaders;
  /** Lower-case names. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  /** `STANDARD` where nothing else was said. */
  readonly storageClass: string;
  /** Stored and read back; bodies lie in the data folder as they are. */
  readonly encryption?:
    | { readonly algorithm: string; readonly keyId?: string | undefined; readonly bucketKey?: boolean | undefined }
    | undefined;
  /** Stored and read back; JSON of the API's form. */
  readonly acl?: unknown;
}

interface VersionBase {
  readonly versionId: string;
  /** Rises with each version of its key: orders them whatever the clock did. */
  readonly number: number;
  readonly modifiedAt: Instant;
  /** Account. */
  readonly owner: string;
}

export interface StoredObject extends VersionBase, ObjectAttributes {
  readonly kind: "object";
  readonly bytes: number;
  /** Hex MD5, or `<hex>-<parts>`; without quotes. */
  readonly etag: string;
  readonly checksum?: ObjectChecksum | undefined;
  readonly body: BodyPlace;
}

export interface DeleteMarker extends VersionBase {
  readonly kind: "deleteMarker";
}

export type ObjectVersion = StoredObject | DeleteMarker;

/** One file of an object that is made of several. */
export interface BodyPart {
  readonly file: string;
  readonly bytes: number;
  /** Hex. */
  readonly md5: string;
  /** In base64, where the upload has an algorithm. */
  readonly checksum?: string | undefined;
}
