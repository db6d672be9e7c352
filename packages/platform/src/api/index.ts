/** One folder per service; each joins its schema with operations. */
export type { Operation, OperationTable, RequestContext } from "./operation.ts";
export type { Permission, Service } from "./service.ts";
export { lambdaService, policyText } from "./lambda/service.ts";
export { iamService } from "./iam/service.ts";
export { logsService } from "./logs/service.ts";
export { sqsService } from "./sqs/service.ts";
export { stsService } from "./sts/service.ts";
export { codePath, createLambentService, verifyShape } from "./lambent/index.ts";
export type {
  BackupDataResponse,
  ChangeShape,
  DeployAppRequest,
  DeployAppResponse,
  DeployedFunctionShape,
  EventRecordShape,
  GetStatusResponse,
  PlanAppRequest,
  PlanAppResponse,
  VerifyDataResponse,
  WantedFunctionShape,
  WantedQueueShape,
  WantedTriggerShape,
  WiringChangeShape,
} from "./lambent/index.ts";
