import type { MonotonicMs } from "../base/index.ts";

/**
 * How many instances one function version should have. Pure: reads no clock, same inputs, same answer (P10).
 *
 * The rule in words: as many instances as running and waiting calls need, never fewer than are provisioned,
 * never more than the limit; an instance nobody needs stays until it was idle for `idleMs`, or goes at once
 * when the machine runs short of memory. All times are monotonic: a jump of the wall clock changes no decision.
 */

export interface ScalingPolicy {
  /** Kept initialised whatever the load (provisioned concurrency). */
  readonly instancesMin: number;
  /** Never more than this, whatever the load (concurrency limit ÷ calls per instance, rounded up). */
  readonly instancesMax: number;
  /** Calls one instance takes at once. */
  readonly callsPerInstance: number;
  /** An instance idle for this long is let go. */
  readonly idleMs: number;
  /** Below this much free memory of the machine, idle instances go at once. */
  readonly memoryReserveMb: number;
  /** Above this share of their CPU allowance, instances that take several calls get one more beside them. */
  readonly cpuShareHigh: number;
}

export interface Observation {
  /** Calls running in instances. */
  readonly running: number;
  /** Calls that wait for an instance. */
  readonly waiting: number;
  /** Since when the oldest of them waits; undefined when none does. */
  readonly waitingSince: MonotonicMs | undefined;
  readonly instancesStarting: number;
  readonly instancesReady: number;
  /** Since when each idle instance that may leave is idle, in any order; provisioned ones are none of them. */
  readonly idleSince: readonly MonotonicMs[];
  /** CPU used ÷ CPU allowed over the ready instances since the last look; undefined when the machine cannot tell. */
  readonly cpuShare: number | undefined;
  /** Free memory of the machine; undefined when it cannot tell. */
  readonly memoryFreeMb: number | undefined;
  /** Starts that failed since one succeeded, and when the last did. */
  readonly failures: { readonly count: number; readonly lastAt: MonotonicMs } | undefined;
}

export type ScalingReason =
  | { readonly kind: "demand"; readonly running: number; readonly waiting: number; readonly waitedMs: number }
  | { readonly kind: "provisioned"; readonly instances: number }
  | { readonly kind: "limit"; readonly wanted: number; readonly instancesMax: number }
  | { readonly kind: "busyProcessor"; readonly cpuShare: number }
  | { readonly kind: "keepWarm"; readonly until: MonotonicMs }
  | { readonly kind: "idle"; readonly instances: number }
  | { readonly kind: "memoryPressure"; readonly memoryFreeMb: number }
  /** Starts keep failing: nobody waits, so the next one is not tried before `until`. */
  | { readonly kind: "backOff"; readonly failures: number; readonly until: MonotonicMs }
  | { readonly kind: "steady" };

export interface Decision {
  /** Starting and ready instances there should be. */
  readonly desired: number;
  readonly reason: ScalingReason;
  /** When the answer can change without anything else happening; undefined = never. */
  readonly reviewAt: MonotonicMs | undefined;
}

/** One instance, taking one call at a time and kept however long it is idle, so that a debugger has one place to attach to. */
export function forDebugger(policy: ScalingPolicy): ScalingPolicy {
  const instances = Math.min(1, policy.instancesMax);
  return { ...policy, instancesMin: instances, instancesMax: instances, callsPerInstance: 1 };
}

/** Wait after the first failed start; doubled by each further one. */
const BACK_OFF_FIRST_MS = 1_000;
/** A start is tried at least this often. */
const BACK_OFF_MS_MAX = 300_000;

/** The desired number of instances for what is seen at `now`. */
export function decide(policy: ScalingPolicy, seen: Observation, now: MonotonicMs): Decision {
  const have = seen.instancesReady + seen.instancesStarting;
  const until = backOffUntil(seen);
  // A call that waits is always tried; instances kept in advance are not started over and over when starts fail.
  if (until !== undefined && now < until && policy.instancesMin > have && neededForCalls(policy, seen) <= have) {
    return { desired: have, reason: { kind: "backOff", failures: seen.failures?.count ?? 0, until }, reviewAt: until };
  }
  const needed = neededInstances(policy, seen);
  if (needed > policy.instancesMax) {
    return {
      desired: policy.instancesMax,
      reason: { kind: "limit", wanted: needed, instancesMax: policy.instancesMax },
      reviewAt: undefined,
    };
  }
  if (needed >= have) return { desired: needed, reason: growthReason(policy, seen, needed, have, now), reviewAt: undefined };
  return shrink(policy, seen, needed, have, now);
}

/** 1, 2, 4 … 256, then 300 seconds after the last failure. */
function backOffUntil({ failures }: Observation): MonotonicMs | undefined {
  return failures && failures.lastAt + Math.min(BACK_OFF_MS_MAX, BACK_OFF_FIRST_MS * 2 ** (failures.count - 1));
}

function neededForCalls(policy: ScalingPolicy, seen: Observation): number {
  return Math.ceil((seen.running + seen.waiting) / policy.callsPerInstance);
}

function neededInstances(policy: ScalingPolicy, seen: Observation): number {
  const forCalls = neededForCalls(policy, seen);
  const forProcessor = isProcessorBusy(policy, seen) ? Math.max(forCalls, seen.instancesReady + 1) : forCalls;
  return Math.max(policy.instancesMin, forProcessor);
}

/** Only where instances share their CPU among calls, and only while calls run: an idle process burning CPU is not load. */
function isProcessorBusy(policy: ScalingPolicy, seen: Observation): boolean {
  return (
    policy.callsPerInstance > 1 &&
    seen.running > seen.instancesReady &&
    seen.instancesStarting === 0 &&
    seen.cpuShare !== undefined &&
    seen.cpuShare > policy.cpuShareHigh
  );
}

function growthReason(policy: ScalingPolicy, seen: Observation, needed: number, have: number, now: MonotonicMs): ScalingReason {
  if (needed === have) return { kind: "steady" };
  if (needed === policy.instancesMin) return { kind: "provisioned", instances: policy.instancesMin };
  if (isProcessorBusy(policy, seen)) return { kind: "busyProcessor", cpuShare: seen.cpuShare ?? 0 };
  const waitedMs = seen.waitingSince === undefined ? 0 : Math.max(0, now - seen.waitingSince);
  return { kind: "demand", running: seen.running, waiting: seen.waiting, waitedMs };
}

/** More instances than calls need: which of the idle ones have had their time? */
function shrink(policy: ScalingPolicy, seen: Observation, needed: number, have: number, now: MonotonicMs): Decision {
  const spare = have - needed;
  if (seen.memoryFreeMb !== undefined && seen.memoryFreeMb < policy.memoryReserveMb && seen.idleSince.length > 0) {
    const leaving = Math.min(spare, seen.idleSince.length);
    return { desired: have - leaving, reason: { kind: "memoryPressure", memoryFreeMb: seen.memoryFreeMb }, reviewAt: undefined };
  }
  // Longest idle first: with 3 spare of which idle since 10, 20, 30 and idleMs 15 at now 27, one leaves and the next look is at 35.
  const leaveAt = seen.idleSince.map((since) => since + policy.idleMs).sort((a, b) => a - b);
  const candidates = leaveAt.slice(0, spare);
  const leaving = candidates.filter((at) => at <= now).length;
  const next = candidates[leaving];
  if (leaving > 0) return { desired: have - leaving, reason: { kind: "idle", instances: leaving }, reviewAt: next };
  if (next !== undefined) return { desired: have, reason: { kind: "keepWarm", until: next }, reviewAt: next };
  return { desired: have, reason: { kind: "steady" }, reviewAt: undefined };
}
