/**
 * What a bucket has that was told nothing: AWS's defaults of today (docs/decisions/0028). A document that is absent is the default, whoever made the
 * bucket; `null` is one that was deleted.
 */
import type { ObjectOwnership, PublicAccessBlockConfiguration, ServerSideEncryptionConfiguration } from "@aws-sdk/client-s3";
import type { BucketRecord } from "../../objects/index.ts";

type WithDocuments = Pick<BucketRecord, "documents">;

export const FRESH_PUBLIC_ACCESS: Required<PublicAccessBlockConfiguration> = {
  BlockPublicAcls: true,
  IgnorePublicAcls: true,
  BlockPublicPolicy: true,
  RestrictPublicBuckets: true,
};

export const FRESH_OWNERSHIP: ObjectOwnership = "BucketOwnerEnforced";

export const FRESH_ENCRYPTION: ServerSideEncryptionConfiguration = {
  Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" }, BucketKeyEnabled: false }],
};

/** What of public access is blocked; undefined where the configuration was deleted. */
export function publicAccessOf({ documents }: WithDocuments): PublicAccessBlockConfiguration | undefined {
  const stored = documents["publicAccessBlock"];
  return stored === undefined ? FRESH_PUBLIC_ACCESS : stored === null ? undefined : (stored as PublicAccessBlockConfiguration);
}

/** Whose objects are, and whether ACLs mean anything; undefined where the configuration was deleted. */
export function ownershipOf({ documents }: WithDocuments): ObjectOwnership | undefined {
  const stored = documents["ownershipControls"];
  return stored === undefined ? FRESH_OWNERSHIP : stored === null ? undefined : (stored as ObjectOwnership);
}

/** How bodies are encrypted where nobody said otherwise; stored and read back. */
export function encryptionOf({ documents }: WithDocuments): ServerSideEncryptionConfiguration {
  return (documents["encryption"] as ServerSideEncryptionConfiguration | undefined) ?? FRESH_ENCRYPTION;
}
