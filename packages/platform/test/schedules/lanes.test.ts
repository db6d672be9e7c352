import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import { deliveryOf } from "../../src/schedules/deliveries.ts";
import type { ScheduleRecord } from "../../src/schedules/schedule.ts";
import { FUNCTION, REALM, target } from "./world.ts";

const at = { realm: REALM, group: "default", clock: new ManualClock(), secureRandom: systemSecureRandom };
const laneOf = (name: string, arn: string) => deliveryOf(at, { name } as ScheduleRecord, target({ arn }), { dueAt: 0, since: 0 }).lane;

test("schedules of one operation do not wait for each other: what one is refused says nothing of the others' input", () => {
  const invoke = "arn:aws:scheduler:::aws-sdk:lambda:invoke";
  assert.notEqual(laneOf("a", invoke), laneOf("b", invoke));
  assert.equal(laneOf("a", invoke), laneOf("a", invoke));
  // By default the target is the lane.
  assert.equal(laneOf("a", FUNCTION), undefined);
});
