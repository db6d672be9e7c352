import type { PutObjectOutput, PutObjectRequest } from "@aws-sdk/client-s3";
import type { OperationTable, RequestContext } from "../operation.ts";
import { attributesOf, refusePromises } from "./attributes.ts";
import { callerOf } from "./caller.ts";
import { writeConditions } from "./conditions.ts";
import { bodyOf, type Incoming } from "./incoming.ts";
import { objectOf, storedShape } from "./object-shapes.ts";
import type { ObjectParts } from "./parts.ts";

/** Storing objects in one go. @see S3 API reference */
export function putOperations(parts: ObjectParts) {
  return {
    async PutObject(input: Incoming<PutObjectRequest>, context: RequestContext): Promise<PutObjectOutput> {
      refusePromises(input);
      const { bucket, record, key } = await objectOf(parts, input);
      const conditions = writeConditions(input);
      const stored = await bucket.put(key, attributesOf(record, input), bodyOf(input), {
        conditions,
        caller: callerOf(context, parts.roles),
      });
      return storedShape(record, key, stored);
    },
  } satisfies OperationTable;
}
