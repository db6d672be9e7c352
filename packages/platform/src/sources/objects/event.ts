/** What happened to an object, as AWS tells it: to functions, queues and topics as a record, to a bus as the detail of an event. */
import { bucketArn, type BucketRecord, type Caller, type ObjectEvent } from "../../objects/index.ts";
import { busWordsOf, recordVersionOf } from "./event-names.ts";

/** The event of one record, with its members in AWS's order. @see Amazon S3 User Guide, "Event message structure" */
export function recordEvent({ name: bucket, realm }: BucketRecord, event: ObjectEvent, ruleId: string): Buffer {
  const { name, at, key, bytes, etag, versionId, sequencer, caller } = event;
  const record = {
    eventVersion: recordVersionOf(name),
    eventSource: "aws:s3",
    awsRegion: realm.region,
    eventTime: new Date(at).toISOString(),
    eventName: name,
    userIdentity: { principalId: caller.principalId },
    requestParameters: { sourceIPAddress: caller.sourceAddress },
    responseElements: { "x-amz-request-id": caller.requestId, "x-amz-id-2": caller.requestId },
    s3: {
      s3SchemaVersion: "1.0",
      configurationId: ruleId,
      bucket: { name: bucket, ownerIdentity: { principalId: realm.account }, arn: bucketArn(bucket) },
      object: { key: formEncoded(key), size: bytes, eTag: etag, versionId, sequencer },
    },
  };
  return Buffer.from(JSON.stringify({ Records: [record] }));
}

/** What a queue or a topic is told when it is bound, so that its permission is seen to be there. */
export function testEvent({ name }: BucketRecord, caller: Caller, at: number): Buffer {
  const event = {
    Service: "Amazon S3",
    Event: "s3:TestEvent",
    Time: new Date(at).toISOString(),
    Bucket: name,
    RequestId: caller.requestId,
    HostId: caller.requestId,
  };
  return Buffer.from(JSON.stringify(event));
}

/** The detail of an event on a bus; keys stand in it as they are. @see "EventBridge event message structure" */
export function busDetail({ name: bucket }: BucketRecord, event: ObjectEvent): Buffer {
  const { name, key, bytes, etag, versionId, sequencer, caller } = event;
  const words = busWordsOf(name);
  const detail = {
    version: "0",
    bucket: { name: bucket },
    object: { key, size: bytes, etag, "version-id": versionId, sequencer },
    "request-id": caller.requestId,
    requester: caller.principalId,
    "source-ip-address": caller.sourceAddress,
    reason: words?.reason,
    "deletion-type": words?.deletionType,
  };
  return Buffer.from(JSON.stringify(detail));
}

/** As forms write it: a blank is a plus. Slashes stay. */
function formEncoded(key: string): string {
  return encodeURIComponent(key)
    .replaceAll("%20", "+")
    .replaceAll("%2F", "/")
    .replaceAll(/[!'()~]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
}
