import { delay, isLambentError, type Clock } from "../../base/index.ts";
import type { LeasedItem, NewItem, OwnRow, WorkList } from "../../storage/index.ts";
import type { Tried } from "./decide.ts";

/** After a refusal by the storage. */
export const BUSY_RETRY_MS = 250;

/** Commits what follows for events that were taken up: their endings, or their next attempts. */
export class Settling {
  readonly #list: Pick<WorkList, "settle" | "release">;
  readonly #clock: Clock;
  /** Whose commit is being decided on, or under way. */
  readonly #ids = new Set<string>();

  constructor(list: Pick<WorkList, "settle" | "release">, clock: Clock) {
    this.#list = list;
    this.#clock = clock;
  }

  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** The event will be settled: from here on nothing else becomes of it. */
  begin(id: string): void {
    this.#ids.add(id);
  }

  /** Rows are made anew for each try, in the same step as the commit is asked for: numbers in them follow its order. */
  async settle({ id, receipt }: LeasedItem, rows: () => readonly OwnRow[], outcomes: readonly NewItem[] = []): Promise<void> {
    await this.#untilTaken(id, () => this.#list.settle(receipt, { rows: rows(), enqueue: outcomes }));
  }

  /** Gives the event back for its next attempt, `delayMs` from now. */
  async release({ id, receipt }: LeasedItem, tried: Tried, delayMs: number, rows: () => readonly OwnRow[]): Promise<void> {
    const note = Buffer.from(JSON.stringify(tried));
    await this.#untilTaken(id, () => this.#list.release(receipt, { delayMs: Math.max(0, delayMs), note, rows: rows() }));
  }

  /** A storage that is busy is asked again; one that closes or has stopped leaves the event to the next start, as a crash would. */
  async #untilTaken(id: string, commit: () => Promise<unknown>): Promise<void> {
    this.#ids.add(id);
    try {
      while (!(await isTaken(commit))) await delay(this.#clock, BUSY_RETRY_MS);
    } finally {
      this.#ids.delete(id);
    }
  }
}

async function isTaken(commit: () => Promise<unknown>): Promise<boolean> {
  try {
    await commit();
    return true;
  } catch (error) {
    if (isLambentError(error, "ShuttingDown", "StorageStopped", "StorageCorrupt")) return true;
    if (!isLambentError(error, "StorageBusy", "Throttled")) throw error;
    return false;
  }
}

/** What was remembered of an event when it was given back. */
export function triedOf(note: Uint8Array | undefined): Tried | undefined {
  return note && (JSON.parse(Buffer.from(note).toString("utf8")) as Tried);
}
