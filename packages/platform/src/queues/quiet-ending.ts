import type { Instant } from "../base/index.ts";
import { ended, type LedgerRecord } from "../ledger/index.ts";
import type { QueueRecord } from "./registry.ts";

/**
 * Messages end without anybody touching them: they grow too old, or their queue is purged or deleted. A million at once would be a million
 * rows to write, so this is not written but follows from the queue's settings whenever somebody looks (P2).
 */
export function withQuietEnding(record: LedgerRecord, queue: QueueRecord | undefined, now: Instant): LedgerRecord {
  if (record.state.kind === "ended") return record;
  if (!queue) return ended(record, now, { kind: "discarded", reason: "queueDeleted" });
  const { acceptedAt } = record;
  const { purgedAt } = queue;
  const expiresAt = acceptedAt + queue.settings.retentionMs;
  if (purgedAt !== undefined && acceptedAt < purgedAt && purgedAt < expiresAt)
    return ended(record, purgedAt, { kind: "discarded", reason: "purged" });
  return expiresAt <= now ? ended(record, expiresAt, { kind: "expired" }) : record;
}
