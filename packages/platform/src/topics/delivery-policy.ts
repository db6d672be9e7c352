/**
 * How often a subscription's endpoint is tried: what people set of it for HTTP, what AWS says of its own endpoints. Pure.
 * @see SNS developer guide, "Message delivery retries"
 */
import type { RetryPolicy } from "../outbox/index.ts";
import { invalid } from "./refused.ts";

export type BackoffFunction = "linear" | "arithmetic" | "geometric" | "exponential";

/** Four phases one behind the other: at once, at the smallest delay, growing, at the largest delay. */
export interface HealthyRetryPolicy {
  readonly minDelayTarget: number;
  readonly maxDelayTarget: number;
  readonly numRetries: number;
  readonly numMaxDelayRetries: number;
  readonly numNoDelayRetries: number;
  readonly numMinDelayRetries: number;
  readonly backoffFunction: BackoffFunction;
}

export const DEFAULT_HEALTHY_RETRY_POLICY: HealthyRetryPolicy = {
  minDelayTarget: 20,
  maxDelayTarget: 20,
  numRetries: 3,
  numMaxDelayRetries: 0,
  numNoDelayRetries: 0,
  numMinDelayRetries: 0,
  backoffFunction: "linear",
};
export const DEFAULT_CONTENT_TYPE = "text/plain; charset=UTF-8";

/** What a topic, or a subscription for itself, says of its HTTP endpoints; what is undefined is left to the default. */
export interface DeliveryPolicy {
  readonly healthyRetryPolicy?: HealthyRetryPolicy | undefined;
  readonly contentType?: string | undefined;
}
export interface TopicDeliveryPolicy extends DeliveryPolicy {
  readonly disableSubscriptionOverrides: boolean;
}

/** What counts, once every default is filled in. */
export interface EffectivePolicy {
  readonly healthyRetryPolicy: HealthyRetryPolicy;
  readonly contentType: string;
}

/** Retries of one message at an HTTP endpoint. @limit */
export const HTTP_RETRIES_MAX = 100;
/** All waits between attempts at an HTTP endpoint together. @limit */
export const HTTP_RETRY_SECONDS_MAX = 3_600;
/** A delivery that is older ends, whatever its policy says: AWS's own endpoints are tried for 23 days. @limit */
export const DELIVERY_AGE_MS_MAX = 24 * 86_400_000;

/** Attempts behind the first one at functions and queues. @limit */
export const MANAGED_RETRIES_MAX = 100_015;

/** Functions and queues: 3 times at once, twice after 1 s, 10 times from 1 to 20 s, 100,000 times after 20 s. */
export const MANAGED_RETRY: RetryPolicy = {
  retriesMax: MANAGED_RETRIES_MAX,
  ageMsMax: DELIVERY_AGE_MS_MAX,
  waitsMs: [0, 0, 0, 1_000, 1_000, ...grown("exponential", 1_000, 20_000, 10), 20_000],
};

/** The retries of an HTTP endpoint. */
export function httpRetry(policy: HealthyRetryPolicy): RetryPolicy {
  return { retriesMax: policy.numRetries, ageMsMax: DELIVERY_AGE_MS_MAX, waitsMs: waitsOf(policy) };
}

/** The policy a subscription's endpoint is tried by. */
export function effectivePolicy(topic: TopicDeliveryPolicy | undefined, own: DeliveryPolicy | undefined): EffectivePolicy {
  const mine = topic?.disableSubscriptionOverrides ? undefined : own;
  return {
    healthyRetryPolicy: mine?.healthyRetryPolicy ?? topic?.healthyRetryPolicy ?? DEFAULT_HEALTHY_RETRY_POLICY,
    contentType: mine?.contentType ?? topic?.contentType ?? DEFAULT_CONTENT_TYPE,
  };
}

/** The wait before each retry. */
export function waitsOf(policy: HealthyRetryPolicy): number[] {
  const { numRetries, numNoDelayRetries, numMinDelayRetries, numMaxDelayRetries } = policy;
  const [minMs, maxMs] = [policy.minDelayTarget * 1_000, policy.maxDelayTarget * 1_000];
  const growing = numRetries - numNoDelayRetries - numMinDelayRetries - numMaxDelayRetries;
  return [
    ...same(0, numNoDelayRetries),
    ...same(minMs, numMinDelayRetries),
    ...grown(policy.backoffFunction, minMs, maxMs, growing),
    ...same(maxMs, numMaxDelayRetries),
  ];
}

/** Refuses a policy that breaks one of SNS's rules. */
export function checkHealthyRetryPolicy(policy: HealthyRetryPolicy): void {
  const { minDelayTarget: min, maxDelayTarget: max, numRetries } = policy;
  const range = (name: keyof HealthyRetryPolicy, lowest: number, highest: number): void => {
    const value = policy[name];
    if (typeof value !== "number" || !Number.isInteger(value) || value < lowest || value > highest)
      throw invalid(`DeliveryPolicy: ${name} must be an integer from ${lowest} to ${highest}`);
  };
  range("minDelayTarget", 1, HTTP_RETRY_SECONDS_MAX);
  range("maxDelayTarget", 1, HTTP_RETRY_SECONDS_MAX);
  if (min > max) throw invalid("DeliveryPolicy: minDelayTarget must be less than or equal to maxDelayTarget");
  range("numRetries", 0, HTTP_RETRIES_MAX);
  for (const name of ["numMaxDelayRetries", "numNoDelayRetries", "numMinDelayRetries"] as const) range(name, 0, HTTP_RETRIES_MAX);
  if (policy.numMaxDelayRetries + policy.numNoDelayRetries + policy.numMinDelayRetries > numRetries)
    throw invalid("DeliveryPolicy: numRetries must be at least the sum of numMinDelayRetries, numNoDelayRetries and numMaxDelayRetries");
  const seconds = waitsOf(policy).reduce((sum, waitMs) => sum + waitMs, 0) / 1_000;
  if (seconds > HTTP_RETRY_SECONDS_MAX)
    throw invalid(`DeliveryPolicy: the retries take ${Math.ceil(seconds)} seconds; at most ${HTTP_RETRY_SECONDS_MAX} are allowed`);
}

function same(waitMs: number, times: number): number[] {
  return Array.from({ length: times }, () => waitMs);
}

/**
 * `times` waits that begin with the smallest and end with the largest. AWS shows the four functions as curves and publishes no
 * formulas: these have the same ends, and the same one above the other.
 */
export function grown(by: BackoffFunction, minMs: number, maxMs: number, times: number): number[] {
  return Array.from({ length: times }, (_, step) => {
    const last = times - 1;
    return Math.round(minMs + (maxMs - minMs) * (last === 0 ? 1 : share(by, step, last, maxMs / minMs)));
  });
}

/** How much of the way from the smallest to the largest wait is done at `step` of 0 to `last`. */
function share(by: BackoffFunction, step: number, last: number, ratio: number): number {
  switch (by) {
    case "linear":
      return step / last;
    case "arithmetic":
      // Each difference is one more than the one before.
      return (step * (step + 1)) / (last * (last + 1));
    case "geometric":
      // Each wait is the same multiple of the one before.
      return ratio === 1 ? 1 : (ratio ** (step / last) - 1) / (ratio - 1);
    case "exponential":
      // Each difference is twice the one before.
      return (2 ** step - 1) / (2 ** last - 1);
  }
}
