/** One folder per service; each joins its schema with operations. None of them is loaded with this file: see `services.ts`. */
export type { Operation, OperationTable, RequestContext } from "./operation.ts";
export type { Permission, Service } from "./service.ts";
export { perform } from "./perform.ts";
export type { Authorize } from "./perform.ts";
export { createServiceCaller } from "./service-caller.ts";
export { serviceEntry, SERVICES } from "./services.ts";
export type { ServiceEntry } from "./services.ts";
export { policyText } from "./lambda/policy-text.ts";
export { codePath } from "./own-service.ts";
export { corsAnswer } from "./s3/cors-matching.ts";
export type { CorsAnswer, CorsDocument, CorsRequest } from "./s3/cors-matching.ts";
export { verifyShape } from "./verify-shape.ts";
export type {
  BackupDataResponse,
  ChangeShape,
  DeployAppRequest,
  DeployAppResponse,
  DeployedFunctionShape,
  EventRecordShape,
  QueryHead,
  GetStatusResponse,
  PlanAppRequest,
  PlanAppResponse,
  VerifyDataResponse,
  WantedBusShape,
  WantedFunctionShape,
  WantedQueueShape,
  WantedUploadShape,
  ListStreamTriggersResponse,
  PutStreamTriggerRequest,
  PutStreamTriggerResponse,
  StreamTriggerShape,
  WantedStreamShape,
  WantedStreamTriggerShape,
  WantedWindowShape,
  DescribeWindowResponse,
  ListWindowsResponse,
  UpdateWindowResponse,
  WindowProgressShape,
  WindowResponse,
  WindowShape,
  WantedRuleShape,
  WantedScheduleShape,
  WantedTriggerShape,
  WiringChangeShape,
} from "./lambent/index.ts";
