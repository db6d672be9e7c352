import type { Client } from "./client.ts";
import { listRuleTriggers, type RuleTrigger, removeRuleTrigger } from "./rule-triggers.ts";
import { deleteSchedule, type ScheduleShape } from "./schedule-api.ts";
import { listScheduleTriggers, scheduleText } from "./schedule-triggers.ts";
import { listStreamTriggers, streamText, type StreamTriggerJson, streamTriggerText } from "./stream-triggers.ts";
import { functionOf, listTriggers, queueNameOf, removeTrigger, type Trigger } from "./trigger-api.ts";
import { formatText, triggerText } from "./trigger-lines.ts";
import { listUploadTriggers, removeUploadTrigger, type UploadTrigger, uploadTriggerText } from "./upload-triggers.ts";
import { whichFunction } from "./which-function.ts";

/** Characters of a pattern in a row. */
const PATTERN_SHOWN_MAX = 60;

/** Whatever calls a function and was made to. */
export type AnyTrigger =
  | { readonly kind: "queue"; readonly functionName: string; readonly queue: string; readonly mapping: Trigger }
  | { readonly kind: "stream"; readonly functionName: string; readonly stream: StreamTriggerJson }
  | { readonly kind: "rule"; readonly functionName: string; readonly rule: RuleTrigger }
  | { readonly kind: "schedule"; readonly functionName: string; readonly schedule: ScheduleShape }
  | { readonly kind: "upload"; readonly functionName: string; readonly upload: UploadTrigger };

/** Triggers of a function, or all, in the order of functions and names. */
export async function listAllTriggers(client: Client, functionName: string | undefined): Promise<AnyTrigger[]> {
  const which = await whichFunction(client, functionName);
  const mappings = await listTriggers(client, { functionName });
  const queues = mappings.filter(isOfQueue).map((mapping): AnyTrigger => {
    return { kind: "queue", functionName: functionOf(mapping.FunctionArn), queue: queueNameOf(mapping.EventSourceArn), mapping };
  });
  const streams = mappings.every(isOfQueue) ? [] : await listStreamTriggers(client, functionName);
  const ofStreams = streams.map((stream): AnyTrigger => ({ kind: "stream", functionName: stream.FunctionName, stream }));
  const rules = (await listRuleTriggers(client, which)).map((rule): AnyTrigger => {
    return { kind: "rule", functionName: functionOf(rule.target.Arn), rule };
  });
  const schedules = (await listScheduleTriggers(client, which)).map((schedule): AnyTrigger => {
    return { kind: "schedule", functionName: functionOf(schedule.Target.Arn), schedule };
  });
  const uploads = (await listUploadTriggers(client, which)).map((upload): AnyTrigger => {
    return { kind: "upload", functionName: functionOf(upload.configuration.LambdaFunctionArn ?? ""), upload };
  });
  const order = (trigger: AnyTrigger): string => `${trigger.functionName} ${sourceText(trigger)}`;
  return [...queues, ...ofStreams, ...rules, ...schedules, ...uploads].toSorted((left, right) => (order(left) < order(right) ? -1 : 1));
}

/** `queue orders`, `Kafka topic clicks`, `stream readings`, `rule r1`, `rule r1 of bus shop`, `schedule nightly`, `rule hello-created-jpg of bucket photos`. */
export function sourceText(trigger: AnyTrigger): string {
  switch (trigger.kind) {
    case "queue":
      return `queue ${trigger.queue}`;
    case "stream":
      return streamText(trigger.stream);
    case "rule": {
      const { Name, EventBusName } = trigger.rule.rule;
      return EventBusName === "default" ? `rule ${Name}` : `rule ${Name} of bus ${EventBusName}`;
    }
    case "schedule":
      return `schedule ${trigger.schedule.Name}`;
    case "upload":
      return `rule ${trigger.upload.configuration.Id ?? ""} of bucket ${trigger.upload.bucket}`;
  }
}

/** Function, source, state, how, and how the last call went. */
export function triggerRow(trigger: AnyTrigger): string[] {
  const source = sourceText(trigger);
  switch (trigger.kind) {
    case "queue": {
      const { mapping } = trigger;
      return [trigger.functionName, source, mapping.State, triggerText(mapping), mapping.LastProcessingResult ?? ""];
    }
    case "stream": {
      const { State, LastProcessingResult: last = "" } = trigger.stream;
      return [trigger.functionName, source, State, streamTriggerText(trigger.stream), last];
    }
    case "rule": {
      const { rule, target } = trigger.rule;
      const asked = cut(rule.EventPattern ?? rule.ScheduleExpression ?? "");
      return [trigger.functionName, source, stateText(rule.State), `${asked}, ${formatText(target)}`, ""];
    }
    case "schedule":
      return [trigger.functionName, source, stateText(trigger.schedule.State), scheduleText(trigger.schedule), ""];
    case "upload":
      return [trigger.functionName, source, stateText(undefined), cut(uploadTriggerText(trigger.upload)), ""];
  }
}

/** A trigger as data: its kind, and what AWS's operations say of it. */
export function triggerData(trigger: AnyTrigger): object {
  switch (trigger.kind) {
    case "queue":
      return { Kind: "queue", ...trigger.mapping };
    case "stream":
      return { Kind: "stream", ...trigger.stream };
    case "rule":
      return { Kind: "rule", ...trigger.rule.rule, Target: trigger.rule.target };
    case "schedule":
      return { Kind: "schedule", ...trigger.schedule };
    case "upload":
      return { Kind: "upload", Bucket: trigger.upload.bucket, ...trigger.upload.configuration };
  }
}

/** Removes it; what it was fed by stays, a rule only while it has other targets. Answers what is to be said beside it. */
export async function removeAnyTrigger(client: Client, trigger: AnyTrigger): Promise<string> {
  switch (trigger.kind) {
    case "queue":
      await removeTrigger(client, trigger.mapping.UUID);
      return "";
    case "stream":
      await removeTrigger(client, trigger.stream.UUID);
      return "";
    case "rule":
      return (await removeRuleTrigger(client, trigger.rule)).ruleRemoved ? "" : ", the rule has other targets and stays";
    case "schedule":
      await deleteSchedule(client, trigger.schedule.Name);
      return "";
    case "upload":
      await removeUploadTrigger(client, trigger.upload);
      return "";
  }
}

/** Mappings of streams are told of with more than AWS has words for. */
function isOfQueue({ EventSourceArn }: Trigger): boolean {
  return EventSourceArn?.split(":")[2] === "sqs";
}

/** A row of a table is to fit a screen; `--json` has all of it. */
function cut(pattern: string): string {
  return pattern.length <= PATTERN_SHOWN_MAX ? pattern : `${pattern.slice(0, PATTERN_SHOWN_MAX - 1)}…`;
}

function stateText(state: "ENABLED" | "DISABLED" | undefined): string {
  return state === "DISABLED" ? "Disabled" : "Enabled";
}
