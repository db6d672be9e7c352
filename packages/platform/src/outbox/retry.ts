/** What follows from an attempt to hand a parcel over: pure, so that every wait is a test on the manual clock. */
import type { Instant } from "../base/index.ts";
import type { Refusal, Tried } from "./parcel.ts";

/** How often and for how long a target is tried. */
export interface RetryPolicy {
  /** Attempts behind the first one. */
  readonly retriesMax: number;
  /** Since the event was accepted. */
  readonly ageMsMax: number;
  /** Waits before the second attempt, the third, and so on; the last one stays. */
  readonly waitsMs: readonly number[];
}

/** Waits of AWS's "exponential back-off": it publishes none. Doubling from a second, ten minutes at most. @limit */
export const BACK_OFF_WAITS_MS: readonly number[] = [
  1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 512_000, 600_000,
];

/** Why a delivery ended in vain, in EventBridge's words where it has them. */
export type Exhausted = "MaximumRetryAttempts" | "MaximumEventAgeInSeconds" | "refused";

export type RetryStep =
  | { readonly kind: "taken"; readonly recorded: boolean }
  | { readonly kind: "again"; readonly at: Instant; readonly refusal: Refusal }
  | { readonly kind: "exhausted"; readonly why: Exhausted; readonly refusal: Refusal };

/**
 * Whether to try again, and when. `attempts` counts those made, this one included. `spread` of 0 to 1 is chance: waits are between half
 * and all of what the policy says, so that deliveries that failed together are not tried together.
 */
export function afterHandOver(
  policy: RetryPolicy,
  delivery: { readonly acceptedAt: Instant; readonly attempts: number },
  outcome: Tried,
  now: Instant,
  spread: number,
): RetryStep {
  switch (outcome.kind) {
    case "taken":
      return { kind: "taken", recorded: outcome.recorded };
    case "never":
      return { kind: "exhausted", why: "refused", refusal: outcome.refusal };
    case "later": {
      const { refusal } = outcome;
      if (delivery.attempts > policy.retriesMax) return { kind: "exhausted", why: "MaximumRetryAttempts", refusal };
      const waitMs = policy.waitsMs[Math.min(delivery.attempts, policy.waitsMs.length) - 1] ?? 0;
      const at = now + Math.max(Math.ceil(waitMs * (0.5 + spread / 2)), refusal.retryAfterMs ?? 0);
      // What would be too old at its next attempt ends now: nothing could become of it.
      if (at >= delivery.acceptedAt + policy.ageMsMax) return { kind: "exhausted", why: "MaximumEventAgeInSeconds", refusal };
      return { kind: "again", at, refusal };
    }
  }
}
