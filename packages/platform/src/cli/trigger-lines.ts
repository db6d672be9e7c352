import type { TargetShape } from "./event-api.ts";
import { formatOf } from "./rule-triggers.ts";
import { functionOf, queueNameOf, type Trigger } from "./trigger-api.ts";

/** `batches of up to 100 within 5 s, 10 at once, filtered`. */
export function triggerText(trigger: Trigger): string {
  const { BatchSize, MaximumBatchingWindowInSeconds: window = 0, ScalingConfig, FilterCriteria, FunctionResponseTypes } = trigger;
  const concurrency = ScalingConfig?.MaximumConcurrency;
  return [
    `batches of up to ${BatchSize}${window > 0 ? ` within ${window} s` : ""}`,
    ...(concurrency === undefined ? [] : [`${concurrency} at once`]),
    ...((FilterCriteria?.Filters ?? []).length > 0 ? ["filtered"] : []),
    ...((FunctionResponseTypes ?? []).length > 0 ? ["failures reported by message"] : []),
  ].join(", ");
}

/** `orders → hello`. */
export function triggerName({ EventSourceArn, FunctionArn }: Trigger): string {
  return `${queueNameOf(EventSourceArn)} → ${functionOf(FunctionArn)}`;
}

const FORMATS = {
  aws: "events as EventBridge sends them",
  cloudevent: "events as CloudEvents",
  other: "a part of each event, or a template",
} as const;

/** How a function gets the events of a rule. */
export function formatText(target: TargetShape): string {
  return FORMATS[formatOf(target)];
}
