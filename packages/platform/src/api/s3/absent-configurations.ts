/** Configurations that no bucket can have here: reading them answers as for a bucket without, setting them is refused by name. */
import type {
  DeleteBucketReplicationRequest,
  GetBucketReplicationRequest,
  GetObjectLockConfigurationRequest,
  ListBucketAnalyticsConfigurationsOutput,
  ListBucketIntelligentTieringConfigurationsOutput,
  ListBucketInventoryConfigurationsOutput,
  ListBucketMetricsConfigurationsOutput,
} from "@aws-sdk/client-s3";
import { LambentError } from "../../base/index.ts";
import type { OperationTable } from "../operation.ts";
import { type BucketInput, type BucketParts, recordOf } from "./bucket-parts.ts";
import { noConfiguration } from "./configuration-errors.ts";

/** Object lock, replication, and what reports on objects. */
export function absentConfigurationOperations({ buckets }: BucketParts) {
  const absent = (input: BucketInput, document: string, message: string): never => {
    throw noConfiguration(recordOf(buckets, input).name, document, message);
  };
  const unbuilt = (input: BucketInput, what: string): never => {
    recordOf(buckets, input);
    throw new LambentError("NotImplemented", `${what} is not built in Lambent.`);
  };
  const none = (input: BucketInput): { readonly IsTruncated: false } => {
    recordOf(buckets, input);
    return { IsTruncated: false };
  };
  const noReport = (document: string) => (input: BucketInput) => absent(input, document, "The specified configuration does not exist.");
  return {
    PutObjectLockConfiguration: (input: BucketInput): never => unbuilt(input, "Object Lock, which would keep objects from being deleted,"),
    GetObjectLockConfiguration: (input: GetObjectLockConfigurationRequest): never =>
      absent(input, "objectLock", "Object Lock configuration does not exist for this bucket"),

    PutBucketReplication: (input: BucketInput): never => unbuilt(input, "Replication"),
    GetBucketReplication: (input: GetBucketReplicationRequest): never =>
      absent(input, "replication", "The replication configuration was not found"),
    DeleteBucketReplication(input: DeleteBucketReplicationRequest): void {
      recordOf(buckets, input);
    },

    ListBucketAnalyticsConfigurations: (input: BucketInput): ListBucketAnalyticsConfigurationsOutput => none(input),
    ListBucketInventoryConfigurations: (input: BucketInput): ListBucketInventoryConfigurationsOutput => none(input),
    ListBucketMetricsConfigurations: (input: BucketInput): ListBucketMetricsConfigurationsOutput => none(input),
    ListBucketIntelligentTieringConfigurations: (input: BucketInput): ListBucketIntelligentTieringConfigurationsOutput => none(input),
    GetBucketAnalyticsConfiguration: noReport("analytics"),
    GetBucketInventoryConfiguration: noReport("inventory"),
    GetBucketMetricsConfiguration: noReport("metrics"),
    GetBucketIntelligentTieringConfiguration: noReport("intelligentTiering"),
  } satisfies OperationTable;
}
