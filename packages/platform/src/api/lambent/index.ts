/** Lambent's own API: status, applications, live logs. */
export { verifyShape } from "./care.ts";
export { createLambentService } from "./service.ts";
export type { LambentServiceParts } from "./service.ts";
export { codePath, lambentModel } from "./schema.ts";
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
  WantedQueueShape,
  WantedTriggerShape,
  WiringChangeShape,
} from "./schema.ts";
