/** Lambent's own API: status, applications, live logs. */
export { createLambentService } from "./service.ts";
export type { LambentServiceParts } from "./service.ts";
export { lambentModel } from "./schema.ts";
export type { EventRecordShape } from "./event-schema.ts";
export type {
  ListStreamTriggersResponse,
  PutStreamTriggerRequest,
  PutStreamTriggerResponse,
  StreamTriggerShape,
  WantedStreamShape,
  WantedStreamTriggerShape,
} from "./stream-schema.ts";
export type {
  DescribeWindowResponse,
  ListWindowsResponse,
  UpdateWindowResponse,
  WindowProgressShape,
  WindowResponse,
  WindowShape,
} from "./window-schema.ts";
export type { QueriedTable, QueryHead } from "./query-schema.ts";
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
  WantedWindowShape,
  WantedRuleShape,
  WantedScheduleShape,
  WantedTriggerShape,
  WiringChangeShape,
} from "./wiring-schema.ts";
