/** What of object storage an application wants: buckets, and rules of theirs that call functions. */
import type { Realm } from "../model/index.ts";

export interface WantedBucket {
  readonly name: string;
}

export interface UploadOptions {
  /** As S3 spells it: `s3:ObjectCreated:*`. */
  readonly event: string;
  readonly prefix: string;
  readonly suffix: string;
}

/** A notification rule of a bucket that calls a function. It is declared whole: what a document leaves out is the default. */
export interface UploadTrigger {
  readonly functionName: string;
  readonly bucketName: string;
  /** The rule's id in its bucket. */
  readonly uploadName: string;
  readonly options: UploadOptions;
}

export type UploadNames = Pick<UploadTrigger, "functionName" | "bucketName" | "uploadName">;

export interface CurrentUpload extends UploadNames {
  readonly options: {
    /** Of several, joined by commas. */
    readonly event: string;
    readonly prefix: string;
    readonly suffix: string;
  };
  /** Whether the function lets the bucket call it. */
  readonly permitted: boolean;
}

export interface UploadWiring {
  readonly buckets: readonly WantedBucket[];
  readonly uploads: readonly UploadTrigger[];
}

export interface CurrentUploadWiring {
  /** Names. */
  readonly buckets: ReadonlySet<string>;
  /** By `uploadKey`. */
  readonly uploads: ReadonlyMap<string, CurrentUpload>;
}

/** What an application needs of object storage: joined to `objects/` where the platform is put together. */
export interface AppUploads {
  /** False for a bucket of somebody else: making it is refused then. */
  hasBucket(realm: Realm, name: string): boolean;
  createBucket(realm: Realm, bucket: WantedBucket): Promise<void>;
  /** Undefined when there is no such rule, or it does not call the function. */
  currentUpload(realm: Realm, names: UploadNames): CurrentUpload | undefined;
  /**
   * Makes these rules of a bucket, and the functions' permissions, what they shall be, in one change of the bucket: two rules may swap what
   * they are for. Throws `Conflict` when another rule tells of the same objects already, or has the name.
   */
  putUploads(realm: Realm, bucketName: string, uploads: readonly UploadTrigger[]): Promise<void>;
  removeUpload(realm: Realm, names: UploadNames): Promise<void>;
}

/** By which an application remembers such a rule: none of these names has a space. */
export function uploadKey({ functionName, bucketName, uploadName }: UploadNames): string {
  return `${functionName} upload ${bucketName} ${uploadName}`;
}
