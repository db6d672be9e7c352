import type { Worker } from "node:worker_threads";
import { deferred, failpoint, invariant, LambentError, type Deferred } from "../../base/index.ts";
import type { CommitClass, CommitResult, Op, Revision } from "../store.ts";
import { Backlog } from "./backlog.ts";
import { decideCheckpoint, FRAME_BYTES, type LogFill, WAL_BYTES_MAX, WAL_HELD_BYTES_MAX } from "./checkpoints.ts";
import type { CheckpointerMessage, StoreContents, WriterAnswer } from "./messages.ts";
import { CellDirectory, type OwnedCell } from "./owned-cell.ts";
import { asError } from "./thread.ts";
import { Transaction } from "./transaction.ts";

/** Rows of trimmed logs one transaction removes: the work of forgetting is spread, whatever a trim's length. */
const FORGET_ROWS_PER_TRANSACTION = 512;

type Condition =
  | { readonly kind: "running" }
  | { readonly kind: "draining"; readonly drained: Deferred<void> }
  | { readonly kind: "stopped"; readonly why: LambentError }
  | { readonly kind: "closed" };

export interface CommitLoopThreads {
  readonly writer: Worker;
  /** Started when there is first something to copy: an idle store has none. */
  startCheckpointer(): Worker;
}

/**
 * The owner's side of writing. One transaction is under way at a time; what arrives meanwhile forms the next one, so
 * commits are grouped without a timer and a lone one does not wait.
 */
export class CommitLoop {
  readonly cells = new CellDirectory();
  readonly #backlog = new Backlog();
  readonly #threads: CommitLoopThreads;
  #checkpointer: Worker | undefined;
  #condition: Condition = { kind: "running" };
  #underWay: Transaction | undefined;
  #turnPlanned = false;
  #lastSequence: number;
  #toForget: number[];
  #log: LogFill;
  #logTooLong: (() => void) | undefined;

  constructor(threads: CommitLoopThreads, contents: StoreContents, logFrames: number) {
    this.#threads = threads;
    this.#lastSequence = contents.lastSequence;
    this.#toForget = this.cells.load(contents);
    this.#log = { frames: logFrames, copiedFrames: 0, copying: false, bytesMax: WAL_BYTES_MAX, held: false };
    threads.writer.on("message", (answer: WriterAnswer) => this.#onAnswer(answer));
    if (this.#toForget.length > 0) this.#planTurn();
  }

  commit(cell: OwnedCell, expected: Revision | "any", ops: readonly Op[], weight: number, commitClass: CommitClass): Promise<CommitResult> {
    this.#backlog.admit(ops.length, weight);
    const { promise, resolve, reject } = deferred<CommitResult>();
    this.#backlog.push({ cell, expected, ops, weight, commitClass, resolve, reject });
    this.#planTurn();
    return promise;
  }

  /** Throws what a commit now ends with, when it cannot be taken. */
  refuseUnlessRunning(): void {
    if (this.#condition.kind === "stopped") throw this.#condition.why;
    if (this.#condition.kind !== "running") throw new LambentError("ShuttingDown", "The storage is closing.");
  }

  /** Nothing is acknowledged any more, for good: after a failed write, what the disk holds is not known (P1). */
  stop(why: LambentError): void {
    if (this.#condition.kind === "stopped" || this.#condition.kind === "closed") return;
    const before = this.#condition;
    this.#condition = { kind: "stopped", why };
    for (const command of this.#underWay?.commands ?? []) command.reject(why);
    for (const command of this.#backlog.takeAll()) command.reject(why);
    this.#underWay = undefined;
    if (before.kind === "draining") before.drained.resolve();
  }

  /** Takes no new commit and resolves when those it took are settled. */
  async drain(): Promise<void> {
    if (this.#condition.kind !== "running") return;
    const drained = deferred<void>();
    this.#condition = { kind: "draining", drained };
    this.#settleDrain();
    await drained.promise;
  }

  /** Nothing is being written and nothing waits to be: the writer has time. */
  get isIdle(): boolean {
    return this.#condition.kind === "running" && !this.#underWay && this.#backlog.isEmpty;
  }

  /**
   * Keeps the write-ahead log as it is for somebody who reads a long time, and calls `onTooLong` when it came to
   * `WAL_HELD_BYTES_MAX` meanwhile. Returns how to let go of it. One may hold it at a time.
   */
  holdLog(onTooLong: () => void): () => void {
    invariant(!this.#log.held, "one may hold the write-ahead log at a time");
    // The bound stays raised until the log was begun anew: what was written meanwhile is copied beside commits, not by the writer.
    this.#log = { ...this.#log, held: true, bytesMax: WAL_HELD_BYTES_MAX };
    this.#logTooLong = onTooLong;
    return () => {
      this.#log = { ...this.#log, held: false };
      this.#logTooLong = undefined;
    };
  }

  get checkpointer(): Worker | undefined {
    return this.#checkpointer;
  }

  #planTurn(): void {
    if (this.#underWay || this.#turnPlanned) return;
    this.#turnPlanned = true;
    setImmediate(() => {
      this.#turnPlanned = false;
      this.#turn();
    });
  }

  #turn(): void {
    if (this.#condition.kind !== "running" && this.#condition.kind !== "draining") return;
    const transaction = new Transaction(this.#lastSequence);
    const commands = this.#backlog.take();
    for (const command of commands) transaction.decide(command);
    transaction.forget(this.#toForget.slice(0, FORGET_ROWS_PER_TRANSACTION));
    if (transaction.writesNothing) return this.#finish(transaction);
    this.#toForget = this.#toForget.slice(FORGET_ROWS_PER_TRANSACTION);
    this.#send(transaction);
  }

  #send(transaction: Transaction): void {
    this.#underWay = transaction;
    const { restart, copy } = decideCheckpoint(this.#log);
    if (copy) this.#copyLog();
    if (restart) this.#log = { ...this.#log, copiedFrames: 0, bytesMax: WAL_BYTES_MAX };
    const frame = transaction.frame(this.cells.heads);
    this.#threads.writer.postMessage({ frame, restartLog: restart }, [frame.buffer]);
  }

  #onAnswer(answer: WriterAnswer): void {
    if (answer.kind === "failed") return this.stop(asError(answer));
    if (answer.kind !== "written" || !this.#underWay) return;
    failpoint("commit.told");
    const transaction = this.#underWay;
    this.#underWay = undefined;
    this.#log = { ...this.#log, frames: answer.logFrames };
    if (answer.logFrames * FRAME_BYTES > WAL_HELD_BYTES_MAX) this.#logTooLong?.();
    this.#lastSequence = transaction.lastSequence;
    this.#finish(transaction);
  }

  #finish(transaction: Transaction): void {
    if (transaction.makesCells) this.cells.joined();
    const trimmed = transaction.settle();
    if (trimmed.length > 0) this.#toForget = [...this.#toForget, ...trimmed];
    for (const { cell } of transaction.commands) if (!this.#backlog.has(cell)) this.cells.dropIfNeverCommitted(cell);
    if (!this.#backlog.isEmpty || this.#toForget.length > 0) this.#planTurn();
    this.#settleDrain();
  }

  #copyLog(): void {
    this.#checkpointer ??= this.#startCheckpointer();
    this.#log = { ...this.#log, copying: true };
    this.#checkpointer.postMessage("checkpoint");
  }

  #startCheckpointer(): Worker {
    const checkpointer = this.#threads.startCheckpointer();
    checkpointer.on("message", (message: CheckpointerMessage) => {
      if (message.kind === "failed") this.stop(asError(message));
      if (message.kind === "copied") this.#log = { ...this.#log, copiedFrames: message.frames, copying: false };
    });
    return checkpointer;
  }

  /** Rows still to be forgotten do not hold up closing: the next open finds them. */
  #settleDrain(): void {
    if (this.#condition.kind !== "draining" || this.#underWay || !this.#backlog.isEmpty) return;
    this.#condition.drained.resolve();
    this.#condition = { kind: "closed" };
  }
}
