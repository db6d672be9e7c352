/** Lambent's own API: status, applications, live logs. */
export { createLambentService } from "./service.ts";
export type { LambentServiceParts } from "./service.ts";
export { lambentModel } from "./schema.ts";
export type { EventRecordShape } from "./event-schema.ts";
export type {
  BackupDataResponse,
  ChangeShape,
  DeployAppRequest,
  DeployAppResponse,
  DeployedFunctionShape,
  GetStatusResponse,
  PlanAppRequest,
  PlanAppResponse,
  VerifyDataResponse,
  WantedFunctionShape,
} from "./schema.ts";
export type {
  WantedBusShape,
  WantedQueueShape,
  WantedUploadShape,
  WantedRuleShape,
  WantedScheduleShape,
  WantedTriggerShape,
  WiringChangeShape,
} from "./wiring-schema.ts";
