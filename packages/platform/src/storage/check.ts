import { invariant } from "../base/index.ts";
import { CELL_KEY_BYTES_MAX, COMMIT_BYTES_MAX, OPS_PER_COMMIT_MAX, READ_KEYS_MAX, READ_ROWS_MAX, STATE_KEY_BYTES_MAX } from "./store.ts";
import type { CellKey, Op } from "./store.ts";

/** Bytes one op weighs in bounds beside its key and value: what the engine writes around them. */
const OP_OVERHEAD_BYTES = 32;

/** What an op weighs in every bound that counts bytes. */
export function weightOf(op: Op): number {
  switch (op.kind) {
    case "put":
      return OP_OVERHEAD_BYTES + Buffer.byteLength(op.key) + op.value.byteLength;
    case "delete":
      return OP_OVERHEAD_BYTES + Buffer.byteLength(op.key);
    case "append":
      return OP_OVERHEAD_BYTES + op.value.byteLength;
    case "trim":
      return OP_OVERHEAD_BYTES;
  }
}

/**
 * Refuses, as a bug of the caller, what no engine may accept; the same for all engines, so that code which runs on
 * one runs on the others. Returns the commit's weight in bytes.
 */
export function checkCommit(cell: CellKey, ops: readonly Op[]): number {
  checkCellKey(cell);
  invariant(ops.length <= OPS_PER_COMMIT_MAX, `a commit has at most ${OPS_PER_COMMIT_MAX} ops, this one has ${ops.length}`);
  let weight = 0;
  for (const op of ops) {
    invariant(op.cell === cell, `a commit is of one cell: ${cell} and ${op.cell} in one`);
    if (op.kind === "put" || op.kind === "delete") checkStateKey(op.key);
    if (op.kind === "trim") invariant(Number.isSafeInteger(op.before) && op.before >= 0, `trim before ${op.before} is no position`);
    weight += weightOf(op);
  }
  invariant(weight <= COMMIT_BYTES_MAX, `a commit weighs at most ${COMMIT_BYTES_MAX} bytes, this one ${weight}`);
  return weight;
}

export function checkCellKey(cell: CellKey): void {
  invariant(cell.isWellFormed() && cell.length > 0, "a cell key is well-formed text");
  invariant(Buffer.byteLength(cell) <= CELL_KEY_BYTES_MAX, `a cell key has at most ${CELL_KEY_BYTES_MAX} bytes: ${cell}`);
}

export function checkLimit(limit: number): void {
  invariant(
    Number.isInteger(limit) && limit >= 1 && limit <= READ_ROWS_MAX,
    `a read asks for 1 to ${READ_ROWS_MAX} rows, this one for ${limit}`,
  );
}

export function checkKeyCount(keys: readonly string[]): void {
  invariant(keys.length <= READ_KEYS_MAX, `a read is of at most ${READ_KEYS_MAX} keys, this one of ${keys.length}`);
}

function checkStateKey(key: string): void {
  invariant(key.isWellFormed() && key.length > 0, "a state key is well-formed text");
  invariant(Buffer.byteLength(key) <= STATE_KEY_BYTES_MAX, `a state key has at most ${STATE_KEY_BYTES_MAX} bytes: ${key}`);
}
