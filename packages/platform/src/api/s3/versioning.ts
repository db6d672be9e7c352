import type { GetBucketVersioningOutput, GetBucketVersioningRequest, PutBucketVersioningRequest } from "@aws-sdk/client-s3";
import { LambentError } from "../../base/index.ts";
import type { Versioning } from "../../objects/index.ts";
import { given } from "../given.ts";
import type { OperationTable } from "../operation.ts";
import { type BucketParts, recordOf } from "./bucket-parts.ts";
import { malformedXml, refused } from "./configuration-errors.ts";

/** Whether a bucket keeps the versions of its objects. @see S3 API reference */
export function versioningOperations({ buckets }: BucketParts) {
  return {
    async PutBucketVersioning(input: PutBucketVersioningRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      const { Status, MFADelete } = given(input.VersioningConfiguration, "VersioningConfiguration");
      if (MFADelete === "Enabled" || input.MFA !== undefined)
        throw new LambentError("NotImplemented", "MFA delete is not built in Lambent: there are no devices that make its codes.");
      const versioning = versioningOf(Status);
      await buckets.update(name, (record) => ({ ...record, versioning }));
    },

    GetBucketVersioning(input: GetBucketVersioningRequest): GetBucketVersioningOutput {
      const { versioning } = recordOf(buckets, input);
      // A bucket that never had versions says nothing at all.
      return versioning === "off" ? {} : { Status: versioning === "enabled" ? "Enabled" : "Suspended" };
    },
  } satisfies OperationTable;
}

function versioningOf(status: string | undefined): Versioning {
  switch (status) {
    case "Enabled":
      return "enabled";
    case "Suspended":
      return "suspended";
    case undefined:
      throw refused("versioning", "The Versioning element must be specified");
    default:
      throw malformedXml("Status is Enabled or Suspended");
  }
}
