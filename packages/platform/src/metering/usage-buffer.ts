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
  #count = 0;
  readonly #recent = new Set<string>();

  get isEmpty(): boolean {
    return this.#pending.size === 0;
  }

  add(record: UsageRecord): void {
    if (this.#recent.has(record.requestId)) return;
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
    if (this.#recent.size <= RECENT_REQUESTS_MAX) return;
    for (const oldest of this.#recent) {
      this.#recent.delete(oldest);
      return;
    }
  }
}
