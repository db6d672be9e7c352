/** Who may reach a bucket: policy, access control list, ownership, block of public access. What of it is enforced stands in docs/objects.md. */
import type {
  DeleteBucketOwnershipControlsRequest,
  DeleteBucketPolicyRequest,
  DeletePublicAccessBlockRequest,
  GetBucketAclOutput,
  GetBucketAclRequest,
  GetBucketOwnershipControlsOutput,
  GetBucketOwnershipControlsRequest,
  GetBucketPolicyOutput,
  GetBucketPolicyRequest,
  GetBucketPolicyStatusOutput,
  GetBucketPolicyStatusRequest,
  GetPublicAccessBlockOutput,
  GetPublicAccessBlockRequest,
  PutBucketAclRequest,
  PutBucketOwnershipControlsRequest,
  PutBucketPolicyRequest,
  PutPublicAccessBlockRequest,
} from "@aws-sdk/client-s3";
import type { BucketRecord } from "../../objects/index.ts";
import { parsePolicy } from "../../security/index.ts";
import { given } from "../given.ts";
import type { OperationTable } from "../operation.ts";
import { type Acl, aclOf, checkAclAllowed, isPrivate, privateAcl } from "./acl.ts";
import { type BucketParts, plain, recordOf, withDocument } from "./bucket-parts.ts";
import { checkBucketPolicy, isPublicPolicy } from "./bucket-policy.ts";
import { malformedXml, noConfiguration, refused } from "./configuration-errors.ts";
import { FRESH_OWNERSHIP, ownershipOf, publicAccessOf } from "./fresh-bucket.ts";

/** Policies of buckets. @see S3 API reference */
export function policyOperations({ buckets }: BucketParts) {
  const policyOf = ({ name, policy }: BucketRecord): string => {
    if (policy === undefined) throw noConfiguration(name, "policy", "The bucket policy does not exist");
    return policy;
  };
  return {
    async PutBucketPolicy(input: PutBucketPolicyRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      const policy = given(input.Policy, "Policy");
      await buckets.update(name, (record) => {
        checkBucketPolicy(record, policy);
        return { ...record, policy };
      });
    },

    GetBucketPolicy(input: GetBucketPolicyRequest): GetBucketPolicyOutput {
      return { Policy: policyOf(recordOf(buckets, input)) };
    },

    GetBucketPolicyStatus(input: GetBucketPolicyStatusRequest): GetBucketPolicyStatusOutput {
      const document = parsePolicy(policyOf(recordOf(buckets, input)), "resource");
      return { PolicyStatus: { IsPublic: isPublicPolicy(document) } };
    },

    async DeleteBucketPolicy(input: DeleteBucketPolicyRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      await buckets.update(name, (record) => ({ ...record, policy: undefined }));
    },
  } satisfies OperationTable;
}

/** Access control lists of buckets, and whether they may be set. @see S3 API reference */
export function aclOperations({ buckets }: BucketParts) {
  return {
    async PutBucketAcl(input: PutBucketAclRequest): Promise<void> {
      const { name, realm } = recordOf(buckets, input);
      const acl = aclOf(input, { owner: realm.account, bucketOwner: realm.account });
      if (!acl) throw malformedXml("there is neither a canned ACL, nor a grant, nor an AccessControlPolicy");
      await buckets.update(name, (record) => {
        checkAclAllowed(record, acl);
        return withDocument(record, "acl", plain(acl));
      });
    },

    GetBucketAcl(input: GetBucketAclRequest): GetBucketAclOutput {
      const { Owner, Grants } = bucketAcl(recordOf(buckets, input));
      return { Owner, Grants: [...Grants] };
    },

    async PutBucketOwnershipControls(input: PutBucketOwnershipControlsRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      const [rule, ...others] = given(input.OwnershipControls, "OwnershipControls").Rules ?? [];
      const ownership = checkedOwnership(rule?.ObjectOwnership);
      if (others.length > 0) throw malformedXml("there is one rule");
      await buckets.update(name, (record) => {
        if (ownership === "BucketOwnerEnforced" && !isPrivate(bucketAcl(record)))
          throw refused("aclWithOwnership", "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting");
        return withDocument(record, "ownershipControls", ownership);
      });
    },

    GetBucketOwnershipControls(input: GetBucketOwnershipControlsRequest): GetBucketOwnershipControlsOutput {
      const record = recordOf(buckets, input);
      const ObjectOwnership = ownershipOf(record);
      if (ObjectOwnership === undefined)
        throw noConfiguration(record.name, "ownershipControls", "The bucket ownership controls were not found");
      return { OwnershipControls: { Rules: [{ ObjectOwnership }] } };
    },

    async DeleteBucketOwnershipControls(input: DeleteBucketOwnershipControlsRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      await buckets.update(name, (record) => withDocument(record, "ownershipControls", null));
    },
  } satisfies OperationTable;
}

/** What of public access is blocked. @see S3 API reference */
export function publicAccessOperations({ buckets }: BucketParts) {
  return {
    async PutPublicAccessBlock(input: PutPublicAccessBlockRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      const asked = given(input.PublicAccessBlockConfiguration, "PublicAccessBlockConfiguration");
      const { BlockPublicAcls = false, IgnorePublicAcls = false, BlockPublicPolicy = false, RestrictPublicBuckets = false } = asked;
      const document = { BlockPublicAcls, IgnorePublicAcls, BlockPublicPolicy, RestrictPublicBuckets };
      await buckets.update(name, (record) => withDocument(record, "publicAccessBlock", document));
    },

    GetPublicAccessBlock(input: GetPublicAccessBlockRequest): GetPublicAccessBlockOutput {
      const record = recordOf(buckets, input);
      const found = publicAccessOf(record);
      if (!found) throw noConfiguration(record.name, "publicAccessBlock", "The public access block configuration was not found");
      return { PublicAccessBlockConfiguration: { ...found } };
    },

    async DeletePublicAccessBlock(input: DeletePublicAccessBlockRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      await buckets.update(name, (record) => withDocument(record, "publicAccessBlock", null));
    },
  } satisfies OperationTable;
}

/** The list a bucket has, also where nobody set one. */
function bucketAcl({ documents, realm }: BucketRecord): Acl {
  return (documents["acl"] as Acl | undefined) ?? privateAcl(realm.account);
}

const OWNERSHIPS = [FRESH_OWNERSHIP, "BucketOwnerPreferred", "ObjectWriter"] as const;

/** One of S3's three words. */
export function checkedOwnership(ownership: string | undefined): (typeof OWNERSHIPS)[number] {
  const found = OWNERSHIPS.find((each) => each === ownership);
  if (!found) throw malformedXml(`ObjectOwnership is one of ${OWNERSHIPS.join(", ")}`);
  return found;
}
