/**
 * Kinds of events of objects, as S3 names them and as EventBridge does.
 *
 * @see Amazon S3 User Guide, "Supported event types", "Mapping EventBridge" and "EventBridge event message structure"
 */

/** What EventBridge says of a kind. */
export interface BusWords {
  readonly detailType: string;
  readonly reason?: string;
  readonly deletionType?: string;
}

/** Those that something here brings about. */
const BUS_WORDS = {
  "ObjectCreated:Put": { detailType: "Object Created", reason: "PutObject" },
  "ObjectCreated:Post": { detailType: "Object Created", reason: "POST Object" },
  "ObjectCreated:Copy": { detailType: "Object Created", reason: "CopyObject" },
  "ObjectCreated:CompleteMultipartUpload": { detailType: "Object Created", reason: "CompleteMultipartUpload" },
  "ObjectRemoved:Delete": { detailType: "Object Deleted", reason: "DeleteObject", deletionType: "Permanently Deleted" },
  "ObjectRemoved:DeleteMarkerCreated": { detailType: "Object Deleted", reason: "DeleteObject", deletionType: "Delete Marker Created" },
  "LifecycleExpiration:Delete": { detailType: "Object Deleted", reason: "Lifecycle Expiration", deletionType: "Permanently Deleted" },
  "LifecycleExpiration:DeleteMarkerCreated": {
    detailType: "Object Deleted",
    reason: "Lifecycle Expiration",
    deletionType: "Delete Marker Created",
  },
  "ObjectTagging:Put": { detailType: "Object Tags Added" },
  "ObjectTagging:Delete": { detailType: "Object Tags Deleted" },
  "ObjectAcl:Put": { detailType: "Object ACL Updated" },
} as const satisfies Readonly<Record<string, BusWords>>;

/** What EventBridge says of an event by its name; undefined for one that never goes there. */
export function busWordsOf(name: string): BusWords | undefined {
  return (BUS_WORDS as Readonly<Record<string, BusWords | undefined>>)[name];
}

/** Kinds whose record says more than the first version of its form did. */
const LATER_KINDS = /^(?:LifecycleExpiration|ObjectTagging|ObjectAcl):/;

/** The version of a record's form. */
export function recordVersionOf(name: string): "2.1" | "2.3" {
  return LATER_KINDS.test(name) ? "2.3" : "2.1";
}

/** True where a rule for `wanted` (`s3:ObjectCreated:*`, `s3:ObjectRemoved:Delete`) is one for the event `name` (`ObjectCreated:Put`). */
export function isAbout(wanted: string, name: string): boolean {
  const kind = wanted.slice("s3:".length);
  return kind.endsWith(":*") ? name.startsWith(kind.slice(0, -1)) : kind === name;
}
