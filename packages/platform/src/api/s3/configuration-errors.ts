/** S3's own names for what the bucket half refuses; `errors.ts` looks here. Constructors beside them, so that a name is written once. */
import { LambentError } from "../../base/index.ts";

/** What S3 says of a document that a bucket does not have, by its name in `BucketRecord.documents`. */
export const configurationErrors: Readonly<Record<string, string>> = {
  accelerate: "NoSuchConfiguration",
  analytics: "NoSuchConfiguration",
  cors: "NoSuchCORSConfiguration",
  encryption: "ServerSideEncryptionConfigurationNotFoundError",
  intelligentTiering: "NoSuchConfiguration",
  inventory: "NoSuchConfiguration",
  lifecycle: "NoSuchLifecycleConfiguration",
  metrics: "NoSuchConfiguration",
  objectLock: "ObjectLockConfigurationNotFoundError",
  ownershipControls: "OwnershipControlsNotFoundError",
  policy: "NoSuchBucketPolicy",
  publicAccessBlock: "NoSuchPublicAccessBlockConfiguration",
  replication: "ReplicationConfigurationNotFoundError",
  tagging: "NoSuchTagSet",
  website: "NoSuchWebsiteConfiguration",
};

/** What S3 calls an `InvalidParameter` of the bucket half, by `details.what`, and its status. */
export const configurationFaults = {
  argument: { name: "InvalidArgument", status: 400 },
  request: { name: "InvalidRequest", status: 400 },
  xml: { name: "MalformedXML", status: 400 },
  tag: { name: "InvalidTag", status: 400 },
  acl: { name: "MalformedACLError", status: 400 },
  aclNotSupported: { name: "AccessControlListNotSupported", status: 400 },
  aclWithOwnership: { name: "InvalidBucketAclWithObjectOwnership", status: 400 },
  bucketState: { name: "InvalidBucketState", status: 409 },
  illegalLocation: { name: "IllegalLocationConstraintException", status: 400 },
  location: { name: "InvalidLocationConstraint", status: 400 },
  loggingTarget: { name: "InvalidTargetBucketForLogging", status: 400 },
  policyTooLarge: { name: "PolicyTooLarge", status: 400 },
  versioning: { name: "IllegalVersioningConfigurationException", status: 400 },
} as const satisfies Record<string, { readonly name: string; readonly status: number }>;

export type ConfigurationFault = keyof typeof configurationFaults;

/** A refusal that S3 has this name for. */
export function refused(what: ConfigurationFault, message: string): LambentError {
  return new LambentError("InvalidParameter", message, { what });
}

/** S3's words for a document that does not fit its schema. */
export function malformedXml(why?: string): LambentError {
  const told = "The XML you provided was not well-formed or did not validate against our published schema";
  return refused("xml", why === undefined ? told : `${told}: ${why}`);
}

/** A bucket does not have the document. */
export function noConfiguration(bucket: string, name: string, message: string): LambentError {
  return new LambentError("NotFound", message, { what: `configuration:${name}`, name: bucket });
}
