import type { Clock, Random, SecureRandom, Timer } from "../../src/base/index.ts";
import { BUS_CELL_KIND, type Buses, deadLetterAttributes, openBuses } from "../../src/bus/index.ts";
import { archiveTarget, busTarget, Courier, Delivery, functionTarget, queueTarget, Targets } from "../../src/delivery/index.ts";
import { AsyncInvoker, type AsyncInvokerParts, ASYNC_CELL_KIND } from "../../src/invoker/index.ts";
import { Ledger } from "../../src/ledger/index.ts";
import { type Metering, startMetering } from "../../src/metering/index.ts";
import { Signals } from "../../src/model/index.ts";
import { BUCKET_CELL_KIND, Buckets } from "../../src/objects/index.ts";
import type { Outbox } from "../../src/outbox/index.ts";
import { openQueues, type Queues } from "../../src/queues/index.ts";
import { openSchedules, parcelOfAttempt, RuleTimers, type Schedules, SCHEDULES_CELL_KIND } from "../../src/schedules/index.ts";
import { createNotifier, MAPPING_SHARD_CELL_KIND, openSources, type Sources, type SourcesParts } from "../../src/sources/index.ts";
import type { BodyFiles, CellKey, Store } from "../../src/storage/index.ts";
// Loaded with the first shard that is read, which would make the first simulation of a process another one than it is behind others.
import "../../src/sources/stream/shard-reader.ts";
import { openStreams, type Streams } from "../../src/streams/index.ts";
import { openWindows, type Windows } from "../../src/windows/index.ts";

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

/** Short enough that windows write snapshots, too. */
const WINDOW_JOURNAL_BOUNDS = { rowsMax: 6, bytesMin: 1_000_000 };

/** One life of the platform's process: everything between the disk and the functions, as `server/platform.ts` joins it. */
export interface Life {
  readonly queues: Queues;
  readonly sources: Sources;
  readonly async: AsyncInvoker;
  readonly buses: Buses;
  readonly schedules: Schedules;
  readonly buckets: Buckets;
  readonly streams: Streams;
  readonly windows: Windows;
  readonly ledger: Ledger;
  readonly metering: Metering;
  /** What buses, schedules and buckets have opened. */
  readonly outboxes: ReadonlyMap<CellKey, Outbox>;
}

export interface LifeParts {
  readonly store: Store;
  /** Bodies of objects. */
  readonly bodies: BodyFiles;
  readonly clock: Clock;
  readonly random: Random;
  readonly secureRandom: SecureRandom;
  readonly functions: AsyncInvokerParts["functions"] & SourcesParts["functions"];
  readonly calls: AsyncInvokerParts["calls"];
  /** Throws where a target does not take what is handed over now. */
  readonly admit: () => void;
  /** Told of what only a defect brings about. */
  readonly onTrouble: (error: unknown) => void;
}

/** Starts on what the store holds. Rejects where a fault of the store keeps it from starting. */
export async function startLife(parts: LifeParts): Promise<Life> {
  const { store, bodies, clock, random, secureRandom, functions, calls, admit: authorize, onTrouble } = parts;
  const common = { store, clock, secureRandom };
  const metering = await startMetering({ store, signals: new Signals(), clock });
  const queues = await openQueues({ ...common, onProblem: onTrouble });
  const targets = new Targets(
    [
      queueTarget({ queues, authorize }),
      busTarget({ buses: () => buses, authorize, clock }),
      archiveTarget({ buses: () => buses }),
      functionTarget({ authorize, functionPolicy: () => undefined, requireFunction: () => undefined, functions: () => async }),
    ],
    clock,
  );
  const delivery = new Delivery({ clock, targets, outbox: (cell) => async.outbox(cell), onTrouble });
  const async: AsyncInvoker = new AsyncInvoker({
    ...{ ...common, calls, metering, onTrouble, functions, timeFactor: 1 },
    onOutgoing: (cell) => delivery.wake(cell),
  });
  const courier = new Courier({ clock, targets, parcelOf: parcelOfAttempt, onTrouble });
  const outboxes = new Map<CellKey, Outbox>();
  const serve = (cell: CellKey, outbox: Outbox): void => {
    outboxes.set(cell, outbox);
    courier.serve(cell, outbox);
  };
  const holding = { ...common, random, retryTimeFactor: 1, onProblem: onTrouble };
  const schedules = await openSchedules({
    ...holding,
    rules: { deliveries: (realm, rule, dueAt) => buses.scheduledDeliveries(realm, rule, dueAt), deadLetter: deadLetterAttributes },
    onOpened: (cell, _realm, outbox) => serve(cell, outbox),
  });
  const timers = new RuleTimers(schedules, clock);
  const buses: Buses = await openBuses({ ...holding, timers: () => timers, onOpened: serve });
  const notifier = createNotifier(common);
  const buckets = await Buckets.open({ ...holding, bodies, notifier, onOpened: (cell, _realm, outbox) => serve(cell, outbox) });
  const streams = await openStreams({ ...common, random, onProblem: onTrouble });
  const windows = await openWindows({
    ...{ ...common, random, streams, retryTimeFactor: 1, onProblem: onTrouble, journalBounds: WINDOW_JOURNAL_BOUNDS },
    invoke: async () => ({ kind: "unavailable", what: "no window calls a function here" }),
    targets: async () => targets,
  });
  const sources = await openSources({
    ...{ ...common, queues, functions, invoker: calls, onProblem: onTrouble, mayRead: () => true },
    streams: {
      ...{ streams: async () => streams, random, retryTimeFactor: 1, kafkaAddress: () => "localhost:9092", mayRead: () => true },
      onOpened: (cell, _realm, outbox) => serve(cell, outbox),
    },
  });
  const ledger = new Ledger({
    ...{ store, clock, live: (cell, record) => async.live(cell, record) },
    cellKinds: [ASYNC_CELL_KIND, "queue", BUS_CELL_KIND, SCHEDULES_CELL_KIND, BUCKET_CELL_KIND, MAPPING_SHARD_CELL_KIND],
  });
  return { queues, sources, async, buses, schedules, buckets, streams, windows, ledger, metering, outboxes };
}

/** What runs behind the start, with nobody waiting. */
export async function resumeLife({ queues, sources, async, buses, schedules, buckets, streams, windows }: Life): Promise<void> {
  sources.start();
  const all = [queues.resume(), async.resume(), buses.resume(), schedules.resume(), buckets.resume(), streams.resume(), windows.resume()];
  await Promise.all(all);
}
