import type { Clock, MonotonicMs, Timer } from "../base/index.ts";
import { type Departure, type FunctionVersion, versionKey } from "../model/index.ts";
import type { Initialization, Instance, StartEnding } from "../runtime/index.ts";
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
  readonly waitingSince: MonotonicMs | undefined;
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
  readonly start: (version: FunctionVersion, initialization: Initialization) => Promise<StartEnding>;
  readonly policy: (version: FunctionVersion) => ScalingPolicy;
  /** Whether a debugger may hold the instances. */
  readonly inspected: (version: FunctionVersion) => boolean;
  readonly memoryFreeMb: () => number | undefined;
  /** Starts under way over all fleets; a start takes a permit and gives it back. */
  readonly permits: StartPermits;
  /** Told what a start threw. */
  readonly reportDefect: (error: unknown) => void;
}

/** One ready instance: what it was started for, and since when it is idle (undefined = busy). */
interface Standing {
  readonly initialization: Initialization;
  idleSince: MonotonicMs | undefined;
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
  readonly #ready = new Map<Instance, Standing>();
  /** Instances that drain by themselves, after a timeout or because they end. */
  readonly #leaving = new Set<Instance>();
  readonly #startingFor: Record<Initialization, number> = { "on-demand": 0, "provisioned-concurrency": 0 };
  /** Goes up when instances that start or stand are to be replaced: those of an earlier generation are. */
  #generation = 0;
  #failures: Observation["failures"];
  /** `retired`: its version is superseded, instances leave as they fall idle. `closed`: nothing is started or drained any more. */
  #phase: "open" | "retired" | "closed" = "open";
  #lookPending = false;
  #review: Timer | undefined;
  #processor: { readonly atMs: MonotonicMs; readonly cpuMs: number; readonly instances: number } | undefined;

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
    const standing = this.#ready.get(instance);
    if (standing) standing.idleSince = undefined;
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
    const standing = this.#ready.get(instance);
    if (!standing) return;
    this.#failures = undefined;
    standing.idleSince = this.#dependencies.clock.monotonicMs();
    if (!this.#review) this.demandChanged();
  }

  /** Instances are to be of another kind from now on: those there are drain, and those that start leave as they are ready. */
  renew(): void {
    this.#generation += 1;
    for (const instance of [...this.#ready.keys()]) this.#replace(instance);
    this.demandChanged();
  }

  /** True while a debugger may hold the instances: a call that waits for one waits for a person. */
  get inspected(): boolean {
    return this.#dependencies.inspected(this.version);
  }

  /** The version is superseded or deleted: every instance drains, calls that still wait for it are served first. */
  retire(): void {
    if (this.#phase === "open") this.#phase = "retired";
    this.demandChanged();
  }

  #look(): void {
    if (this.#phase === "closed") return;
    const { clock } = this.#dependencies;
    const now = clock.monotonicMs();
    const policy = this.#policy();
    const mayLeave = this.#mayLeave(policy.instancesMin);
    const seen = this.#observe(mayLeave, now);
    const decision = decide(policy, seen, now);
    this.decisions.add({ at: clock.now(), atMs: now }, seen, decision);
    this.#carryOut(decision, policy.instancesMin, mayLeave);
    this.#planReview(decision, now);
  }

  #policy(): ScalingPolicy {
    const policy = this.#dependencies.policy(this.version);
    return this.#phase === "retired" ? { ...policy, instancesMin: 0, idleMs: 0 } : policy;
  }

  /**
   * Idle instances that may leave, the longest idle first. What was started to be kept in advance stays, however long
   * it is idle, unless there is more of it than is to be kept.
   */
  #mayLeave(instancesMin: number): readonly (readonly [Instance, MonotonicMs])[] {
    const idle = this.#idle();
    const provisioned = this.#provisioned;
    if (provisioned === 0) return idle;
    const isProvisioned = ([instance]: readonly [Instance, MonotonicMs]): boolean =>
      this.#ready.get(instance)?.initialization === "provisioned-concurrency";
    const excess = Math.max(0, provisioned - instancesMin);
    const superfluous = new Set(idle.filter(isProvisioned).slice(0, excess));
    return idle.filter((each) => !isProvisioned(each) || superfluous.has(each));
  }

  #idle(): (readonly [Instance, MonotonicMs])[] {
    const idle: (readonly [Instance, MonotonicMs])[] = [];
    for (const [instance, { idleSince }] of this.#ready) if (idleSince !== undefined) idle.push([instance, idleSince]);
    return idle.sort((a, b) => a[1] - b[1]);
  }

  /** Instances that start or stand because they are kept in advance. */
  get #provisioned(): number {
    let count = this.#startingFor["provisioned-concurrency"];
    for (const { initialization } of this.#ready.values()) if (initialization === "provisioned-concurrency") count += 1;
    return count;
  }

  get #starting(): number {
    return this.#startingFor["on-demand"] + this.#startingFor["provisioned-concurrency"];
  }

  #observe(mayLeave: readonly (readonly [Instance, MonotonicMs])[], now: MonotonicMs): Observation {
    return {
      ...this.#user.demand(),
      instancesStarting: this.#starting,
      instancesReady: this.#ready.size,
      idleSince: mayLeave.map(([, since]) => since),
      cpuShare: this.#processorShare(now),
      memoryFreeMb: this.#dependencies.memoryFreeMb(),
      failures: this.#failures,
    };
  }

  /** CPU used ÷ allowed since the last look; only where it can change the decision, because reading it costs a file each. */
  #processorShare(now: MonotonicMs): number | undefined {
    if (this.version.concurrencyPerInstance === 1 || this.#ready.size === 0) return undefined;
    let cpuMs = 0;
    for (const instance of this.#ready.keys()) cpuMs += instance.cpuMs();
    const before = this.#processor;
    this.#processor = { atMs: now, cpuMs, instances: this.#ready.size };
    if (!before || before.instances !== this.#ready.size || now - before.atMs < PROCESSOR_WINDOW_MS) return undefined;
    return (cpuMs - before.cpuMs) / ((now - before.atMs) * this.#ready.size * processorsAllowed(this.version.memoryMb));
  }

  #carryOut(decision: Decision, instancesMin: number, mayLeave: readonly (readonly [Instance, MonotonicMs])[]): void {
    const have = this.#ready.size + this.#starting;
    let toProvision = instancesMin - this.#provisioned;
    for (let missing = decision.desired - have; missing > 0; missing--) {
      if (!this.#dependencies.permits.take(this)) return;
      void this.#startOne(toProvision > 0 ? "provisioned-concurrency" : "on-demand");
      toProvision -= 1;
    }
    if (decision.desired < have) this.#drainIdle(have - decision.desired, mayLeave);
  }

  async #startOne(initialization: Initialization): Promise<void> {
    const generation = this.#generation;
    this.#startingFor[initialization] += 1;
    if (this.#user.demand().waiting > 0) this.decisions.countColdStart();
    const ending = await this.#dependencies.start(this.version, initialization).catch((error: unknown) => this.#defect(error));
    this.#startingFor[initialization] -= 1;
    this.#dependencies.permits.give();
    if (ending.kind !== "ready") this.#onFailed(ending);
    else if (generation === this.#generation) this.#admit(ending.instance, initialization);
    else ending.instance.drain();
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
    this.#failures = { count: (this.#failures?.count ?? 0) + 1, lastAt: this.#dependencies.clock.monotonicMs() };
  }

  #admit(instance: Instance, initialization: Initialization): void {
    const { clock } = this.#dependencies;
    this.#ready.set(instance, { initialization, idleSince: clock.monotonicMs() });
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

  /** Those that may leave come first; a limit lowered below what is kept in advance takes of that as well. */
  #drainIdle(count: number, mayLeave: readonly (readonly [Instance, MonotonicMs])[]): void {
    const leaving = new Set([...mayLeave, ...this.#idle()].map(([instance]) => instance));
    for (const instance of [...leaving].slice(0, count)) {
      this.#ready.delete(instance);
      this.#user.left(instance);
      instance.drain();
    }
  }

  #planReview(decision: Decision, now: MonotonicMs): void {
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
