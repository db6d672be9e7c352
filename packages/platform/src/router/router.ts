import { type Clock, type Random, unreachable } from "../base/index.ts";
import type { Autoscaler } from "../autoscaler/index.ts";
import type { InvocationTarget } from "../functions/index.ts";
import { type FunctionVersion, versionKey } from "../model/index.ts";
import type { Acquired, Slot } from "./slot.ts";
import { VersionRoute } from "./version-route.ts";

/**
 * Where a call goes: which version behind an alias, then which instance with a free place.
 * Owns the calls that wait for one. Deliberately absent: how many instances there are (`autoscaler/`), whether a call may run (`invoker/`).
 */
export class Router {
  readonly #routes = new Map<string, VersionRoute>();
  /** The registry hands out one object per version: the way of a warm call does not build its key. */
  readonly #byVersion = new WeakMap<FunctionVersion, VersionRoute>();
  readonly #autoscaler: Autoscaler;
  readonly #clock: Clock;
  readonly #random: Random;

  constructor(dependencies: { readonly autoscaler: Autoscaler; readonly clock: Clock; readonly random: Random }) {
    this.#autoscaler = dependencies.autoscaler;
    this.#clock = dependencies.clock;
    this.#random = dependencies.random;
  }

  /** The version that takes this call: the only one, or one drawn by the alias's weights. */
  chooseVersion(target: InvocationTarget): FunctionVersion {
    const [only, second] = target.versions;
    if (only && !second) return only.version;
    let draw = this.#random.next();
    for (const { version, weight } of target.versions) {
      if (draw < weight) return version;
      draw -= weight;
    }
    // Weights add up to 1 but for rounding: what is left belongs to the last.
    return target.versions.at(-1)?.version ?? unreachable("a target without versions");
  }

  /** A free place of a warm instance now, or undefined. */
  take(version: FunctionVersion): Slot | undefined {
    return this.#route(version).take();
  }

  /** Waits for a place, at most `waitMs`, while the autoscaler starts instances. */
  wait(version: FunctionVersion, waitMs: number): Promise<Acquired> {
    return this.#route(version).wait(waitMs);
  }

  /** Makes the version's fleet look at its limits, starting what is provisioned. */
  limitsChanged(version: FunctionVersion): void {
    this.#route(version).fleet.demandChanged();
  }

  /** The version came under a debugger, or is no more: other instances take the place of those it has. */
  renew(version: FunctionVersion): void {
    this.#route(version).fleet.renew();
  }

  /** The version is superseded or deleted: its instances drain; calls that already wait are still served. */
  retire(key: string): void {
    this.#routes.delete(key);
    this.#autoscaler.retire(key);
  }

  #route(version: FunctionVersion): VersionRoute {
    const known = this.#byVersion.get(version);
    if (known) return known;
    const key = versionKey(version);
    const route = this.#routes.get(key) ?? new VersionRoute(version, this.#autoscaler, this.#clock);
    this.#routes.set(key, route);
    this.#byVersion.set(version, route);
    return route;
  }
}
