/**
 * Lifecycle documents: S3's form, checked as S3 checks it, and what of it acts here. Expiry acts; transitions to other storage classes are stored and
 * read back, and nothing moves: there is one place for objects here.
 */
import type {
  DeleteBucketLifecycleRequest,
  GetBucketLifecycleConfigurationOutput,
  GetBucketLifecycleConfigurationRequest,
  LifecycleRule as RuleShape,
  PutBucketLifecycleConfigurationOutput,
  PutBucketLifecycleConfigurationRequest,
  TransitionDefaultMinimumObjectSize,
} from "@aws-sdk/client-s3";
import type { SecureRandom } from "../../base/index.ts";
import { LIFECYCLE_RULES_MAX, type LifecycleRule } from "../../objects/index.ts";
import { given } from "../given.ts";
import type { OperationTable } from "../operation.ts";
import { type BucketParts, plain, recordOf, withDocument } from "./bucket-parts.ts";
import { malformedXml, noConfiguration, refused } from "./configuration-errors.ts";
import { checkActions } from "./lifecycle-actions.ts";
import { filterOf, hasSizes, hasTags } from "./lifecycle-filter.ts";

const ID_CHARS_MAX = 255;
const GENERATED_ID_BYTES = 24;

const SMALLEST_MOVED: TransitionDefaultMinimumObjectSize = "all_storage_classes_128K";

/** The document as it is kept: times are texts in it. */
interface StoredDocument {
  readonly Rules: readonly RuleShape[];
  readonly TransitionDefaultMinimumObjectSize: TransitionDefaultMinimumObjectSize;
}

/** What becomes of objects in time. @see S3 API reference */
export function lifecycleOperations({ buckets, secureRandom }: BucketParts) {
  return {
    async PutBucketLifecycleConfiguration(input: PutBucketLifecycleConfigurationRequest): Promise<PutBucketLifecycleConfigurationOutput> {
      const { name } = recordOf(buckets, input);
      const rules = namedRules(given(input.LifecycleConfiguration, "LifecycleConfiguration").Rules ?? [], secureRandom);
      const lifecycle = rules.map(lifecycleRule);
      const { TransitionDefaultMinimumObjectSize: size = SMALLEST_MOVED } = input;
      const document = plain({ Rules: rules, TransitionDefaultMinimumObjectSize: size });
      await buckets.update(name, (record) => ({ ...withDocument(record, "lifecycle", document), lifecycle: lifecycle.filter(acts) }));
      return { TransitionDefaultMinimumObjectSize: size };
    },

    GetBucketLifecycleConfiguration(input: GetBucketLifecycleConfigurationRequest): GetBucketLifecycleConfigurationOutput {
      const { name, documents } = recordOf(buckets, input);
      const stored = documents["lifecycle"] as StoredDocument | undefined;
      if (!stored) throw noConfiguration(name, "lifecycle", "The lifecycle configuration does not exist");
      return { ...stored, Rules: stored.Rules.map(withDates) };
    },

    async DeleteBucketLifecycle(input: DeleteBucketLifecycleRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      await buckets.update(name, (record) => ({ ...withDocument(record, "lifecycle", undefined), lifecycle: [] }));
    },
  } satisfies OperationTable;
}

/** The rules with a name each; refuses names that occur twice. */
function namedRules(rules: readonly RuleShape[], secureRandom: SecureRandom): RuleShape[] {
  if (rules.length < 1 || rules.length > LIFECYCLE_RULES_MAX) throw malformedXml(`there are 1 to ${LIFECYCLE_RULES_MAX} rules`);
  const seen = new Set<string>();
  return rules.map((rule) => {
    const ID = rule.ID === undefined || rule.ID === "" ? secureRandom.bytes(GENERATED_ID_BYTES).toString("base64url") : rule.ID;
    if (ID.length > ID_CHARS_MAX) throw refused("argument", `ID length should not exceed allowed limit of ${ID_CHARS_MAX}`);
    if (seen.has(ID)) throw refused("argument", "Rule ID must be unique. Found same ID for more than one rule");
    seen.add(ID);
    return { ...rule, ID };
  });
}

/** A rule as it acts; refuses one that S3 would refuse. */
function lifecycleRule(rule: RuleShape): LifecycleRule {
  if (rule.Status !== "Enabled" && rule.Status !== "Disabled") throw malformedXml("Status is Enabled or Disabled");
  const filter = filterOf(rule);
  checkActions(rule, filter.prefix);
  const { Expiration, NoncurrentVersionExpiration: noncurrent, AbortIncompleteMultipartUpload: abort } = rule;
  if (Expiration?.ExpiredObjectDeleteMarker !== undefined && hasTags(filter))
    throw refused("request", "ExpiredObjectDeleteMarker can not be specified with tag based filter");
  if (abort !== undefined && hasTags(filter)) throw refused("request", "AbortIncompleteMultipartUpload cannot be specified with Tags.");
  if (abort !== undefined && hasSizes(filter))
    throw refused("request", "AbortIncompleteMultipartUpload cannot be specified with Object Size.");
  return {
    id: given(rule.ID, "ID"),
    enabled: rule.Status === "Enabled",
    filter,
    expireAfterDays: Expiration?.Days,
    expireAt: Expiration?.Date?.getTime(),
    removeLoneMarkers: Expiration?.ExpiredObjectDeleteMarker,
    expireNoncurrentAfterDays: noncurrent?.NoncurrentDays,
    noncurrentKept: noncurrent?.NewerNoncurrentVersions,
    abortUploadsAfterDays: abort?.DaysAfterInitiation,
  };
}

/** Does something here: transitions do not. */
function acts(rule: LifecycleRule): boolean {
  const { expireAfterDays, expireAt, removeLoneMarkers, expireNoncurrentAfterDays, abortUploadsAfterDays } = rule;
  return [expireAfterDays, expireAt, removeLoneMarkers || undefined, expireNoncurrentAfterDays, abortUploadsAfterDays].some(
    (each) => each !== undefined,
  );
}

/** A stored rule, its times as times again. */
function withDates(rule: RuleShape): RuleShape {
  const dated = <T extends { readonly Date?: Date | undefined }>(each: T): T =>
    each.Date === undefined ? each : { ...each, Date: new Date(each.Date) };
  return {
    ...rule,
    ...(rule.Expiration ? { Expiration: dated(rule.Expiration) } : {}),
    ...(rule.Transitions ? { Transitions: rule.Transitions.map(dated) } : {}),
  };
}
