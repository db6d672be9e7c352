import type { Archives, Change, CurrentFunction, Deployment, FunctionOptions, UrlForm, WantedFunction } from "../../apps/index.ts";
import { bucketOf, busOf, queueOf, ruleOf, scheduleOf, triggerOf, uploadOf, windowOf } from "./wiring-forms.ts";
import { streamOf, streamTriggerOf } from "./stream-forms.ts";
import type { ChangeShape, DeployAppRequest, DeployedFunctionShape, PlanAppRequest, WantedFunctionShape } from "./schema.ts";

/** Between the API's shapes and the forms of `apps/`. */

export function deploymentOf(input: PlanAppRequest): Deployment {
  return {
    app: input.App,
    onlyUntouched: input.OnlyUntouched ?? false,
    adopt: input.Adopt ?? false,
    origin: input.Origin,
    functions: input.Functions.map(wantedOf),
    queues: (input.Queues ?? []).map(queueOf),
    triggers: (input.Triggers ?? []).map(triggerOf),
    buses: (input.Buses ?? []).map(busOf),
    rules: (input.Rules ?? []).map(ruleOf),
    schedules: (input.Schedules ?? []).map(scheduleOf),
    buckets: (input.Buckets ?? []).map(bucketOf),
    uploads: (input.Uploads ?? []).map(uploadOf),
    streams: (input.Streams ?? []).map(streamOf),
    streamTriggers: (input.StreamTriggers ?? []).map(streamTriggerOf),
    windows: (input.Windows ?? []).map(windowOf),
  };
}

export function archivesOf(input: DeployAppRequest): Archives {
  return new Map(Object.entries(input.Archives ?? {}));
}

export function changeShape(change: Change): ChangeShape {
  const fields = fieldsOf(change);
  const Fields = fields.map(({ field, from, to }) => ({ Field: field, From: from, To: to }));
  return { Kind: change.kind, FunctionName: change.name, ...(Fields.length > 0 ? { Fields } : {}) };
}

/** `endpoint` is the address as the caller used it: what is printed can be opened from where they are. */
export function deployedShape(form: CurrentFunction, endpoint: string, runtimeNote: string | undefined): DeployedFunctionShape {
  return {
    FunctionName: form.name,
    Runtime: form.runtime,
    ...(runtimeNote === undefined ? {} : { RuntimeNote: runtimeNote }),
    Handler: form.handler,
    MemorySize: form.options.memoryMb,
    TimeoutMs: form.options.timeoutMs,
    ...(form.url.kind === "url" ? { Url: `${endpoint}/function-url/${form.name}/`, UrlAuthType: form.url.auth } : {}),
  };
}

function fieldsOf(change: Change): readonly { readonly field: string; readonly from: string; readonly to: string }[] {
  if (change.kind === "updateSettings") return change.fields;
  if (change.kind === "setUrl") return [{ field: "url", from: showUrl(change.before), to: showUrl(change.url) }];
  return [];
}

function showUrl(url: UrlForm): string {
  if (url.kind === "none") return "none";
  return `${url.auth === "NONE" ? "public" : "signed"}${url.invokeMode === "RESPONSE_STREAM" ? ", streaming" : ""}`;
}

function wantedOf(shape: WantedFunctionShape): WantedFunction {
  return {
    name: shape.FunctionName,
    runtime: shape.Runtime,
    handler: shape.Handler,
    codeSha256: shape.CodeSha256,
    options: optionsOf(shape),
    url: shape.Url && urlOf(shape.Url),
  };
}

function optionsOf(shape: WantedFunctionShape): Partial<FunctionOptions> {
  const all = {
    description: shape.Description,
    memoryMb: shape.MemorySize,
    timeoutMs: shape.TimeoutMs,
    tmpMb: shape.TmpSize,
    environment: shape.Environment && { ...shape.Environment },
    concurrencyPerInstance: shape.Concurrency,
    flow: shape.Async && flowOf(shape.Async),
    handlerStyle: shape.HandlerStyle,
    roleArn: shape.Role,
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) as Partial<FunctionOptions>;
}

function flowOf({
  Concurrency,
  Rate,
  Debounce,
  Priority,
  Idempotency,
}: NonNullable<WantedFunctionShape["Async"]>): FunctionOptions["flow"] {
  const all = { concurrency: Concurrency, rate: Rate, debounce: Debounce, priority: Priority, idempotency: Idempotency };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

function urlOf(url: NonNullable<WantedFunctionShape["Url"]>): UrlForm {
  if (url.Mode === "OFF") return { kind: "none" };
  return { kind: "url", auth: url.Mode, invokeMode: url.InvokeMode ?? "BUFFERED" };
}
