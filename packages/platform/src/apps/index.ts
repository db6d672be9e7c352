/** Applications as one document: read, compared with what is there, applied as a difference. */
export { openApps } from "./apps.ts";
export type { Apps, Deployment, DeploymentPlan, DeploymentResult } from "./apps.ts";
export { parseAppDocument } from "./document.ts";
export type { AppDocument, FunctionDeclaration } from "./document.ts";
export { plan } from "./plan.ts";
export type { AppQueues, AppWiring } from "./wiring.ts";
export type { CurrentQueue, DeadLetter, QueueOptions, Trigger, TriggerOptions, WantedQueue } from "./wiring-form.ts";
export type { WiringChange } from "./wiring-plan.ts";
export type { Change, SettingsChange } from "./plan.ts";
export type { FieldChange } from "./difference.ts";
export type {
  AppEvents,
  CurrentBus,
  CurrentRule,
  CurrentSchedule,
  EventFormat,
  RuleTrigger,
  ScheduleOptions,
  ScheduleTrigger,
  WantedBus,
} from "./event-form.ts";
export type { EventChange } from "./event-plan.ts";
export { guessedRuleName, guessedScheduleName, patternFault, rulePermissionId, shortPattern } from "./event-pattern.ts";
export type { AppUploads, CurrentUpload, UploadNames, UploadTrigger, WantedBucket } from "./upload-form.ts";
export type { UploadChange } from "./upload-plan.ts";
export { isDestination, readFrom, STREAM_TRIGGER_DEFAULTS, withPlainDestination } from "./stream-form.ts";
export type {
  AppStreams,
  CurrentStream,
  CurrentStreamTrigger,
  NewStream,
  StreamTrigger,
  StreamTriggerNames,
  StreamTriggerOptions,
  TriggerForm,
  TriggerSource,
  WantedStream,
} from "./stream-form.ts";
export { requireSameFrom } from "./stream-plan.ts";
export type { AppWindows, WantedWindow, WindowChange, WindowDifference } from "./window-form.ts";
export { bucketPermissionId, guessedUploadName, readUpload, readUploadEvent } from "./upload-pattern.ts";
export { readCron, readEvery, zoneFault } from "./schedule-reading.ts";
export type { ScheduleReading } from "./schedule-reading.ts";
export type { AppFunctions, Archives } from "./apply.ts";
export { NO_URL, PUBLIC_URL } from "./form.ts";
export type { CurrentFunction, FunctionOptions, UrlForm, WantedFunction } from "./form.ts";
