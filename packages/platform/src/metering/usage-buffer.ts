import { TextBuffer } from "../base/index.ts";
import type { UsageRecord } from "../model/index.ts";
import { encodeRecord, usageCell, type FunctionIdentity } from "./usage-log.ts";

/** Records that wait for their commit; at the bound further ones are dropped, counted, and shown in the bill (P7). */
export const METERING_BUFFER_RECORDS_MAX = 65_536;
/** Records in one row of a function's log. */
const RECORDS_PER_ROW_MAX = 1_000;

/** Records of one row, as they are written. */
export interface PendingRow {
  readonly records: TextBuffer;
  count: number;
}

/** One function's records of one group commit. */
export interface PendingUsage {
  readonly of: FunctionIdentity;
  readonly rows: PendingRow[];
  lost: number;
}

/** What was used and is not committed yet, by function. */
export class UsageBuffer {
  #pending = new Map<string, PendingUsage>();
  /** The function that was billed last: calls of one function come in a row. */
  #last: PendingUsage | undefined;
  #count = 0;

  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  add(record: UsageRecord): void {
    const pending = this.#of(record);
    if (this.#count >= METERING_BUFFER_RECORDS_MAX) {
      pending.lost++;
      return;
    }
    this.#count++;
    const row = openRow(pending.rows);
    row.records.append(row.count === 0 ? encodeRecord(record) : `,${encodeRecord(record)}`);
    row.count++;
  }

  /** Empties the buffer. */
  take(): PendingUsage[] {
    const taken = [...this.#pending.values()];
    this.#pending = new Map();
    this.#last = undefined;
    this.#count = 0;
    return taken;
  }

  /** Puts back what could not be committed, before what came meanwhile. */
  putBack(failed: PendingUsage): void {
    const pending = this.#of(failed.of);
    pending.lost += failed.lost;
    const kept: PendingRow[] = [];
    for (const row of failed.rows) {
      if (this.#count + row.count > METERING_BUFFER_RECORDS_MAX) pending.lost += row.count;
      else {
        this.#count += row.count;
        kept.push(row);
      }
    }
    pending.rows.unshift(...kept);
  }

  #of(identity: FunctionIdentity): PendingUsage {
    const last = this.#last;
    if (
      last &&
      last.of.functionName === identity.functionName &&
      last.of.region === identity.region &&
      last.of.account === identity.account
    )
      return last;
    return (this.#last = this.#find(identity));
  }

  #find(identity: FunctionIdentity): PendingUsage {
    const key = usageCell(identity);
    const known = this.#pending.get(key);
    if (known) return known;
    const { account, region, functionName } = identity;
    const fresh = { of: { account, region, functionName }, rows: [], lost: 0 };
    this.#pending.set(key, fresh);
    return fresh;
  }
}

/** The row that takes the next record. */
function openRow(rows: PendingRow[]): PendingRow {
  const last = rows.at(-1);
  if (last && last.count < RECORDS_PER_ROW_MAX) return last;
  const fresh = { records: new TextBuffer(), count: 0 };
  rows.push(fresh);
  return fresh;
}
