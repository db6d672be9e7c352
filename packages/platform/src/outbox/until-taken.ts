import { type Clock, delay, isLambentError } from "../base/index.ts";

/** After a refusal by the storage. */
const BUSY_RETRY_MS = 1_000;

export interface Patience {
  readonly clock: Clock;
  /** Whether whoever asked is closed: then it is not tried again. */
  readonly isClosed: () => boolean;
  readonly onProblem: (error: unknown) => void;
}

/**
 * Does `work` that nobody waits for, again while the storage is busy: nobody else would. What else goes wrong is told, but for the end of the
 * server or its storage: one damaged cell does not keep others from being taken up.
 */
export async function untilTaken(work: () => Promise<unknown>, { clock, isClosed, onProblem }: Patience): Promise<void> {
  while (!isClosed()) {
    try {
      await work();
      return;
    } catch (error) {
      if (isLambentError(error, "ShuttingDown", "StorageStopped")) return;
      if (!isLambentError(error, "StorageBusy")) return onProblem(error);
      await delay(clock, BUSY_RETRY_MS);
    }
  }
}
