/**
 * Files of a bucket's folder that no version or part refers to: being written, or to be removed. Each has a row from before it is
 * there until after it is gone, so that whatever a crash leaves is known by its row: nothing is ever looked for on the disk.
 */
import { type Clock, isLambentError, type MonotonicMs, type Timer } from "../base/index.ts";
import type { Outbox } from "../outbox/index.ts";
import { type BodyFiles, type OwnRow, READ_ROWS_MAX } from "../storage/index.ts";
import { decodeLoose, LOOSE_PREFIX, type LooseFiles, looseKey, looseRow, namesOf } from "./rows.ts";

/** What nobody refers to any more stays for this long: whoever has just found a version may still open its body. */
const REMOVED_AFTER_MS = 2_000;
/** Files, or groups of them, that wait to be removed; beyond it the oldest go at once (P7). */
const WAITING_MAX = 10_000;
/** Files removed at once: those of one folder share its fsync. */
const REMOVED_AT_ONCE = 32;
/** Rows removed in one commit. */
const ROWS_PER_COMMIT = 100;

export interface LooseParts {
  readonly outbox: Outbox;
  readonly bodies: BodyFiles;
  readonly clock: Clock;
  /** The bucket's id: names its folder. */
  readonly owner: string;
  readonly onProblem: (error: unknown) => void;
}

export class LooseFilesOfBucket {
  readonly #parts: LooseParts;
  /** By their names, in the order they became loose. */
  readonly #waiting = new Map<string, { readonly files: LooseFiles; readonly at: MonotonicMs }>();
  readonly #pins = new Map<string, number>();
  readonly #leaving = new Set<string>();
  #timer: Timer | undefined;
  #removing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: LooseParts) {
    this.#parts = parts;
  }

  /** Removes what a life before this one left loose. Before anything else is done with the bucket. */
  async removeLeft(): Promise<void> {
    const { outbox } = this.#parts;
    for (;;) {
      const rows = await outbox.readRows({ prefix: LOOSE_PREFIX, limit: READ_ROWS_MAX });
      if (rows.length === 0) return;
      for (let start = 0; start < rows.length; start += ROWS_PER_COMMIT)
        await this.#removeNow(rows.slice(start, start + ROWS_PER_COMMIT).map(decodeLoose));
    }
  }

  /** Commits that these will be there: before the first of them is made. What refers to them later takes their row away. */
  async expect(files: LooseFiles): Promise<void> {
    await this.#parts.outbox.writeRows([looseRow(files)]);
  }

  /** They are referred to by rows of the same commit. */
  taken({ name }: LooseFiles): OwnRow {
    return { key: looseKey(name), value: undefined };
  }

  /** Behind the commit that made them loose: they are removed a little later. */
  leave(files: LooseFiles): void {
    const at = this.#parts.clock.monotonicMs() + REMOVED_AFTER_MS;
    this.#waiting.set(files.name, { files, at });
    if (this.#waiting.size > WAITING_MAX) this.#removeDue(Number.POSITIVE_INFINITY);
    this.#setTimer(REMOVED_AFTER_MS);
  }

  /** Removes what was expected and that nothing will refer to. Does not throw: what it cannot remove is removed at the next opening. */
  async discard(files: LooseFiles): Promise<void> {
    await this.#removeNow([files]).catch(() => undefined);
  }

  /** Keeps what may be removed from being removed, until the function is called; undefined where it is too late. */
  pin(name: string): (() => void) | undefined {
    if (this.#leaving.has(name)) return undefined;
    this.#pins.set(name, (this.#pins.get(name) ?? 0) + 1);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const left = (this.#pins.get(name) ?? 1) - 1;
      if (left > 0) this.#pins.set(name, left);
      else this.#pins.delete(name);
    };
  }

  /** Resolves once what was due is removed. */
  settled(): Promise<void> {
    return this.#removing;
  }

  /** Ends removing. What waits is removed at the next opening. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await this.#removing;
  }

  #setTimer(delayMs: number): void {
    if (this.#closed || this.#timer) return;
    this.#timer = this.#parts.clock.schedule(delayMs, () => {
      this.#timer = undefined;
      this.#removeDue(this.#parts.clock.monotonicMs());
      if (this.#waiting.size > 0) this.#setTimer(REMOVED_AFTER_MS);
    });
  }

  #removeDue(until: MonotonicMs): void {
    const due: LooseFiles[] = [];
    for (const { files, at } of this.#waiting.values()) {
      if (at > until) break;
      if (this.#pins.has(files.name)) continue;
      this.#leaving.add(files.name);
      due.push(files);
    }
    for (const { name } of due) this.#waiting.delete(name);
    if (due.length > 0) this.#removing = this.#removing.then(() => this.#removeGroups(due));
  }

  async #removeGroups(due: readonly LooseFiles[]): Promise<void> {
    for (let start = 0; start < due.length && !this.#closed; start += ROWS_PER_COMMIT) {
      const group = due.slice(start, start + ROWS_PER_COMMIT);
      try {
        await this.#removeNow(group);
      } catch (error) {
        // A disk may refuse for a moment, as when a process has too many files open; what is not removed in this life, the next one removes.
        if (isLambentError(error, "StorageBusy", "StorageStopped")) for (const files of group) this.leave(files);
        else if (!isLambentError(error, "ShuttingDown")) this.#parts.onProblem(error);
      }
      for (const { name } of group) this.#leaving.delete(name);
    }
  }

  /** The files first: a row says that there may be one. */
  async #removeNow(all: readonly LooseFiles[]): Promise<void> {
    const { bodies, owner, outbox } = this.#parts;
    const names = all.flatMap((files) => namesOf(files));
    for (let start = 0; start < names.length; start += REMOVED_AT_ONCE)
      await Promise.all(names.slice(start, start + REMOVED_AT_ONCE).map((name) => bodies.remove(owner, name)));
    await outbox.writeRows(all.map((files) => this.taken(files)));
  }
}
