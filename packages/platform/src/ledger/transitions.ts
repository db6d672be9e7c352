/**
 * How a record changes: accepted → waiting ⇄ running → ended. The only place where a record's state is made.
 *
 * `running` is never stored: it is what the owner of the event knows of it at this moment (`begun`), so that a crash leaves no
 * record that says of an event that waits again that it runs.
 */
import { invariant, type Instant } from "../base/index.ts";
import { type Attempt, LEDGER_ATTEMPTS_KEPT_MAX, type LedgerRecord, type Outcome } from "./record.ts";

/** Characters of an error that an attempt keeps. */
const ERROR_LENGTH_MAX = 256;

/** The record of an event that was just accepted; `nextAt` when it is not tried at once. */
export function accepted(
  event: Pick<LedgerRecord, "id" | "source" | "origin" | "target" | "acceptedAt" | "cause" | "subject" | "dueAt" | "offsets"> & {
    readonly correlation?: string | undefined;
  },
  nextAt?: Instant,
): LedgerRecord {
  return { ...event, correlation: event.correlation ?? event.id, attemptCount: 0, attempts: [], state: { kind: "waiting", nextAt } };
}

/** The record while an attempt runs, as it is shown. */
export function begun(record: LedgerRecord, since: Instant): LedgerRecord {
  requireOpen(record);
  return { ...record, state: { kind: "running", since } };
}

/** An attempt failed and another one follows, at `nextAt` or as soon as there is capacity. */
export function triedAgain(record: LedgerRecord, attempt: Attempt, nextAt: Instant | undefined): LedgerRecord {
  return { ...withAttempt(record, attempt), state: { kind: "waiting", nextAt } };
}

/** The event ended, with its last attempt where there was one. */
export function ended(record: LedgerRecord, at: Instant, outcome: Outcome, attempt?: Attempt): LedgerRecord {
  return { ...(attempt ? withAttempt(record, attempt) : record), state: { kind: "ended", at, outcome } };
}

/** The destination of an event that ended did not take it: what was to be dead-lettered is lost, what was handled stays handled. */
export function undelivered(record: LedgerRecord, at: Instant, target: string): LedgerRecord {
  const { state } = record;
  invariant(state.kind === "ended", `event ${record.id} ended before its outcome was sent`);
  const lost = state.outcome.kind === "deadLettered" && state.outcome.target === target;
  return {
    ...record,
    undelivered: target,
    ...(lost ? { state: { kind: "ended", at, outcome: { kind: "discarded", reason: "targetGone" } } } : {}),
  };
}

function withAttempt(record: LedgerRecord, attempt: Attempt): LedgerRecord {
  requireOpen(record);
  const cut = { ...attempt, error: attempt.error?.slice(0, ERROR_LENGTH_MAX) };
  const { attempts } = record;
  const [first] = attempts;
  const kept = attempts.length < LEDGER_ATTEMPTS_KEPT_MAX || !first ? attempts : [first, ...attempts.slice(2)];
  return { ...record, attemptCount: record.attemptCount + 1, attempts: [...kept, cut] };
}

function requireOpen(record: LedgerRecord): void {
  invariant(record.state.kind !== "ended", `event ${record.id} ended before`);
}
