/** The event of EventBridge's own examples. */
import type { BusEvent } from "../../src/bus/envelope.ts";

export const AT = Date.parse("2026-11-21T19:00:00.250Z");

/** An event whose detail is this JSON text. */
export function busEvent(detail: string, changes: Partial<BusEvent> = {}): BusEvent {
  return {
    id: "7bf73129-1428-4cd3-a780-95db273d1602",
    source: "aws.ec2",
    type: "EC2 Instance State-change Notification",
    time: Date.parse("2015-11-11T21:29:54Z"),
    ingestedAt: AT,
    account: "123456789012",
    region: "us-east-1",
    resources: ["arn:aws:ec2:us-east-1:123456789012:instance/i-abcd1111"],
    dataContentType: "application/json",
    data: { kind: "json", bytes: Buffer.from(detail) },
    extensions: {},
    ...changes,
  };
}

export const EC2_EVENT = busEvent('{"instance-id":"i-0123456789","state":"RUNNING"}');
