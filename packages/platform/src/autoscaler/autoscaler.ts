import type { Clock } from "../base/index.ts";
import { type FunctionVersion, versionKey } from "../model/index.ts";
import type { RuntimeHost } from "../runtime/index.ts";
import { forDebugger, type ScalingPolicy } from "./decide.ts";
import type { DecisionRecord } from "./decision-log.ts";
import { Fleet, type FleetUser, type StartPermits } from "./fleet.ts";

/**
 * Owns how many assigned instances each version has: `decide` is the only place that chooses, a `Fleet` carries it out.
 * Deliberately absent: where a call goes (`router/`), how a process starts (`runtime/`), the size of the waiting pool.
 */

export interface AutoscalerSettings {
  /** An instance idle for this long is let go. */
  readonly idleMs: number;
  /** Below this much free memory, idle instances go at once. */
  readonly memoryReserveMb: number;
  /** Processes that may start at the same moment. */
  readonly startsMax: number;
}

/** Five minutes, as Lambda's users expect of a function that was just used. */
export const DEFAULT_SETTINGS: AutoscalerSettings = { idleMs: 300_000, memoryReserveMb: 256, startsMax: 16 };

/** Above nine tenths of their allowance, instances that take several calls are taken for saturated. */
const CPU_SHARE_HIGH = 0.9;

/** What the function registry says of one version. */
export interface ConcurrencyLimits {
  /** Calls that may run at once. */
  readonly concurrencyMax: number;
  /** Calls for which instances are kept initialised. */
  readonly provisioned: number;
}

export interface AutoscalerDependencies {
  readonly clock: Clock;
  readonly runtime: Pick<RuntimeHost, "start">;
  readonly limits: (version: FunctionVersion) => ConcurrencyLimits;
  /** Whether a debugger may hold the instances of this version. */
  readonly inspected: (version: FunctionVersion) => boolean;
  readonly memoryFreeMb: () => number | undefined;
  readonly settings: AutoscalerSettings;
  readonly reportDefect: (error: unknown) => void;
}

export interface FleetReport {
  readonly version: FunctionVersion;
  readonly starting: number;
  readonly ready: number;
  readonly decisions: readonly DecisionRecord[];
}

export class Autoscaler {
  readonly #fleets = new Map<string, Fleet>();
  readonly #dependencies: AutoscalerDependencies;
  readonly #permits: StartPermits;
  #closed = false;

  constructor(dependencies: AutoscalerDependencies) {
    this.#dependencies = dependencies;
    this.#permits = startPermits(dependencies.settings.startsMax);
  }

  /** The fleet of `version`; made when it is first asked for, with `user` as its router's side. */
  fleet(version: FunctionVersion, user: () => FleetUser): Fleet {
    const key = versionKey(version);
    const known = this.#fleets.get(key);
    if (known) return known;
    const { clock, runtime, inspected, memoryFreeMb, reportDefect } = this.#dependencies;
    const fleet = new Fleet(version, user(), {
      clock,
      inspected,
      memoryFreeMb,
      reportDefect,
      permits: this.#permits,
      start: (wanted, initialization) => runtime.start(wanted, initialization),
      policy: (of) => this.#policy(of),
    });
    if (this.#closed) fleet.close();
    this.#fleets.set(key, fleet);
    return fleet;
  }

  /** The registry changed what this version may use. */
  limitsChanged(version: FunctionVersion): void {
    this.#fleets.get(versionKey(version))?.demandChanged();
  }

  /** The version came under a debugger, or is no more: other instances take the place of those it has. */
  renew(version: FunctionVersion): void {
    this.#fleets.get(versionKey(version))?.renew();
  }

  /** The version is superseded: its instances drain, and the fleet is forgotten. */
  retire(key: string): void {
    const fleet = this.#fleets.get(key);
    if (!fleet) return;
    this.#fleets.delete(key);
    fleet.retire();
  }

  /** Starts and drains nothing any more. */
  close(): void {
    this.#closed = true;
    for (const fleet of this.#fleets.values()) fleet.close();
  }

  /** Initialised instances of a version, busy or not. */
  ready(key: string): number {
    return this.#fleets.get(key)?.size.ready ?? 0;
  }

  /** Every fleet that has, had or starts instances, for `status` and the console. */
  report(): FleetReport[] {
    return [...this.#fleets.values()].map((fleet) => ({ version: fleet.version, ...fleet.size, decisions: fleet.decisions.records }));
  }

  #policy(version: FunctionVersion): ScalingPolicy {
    const { limits, inspected, settings } = this.#dependencies;
    const { concurrencyMax, provisioned } = limits(version);
    const callsPerInstance = version.concurrencyPerInstance;
    const policy = {
      instancesMin: Math.ceil(provisioned / callsPerInstance),
      instancesMax: Math.ceil(concurrencyMax / callsPerInstance),
      callsPerInstance,
      idleMs: settings.idleMs,
      memoryReserveMb: settings.memoryReserveMb,
      cpuShareHigh: CPU_SHARE_HIGH,
    };
    return inspected(version) ? forDebugger(policy) : policy;
  }
}

/** Permits in the order fleets asked, so that one busy function does not keep others from starting. */
export function startPermits(startsMax: number): StartPermits {
  let free = startsMax;
  const refused = new Set<Fleet>();
  const wakeNext = (): void => {
    const next = refused.values().next();
    if (next.done || free === 0) return;
    refused.delete(next.value);
    next.value.demandChanged();
    // Behind its look: one that wants nothing any more, its calls having left, must not keep the permit from those behind it.
    queueMicrotask(wakeNext);
  };
  return {
    take(fleet) {
      if (free === 0) {
        refused.add(fleet);
        return false;
      }
      free -= 1;
      return true;
    },
    give() {
      free += 1;
      wakeNext();
    },
  };
}
