/** How a cell's records lie in it: one row each, sorted by time because their ids are; one row that counts. */
import { LambentError, type Instant } from "../base/index.ts";
import type { LedgerRecord } from "./record.ts";

/** Before the id in a record's key. */
export const RECORD_PREFIX = "ledger/";
/** The key of the counts. */
export const COUNTS_KEY = "ledger-counts";
const FORMAT = 1;

/** What a cell's ledger holds, and what its bound has dropped. */
export interface LedgerCounts {
  /** Records of events that have ended. */
  readonly ended: number;
  /** Dropped before `LEDGER_KEEP_MS_MIN` had passed since their events' end (P2). */
  readonly droppedEarly: number;
}

export function recordKey(id: string): string {
  return RECORD_PREFIX + id;
}

/** The key before those of all events from `at` on: where reading them begins. */
export function keyBefore(at: Instant): string {
  const hex = Math.max(0, Math.floor(at)).toString(16).padStart(12, "0");
  return `${RECORD_PREFIX}${hex.slice(0, 8)}-${hex.slice(8)}`;
}

export function encodeRecord(record: LedgerRecord): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, record]));
}

export function decodeRecord(value: Uint8Array): LedgerRecord {
  return decoded(value) as LedgerRecord;
}

export function encodeCounts(counts: LedgerCounts): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, counts]));
}

export function decodeCounts(value: Uint8Array): LedgerCounts {
  return decoded(value) as LedgerCounts;
}

function decoded(value: Uint8Array): unknown {
  const [format, content] = JSON.parse(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("utf8")) as [number, unknown];
  if (format !== FORMAT) throw new LambentError("StorageCorrupt", `A ledger row has format ${format}; this Lambent reads ${FORMAT}.`);
  return content;
}
