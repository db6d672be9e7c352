import type { Clock, SecureRandom, Timer } from "../../src/base/index.ts";
import { Delivery } from "../../src/delivery/index.ts";
import { AsyncInvoker, ASYNC_CELL_KIND } from "../../src/invoker/index.ts";
import { Ledger } from "../../src/ledger/index.ts";
import { type Metering, startMetering } from "../../src/metering/index.ts";
import { Signals } from "../../src/model/index.ts";
import { openQueues, type Queues } from "../../src/queues/index.ts";
import { openSources, type Sources } from "../../src/sources/index.ts";
import { type FaultPlan, type MemoryDisk, openMemoryStore } from "../../src/storage/index.ts";
import { type FakeCalls, FUNCTIONS } from "./application.ts";

/** The clock as one life of the process sees it: at its death nothing it waited for happens any more. */
export class MortalClock implements Clock {
  readonly #clock: Clock;
  readonly #waiting = new Set<Timer>();
  #dead = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs();
  }

  schedule(delayMs: number, task: () => void): Timer {
    if (this.#dead) return { cancel: () => undefined };
    const timer = this.#clock.schedule(delayMs, () => {
      this.#waiting.delete(timer);
      task();
    });
    this.#waiting.add(timer);
    return {
      cancel: () => {
        this.#waiting.delete(timer);
        timer.cancel();
      },
    };
  }

  die(): void {
    this.#dead = true;
    for (const timer of this.#waiting) timer.cancel();
    this.#waiting.clear();
  }
}

/** One life of the platform's process: everything between the disk and the functions, as `server/platform.ts` joins it. */
export interface Life {
  readonly queues: Queues;
  readonly sources: Sources;
  readonly async: AsyncInvoker;
  readonly ledger: Ledger;
  readonly metering: Metering;
}

export interface LifeParts {
  readonly disk: MemoryDisk;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly faults: FaultPlan;
  readonly calls: FakeCalls;
  /** Told of what only a defect brings about. */
  readonly onTrouble: (error: unknown) => void;
}

/** Starts on what the disk holds. Rejects where a fault of the store keeps it from starting. */
export async function startLife({ disk, clock, secureRandom, faults, calls, onTrouble }: LifeParts): Promise<Life> {
  const store = openMemoryStore({ disk, faults });
  const signals = new Signals();
  const metering = await startMetering({ store, signals, clock });
  const queues = await openQueues({ store, clock, secureRandom, onProblem: onTrouble });
  const async = new AsyncInvoker({
    ...{ store, clock, secureRandom, calls, metering, onTrouble },
    functions: FUNCTIONS,
    timeFactor: 1,
    onOutgoing: (cell) => delivery.wake(cell),
  });
  const delivery = new Delivery({
    ...{ queues, clock, onTrouble },
    functions: () => async,
    outbox: (cell) => async.outbox(cell),
    authorize: () => undefined,
    functionPolicy: () => undefined,
  });
  const sources = await openSources({
    store,
    clock,
    secureRandom,
    queues,
    functions: FUNCTIONS,
    invoker: calls,
    onProblem: onTrouble,
    mayRead: () => true,
  });
  const ledger = new Ledger({ store, clock, cellKinds: [ASYNC_CELL_KIND, "queue"], live: (cell, record) => async.live(cell, record) });
  return { queues, sources, async, ledger, metering };
}

/** What runs behind the start, with nobody waiting. */
export async function resumeLife({ queues, sources, async }: Life): Promise<void> {
  sources.start();
  await Promise.all([queues.resume(), async.resume()]);
}
