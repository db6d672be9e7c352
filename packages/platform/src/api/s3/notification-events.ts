/** The names of what can happen to objects, and which rules would tell of the same thing. */
import { type NotificationRule, overlappingRules } from "../../objects/index.ts";
import { refused } from "./configuration-errors.ts";

/** Kinds that a rule may ask for, each with what it may ask for of it; none: the kind as such. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  IntelligentTiering: [],
  LifecycleExpiration: ["*", "Delete", "DeleteMarkerCreated"],
  LifecycleTransition: [],
  ObjectAcl: ["Put"],
  ObjectAnnotation: ["*", "Delete", "Put"],
  ObjectCreated: ["*", "CompleteMultipartUpload", "Copy", "Post", "Put"],
  ObjectRemoved: ["*", "Delete", "DeleteMarkerCreated"],
  ObjectRestore: ["*", "Completed", "Delete", "Post"],
  ObjectRetention: ["Put"],
  ObjectTagging: ["*", "Delete", "Put"],
  ReducedRedundancyLostObject: [],
  Replication: ["*", "OperationFailedReplication", "OperationMissedThreshold", "OperationNotTracked", "OperationReplicatedAfterThreshold"],
};

/** Every name a rule may ask for: `s3:ObjectCreated:*`. */
export const NOTIFICATION_EVENTS: ReadonlySet<string> = new Set(
  Object.entries(KINDS).flatMap(([kind, whats]) => (whats.length === 0 ? [`s3:${kind}`] : whats.map((what) => `s3:${kind}:${what}`))),
);

/** A name that a rule may ask for. */
export function isNotificationEvent(name: string | undefined): boolean {
  return name !== undefined && NOTIFICATION_EVENTS.has(name);
}

/** Refuses rules of which two would tell of the same event for the same key. */
export function checkOverlap(rules: readonly NotificationRule[]): void {
  const pair = overlappingRules(rules);
  if (!pair) return;
  throw refused(
    "argument",
    pair.every(({ prefix, suffix }) => prefix === "" && suffix === "")
      ? "Configurations overlap. Configurations on the same bucket cannot share a common event type."
      : "Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.",
  );
}
