import { invariant } from "../../base/index.ts";
import type { CellKey } from "../store.ts";
import type { CheckAnswer, CheckQuestion } from "./messages.ts";
import type { CellDirectory, OwnedCell } from "./owned-cell.ts";

/** Faults a check names; behind them it goes on reading and says no more. */
export const STORE_FAULTS_MAX = 1_000;
/** Log rows one page of a check reads. */
const LOG_ROWS_PER_PAGE = 256;

/** Something that is not as it was written. */
export interface StoreFault {
  /** The cell that is damaged and takes no more commits; absent when it is the database as a whole. */
  readonly cell: CellKey | undefined;
  readonly what: string;
}

/** What reading everything came to. */
export interface StoreCheck {
  readonly cells: number;
  readonly rows: number;
  readonly bytes: number;
  readonly faults: readonly StoreFault[];
}

/**
 * Reads every row of every cell and holds it against its checksum. A cell in which damage is found is stopped, as if
 * somebody had read it. With `structure` SQLite checks its own file too, which nobody may write to meanwhile.
 */
export async function checkStore(
  cells: CellDirectory,
  ask: (question: CheckQuestion) => Promise<CheckAnswer>,
  options: { readonly structure: boolean },
): Promise<StoreCheck> {
  const check = new Check(ask);
  if (options.structure) check.add(undefined, await ask({ kind: "checkStructure" }));
  const committed = cells.committed();
  for (const cell of committed.values()) if (cell.damage !== undefined) check.fault(cell, cell.damage);
  await check.names(committed);
  for (const cell of committed.values()) {
    if (cell.damage !== undefined) continue;
    await check.state(cell);
    await check.log(cell);
  }
  return { cells: committed.size, rows: check.rows, bytes: check.bytes, faults: check.faults };
}

class Check {
  readonly faults: StoreFault[] = [];
  readonly #ask: (question: CheckQuestion) => Promise<CheckAnswer>;
  rows = 0;
  bytes = 0;

  constructor(ask: (question: CheckQuestion) => Promise<CheckAnswer>) {
    this.#ask = ask;
  }

  fault(cell: OwnedCell | undefined, what: string): void {
    if (cell) cell.damage ??= what;
    if (this.faults.length < STORE_FAULTS_MAX) this.faults.push({ cell: cell?.key, what });
  }

  add(cell: OwnedCell | undefined, answer: CheckAnswer): void {
    this.rows += answer.rows;
    this.bytes += answer.bytes;
    for (const { what } of answer.faults) this.fault(cell, what);
  }

  async names(committed: ReadonlyMap<number, OwnedCell>): Promise<void> {
    for (let after: CheckAnswer["next"] = 0; typeof after === "number";) {
      const answer: CheckAnswer = await this.#ask({ kind: "checkCells", after });
      this.bytes += answer.bytes;
      for (const { at, what } of answer.faults) {
        const cell = committed.get(at);
        if (cell?.damage === undefined) this.fault(cell, what);
      }
      after = answer.next;
    }
  }

  async state(cell: OwnedCell): Promise<void> {
    for (let after: CheckAnswer["next"] = new Uint8Array(0); after instanceof Uint8Array;) {
      const answer: CheckAnswer = await this.#ask({ kind: "checkState", cell: cell.id, after });
      this.add(cell, answer);
      after = answer.next;
    }
  }

  /** Rows may be trimmed while they are looked for: those are not missing. */
  async log(cell: OwnedCell): Promise<void> {
    for (let from = cell.log.first; ;) {
      const position = Math.max(from, cell.log.first);
      const sequences = cell.log.slice(position, LOG_ROWS_PER_PAGE);
      if (sequences.length === 0) return;
      const answer = await this.#ask({ kind: "checkLog", cell: cell.id, position, sequences });
      this.add(cell, { ...answer, faults: answer.faults.filter(({ at }) => at === 0 || at >= cell.log.first) });
      if (answer.next === undefined) return;
      invariant(typeof answer.next === "number", "a log goes on at a position");
      from = answer.next;
    }
  }
}
