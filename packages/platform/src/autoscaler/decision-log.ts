import type { Instant, MonotonicMs } from "../base/index.ts";
import type { Decision, Observation } from "./decide.ts";

/** What a decision cost until the next one: the reward of a Markov decision process, and what the console shows. */
export interface DecisionCost {
  readonly instanceMs: number;
  readonly coldStarts: number;
  readonly waitingMs: number;
}

/** One step as (state, action, reason, cost). `cost` is known once the next decision is taken. */
export interface DecisionRecord {
  /** For people; everything that is reckoned uses `atMs`, the scale of `seen` and `decision`. */
  readonly at: Instant;
  readonly atMs: MonotonicMs;
  readonly seen: Observation;
  readonly decision: Decision;
  readonly cost: DecisionCost | undefined;
}

/** Decisions kept for one version; the oldest go first (P7). @limit */
export const DECISION_LOG_RECORDS_MAX = 256;

/** The last decisions of one version. Steps that change nothing are merged into the one before. */
export class DecisionLog {
  #records: DecisionRecord[] = [];
  #coldStarts = 0;

  get records(): readonly DecisionRecord[] {
    return this.#records;
  }

  /** Counted towards the decision that is open now. */
  countColdStart(): void {
    this.#coldStarts += 1;
  }

  add({ at, atMs }: { readonly at: Instant; readonly atMs: MonotonicMs }, seen: Observation, decision: Decision): void {
    const open = this.#records.at(-1);
    if (open && isSameStep(open, seen, decision)) return;
    if (open) this.#records[this.#records.length - 1] = { ...open, cost: costBetween(open, atMs, this.#coldStarts) };
    this.#coldStarts = 0;
    this.#records.push({ at, atMs, seen, decision, cost: undefined });
    if (this.#records.length > DECISION_LOG_RECORDS_MAX) this.#records.shift();
  }
}

function isSameStep(open: DecisionRecord, seen: Observation, decision: Decision): boolean {
  return (
    open.decision.desired === decision.desired &&
    open.decision.reason.kind === decision.reason.kind &&
    open.seen.waiting === seen.waiting &&
    open.seen.instancesReady === seen.instancesReady &&
    open.seen.instancesStarting === seen.instancesStarting
  );
}

/** Levels are taken as they were when the open decision was made: the state between two decisions does not change. */
function costBetween(open: DecisionRecord, until: MonotonicMs, coldStarts: number): DecisionCost {
  const lengthMs = Math.max(0, until - open.atMs);
  return {
    instanceMs: lengthMs * (open.seen.instancesReady + open.seen.instancesStarting),
    coldStarts,
    waitingMs: lengthMs * open.seen.waiting,
  };
}
