import { LambentError } from "../../base/index.ts";
import { COMMIT_BYTES_MAX, OPS_PER_COMMIT_MAX } from "../store.ts";
import type { CommitClass, CommitResult, Op, Revision } from "../store.ts";
import type { OwnedCell } from "./owned-cell.ts";

/** Ops that wait to be written, over all cells; at the bound a commit is refused with `StorageBusy` (P7). */
export const STORAGE_PENDING_OPS_MAX = 65_536;
/** The same in bytes. */
export const STORAGE_PENDING_BYTES_MAX = 64 * 1024 * 1024;

/** Interactive bytes one transaction takes before it stops taking more. */
const TRANSACTION_BYTES_MAX = COMMIT_BYTES_MAX;
/** Ops one transaction takes before it stops taking more: with tiny ops it is they that take the time. */
const TRANSACTION_OPS_MAX = 4_096;
/**
 * Bytes a class may write beside interactive work, a transaction. A commit that is larger saves up: 500 records of
 * 1 KiB go with about every third transaction.
 */
const CREDIT_BYTES: Record<Exclude<CommitClass, "interactive">, number> = { log: 200 * 1024, maintenance: 50 * 1024 };
/** Bytes a class writes in a transaction that holds nothing else; one commit that has more goes all the same. */
const ALONE_BYTES_MAX = 1024 * 1024;

/** One caller's commit, waiting. */
export interface Command {
  readonly cell: OwnedCell;
  readonly expected: Revision | "any";
  readonly ops: readonly Op[];
  readonly weight: number;
  readonly commitClass: CommitClass;
  resolve(result: CommitResult): void;
  reject(error: unknown): void;
}

interface Waiting {
  readonly cell: OwnedCell;
  readonly commands: Command[];
  /** The most urgent class among its commands: they go in their order, so the first may hold back an urgent one. */
  commitClass: CommitClass;
}

const URGENCY: readonly CommitClass[] = ["interactive", "log", "maintenance"];

/**
 * The commands that wait, and which of them the next transaction takes. Within a cell they go in their order; between
 * cells of a class in turn; between classes by credit, so that bulk work neither stalls interactive work nor starves.
 */
export class Backlog {
  readonly #byCell = new Map<OwnedCell, Waiting>();
  readonly #ready: Record<CommitClass, Set<Waiting>> = { interactive: new Set(), log: new Set(), maintenance: new Set() };
  readonly #credit = { log: 0, maintenance: 0 };
  #ops = 0;
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#byCell.size === 0;
  }

  has(cell: OwnedCell): boolean {
    return this.#byCell.has(cell);
  }

  /** Throws `StorageBusy` when a commit of this size would pass the bound. */
  admit(ops: number, weight: number): void {
    if (this.#ops + ops <= STORAGE_PENDING_OPS_MAX && this.#bytes + weight <= STORAGE_PENDING_BYTES_MAX) return;
    throw new LambentError(
      "StorageBusy",
      `${this.#ops} ops of ${this.#bytes} bytes wait to be written; the bounds are ${STORAGE_PENDING_OPS_MAX} ops and ${STORAGE_PENDING_BYTES_MAX} bytes.`,
    );
  }

  push(command: Command): void {
    this.#ops += command.ops.length;
    this.#bytes += command.weight;
    const waiting = this.#byCell.get(command.cell);
    if (!waiting) return this.#enter({ cell: command.cell, commands: [command], commitClass: command.commitClass });
    waiting.commands.push(command);
    if (URGENCY.indexOf(command.commitClass) >= URGENCY.indexOf(waiting.commitClass)) return;
    this.#ready[waiting.commitClass].delete(waiting);
    waiting.commitClass = command.commitClass;
    this.#ready[waiting.commitClass].add(waiting);
  }

  /** The commands of the next transaction, in the order they are decided in; empty when none waits. */
  take(): Command[] {
    const taken: Command[] = [];
    const left: Waiting[] = [];
    this.#takeInteractive(taken, left);
    for (const commitClass of ["log", "maintenance"] as const) this.#takeByCredit(commitClass, taken, left);
    for (const waiting of left) this.#enter(waiting);
    return taken;
  }

  /** Everything that waits, to be refused. */
  takeAll(): Command[] {
    const commands = [...this.#byCell.values()].flatMap((waiting) => waiting.commands);
    this.#byCell.clear();
    for (const commitClass of URGENCY) this.#ready[commitClass].clear();
    this.#ops = 0;
    this.#bytes = 0;
    return commands;
  }

  #takeInteractive(taken: Command[], left: Waiting[]): void {
    let weight = 0;
    let ops = 0;
    for (const waiting of this.#ready.interactive) {
      if (weight >= TRANSACTION_BYTES_MAX || ops >= TRANSACTION_OPS_MAX) return;
      for (const command of this.#takeOf(waiting, COMMIT_BYTES_MAX, left)) {
        weight += command.weight;
        ops += command.ops.length;
        taken.push(command);
      }
    }
  }

  /** Cells in turn, as far as the credit goes: many that each have little go together, and one that has much goes alone. */
  #takeByCredit(commitClass: "log" | "maintenance", taken: Command[], left: Waiting[]): void {
    const ready = this.#ready[commitClass];
    if (ready.size === 0) {
      this.#credit[commitClass] = 0;
      return;
    }
    const alone = taken.length === 0;
    const credit = Math.min(this.#credit[commitClass] + CREDIT_BYTES[commitClass], COMMIT_BYTES_MAX);
    let room = alone ? ALONE_BYTES_MAX : credit;
    let ops = 0;
    for (const waiting of ready) {
      const fits = room >= (waiting.commands[0]?.weight ?? 0) && ops < TRANSACTION_OPS_MAX;
      // What is alone in its transaction may be larger than its class's share.
      if (!fits && !(alone && taken.length === 0)) break;
      for (const command of this.#takeOf(waiting, room, left)) {
        room -= command.weight;
        ops += command.ops.length;
        taken.push(command);
      }
    }
    this.#credit[commitClass] = alone ? 0 : room;
  }

  /** Takes one cell's commands from the first on: at least that, at most what one commit may hold. */
  #takeOf(waiting: Waiting, bytesMax: number, left: Waiting[]): Command[] {
    let count = 0;
    let ops = 0;
    let weight = 0;
    for (const command of waiting.commands) {
      const fits = ops + command.ops.length <= OPS_PER_COMMIT_MAX && weight + command.weight <= bytesMax;
      if (count > 0 && !fits) break;
      count++;
      ops += command.ops.length;
      weight += command.weight;
    }
    this.#ops -= ops;
    this.#bytes -= weight;
    this.#byCell.delete(waiting.cell);
    this.#ready[waiting.commitClass].delete(waiting);
    const commands = waiting.commands.splice(0, count);
    if (waiting.commands.length > 0) left.push({ ...waiting, commitClass: mostUrgent(waiting.commands) });
    return commands;
  }

  #enter(waiting: Waiting): void {
    this.#byCell.set(waiting.cell, waiting);
    this.#ready[waiting.commitClass].add(waiting);
  }
}

function mostUrgent(commands: readonly Command[]): CommitClass {
  return URGENCY.find((commitClass) => commands.some((command) => command.commitClass === commitClass)) ?? "maintenance";
}
