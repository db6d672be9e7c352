/** What of a parcel differs from attempt to attempt. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import { parcelOfAttempt } from "../../src/schedules/index.ts";
import { deliveryOf } from "../../src/schedules/deliveries.ts";
import type { ScheduleRecord } from "../../src/schedules/schedule.ts";
import { REALM, target } from "./world.ts";

const at = { realm: REALM, group: "default", clock: new ManualClock(), secureRandom: systemSecureRandom };
const input = '{"try":"<aws.scheduler.attempt-number>"}';
const { id, parcel } = deliveryOf(at, { name: "s" } as ScheduleRecord, target({ input }), { dueAt: 0, since: 0 });

test("the number of the attempt is written into what a schedule sends", () => {
  assert.equal(parcelOfAttempt({ id, parcel, attempts: 1 }).payload.toString(), '{"try":"2"}');
});

test("what others send stays as it is, byte by byte, also where it looks like a schedule's input", () => {
  const payload = Buffer.concat([Buffer.from(input), Buffer.of(0xff)]);
  for (const service of ["sns.amazonaws.com", "events.amazonaws.com"]) {
    const other = { ...parcel, payload, sender: { kind: "service", realm: REALM, service, sourceArn: "arn:x" } as const };
    assert.deepEqual(parcelOfAttempt({ id, parcel: other, attempts: 1 }).payload, payload);
  }
});
