/**
 * What asynchronous attempts used, for the owner of the cell they are settled in: the record goes into the commit that settles
 * (P9), and from there into the function's usage log a little later. The log remembers the last number it took, so a crash
 * between the two doubles nothing.
 */
import { isLambentError, type Clock, type Timer } from "../base/index.ts";
import type { UsageRecord } from "../model/index.ts";
import type { CellKey, OwnRow, WorkList } from "../storage/index.ts";
import { TAKEN_RECORDS_MAX, type Metering } from "./metering.ts";
import { encodeRecord, type FunctionIdentity } from "./usage-log.ts";

/** Records lie in the cell for about this long. */
const BRING_DELAY_MS = 500;
/** Again after the storage was busy. */
const RETRY_DELAY_MS = 1_000;
const PREFIX = "usage/";

export interface UsageRowsParts {
  readonly list: Pick<WorkList, "readRows" | "writeRows">;
  readonly cell: CellKey;
  readonly of: FunctionIdentity;
  readonly metering: Pick<Metering, "takeOver" | "lastTaken" | "onRead">;
  readonly clock: Clock;
  readonly onTrouble: (error: unknown) => void;
}

export class UsageRows {
  readonly #parts: UsageRowsParts;
  readonly #forget: () => void;
  #next: number;
  #waiting: number;
  #timer: Timer | undefined;
  #bringing: Promise<void> = Promise.resolve();

  private constructor(parts: UsageRowsParts, last: number, waiting: number) {
    this.#parts = parts;
    this.#next = last + 1;
    this.#waiting = waiting;
    this.#forget = parts.metering.onRead(() => this.bring());
    if (waiting > 0) this.#bringSoon(0);
  }

  /** Takes up what a crash left in the cell. */
  static async open(parts: UsageRowsParts): Promise<UsageRows> {
    const rows = await parts.list.readRows({ prefix: PREFIX, limit: TAKEN_RECORDS_MAX });
    const last = Math.max(await parts.metering.lastTaken(parts.of, parts.cell), numberOf(rows.at(-1)?.key));
    return new UsageRows(parts, last, rows.length);
  }

  /**
   * The row to put into the commit that settles the attempt. That commit is asked for before anything is awaited: records are
   * taken over in the order of their numbers.
   */
  write(record: UsageRecord): OwnRow[] {
    const key = PREFIX + String(this.#next++).padStart(15, "0");
    this.#waiting += 1;
    this.#bringSoon(BRING_DELAY_MS);
    return [{ key, value: Buffer.from(encodeRecord(record)) }];
  }

  /** Hands over all that is committed. */
  bring(): Promise<void> {
    this.#bringing = this.#bringing.then(() => this.#bring());
    return this.#bringing;
  }

  /** Hands over what waits and stops. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    this.#forget();
    await this.bring();
    this.#timer?.cancel();
  }

  #bringSoon(delayMs: number): void {
    this.#timer ??= this.#parts.clock.schedule(delayMs, () => {
      this.#timer = undefined;
      void this.bring();
    });
  }

  async #bring(): Promise<void> {
    const { list, of, cell, metering, onTrouble } = this.#parts;
    if (this.#waiting === 0) return;
    try {
      let brought = 0;
      for (let more = true; more;) {
        const rows = await list.readRows({ prefix: PREFIX, limit: TAKEN_RECORDS_MAX });
        await metering.takeOver(
          of,
          cell,
          rows.map(({ key, value }) => ({ number: numberOf(key), record: value })),
        );
        if (rows.length > 0) await list.writeRows(rows.map(({ key }) => ({ key, value: undefined })));
        more = rows.length === TAKEN_RECORDS_MAX;
        brought += rows.length;
      }
      // What was asked for and is not committed yet is looked for again; what never will be, only once.
      this.#waiting = brought === 0 ? 0 : Math.max(0, this.#waiting - brought);
      if (this.#waiting > 0) this.#bringSoon(RETRY_DELAY_MS);
    } catch (error) {
      if (isLambentError(error, "StorageBusy")) this.#bringSoon(RETRY_DELAY_MS);
      else if (!isLambentError(error)) onTrouble(error);
    }
  }
}

function numberOf(key: string | undefined): number {
  return key === undefined ? 0 : Number(key.slice(PREFIX.length));
}
