import type { GetObjectAclOutput, GetObjectAclRequest, PutObjectAclRequest } from "@aws-sdk/client-s3";
import type { OperationTable, RequestContext } from "../operation.ts";
import { type Acl, aclOf, checkAclAllowed, privateAcl } from "./acl.ts";
import { plain } from "./bucket-parts.ts";
import { callerOf } from "./caller.ts";
import { malformedXml } from "./configuration-errors.ts";
import { found, objectOf, versionIdOf } from "./object-shapes.ts";
import type { ObjectParts } from "./parts.ts";

/** Access control lists of objects: kept and read back. @see S3 API reference */
export function objectAclOperations(parts: ObjectParts) {
  return {
    async PutObjectAcl(input: PutObjectAclRequest, context: RequestContext): Promise<void> {
      const { bucket, record, key } = await objectOf(parts, input);
      const versionId = versionIdOf(input.VersionId);
      const { object } = await found(parts, record, context, () => bucket.get(key, versionId));
      const acl = aclOf(input, { owner: object.owner, bucketOwner: record.realm.account });
      if (!acl) throw malformedXml("an ACL, a canned one or headers with grants are needed");
      checkAclAllowed(record, acl);
      await found(parts, record, context, () => bucket.setAcl(key, versionId, plain(acl), callerOf(context, parts.roles)));
    },

    async GetObjectAcl(input: GetObjectAclRequest, context: RequestContext): Promise<GetObjectAclOutput> {
      const { bucket, record, key } = await objectOf(parts, input);
      const { object } = await found(parts, record, context, () => bucket.get(key, versionIdOf(input.VersionId)));
      const { Owner, Grants } = (object.acl as Acl | undefined) ?? privateAcl(object.owner);
      return { Owner, Grants: [...Grants] };
    },
  } satisfies OperationTable;
}
