/** What happened to an object, before anybody gave it AWS's form. */
import type { Instant } from "../base/index.ts";
import type { NewDelivery } from "../outbox/index.ts";
import type { BucketRecord, NotificationRule } from "./bucket-record.ts";

/** Who asked for it, for the event and for its place in a chain. */
export interface Caller {
  /** As AWS's record says it: an account, `AWS:<role id>:<session>`. */
  readonly principalId: string;
  readonly sourceAddress: string;
  readonly requestId: string;
  readonly traceHeader: string | undefined;
}

export interface ObjectEvent {
  /** Without `s3:`: `ObjectCreated:Put`, `ObjectCreated:CompleteMultipartUpload`, `ObjectRemoved:DeleteMarkerCreated`, `LifecycleExpiration:Delete`, `ObjectTagging:Put`. */
  readonly name: string;
  readonly at: Instant;
  readonly key: string;
  /** Undefined where there is none any more. */
  readonly bytes?: number | undefined;
  readonly etag?: string | undefined;
  /** Undefined in a bucket that never had versions. */
  readonly versionId?: string | undefined;
  /** Hexadecimal, rising with each change of its key; compared as text. */
  readonly sequencer: string;
  readonly caller: Caller;
}

/** What is to be told, decided by whoever knows AWS's forms (`sources/objects`). */
export interface Notifier {
  /** Deliveries that the bucket commits with the change; mostly none. Undefined rules and filters that do not match give none. */
  deliveries(bucket: BucketRecord, event: ObjectEvent): readonly NewDelivery[];
  /** What a queue or a topic is told when a rule for it is made. */
  testDeliveries(bucket: BucketRecord, rules: readonly NotificationRule[], caller: Caller): readonly NewDelivery[];
}
