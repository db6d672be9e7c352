import type { Clock, Instant } from "../base/index.ts";
import type { StatementReference } from "./policy/evaluate.ts";

/**
 * What was decided, newest kept: append-only and bounded. Each outcome has its own share, so that a busy function that is
 * allowed everything does not push out the denials.
 */
export interface AuditEntry {
  /** Rises by one with every decision, from 1; a gap in what `recent` returns is what the bound dropped. */
  readonly sequence: number;
  readonly at: Instant;
  readonly requestId: string;
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly outcome: AuditOutcome;
}

export type AuditOutcome =
  /** `by` is undefined for a root key. */
  | { readonly kind: "allowed"; readonly by: StatementReference | undefined }
  /** Allowed because the role does not exist here, so that there is nothing to enforce. */
  | { readonly kind: "notEnforced"; readonly why: "roleNotHere" }
  | { readonly kind: "denied"; readonly why: string; readonly by: StatementReference | undefined };

/** Decisions kept of each outcome (P7). @limit */
export const AUDIT_ENTRIES_MAX = 2_048;

export interface AuditLog {
  record(decision: Omit<AuditEntry, "sequence" | "at">): void;
  /** The latest decisions, newest first, at most `limit`; of one outcome when it is named. */
  recent(limit: number, outcome?: AuditOutcome["kind"]): AuditEntry[];
  /** Decisions of each outcome since the start, and how many of them the bound dropped. */
  counts(): Readonly<Record<AuditOutcome["kind"], { readonly recorded: number; readonly dropped: number }>>;
}

/** An empty log; it lives as long as the process. */
export function createAuditLog(clock: Clock): AuditLog {
  const rings = { allowed: new Ring(), notEnforced: new Ring(), denied: new Ring() };
  let sequence = 0;
  return {
    record(decision) {
      sequence += 1;
      rings[decision.outcome.kind].push({ ...decision, sequence, at: clock.now() });
    },
    recent(limit, outcome) {
      const entries = outcome === undefined ? Object.values(rings).flatMap((ring) => ring.entries()) : rings[outcome].entries();
      return entries.toSorted((a, b) => b.sequence - a.sequence).slice(0, limit);
    },
    counts: () => ({ allowed: rings.allowed.counts(), notEnforced: rings.notEnforced.counts(), denied: rings.denied.counts() }),
  };
}

class Ring {
  readonly #entries: AuditEntry[] = [];
  #recorded = 0;

  push(entry: AuditEntry): void {
    this.#entries[this.#recorded % AUDIT_ENTRIES_MAX] = entry;
    this.#recorded += 1;
  }

  /** In no particular order. */
  entries(): readonly AuditEntry[] {
    return this.#entries;
  }

  counts(): { readonly recorded: number; readonly dropped: number } {
    return { recorded: this.#recorded, dropped: Math.max(0, this.#recorded - AUDIT_ENTRIES_MAX) };
  }
}
