import { numberKey } from "./checksum.ts";
import { encodeFrame, type FrameEntry } from "./frame.ts";
import type { HeadBlocks } from "./head-blocks.ts";
import type { Command } from "./backlog.ts";
import type { CommitResult, Op } from "../store.ts";
import type { OwnedCell } from "./owned-cell.ts";

interface Plan {
  revision: number;
  first: number;
  next: number;
  readonly sequences: number[];
}

/**
 * One transaction in the making: decides commands in memory, each on what those before it lead to, and gathers what
 * is to be written. Nothing it decides is true before the writer has answered; then `settle` makes it so.
 */
export class Transaction {
  readonly #entries: FrameEntry[] = [];
  readonly #plans = new Map<OwnedCell, Plan>();
  readonly #outcomes: { readonly command: Command; readonly result: CommitResult }[] = [];
  #lastSequence: number;

  constructor(lastSequence: number) {
    this.#lastSequence = lastSequence;
  }

  get lastSequence(): number {
    return this.#lastSequence;
  }

  get writesNothing(): boolean {
    return this.#entries.length === 0 && this.#plans.size === 0;
  }

  /** True when it commits a cell for the first time. */
  get makesCells(): boolean {
    return this.#entries.some((entry) => entry.kind === "cell");
  }

  get commands(): readonly Command[] {
    return this.#outcomes.map((outcome) => outcome.command);
  }

  decide(command: Command): void {
    const plan = this.#plans.get(command.cell) ?? planOf(command.cell);
    if (command.expected !== "any" && command.expected !== plan.revision) {
      this.#outcomes.push({ command, result: { kind: "conflict", revision: plan.revision } });
      return;
    }
    if (plan.revision === 0) this.#entries.push({ kind: "cell", cell: command.cell.id, key: Buffer.from(command.cell.key) });
    this.#plans.set(command.cell, plan);
    for (const op of command.ops) this.#apply(command.cell.id, plan, op);
    plan.revision++;
    this.#outcomes.push({ command, result: { kind: "committed", revision: plan.revision } });
  }

  /** Removes rows that were trimmed by an earlier transaction. */
  forget(sequences: readonly number[]): void {
    for (const sequence of sequences) this.#entries.push({ kind: "forget", cell: 0, sequence });
  }

  /** What is to be written; sets the heads, which is right because a transaction that is not written ends the store. */
  frame(heads: HeadBlocks): Buffer<ArrayBuffer> {
    const blocks = new Set<number>();
    for (const [cell, plan] of this.#plans) blocks.add(heads.set(cell.id, plan));
    const entries = [...blocks].map((block): FrameEntry => ({ kind: "heads", cell: block, value: heads.block(block) }));
    return encodeFrame([...this.#entries, ...entries]);
  }

  /** The transaction is durable: the cells move on and every caller gets its outcome. Returns the rows it trimmed. */
  settle(): number[] {
    const trimmed: number[] = [];
    for (const [cell, plan] of this.#plans) {
      cell.revision = plan.revision;
      for (const sequence of plan.sequences) cell.log.push(sequence);
      trimmed.push(...cell.log.trim(plan.first));
    }
    for (const { command, result } of this.#outcomes) command.resolve(result);
    return trimmed;
  }

  #apply(cell: number, plan: Plan, op: Op): void {
    switch (op.kind) {
      case "put":
        this.#entries.push({ kind: "put", cell, key: Buffer.from(op.key), value: op.value });
        return;
      case "delete":
        this.#entries.push({ kind: "delete", cell, key: Buffer.from(op.key) });
        return;
      case "append": {
        const sequence = ++this.#lastSequence;
        plan.sequences.push(sequence);
        this.#entries.push({ kind: "append", cell, sequence, key: numberKey(plan.next++), value: op.value });
        return;
      }
      case "trim":
        plan.first = Math.max(plan.first, Math.min(op.before, plan.next));
    }
  }
}

function planOf(cell: OwnedCell): Plan {
  return { revision: cell.revision, first: cell.log.first, next: cell.log.next, sequences: [] };
}
