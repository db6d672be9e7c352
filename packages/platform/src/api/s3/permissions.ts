/**
 * What each operation of S3 needs leave for: action and resource.
 *
 * @see Service Authorization Reference, Actions, resources, and condition keys for Amazon S3
 */
import { LambentError } from "../../base/index.ts";
import { type BucketRecord, bucketArn, type Buckets, objectArn } from "../../objects/index.ts";
import type { RequestContext } from "../operation.ts";
import type { Permission } from "../service.ts";
import { expectOwner } from "./bucket-parts.ts";
import { decidingPolicy } from "./bucket-policy.ts";
import { parseCopySource } from "./copy-source.ts";

/** Operations on objects, by the action that each needs on its key. */
const OBJECT_ACTIONS: Readonly<Record<string, string>> = {
  AbortMultipartUpload: "AbortMultipartUpload",
  CompleteMultipartUpload: "PutObject",
  CopyObject: "PutObject",
  CreateMultipartUpload: "PutObject",
  DeleteObject: "DeleteObject",
  DeleteObjectTagging: "DeleteObjectTagging",
  GetObject: "GetObject",
  GetObjectAcl: "GetObjectAcl",
  GetObjectAttributes: "GetObjectAttributes",
  GetObjectTagging: "GetObjectTagging",
  HeadObject: "GetObject",
  ListParts: "ListMultipartUploadParts",
  PutObject: "PutObject",
  PutObjectAcl: "PutObjectAcl",
  PutObjectTagging: "PutObjectTagging",
  UploadPart: "PutObject",
  UploadPartCopy: "PutObject",
};

/** What the same action is called where the call names a version. */
const VERSION_ACTIONS: Readonly<Record<string, string>> = {
  DeleteObject: "DeleteObjectVersion",
  DeleteObjectTagging: "DeleteObjectVersionTagging",
  GetObject: "GetObjectVersion",
  GetObjectAcl: "GetObjectVersionAcl",
  GetObjectAttributes: "GetObjectVersionAttributes",
  GetObjectTagging: "GetObjectVersionTagging",
  PutObjectAcl: "PutObjectVersionAcl",
  PutObjectTagging: "PutObjectVersionTagging",
};

/** Operations on buckets whose action is not their own name. */
const BUCKET_ACTIONS: Readonly<Record<string, string>> = {
  DeleteBucketAnalyticsConfiguration: "PutAnalyticsConfiguration",
  DeleteBucketCors: "PutBucketCORS",
  DeleteBucketEncryption: "PutEncryptionConfiguration",
  DeleteBucketIntelligentTieringConfiguration: "PutIntelligentTieringConfiguration",
  DeleteBucketInventoryConfiguration: "PutInventoryConfiguration",
  DeleteBucketLifecycle: "PutLifecycleConfiguration",
  DeleteBucketMetricsConfiguration: "PutMetricsConfiguration",
  DeleteBucketOwnershipControls: "PutBucketOwnershipControls",
  DeleteBucketReplication: "PutReplicationConfiguration",
  DeleteBucketTagging: "PutBucketTagging",
  DeletePublicAccessBlock: "PutBucketPublicAccessBlock",
  GetBucketAccelerateConfiguration: "GetAccelerateConfiguration",
  GetBucketAnalyticsConfiguration: "GetAnalyticsConfiguration",
  GetBucketCors: "GetBucketCORS",
  GetBucketEncryption: "GetEncryptionConfiguration",
  GetBucketIntelligentTieringConfiguration: "GetIntelligentTieringConfiguration",
  GetBucketInventoryConfiguration: "GetInventoryConfiguration",
  GetBucketLifecycleConfiguration: "GetLifecycleConfiguration",
  GetBucketMetricsConfiguration: "GetMetricsConfiguration",
  GetBucketNotificationConfiguration: "GetBucketNotification",
  GetBucketReplication: "GetReplicationConfiguration",
  GetObjectLockConfiguration: "GetBucketObjectLockConfiguration",
  GetPublicAccessBlock: "GetBucketPublicAccessBlock",
  HeadBucket: "ListBucket",
  ListBucketAnalyticsConfigurations: "GetAnalyticsConfiguration",
  ListBucketIntelligentTieringConfigurations: "GetIntelligentTieringConfiguration",
  ListBucketInventoryConfigurations: "GetInventoryConfiguration",
  ListBucketMetricsConfigurations: "GetMetricsConfiguration",
  ListMultipartUploads: "ListBucketMultipartUploads",
  ListObjects: "ListBucket",
  ListObjectsV2: "ListBucket",
  ListObjectVersions: "ListBucketVersions",
  PutBucketAccelerateConfiguration: "PutAccelerateConfiguration",
  PutBucketAnalyticsConfiguration: "PutAnalyticsConfiguration",
  PutBucketCors: "PutBucketCORS",
  PutBucketEncryption: "PutEncryptionConfiguration",
  PutBucketIntelligentTieringConfiguration: "PutIntelligentTieringConfiguration",
  PutBucketInventoryConfiguration: "PutInventoryConfiguration",
  PutBucketLifecycleConfiguration: "PutLifecycleConfiguration",
  PutBucketMetricsConfiguration: "PutMetricsConfiguration",
  PutBucketNotificationConfiguration: "PutBucketNotification",
  PutBucketReplication: "PutReplicationConfiguration",
  PutObjectLockConfiguration: "PutBucketObjectLockConfiguration",
  PutPublicAccessBlock: "PutBucketPublicAccessBlock",
};

/** Condition keys that are members of inputs. */
const CONDITION_KEYS: readonly (readonly [member: string, key: string])[] = [
  ["Prefix", "s3:prefix"],
  ["Delimiter", "s3:delimiter"],
  ["MaxKeys", "s3:max-keys"],
  ["VersionId", "s3:VersionId"],
  ["ACL", "s3:x-amz-acl"],
  ["StorageClass", "s3:x-amz-storage-class"],
  ["ServerSideEncryption", "s3:x-amz-server-side-encryption"],
  ["SSEKMSKeyId", "s3:x-amz-server-side-encryption-aws-kms-key-id"],
  ["CopySource", "s3:x-amz-copy-source"],
  ["MetadataDirective", "s3:x-amz-metadata-directive"],
];

/** Members that put an access control list on what is stored. */
const GRANT_MEMBERS = ["ACL", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP"] as const;

type Input = Readonly<Record<string, unknown>>;
type Conditions = Readonly<Record<string, string>>;

/** What a call needs leave for. Whether a bucket is there is told to everybody; undefined for a batch, whose keys are asked for one by one. */
export function s3Permission(
  buckets: Pick<Buckets, "get">,
  operation: string,
  input: Input,
  context: RequestContext,
): Permission | undefined {
  const conditions = conditionsOf(input, context);
  if (operation === "ListBuckets") return { action: "s3:ListAllMyBuckets", resource: "*", context: conditions };
  const name = textOf(input, "Bucket");
  if (name === undefined) throw new LambentError("InvalidParameter", "Bucket is required.");
  if (operation === "CreateBucket") return { action: "s3:CreateBucket", resource: bucketArn(name), context: conditions };
  const record = buckets.get(name);
  expectOwner(record, textOf(input, "ExpectedBucketOwner"));
  if (operation === "DeleteObjects") return undefined;
  const action = OBJECT_ACTIONS[operation];
  if (action === undefined) return bucketPermission(record, `s3:${BUCKET_ACTIONS[operation] ?? operation}`, conditions);
  const key = textOf(input, "Key") ?? "";
  const hasVersion = textOf(input, "VersionId") !== undefined;
  const permission = objectPermission(record, key, action, hasVersion, conditions);
  return {
    ...permission,
    others: othersOf(buckets, operation, input, (each) => objectPermission(record, key, each, hasVersion, conditions), conditions),
  };
}

/** Leave for something that is about the whole bucket. */
export function bucketPermission(record: BucketRecord, action: string, context: Conditions = {}): Permission {
  return {
    action,
    resource: bucketArn(record.name),
    resourcePolicy: decidingPolicy(record),
    resourceAccount: record.realm.account,
    context,
  };
}

/** Leave for something that is about one key; `action` without `s3:`. */
export function objectPermission(
  record: BucketRecord,
  key: string,
  action: string,
  hasVersion: boolean,
  context: Conditions = {},
): Permission {
  const name = hasVersion ? (VERSION_ACTIONS[action] ?? action) : action;
  return { ...bucketPermission(record, `s3:${name}`, context), resource: objectArn(record.name, key) };
}

/** What a call needs beside its own action: tags and lists are set by actions of their own, and a source is read. */
function othersOf(
  buckets: Pick<Buckets, "get">,
  operation: string,
  input: Input,
  onKey: (action: string) => Permission,
  conditions: Conditions,
): Permission[] {
  const others: Permission[] = [];
  if (operation === "GetObjectAttributes") others.push(onKey("GetObject"));
  if (textOf(input, "Tagging") !== undefined) others.push(onKey("PutObjectTagging"));
  if (operation !== "PutObjectAcl" && GRANT_MEMBERS.some((member) => input[member] !== undefined)) others.push(onKey("PutObjectAcl"));
  const source = textOf(input, "CopySource");
  if (source !== undefined) {
    const { bucket, key, versionId } = parseCopySource(source);
    const record = buckets.get(bucket);
    expectOwner(record, textOf(input, "ExpectedSourceBucketOwner"));
    others.push(objectPermission(record, key, "GetObject", versionId !== undefined, conditions));
  }
  return others;
}

/** The condition keys of a call: what it asks for, and where it comes from. */
export function conditionsOf(input: Input, { sourceAddress }: Pick<RequestContext, "sourceAddress">): Conditions {
  const told = CONDITION_KEYS.flatMap(([member, key]) => {
    const value = input[member];
    return typeof value === "string" || typeof value === "number" ? [[key, String(value)] as const] : [];
  });
  return { ...Object.fromEntries(told), ...(sourceAddress === undefined ? {} : { "aws:SourceIp": sourceAddress }) };
}

function textOf(input: Input, member: string): string | undefined {
  const value = input[member];
  return typeof value === "string" ? value : undefined;
}
