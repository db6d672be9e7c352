import type { Clock, Instant, Timer } from "../base/index.ts";
import { type Departure, type FunctionVersion, versionKey } from "../model/index.ts";
import type { Instance, StartEnding } from "../runtime/index.ts";
import { decide, type Decision, type Observation, type ScalingPolicy } from "./decide.ts";
import { DecisionLog } from "./decision-log.ts";

/** A processor share over less than this says more about the clock's ticks than about load. */
const PROCESSOR_WINDOW_MS = 100;

/**
 * An instance that is never idle for long is let go after this: the credentials it was given end after 36 hours
 * (`FUNCTION_CREDENTIALS_LIFE_MS` of security), and its last call may take another quarter of an hour.
 */
export const INSTANCE_LIFE_MS_MAX = 24 * 3_600_000;

/** AWS's rule: 1,769 MB have the equivalent of one processor. */
function processorsAllowed(memoryMb: number): number {
  return memoryMb / 1_769;
}

/** What the router tells of the calls of one version. */
export interface Demand {
  readonly running: number;
  readonly waiting: number;
  readonly waitingSince: Instant | undefined;
}

/** The router's side of a fleet. */
export interface FleetUser {
  demand(): Demand;
  /** An instance is ready for calls. */
  ready(instance: Instance): void;
  /** A start failed; the calls it was for must be told. */
  failed(ending: Exclude<StartEnding, { kind: "ready" }>): void;
  /** An instance is gone or drains: no call goes there any more. */
  left(instance: Instance): void;
}

export interface FleetDependencies {
  readonly clock: Clock;
  readonly start: (version: FunctionVersion) => Promise<StartEnding>;
  readonly policy: (version: FunctionVersion) => ScalingPolicy;
  readonly memoryFreeMb: () => number | undefined;
  /** Starts under way over all fleets; a start takes a permit and gives it back. */
  readonly permits: StartPermits;
  /** Told what a start threw. */
  readonly reportDefect: (error: unknown) => void;
}

/** Bounds the processes that start at the same moment, over all versions. */
export interface StartPermits {
  /** True when `fleet` may start one now; otherwise it is told by `demandChanged` when a permit comes back. */
  take(fleet: Fleet): boolean;
  give(): void;
}

/**
 * All instances of one version: carries out what `decide` says, and nothing else starts or ends a healthy instance.
 * Looks again when demand changed, when an instance came or went, and at the time the last decision named (P6).
 */
export class Fleet {
  readonly version: FunctionVersion;
  readonly decisions = new DecisionLog();
  readonly #user: FleetUser;
  readonly #dependencies: FleetDependencies;
  /** Ready instances and since when each is idle (undefined = busy). */
  readonly #ready = new Map<Instance, Instant | undefined>();
  /** Instances that drain by themselves, after a timeout or because they end. */
  readonly #leaving = new Set<Instance>();
  #starting = 0;
  #failures: Observation["failures"];
  /** `retired`: its version is superseded, instances leave as they fall idle. `closed`: nothing is started or drained any more. */
  #phase: "open" | "retired" | "closed" = "open";
  #lookPending = false;
  #review: Timer | undefined;
  #processor: { readonly at: Instant; readonly cpuMs: number; readonly instances: number } | undefined;

  constructor(version: FunctionVersion, user: FleetUser, dependencies: FleetDependencies) {
    this.version = version;
    this.#user = user;
    this.#dependencies = dependencies;
  }

  get size(): { readonly starting: number; readonly ready: number } {
    return { starting: this.#starting, ready: this.#ready.size };
  }

  get instances(): IterableIterator<Instance> {
    return this.#ready.keys();
  }

  /** True when nothing runs, waits or is kept: the fleet can be forgotten. */
  get asleep(): boolean {
    return this.#ready.size === 0 && this.#starting === 0 && this.#user.demand().waiting === 0;
  }

  /** Starts and drains nothing any more: the server stops, and the runtime ends what there is. */
  close(): void {
    this.#phase = "closed";
    this.#review?.cancel();
  }

  /** Calls began to wait, or the policy changed. Coalesced: one look per turn of the event loop. */
  demandChanged(): void {
    if (this.#lookPending || this.#phase === "closed") return;
    this.#lookPending = true;
    queueMicrotask(() => {
      this.#lookPending = false;
      this.#look();
    });
  }

  /** The router gave `instance` its first call. */
  markBusy(instance: Instance): void {
    if (this.#ready.has(instance)) this.#ready.set(instance, undefined);
  }

  /** A call ended and its instance takes no more, though others may still run in it for long: it is no capacity. */
  markLeaving(instance: Instance): void {
    if (!this.#ready.delete(instance)) return;
    this.#leaving.add(instance);
    this.#user.left(instance);
    this.demandChanged();
  }

  /** A call ended and left its instance alive: whatever failed before, starts are worth while again. */
  markIdle(instance: Instance): void {
    if (!this.#ready.has(instance)) return;
    this.#failures = undefined;
    this.#ready.set(instance, this.#dependencies.clock.now());
    if (!this.#review) this.demandChanged();
  }

  /** The version is superseded or deleted: every instance drains, calls that still wait for it are served first. */
  retire(): void {
    if (this.#phase === "open") this.#phase = "retired";
    this.demandChanged();
  }

  #look(): void {
    if (this.#phase === "closed") return;
    const now = this.#dependencies.clock.now();
    const policy = this.#policy();
    const seen = this.#observe(now);
    const decision = decide(policy, seen, now);
    this.decisions.add(now, seen, decision);
    this.#carryOut(decision);
    this.#planReview(decision, now);
  }

  #policy(): ScalingPolicy {
    const policy = this.#dependencies.policy(this.version);
    return this.#phase === "retired" ? { ...policy, instancesMin: 0, idleMs: 0 } : policy;
  }

  #observe(now: Instant): Observation {
    const demand = this.#user.demand();
    const idleSince: Instant[] = [];
    for (const since of this.#ready.values()) if (since !== undefined) idleSince.push(since);
    return {
      ...demand,
      instancesStarting: this.#starting,
      instancesReady: this.#ready.size,
      idleSince,
      cpuShare: this.#processorShare(now),
      memoryFreeMb: this.#dependencies.memoryFreeMb(),
      failures: this.#failures,
    };
  }

  /** CPU used ÷ allowed since the last look; only where it can change the decision, because reading it costs a file each. */
  #processorShare(now: Instant): number | undefined {
    if (this.version.concurrencyPerInstance === 1 || this.#ready.size === 0) return undefined;
    let cpuMs = 0;
    for (const instance of this.#ready.keys()) cpuMs += instance.cpuMs();
    const before = this.#processor;
    this.#processor = { at: now, cpuMs, instances: this.#ready.size };
    if (!before || before.instances !== this.#ready.size || now - before.at < PROCESSOR_WINDOW_MS) return undefined;
    return (cpuMs - before.cpuMs) / ((now - before.at) * this.#ready.size * processorsAllowed(this.version.memoryMb));
  }

  #carryOut(decision: Decision): void {
    const have = this.#ready.size + this.#starting;
    for (let missing = decision.desired - have; missing > 0; missing--) {
      if (!this.#dependencies.permits.take(this)) return;
      void this.#startOne();
    }
    if (decision.desired < have) this.#drainIdle(have - decision.desired);
  }

  async #startOne(): Promise<void> {
    this.#starting += 1;
    if (this.#user.demand().waiting > 0) this.decisions.countColdStart();
    const ending = await this.#dependencies.start(this.version).catch((error: unknown) => this.#defect(error));
    this.#starting -= 1;
    this.#dependencies.permits.give();
    if (ending.kind === "ready") this.#admit(ending.instance);
    else this.#onFailed(ending);
    this.demandChanged();
  }

  /** A start that throws is a defect or a failing disk: the calls it was for are told, the process lives on. */
  #defect(error: unknown): Extract<StartEnding, { kind: "unavailable" }> {
    this.#dependencies.reportDefect(error);
    return { kind: "unavailable", what: "starting an instance failed; the platform's log says why" };
  }

  #onFailed(ending: Exclude<StartEnding, { kind: "ready" }>): void {
    this.#countFailure();
    this.#user.failed(ending);
  }

  #countFailure(): void {
    this.#failures = { count: (this.#failures?.count ?? 0) + 1, lastAt: this.#dependencies.clock.now() };
  }

  #admit(instance: Instance): void {
    const { clock } = this.#dependencies;
    this.#ready.set(instance, clock.now());
    const old = clock.schedule(INSTANCE_LIFE_MS_MAX, () => this.#replace(instance));
    void instance.gone.then((departure) => {
      old.cancel();
      this.#forget(instance, departure);
    });
    this.#user.ready(instance);
  }

  /** Its calls end in it; whether another one is needed in its place is the next decision. */
  #replace(instance: Instance): void {
    if (this.#phase === "closed" || !this.#ready.delete(instance)) return;
    this.#user.left(instance);
    instance.drain();
    this.demandChanged();
  }

  #forget(instance: Instance, departure: Departure): void {
    const wasReady = this.#ready.delete(instance);
    if (!this.#leaving.delete(instance) && !wasReady) return;
    if (departure.kind !== "drained") this.#countFailure();
    if (wasReady) this.#user.left(instance);
    this.demandChanged();
  }

  #drainIdle(count: number): void {
    const idle: [Instance, Instant][] = [];
    for (const [instance, since] of this.#ready) if (since !== undefined) idle.push([instance, since]);
    idle.sort((a, b) => a[1] - b[1]);
    for (const [instance] of idle.slice(0, count)) {
      this.#ready.delete(instance);
      this.#user.left(instance);
      instance.drain();
    }
  }

  #planReview(decision: Decision, now: Instant): void {
    this.#review?.cancel();
    this.#review = undefined;
    if (decision.reviewAt === undefined) return;
    this.#review = this.#dependencies.clock.schedule(Math.max(0, decision.reviewAt - now), () => {
      this.#review = undefined;
      this.#look();
    });
  }

  get key(): string {
    return versionKey(this.version);
  }
}
