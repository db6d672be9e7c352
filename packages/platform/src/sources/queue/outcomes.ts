/** How messages of a mapping end, in the queue and in the ledger, in one commit each (P2). */
import { isLambentError, type Instant } from "../../base/index.ts";
import { eventOf } from "../../invoker/index.ts";
import { accepted, type Attempt, ended, type LedgerRecord, type LedgerRows, type Outcome, triedAgain } from "../../ledger/index.ts";
import type { DeadLetters, Queue } from "../../queues/index.ts";
import type { NewItem } from "../../storage/index.ts";
import type { LeasedMessage } from "./leased-message.ts";

/** Rows one commit is asked to take beside what it settles. */
const ROWS_PER_WRITE_MAX = 100;

export interface OutcomeParts {
  readonly queue: Queue;
  readonly ledger: LedgerRows;
  readonly queueArn: string;
  readonly functionArn: string;
}

/** The function handled them: they are deleted. */
export async function settleHandled(
  parts: OutcomeParts,
  messages: readonly LeasedMessage[],
  attempt: Attempt,
  now: Instant,
): Promise<void> {
  await settleAs(parts, messages, { kind: "handled" }, now, attempt);
}

/** No filter takes them: they are deleted. */
export async function settleUnmatched(parts: OutcomeParts, messages: readonly LeasedMessage[], now: Instant): Promise<void> {
  await settleAs(parts, messages, { kind: "discarded", reason: "noListener" }, now, undefined);
}

/** They came back to the function in a circle too often: they go to the queue's dead-letter queue where it has one. */
export async function settleCircling(
  parts: OutcomeParts,
  circling: readonly { readonly message: LeasedMessage; readonly body: Uint8Array }[],
  now: Instant,
): Promise<void> {
  const { redrive } = parts.queue.record.settings;
  const bodies = new Map(circling.map(({ message, body }) => [message.id, body]));
  const outcome: Outcome = redrive
    ? { kind: "deadLettered", target: redrive.target, reason: "recursion" }
    : { kind: "discarded", reason: "recursion" };
  const messages = circling.map(({ message }) => message);
  await settleAs(parts, messages, outcome, now, undefined, ({ id, group, sentAt }) => {
    const body = bodies.get(id);
    return redrive && body ? [{ id, body, group, enqueuedAt: sentAt, target: `dead:${redrive.target}` }] : [];
  });
}

async function settleAs(
  parts: OutcomeParts,
  messages: readonly LeasedMessage[],
  outcome: Outcome,
  now: Instant,
  attempt: Attempt | undefined,
  sentOn: (message: LeasedMessage) => readonly NewItem[] = () => [],
): Promise<void> {
  const records = await Promise.all(messages.map((message) => recordOf(parts, message)));
  // A standard queue lets go of a message whose lease just ended, as long as nobody else received it.
  const evenExpired = parts.queue.record.settings.kind === "standard";
  await Promise.all(
    messages.map(async (message, at) => {
      const record = records[at];
      // A call that outlasted its lease: the message has ended otherwise, and its record says so.
      const rows = record && record.state.kind !== "ended" ? parts.ledger.write(ended(record, now, outcome, attempt)) : [];
      const settled = await parts.queue.list.settle(message.receipt, { evenExpired, rows, enqueue: sentOn(message) });
      // The function deleted it itself: its record is still to be written.
      if (settled.kind === "gone") await parts.queue.list.writeRows(rows);
    }),
  );
}

/**
 * They were not handled and appear again at `againAt`. Of a message that is not held any more (reading took longer than its lease) nothing is
 * written: its record may have ended meanwhile.
 */
export async function noteFailed(
  parts: OutcomeParts,
  messages: readonly LeasedMessage[],
  failure: {
    readonly attempt: Attempt;
    readonly againAt: (message: LeasedMessage) => Instant;
    readonly isHeld: (message: LeasedMessage) => boolean;
  },
): Promise<void> {
  for (let start = 0; start < messages.length; start += ROWS_PER_WRITE_MAX) {
    const few = messages.slice(start, start + ROWS_PER_WRITE_MAX);
    const records = await Promise.all(few.map((message) => recordOf(parts, message)));
    // In one step with the look at the leases.
    const rows = few.flatMap((message, at) => {
      const record = records[at];
      // A call that outlasted its lease: the message has ended otherwise.
      if (!record || record.state.kind === "ended" || !failure.isHeld(message)) return [];
      return parts.ledger.write(triedAgain(record, failure.attempt, failure.againAt(message)));
    });
    if (rows.length > 0) await parts.queue.list.writeRows(rows);
  }
}

/** The queue has handed them to its dead-letter queue; also those of which every delivery was lost with the server that made it. */
export async function noteDeadLettered(parts: OutcomeParts, { target, messages }: DeadLetters, now: Instant): Promise<void> {
  const { ledger, queue, queueArn: origin, functionArn } = parts;
  const records = await Promise.all(messages.map(({ id }) => ledger.get(id)));
  const rows = messages.flatMap(({ id, sentAt }, at) => {
    const record = records[at] ?? accepted({ id, source: "queue", origin, target: functionArn, acceptedAt: sentAt, cause: undefined });
    if (record.state.kind === "ended") return [];
    return ledger.write(ended(record, now, { kind: "deadLettered", target, reason: "retriesExhausted" }));
  });
  if (rows.length > 0) await queue.list.writeRows(rows);
}

/** Gives messages back, for `delayMs` unseen. A lease that has ended meanwhile is back already. */
export async function giveBack(queue: Queue, messages: readonly LeasedMessage[], delayMs: number): Promise<void> {
  await Promise.all(
    messages.map(({ receipt }) =>
      queue.list.release(receipt, { delayMs }).catch((error: unknown) => {
        // The lease ends by itself.
        if (!isLambentError(error)) throw error;
      }),
    ),
  );
}

async function recordOf({ ledger, queueArn, functionArn }: OutcomeParts, message: LeasedMessage): Promise<LedgerRecord> {
  const before = message.receiveCount > 1 ? await ledger.get(message.id) : undefined;
  if (before) return before;
  const chain = eventOf(message.traceHeader);
  return accepted({
    id: message.id,
    source: "queue",
    origin: queueArn,
    target: functionArn,
    acceptedAt: message.sentAt,
    cause: chain?.cause,
    correlation: chain?.correlation,
  });
}
