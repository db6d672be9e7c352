/**
 * S3 as the gateway serves it. Owns shapes, listings as S3 pages and encodes them, and the words for errors; `objects/` owns buckets, versions and bodies,
 * `gateway/s3/` addressing, CORS, forms and how bodies come in. Selecting, locks and retention, restoring, torrents, sessions and access points are not
 * built: their operations answer 501 with their name.
 */
import { loadService } from "../../wire/index.ts";
import type { OperationTable } from "../operation.ts";
import type { Service } from "../service.ts";
import { bucketOperations } from "./bucket-operations.ts";
import { configurationOperations } from "./configurations.ts";
import { copyOperations } from "./copy-object.ts";
import { deleteOperations } from "./delete-objects.ts";
import { s3WireError } from "./errors.ts";
import { readOperations } from "./get-object.ts";
import { listOperations, versionListOperations } from "./list-objects.ts";
import { multipartListOperations } from "./multipart-lists.ts";
import { multipartOperations } from "./multipart.ts";
import { objectAclOperations } from "./object-acl.ts";
import type { S3Parts } from "./parts.ts";
import { s3Permission } from "./permissions.ts";
import { putOperations } from "./put-object.ts";
import { objectTagOperations } from "./tagging.ts";

/** S3 as the gateway serves it. */
export function s3Service(parts: S3Parts): Service {
  return {
    model: loadService("s3"),
    operations: s3Operations(parts),
    wireError: s3WireError,
    permission: (operation, input, context) => s3Permission(parts.buckets, operation, input, context),
  };
}

/** Every operation of S3 that is built. */
export function s3Operations(parts: S3Parts) {
  return {
    ...bucketOperations(parts),
    ...configurationOperations(parts),
    ...putOperations(parts),
    ...readOperations(parts),
    ...copyOperations(parts),
    ...deleteOperations(parts),
    ...listOperations(parts),
    ...versionListOperations(parts),
    ...multipartOperations(parts),
    ...multipartListOperations(parts),
    ...objectTagOperations(parts),
    ...objectAclOperations(parts),
  } satisfies OperationTable;
}
