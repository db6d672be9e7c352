/** What can be called: functions, versions, aliases, layers, their code and their limits. */
export { openFunctions } from "./functions.ts";
export type { Functions, FunctionsOptions } from "./functions.ts";
export type { CodeProvider } from "./code-provider.ts";
export type { FunctionChange, FunctionDirectory, InvocationTarget } from "./directory.ts";
export { SPARE_TREES_MAX } from "./trees.ts";
export type { TreeKind } from "./trees.ts";

export type {
  CorsSettings,
  EventInvokeRecord,
  LayerVersionRecord,
  RecursionMode,
  ResourcePolicy,
  ResourceStatement,
  UrlRecord,
  VersionState,
} from "./records.ts";
export type { CreateInput, UpdateCodeInput, UpdateConfigurationInput } from "./manage/lifecycle.ts";
export type { FunctionView } from "./manage/views.ts";
export type { FunctionDetails } from "./manage/reading.ts";
export type { PublishInput } from "./manage/versions.ts";
export type { AliasInput, AliasView } from "./manage/aliases.ts";
export type { ProvisionedView } from "./manage/concurrency.ts";
export type { UrlInput, UrlView } from "./manage/urls.ts";
export type { EventInvokeInput, EventInvokeView } from "./manage/event-invoke.ts";
export type { LayerFilter, LayerInput } from "./manage/layers.ts";
export type { AccountUsage } from "./manage/account.ts";
export type { AsynchronousSettings } from "./manage/asynchronous.ts";
export { FLOW_TAGS } from "./rules/flow.ts";
export type { FlowSettings, Keyed, KeyPath } from "./rules/flow.ts";

export {
  functionArn,
  isVersionNumber,
  layerArn,
  parseFunctionReference,
  parseLayerReference,
  parseUnqualifiedReference,
} from "./rules/names.ts";
export type { FunctionReference } from "./rules/names.ts";
export { documentOf } from "./rules/policies.ts";
export type { ResourceDocument } from "./rules/policies.ts";
export type { Page, PageRequest } from "./rules/paging.ts";
export type { SettingsInput } from "./rules/settings.ts";
export { CONCURRENCY_TAG, HANDLER_STYLE_TAG } from "./rules/tags.ts";
export type { Tags } from "./rules/tags.ts";
export { EVENT_AGE_SECONDS_MAX, RETRY_ATTEMPTS_MAX } from "./rules/limits.ts";
export { ACCOUNT_CONCURRENCY, CODE_STORAGE_BYTES_MAX, CODE_UNPACKED_BYTES_MAX, CODE_ZIP_BYTES_MAX } from "./rules/limits.ts";
