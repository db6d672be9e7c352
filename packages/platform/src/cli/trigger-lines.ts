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
