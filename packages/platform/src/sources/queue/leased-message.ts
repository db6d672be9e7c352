import type { Instant, MonotonicMs } from "../../base/index.ts";
import type { ReceivedMessage } from "../../queues/index.ts";
import type { LeasedItem } from "../../storage/index.ts";
import { recordOf, type QueueRecordShape } from "./event.ts";
import type { Held } from "./poller-machine.ts";

/** A message of the queue that a mapping holds. Its body lives on in the record only. */
export interface LeasedMessage extends Held {
  readonly id: string;
  readonly receipt: string;
  /** The record that the function gets, as JSON. */
  readonly json: string;
  readonly group: string | undefined;
  readonly sentAt: Instant;
  readonly receiveCount: number;
  readonly traceHeader: string | undefined;
  readonly leasedAt: MonotonicMs;
  readonly leaseUntil: MonotonicMs;
  /** It has ended here: it was settled, failed, or went back. To be called once. */
  readonly done: () => void;
}

/** A leased item with the record that filters ask and the function gets. */
export function leasedMessage(
  item: LeasedItem,
  received: ReceivedMessage,
  lease: { readonly queueArn: string; readonly at: MonotonicMs; readonly until: MonotonicMs; readonly done: (bytes: number) => void },
): { readonly message: LeasedMessage; readonly record: QueueRecordShape } {
  const record = recordOf(received, lease.queueArn);
  const json = JSON.stringify(record);
  const bytes = Buffer.byteLength(json);
  const { id, receipt, group, receiveCount, enqueuedAt } = item;
  const message: LeasedMessage = {
    id,
    receipt,
    json,
    bytes,
    group,
    sentAt: enqueuedAt,
    receiveCount,
    traceHeader: received.traceHeader,
    leasedAt: lease.at,
    leaseUntil: lease.until,
    done: () => lease.done(bytes),
  };
  return { message, record };
}
