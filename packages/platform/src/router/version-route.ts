import type { Clock, MonotonicMs, Timer } from "../base/index.ts";
import type { Autoscaler, Demand, Fleet, FleetUser } from "../autoscaler/index.ts";
import type { FunctionVersion } from "../model/index.ts";
import { initTimeoutMs, type Instance, type StartEnding } from "../runtime/index.ts";
import type { Acquired, Slot } from "./slot.ts";

/** An init that passed its limit is told this much later at the latest: its process has to end first. */
const INIT_GRACE_MS = 5_000;

interface Waiter {
  readonly since: MonotonicMs;
  readonly waitMs: number;
  timer: Timer;
  readonly tell: (acquired: Acquired) => void;
}

/** One instance as the router counts it. Places are counted here, not read from the instance: a place is taken before its call is sent. */
interface Host {
  readonly instance: Instance;
  taken: number;
  served: boolean;
  /** On the stack of hosts with places left. */
  stacked: boolean;
}

/**
 * The calls of one version and the free places of its instances.
 *
 * Most recently used first: the instances at the bottom of the stack fall idle together and can be let go.
 */
export class VersionRoute implements FleetUser {
  readonly fleet: Fleet;
  readonly #clock: Clock;
  readonly #hosts = new Map<Instance, Host>();
  /** Hosts with places left, the most recently used last. May hold some that left: `take` skips them. */
  readonly #stack: Host[] = [];
  /** In the order of arrival. */
  readonly #waiting = new Set<Waiter>();
  #running = 0;

  constructor(version: FunctionVersion, autoscaler: Autoscaler, clock: Clock) {
    this.#clock = clock;
    this.fleet = autoscaler.fleet(version, () => this);
  }

  /** A free place now, or undefined. Never waits: this is the way of a warm call. */
  take(): Slot | undefined {
    for (let host = this.#stack.at(-1); host; host = this.#stack.at(-1)) {
      const usable = host.instance.admitting && host.taken < host.instance.capacity;
      if (usable) return this.#occupy(host);
      host.stacked = false;
      this.#stack.pop();
    }
    return undefined;
  }

  /** Waits for a place, at most `waitMs`; the autoscaler is told. */
  wait(waitMs: number): Promise<Acquired> {
    return new Promise((resolve) => {
      const waiter: Waiter = {
        since: this.#clock.monotonicMs(),
        waitMs,
        tell: resolve,
        timer: this.#clock.schedule(waitMs, () => this.#waitedTooLong(waiter, true)),
      };
      this.#waiting.add(waiter);
      this.fleet.demandChanged();
    });
  }

  demand(): Demand {
    const first = this.#waiting.values().next();
    return { running: this.#running, waiting: this.#waiting.size, waitingSince: first.done ? undefined : first.value.since };
  }

  ready(instance: Instance): void {
    // An instance that no call waits for, such as a provisioned one, has its init on nobody's bill.
    const host = { instance, taken: 0, served: this.#waiting.size === 0, stacked: true };
    this.#hosts.set(instance, host);
    this.#stack.push(host);
    this.#serveWaiting();
  }

  left(instance: Instance): void {
    this.#hosts.delete(instance);
  }

  /** A failed init is the answer of the one call it was for; a machine that can't start processes is everyone's. */
  failed(ending: Exclude<StartEnding, { kind: "ready" }>): void {
    for (const waiter of this.#waiting) {
      this.#settle(waiter, ending);
      if (ending.kind === "initFailed") return;
    }
  }

  #occupy(host: Host): Slot {
    if (host.taken === 0) this.fleet.markBusy(host.instance);
    host.taken += 1;
    this.#running += 1;
    const coldStart = !host.served;
    host.served = true;
    return { instance: host.instance, coldStart, release: () => this.#release(host) };
  }

  #release(host: Host): void {
    host.taken -= 1;
    this.#running -= 1;
    if (!this.#hosts.has(host.instance)) return;
    if (!host.instance.admitting) return this.fleet.markLeaving(host.instance);
    if (host.taken === 0) this.fleet.markIdle(host.instance);
    if (!host.stacked) {
      host.stacked = true;
      this.#stack.push(host);
    }
    if (this.#waiting.size > 0) this.#serveWaiting();
  }

  #serveWaiting(): void {
    for (const waiter of this.#waiting) {
      const slot = this.take();
      if (!slot) return;
      this.#settle(waiter, { kind: "slot", slot });
    }
  }

  /**
   * While a debugger may hold the one instance, the wait begins again: whoever debugs takes the time it takes. A call whose instance
   * is initialising does not wait for capacity: once, it waits for as long as an init may take, which has more to say when it fails.
   */
  #waitedTooLong(waiter: Waiter, waitsForInit: boolean): void {
    const { inspected, size, version } = this.fleet;
    if (inspected || (waitsForInit && size.starting > 0)) {
      const againMs = inspected ? waiter.waitMs : initTimeoutMs(version) + INIT_GRACE_MS;
      waiter.timer = this.#clock.schedule(againMs, () => this.#waitedTooLong(waiter, inspected));
      return;
    }
    this.#waiting.delete(waiter);
    waiter.tell({ kind: "waitedTooLong" });
    this.fleet.demandChanged();
  }

  #settle(waiter: Waiter, acquired: Acquired): void {
    this.#waiting.delete(waiter);
    waiter.timer.cancel();
    waiter.tell(acquired);
  }
}
