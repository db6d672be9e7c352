import type { LogLine, UsageRecord } from "./invocation.ts";

/**
 * What parts tell whoever listens, without knowing them. Nobody calls telemetry or metering; they subscribe here.
 *
 * `counted` signals are never dropped: their subscriber bounds itself and pushes back through `ready`.
 * `lossy` ones may be dropped by a subscriber whose buffer is full, and it counts the drops.
 */
export interface CountedSignals {
  readonly usage: UsageRecord;
}

export interface LossySignals {
  readonly log: LogLine;
}

type AllSignals = CountedSignals & LossySignals;
type Listener<T> = (signal: T) => void;

/** Calls listeners at once, in the order they subscribed. A listener returns quickly and never throws. */
export class Signals {
  readonly #listeners = new Map<keyof AllSignals, Listener<never>[]>();

  emit<K extends keyof AllSignals>(kind: K, signal: AllSignals[K]): void {
    const listeners = this.#listeners.get(kind);
    if (!listeners) return;
    for (const listener of listeners) (listener as Listener<AllSignals[K]>)(signal);
  }

  on<K extends keyof AllSignals>(kind: K, listener: Listener<AllSignals[K]>): void {
    const listeners = this.#listeners.get(kind) ?? [];
    listeners.push(listener);
    this.#listeners.set(kind, listeners);
  }
}
