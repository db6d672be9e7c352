import { isLambentError, LambentError } from "../../base/index.ts";
import { type BucketRecord, type Buckets, objectArn } from "../../objects/index.ts";
import type { Parcel } from "../../outbox/index.ts";
import { destinationRecord } from "../destination-record.ts";
import { type Authorize, never, TAKEN, type TargetKind } from "../handing.ts";
import { outcomeKey } from "./shape.ts";

const BUCKET_ARN = /^arn:aws[a-z-]{0,20}:s3:::([^/*]+)$/;

/** Buckets take the record of an invocation's outcome as an object, once: its key is the invocation's. */
export function bucketTarget({ buckets, authorize }: { readonly buckets: () => Buckets; readonly authorize: Authorize }): TargetKind {
  return {
    takes: (target) => BUCKET_ARN.test(target),
    async handOver([{ parcel }]) {
      const { sender, options, payload, traceHeader } = parcel;
      const key = options.objectKey;
      if (key === undefined) return [never("SDK_CLIENT_ERROR", "a bucket takes the outcomes of invocations, and nothing else")];
      const { name, policy } = recordHere(buckets(), parcel);
      authorize({ sender, action: "s3:PutObject", resource: objectArn(name, key), resourcePolicy: policy });
      const bucket = await buckets().bucket(name);
      const caller = { principalId: senderOf(parcel), sourceAddress: "lambda.amazonaws.com", requestId: requestIdOf(parcel), traceHeader };
      try {
        const headers = { contentType: "application/json" };
        const draft = { headers, metadata: {}, tags: {}, storageClass: "STANDARD" };
        await bucket.put(key, draft, { source: payload, length: payload.length }, { conditions: { ifNoneMatch: "*" }, caller });
      } catch (error) {
        // It was here before a crash.
        if (!isLambentError(error, "PreconditionFailed")) throw error;
      }
      return [TAKEN];
    },
    outcome: (outcome) => ({ payload: Buffer.from(destinationRecord(outcome)), options: { objectKey: outcomeKey(outcome) } }),
  };
}

function recordHere(buckets: Buckets, { target, sender }: Parcel): BucketRecord {
  const record = buckets.find(BUCKET_ARN.exec(target)?.[1] ?? "");
  if (record?.realm.account !== sender.realm.account)
    throw new LambentError("NotFound", `${target} is not here, or in another account than what sends to it.`);
  return record;
}

function senderOf({ sender }: Parcel): string {
  return sender.kind === "function" ? sender.functionArn : sender.service;
}

function requestIdOf({ sender }: Parcel): string {
  return sender.kind === "function" ? sender.requestId : "";
}
