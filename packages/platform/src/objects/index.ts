/** Object storage: buckets, their objects with versions, uploads in parts, and what is told of them. */
export { Buckets, LIFECYCLE_RULES_MAX, NOTIFICATION_RULES_MAX } from "./buckets.ts";
export type { BucketsParts } from "./buckets.ts";
export { cellOf, BUCKET_CELL_KIND } from "./bucket-cells.ts";
export type { OutboxOpened } from "./bucket-cells.ts";
export { Bucket } from "./bucket.ts";
export type { PutOptions } from "./bucket.ts";
export { checkBucketName } from "./bucket-names.ts";
export { bucketArn, NO_NOTIFICATIONS, objectArn } from "./bucket-record.ts";
export type { BucketRecord, LifecycleFilter, LifecycleRule, NotificationRule, Notifications, Versioning } from "./bucket-record.ts";
export { overlappingRules } from "./notification-overlap.ts";
export { BUCKET_TAGS_MAX, NO_ATTRIBUTES, OBJECT_TAGS_MAX } from "./attributes.ts";
export { CHECKSUM_ALGORITHMS } from "./version.ts";
export type {
  BodyPart,
  BodyPlace,
  ChecksumAlgorithm,
  DeleteMarker,
  ObjectAttributes,
  ObjectChecksum,
  ObjectHeaders,
  ObjectVersion,
  StoredObject,
} from "./version.ts";
export { OBJECT_BODIES } from "./body-references.ts";
export type { IncomingBody } from "./incoming-body.ts";
export type { Caller, Notifier, ObjectEvent } from "./object-event.ts";
export { checkRead } from "./conditions.ts";
export type { ReadConditions, WriteConditions } from "./conditions.ts";
export type { Deleted, DeleteOptions } from "./changing.ts";
export type { FoundBody, FoundObject } from "./reading.ts";
export type { ListedObject, ListedVersion, Listing, ListQuery, ListVersionsQuery, VersionListing } from "./listing.ts";
export { expiryOf } from "./lifecycle.ts";
export { createChecksum, readChecksumValue } from "./checksums/index.ts";
export { partOf, partsOf } from "./multipart/index.ts";
export type { NamedPart, PartsPage, Upload, UploadedPart, UploadListing } from "./multipart/index.ts";
