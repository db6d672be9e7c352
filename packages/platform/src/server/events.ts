import { isLambentError, Later } from "../base/index.ts";
import { AsyncInvoker, type Invoker } from "../invoker/index.ts";
import type { Metering } from "../metering/index.ts";
import type { CellKey } from "../storage/index.ts";
import type { Distribution, DistributionParts } from "./distribution.ts";

/** What becomes of events that nobody waits for: taken, tried, told, looked up. */
export interface Events {
  readonly asyncInvoker: AsyncInvoker;
  readonly distribution: Later<Distribution>;
  /** Takes up what waits since before the start. */
  resume(): Promise<void>;
  /** Attempts under way have this long to end. */
  close(graceMs: number): Promise<void>;
}

export interface EventParts extends Omit<DistributionParts, "asyncInvoker"> {
  readonly invoker: Invoker;
  readonly metering: Metering;
}

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
    async resume() {
      await Promise.all([asyncInvoker.resume(), distribution.get()]);
    },
    async close(graceMs) {
      const grace = new Promise<void>((resolve) => clock.schedule(graceMs, resolve));
      await distribution.close((open) => open.close(graceMs));
      await asyncInvoker.close(grace);
    },
  };
}
