import { isLambentError, Later, turnOfTheLoop } from "../base/index.ts";
import { AsyncInvoker, type Invoker } from "../invoker/index.ts";
import type { Metering } from "../metering/index.ts";
import type { CellKey } from "../storage/index.ts";
import type { Distribution, DistributionParts } from "./distribution.ts";

/** What becomes of events that nobody waits for: taken, tried, told, looked up. */
export interface Events {
  readonly asyncInvoker: AsyncInvoker;
  /** Takes up what waits since before the start as soon as it is open; `asyncInvoker` is told to. */
  readonly distribution: Later<Distribution>;
  /** Attempts under way have this long to end. */
  close(graceMs: number): Promise<void>;
}

export interface EventParts extends Omit<DistributionParts, "asyncInvoker"> {
  readonly invoker: Invoker;
  readonly metering: Metering;
}

/** What the distribution stands on, in parts: a call that comes meanwhile waits for one of them, not for all. */
const DISTRIBUTION_MODULES: readonly (() => Promise<unknown>)[] = [
  () => import("../bus/index.ts"),
  () => import("../schedules/index.ts"),
  () => import("../topics/index.ts"),
  () => import("../delivery/index.ts"),
];

/** Asynchronous invocation, and what carries its outcomes and all other events on. */
export function joinEvents(parts: EventParts): Events {
  const { store, clock, secureRandom, functions, retryTimeFactor, reportDefect } = parts;
  const asyncInvoker = new AsyncInvoker({
    ...{ store, clock, functions, secureRandom, metering: parts.metering },
    calls: parts.invoker,
    timeFactor: retryTimeFactor,
    onOutgoing: (cell) => void wake(cell),
    onTrouble: reportDefect,
  });
  const distribution = new Later(async () => {
    for (const load of DISTRIBUTION_MODULES) {
      await load();
      await turnOfTheLoop();
    }
    const { openDistribution } = await import("./distribution.ts");
    const open = await openDistribution({ ...parts, asyncInvoker });
    void open.resume().catch(reportDefect);
    return open;
  });
  const wake = async (cell: CellKey): Promise<void> => {
    try {
      (distribution.opened() ?? (await distribution.get())).wake(cell);
    } catch (error) {
      // What is outgoing is kept: the next start takes it up.
      if (!isLambentError(error, "ShuttingDown")) reportDefect(error);
    }
  };
  return {
    asyncInvoker,
    distribution,
    async close(graceMs) {
      const grace = new Promise<void>((resolve) => clock.schedule(graceMs, resolve));
      await distribution.close((open) => open.close(graceMs));
      await asyncInvoker.close(grace);
    },
  };
}
