/**
 * What a bucket is told about itself. Policies, CORS, versioning, lifecycle and notifications act; encryption, website, logging, payment and acceleration
 * are checked, stored and read back, and do nothing: the table in docs/objects.md says which is which.
 */
import type {
  DeleteBucketEncryptionRequest,
  DeleteBucketWebsiteRequest,
  GetBucketAccelerateConfigurationOutput,
  GetBucketAccelerateConfigurationRequest,
  GetBucketEncryptionOutput,
  GetBucketEncryptionRequest,
  GetBucketLoggingOutput,
  GetBucketLoggingRequest,
  GetBucketRequestPaymentOutput,
  GetBucketRequestPaymentRequest,
  GetBucketWebsiteOutput,
  GetBucketWebsiteRequest,
  PutBucketAccelerateConfigurationRequest,
  PutBucketEncryptionRequest,
  PutBucketLoggingRequest,
  PutBucketRequestPaymentRequest,
  PutBucketWebsiteRequest,
  ServerSideEncryptionConfiguration,
  WebsiteConfiguration,
} from "@aws-sdk/client-s3";
import type { BucketRecord } from "../../objects/index.ts";
import { given } from "../given.ts";
import type { OperationTable } from "../operation.ts";
import { absentConfigurationOperations } from "./absent-configurations.ts";
import { aclOperations, policyOperations, publicAccessOperations } from "./access-configurations.ts";
import { type BucketParts, plain, recordOf, withDocument } from "./bucket-parts.ts";
import { bucketTagOperations } from "./bucket-tags.ts";
import { malformedXml, noConfiguration, refused } from "./configuration-errors.ts";
import { corsOperations } from "./cors.ts";
import { encryptionOf } from "./fresh-bucket.ts";
import { lifecycleOperations } from "./lifecycle-configuration.ts";
import { notificationOperations } from "./notification-configuration.ts";
import { versioningOperations } from "./versioning.ts";

/** Routing rules of a website. @see S3 user guide, redirects */
const ROUTING_RULES_MAX = 50;
const PREFIX_BYTES_MAX = 1_024;

/** Everything that can be said of a bucket. */
export function configurationOperations(parts: BucketParts) {
  return {
    ...versioningOperations(parts),
    ...corsOperations(parts),
    ...policyOperations(parts),
    ...aclOperations(parts),
    ...publicAccessOperations(parts),
    ...bucketTagOperations(parts),
    ...lifecycleOperations(parts),
    ...notificationOperations(parts),
    ...storedConfigurationOperations(parts),
    ...absentConfigurationOperations(parts),
  } satisfies OperationTable;
}

/** Those that are checked, stored and read back, and do nothing. */
export function storedConfigurationOperations(parts: BucketParts) {
  return {
    ...encryptionOperations(parts),
    ...websiteOperations(parts),
    ...loggingOperations(parts),
    ...paymentAndAccelerationOperations(parts),
  } satisfies OperationTable;
}

function encryptionOperations({ buckets }: BucketParts) {
  return {
    async PutBucketEncryption(input: PutBucketEncryptionRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      const document = checkedEncryption(given(input.ServerSideEncryptionConfiguration, "ServerSideEncryptionConfiguration"));
      await buckets.update(name, (record) => withDocument(record, "encryption", document));
    },

    GetBucketEncryption(input: GetBucketEncryptionRequest): GetBucketEncryptionOutput {
      return { ServerSideEncryptionConfiguration: encryptionOf(recordOf(buckets, input)) };
    },

    async DeleteBucketEncryption(input: DeleteBucketEncryptionRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      await buckets.update(name, (record) => withDocument(record, "encryption", undefined));
    },
  } satisfies OperationTable;
}

function checkedEncryption({ Rules = [] }: ServerSideEncryptionConfiguration): unknown {
  const [rule] = Rules;
  if (!rule || Rules.length > 1) throw malformedXml("there is one rule");
  const { ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled = false, ...others } = rule;
  if (byDefault !== undefined && !["AES256", "aws:kms", "aws:kms:dsse"].includes(String(byDefault.SSEAlgorithm)))
    throw malformedXml("SSEAlgorithm is AES256, aws:kms or aws:kms:dsse");
  if (byDefault?.SSEAlgorithm === "AES256" && byDefault.KMSMasterKeyID !== undefined)
    throw refused("argument", "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse");
  return plain({ Rules: [{ ApplyServerSideEncryptionByDefault: byDefault ?? { SSEAlgorithm: "AES256" }, BucketKeyEnabled, ...others }] });
}

function websiteOperations({ buckets }: BucketParts) {
  return {
    async PutBucketWebsite(input: PutBucketWebsiteRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      const asked = given(input.WebsiteConfiguration, "WebsiteConfiguration");
      checkWebsite(asked);
      await buckets.update(name, (record) => withDocument(record, "website", plain(asked)));
    },

    GetBucketWebsite(input: GetBucketWebsiteRequest): GetBucketWebsiteOutput {
      const { name, documents } = recordOf(buckets, input);
      const found = documents["website"] as GetBucketWebsiteOutput | undefined;
      if (!found) throw noConfiguration(name, "website", "The specified bucket does not have a website configuration");
      return { ...found };
    },

    async DeleteBucketWebsite(input: DeleteBucketWebsiteRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      await buckets.update(name, (record) => withDocument(record, "website", undefined));
    },
  } satisfies OperationTable;
}

function checkWebsite({ RedirectAllRequestsTo, IndexDocument, ErrorDocument, RoutingRules = [] }: WebsiteConfiguration): void {
  if (RedirectAllRequestsTo !== undefined) {
    if (IndexDocument !== undefined || ErrorDocument !== undefined || RoutingRules.length > 0)
      throw refused("argument", "RedirectAllRequestsTo cannot be provided in conjunction with other Routing Rules.");
    if (!RedirectAllRequestsTo.HostName) throw malformedXml("RedirectAllRequestsTo has a HostName");
    return;
  }
  const suffix = IndexDocument?.Suffix;
  if (IndexDocument === undefined)
    throw refused("argument", "A value for IndexDocument Suffix must be provided if RedirectAllRequestsTo is empty");
  if (suffix === undefined || suffix === "" || suffix.includes("/"))
    throw refused("argument", "The IndexDocument Suffix is not well formed");
  if (ErrorDocument !== undefined && !ErrorDocument.Key) throw refused("argument", "The ErrorDocument Key is not well formed");
  if (RoutingRules.length > ROUTING_RULES_MAX)
    throw refused(
      "request",
      `${RoutingRules.length} routing rules provided, the number of routing rules in a website configuration is limited to ${ROUTING_RULES_MAX}.`,
    );
}

function loggingOperations({ buckets }: BucketParts) {
  const checkTarget = (record: BucketRecord, target: BucketRecord | undefined): void => {
    if (!target) throw refused("loggingTarget", "The target bucket for logging does not exist");
    if (target.realm.account !== record.realm.account)
      throw refused("loggingTarget", "The owner for the bucket to be logged and the target bucket must be the same");
    if (target.realm.region !== record.realm.region)
      throw refused("loggingTarget", "The target bucket for logging is in another region than the bucket to be logged");
  };
  return {
    async PutBucketLogging(input: PutBucketLoggingRequest): Promise<void> {
      const record = recordOf(buckets, input);
      const { LoggingEnabled: enabled } = given(input.BucketLoggingStatus, "BucketLoggingStatus");
      if (enabled) {
        if (enabled.TargetBucket === undefined || enabled.TargetPrefix === undefined)
          throw malformedXml("LoggingEnabled has TargetBucket and TargetPrefix");
        if (Buffer.byteLength(enabled.TargetPrefix) > PREFIX_BYTES_MAX) throw refused("argument", "TargetPrefix is too long");
        checkTarget(record, buckets.find(enabled.TargetBucket));
      }
      await buckets.update(record.name, (current) => withDocument(current, "logging", enabled && plain(enabled)));
    },

    GetBucketLogging(input: GetBucketLoggingRequest): GetBucketLoggingOutput {
      const enabled = recordOf(buckets, input).documents["logging"] as GetBucketLoggingOutput["LoggingEnabled"];
      return enabled ? { LoggingEnabled: enabled } : {};
    },
  } satisfies OperationTable;
}

function paymentAndAccelerationOperations({ buckets }: BucketParts) {
  return {
    async PutBucketRequestPayment(input: PutBucketRequestPaymentRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      const { Payer } = given(input.RequestPaymentConfiguration, "RequestPaymentConfiguration");
      if (Payer !== "BucketOwner" && Payer !== "Requester") throw malformedXml("Payer is BucketOwner or Requester");
      await buckets.update(name, (record) => withDocument(record, "requestPayment", Payer));
    },

    GetBucketRequestPayment(input: GetBucketRequestPaymentRequest): GetBucketRequestPaymentOutput {
      const payer = recordOf(buckets, input).documents["requestPayment"];
      return { Payer: payer === "Requester" ? payer : "BucketOwner" };
    },

    async PutBucketAccelerateConfiguration(input: PutBucketAccelerateConfigurationRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      const { Status } = given(input.AccelerateConfiguration, "AccelerateConfiguration");
      if (Status !== "Enabled" && Status !== "Suspended") throw malformedXml("Status is Enabled or Suspended");
      if (name.includes("."))
        throw refused("request", "S3 Transfer Acceleration is not supported for buckets with periods (.) in their names");
      await buckets.update(name, (record) => withDocument(record, "accelerate", Status));
    },

    GetBucketAccelerateConfiguration(input: GetBucketAccelerateConfigurationRequest): GetBucketAccelerateConfigurationOutput {
      const status = recordOf(buckets, input).documents["accelerate"];
      return status === "Enabled" || status === "Suspended" ? { Status: status } : {};
    },
  } satisfies OperationTable;
}
