/** What the target of a schedule gets. @see EventBridge Scheduler User Guide, "Adding context attributes" */
import type { Instant } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import type { DueDelivery, Parcel } from "../outbox/index.ts";

/** The service as a principal. */
export const SCHEDULER_PRINCIPAL = "scheduler.amazonaws.com";

const PLACEHOLDER = "<aws.scheduler.";
const SCHEDULE_ARN = "<aws.scheduler.schedule-arn>";
const SCHEDULED_TIME = "<aws.scheduler.scheduled-time>";
const EXECUTION_ID = "<aws.scheduler.execution-id>";
const ATTEMPT_NUMBER = "<aws.scheduler.attempt-number>";

/** `2022-03-22T18:59:43Z`. */
export function wholeSecond(at: Instant): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

/** The input with what is known of the occurrence in place; what differs from attempt to attempt stays. */
export function payloadOf(input: string, scheduleArn: string, dueAt: Instant): Buffer {
  if (!input.includes(PLACEHOLDER)) return Buffer.from(input);
  return Buffer.from(input.replaceAll(SCHEDULE_ARN, scheduleArn).replaceAll(SCHEDULED_TIME, wholeSecond(dueAt)));
}

/** What a target gets whose schedule has no input. */
export function notification(id: string, realm: Realm, scheduleArn: string, dueAt: Instant): string {
  return JSON.stringify({
    version: "0",
    id,
    "detail-type": "Scheduled Event",
    source: "aws.scheduler",
    account: realm.account,
    time: wholeSecond(dueAt),
    region: realm.region,
    resources: [scheduleArn],
    // A text, as AWS sends it.
    detail: "{}",
  });
}

/**
 * The parcel of a delivery as this attempt sends it: of a schedule's, number and id of the attempt in their places; what anybody else sends is left
 * as it is, whatever stands in it. For whoever hands it over.
 */
export function parcelOfAttempt({ parcel, id, attempts }: Pick<DueDelivery, "parcel" | "id" | "attempts">): Parcel {
  const { sender, payload } = parcel;
  if (sender.kind !== "service" || sender.service !== SCHEDULER_PRINCIPAL || !payload.includes(PLACEHOLDER)) return parcel;
  const attempt = attempts + 1;
  const text = payload.toString("utf8").replaceAll(EXECUTION_ID, executionId(id, attempt)).replaceAll(ATTEMPT_NUMBER, `${attempt}`);
  return { ...parcel, payload: Buffer.from(text) };
}

/** Sixteen digits that name one attempt: those of the delivery's that are chance, and the attempt's number. */
export function executionId(id: string, attempt: number): string {
  return id.slice(-12) + attempt.toString(16).padStart(4, "0");
}
