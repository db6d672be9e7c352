/**
 * EventBridge Scheduler as the gateway serves it. Owns shapes, which targets there may be, and the words for errors; `schedules/` owns
 * schedules, groups and their times.
 */
import type { Realm } from "../../model/index.ts";
import { groupArn, scheduleArn } from "../../schedules/index.ts";
import { loadService } from "../../wire/index.ts";
import type { OperationTable } from "../operation.ts";
import type { Permission, Service } from "../service.ts";
import { schedulerWireError } from "./errors.ts";
import { groupOperations, groupTagOperations } from "./groups.ts";
import { type ScheduleOperationParts, scheduleOperations } from "./schedules.ts";
import { groupOf } from "./settings.ts";

/** What the service works on. */
export type SchedulerDependencies = ScheduleOperationParts;

/** EventBridge Scheduler as the gateway serves it. */
export function schedulerService(dependencies: SchedulerDependencies): Service {
  return {
    model: loadService("scheduler"),
    operations: schedulerOperations(dependencies),
    wireError: schedulerWireError,
    permission: (operation, input, { realm }) => permissionFor(operation, input, realm),
  };
}

/** Every operation of EventBridge Scheduler. */
export function schedulerOperations(dependencies: SchedulerDependencies) {
  return {
    ...scheduleOperations(dependencies),
    ...groupOperations(dependencies),
    ...groupTagOperations(dependencies.schedules),
  } satisfies OperationTable;
}

/** @see Service Authorization Reference, Amazon EventBridge Scheduler */
function permissionFor(operation: string, input: Readonly<Record<string, unknown>>, realm: Realm): Permission {
  const action = `scheduler:${operation}`;
  const text = (member: string): string | undefined => (typeof input[member] === "string" ? input[member] : undefined);
  const [name, arn] = [text("Name"), text("ResourceArn")];
  if (arn !== undefined) return { action, resource: arn };
  if (name === undefined) return { action, resource: "*" };
  if (operation.endsWith("ScheduleGroup")) return { action, resource: groupArn(realm, name) };
  return { action, resource: scheduleArn(realm, groupOf({ GroupName: text("GroupName") }), name) };
}
