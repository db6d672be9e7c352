import type { UsageRecord } from "../model/index.ts";
import { usageCell, type FunctionIdentity } from "./usage-log.ts";

/** Records that wait for their commit; at the bound further ones are dropped, counted, and shown in the bill (P7). */
export const METERING_BUFFER_RECORDS_MAX = 65_536;
/** Request ids remembered, so that a record sent twice is kept once (P9). */
const RECENT_REQUESTS_MAX = 65_536;

/** One function's records of one group commit. */
export interface PendingUsage {
  readonly of: FunctionIdentity;
  readonly records: UsageRecord[];
  lost: number;
}

/** What was used and is not committed yet, by function. */
export class UsageBuffer {
  #pending = new Map<string, PendingUsage>();
  /** The function that was billed last: calls of one function come in a row. */
  #last: PendingUsage | undefined;
  #count = 0;
  /**
   * Request ids of late, in two generations: the older one goes as a whole. Taking the oldest out of one set would walk over
   * the holes of all taken out before it (seen: 13 µs a call).
   */
  #recent = new Set<string>();
  #recentBefore = new Set<string>();

  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  add(record: UsageRecord): void {
    if (this.#recent.has(record.requestId) || this.#recentBefore.has(record.requestId)) return;
    this.#remember(record.requestId);
    const pending = this.#of(record);
    if (this.#count >= METERING_BUFFER_RECORDS_MAX) {
      pending.lost++;
      return;
    }
    this.#count++;
    pending.records.push(record);
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
    const room = Math.max(0, METERING_BUFFER_RECORDS_MAX - this.#count);
    const kept = failed.records.slice(0, room);
    pending.records.unshift(...kept);
    pending.lost += failed.lost + failed.records.length - kept.length;
    this.#count += kept.length;
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
    const fresh = { of: { account, region, functionName }, records: [], lost: 0 };
    this.#pending.set(key, fresh);
    return fresh;
  }

  #remember(requestId: string): void {
    this.#recent.add(requestId);
    if (this.#recent.size < RECENT_REQUESTS_MAX / 2) return;
    this.#recentBefore = this.#recent;
    this.#recent = new Set();
  }
}
