/** The nouns every part speaks of, the signals they send, and the ports that join them. */
export { DEFAULT_ACCOUNT, DEFAULT_REGION, parseRealmKey, realmKey } from "./realm.ts";
export type { Realm } from "./realm.ts";
export { logStreamName } from "./log-stream.ts";
export { LATEST, versionKey } from "./function.ts";
export type {
  CodeReference,
  FunctionSettings,
  FunctionVersion,
  HandlerStyle,
  LayerReference,
  LogFormat,
  LoggingSettings,
  LogLevel,
} from "./function.ts";
export type { Call, CallEnding, Departure, LogLine, ResponsePrelude, ResponseStream, UsageRecord } from "./invocation.ts";
export { Signals } from "./signals.ts";
export type { CountedSignals, LossySignals } from "./signals.ts";
export type { Cipher, CredentialIssuer, InstanceCaller, InstanceEndpoint, RoleCredentials, ServiceCall, ServiceCaller } from "./ports.ts";
export type { CloudEvent, EventData } from "./cloud-event.ts";
export { UPLOAD_EVENTS, uploadEventText, uploadText } from "./upload-filter.ts";
export type { UploadFilter } from "./upload-filter.ts";
