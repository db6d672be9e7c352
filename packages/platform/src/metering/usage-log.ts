import { realmKey, type Realm, type UsageRecord } from "../model/index.ts";
import type { CellKey, LogRow, Store } from "../storage/index.ts";

/** Rows fetched at once while a range is read. */
const ROWS_PER_READ = 64;

/** One row of a function's usage log: what was recorded by one group commit. */
export interface UsageBatch {
  /** When it was committed; rises along the log. */
  readonly at: number;
  readonly records: readonly UsageRecord[];
  /** Records the bound of the buffer dropped before this batch. */
  readonly lost: number;
}

export interface FunctionIdentity extends Realm {
  readonly functionName: string;
}

/** The cell of one function's usage. */
export function usageCell(of: FunctionIdentity): CellKey {
  return `${realmKey(of)}/usage/${of.functionName}/0`;
}

/** True for the cells `usageCell` makes. */
export function isUsageCell(cell: CellKey): boolean {
  return cell.split("/")[1] === "usage";
}

/**
 * One record as JSON; account, region and function are the cell's name and left out.
 * Put together by hand, because it is written for every call; nobody outside chose any of these texts.
 */
export function encodeRecord(record: UsageRecord): string {
  return (
    `{"requestId":"${record.requestId}","version":"${record.version}","memoryMb":${record.memoryMb}` +
    `,"startedAt":${record.startedAt},"durationMs":${record.durationMs},"initMs":${record.initMs},"billedMs":${record.billedMs}` +
    `,"maxMemoryMb":${record.maxMemoryMb},"ending":"${record.ending}"}`
  );
}

/** The state row that says which of another cell's records are in this log. */
export function takenKey(source: CellKey): string {
  return `from/${source}`;
}

/** A row of records that are encoded already and parted by commas. */
export function encodeBatch(at: number, lost: number, records: Buffer): Uint8Array {
  return Buffer.concat([Buffer.from(`{"at":${at},"lost":${lost},"records":[`), records, Buffer.from("]}")]);
}

function decodeBatch(row: LogRow, of: FunctionIdentity): UsageBatch {
  const batch = JSON.parse(Buffer.from(row.value).toString("utf8")) as UsageBatch;
  const { account, region, functionName } = of;
  return { ...batch, records: batch.records.map((record) => ({ ...record, account, region, functionName })) };
}

/** The batches committed at `from` or later, in order. */
export async function* batchesFrom(store: Store, of: FunctionIdentity, from: number): AsyncGenerator<UsageBatch> {
  const cell = usageCell(of);
  for (let position = await positionAt(store, cell, from); ;) {
    const rows = await store.read(cell, position, ROWS_PER_READ);
    for (const row of rows) yield decodeBatch(row, of);
    const last = rows.at(-1);
    if (!last) return;
    position = last.position + 1;
  }
}

/** The position of the first batch committed at `instant` or later; found by doubling steps, then halving them. */
export async function positionAt(store: Store, cell: CellKey, instant: number): Promise<number> {
  const [first] = await store.read(cell, 1, 1);
  if (!first || timeOf(first) >= instant) return first?.position ?? 1;
  const isBefore = async (position: number): Promise<boolean> => {
    const [row] = await store.read(cell, position, 1);
    return row !== undefined && timeOf(row) < instant;
  };
  let before = first.position;
  let step = 1;
  while (await isBefore(before + step)) {
    before += step;
    step *= 2;
  }
  for (let behind = before + step; behind - before > 1;) {
    const middle = before + Math.floor((behind - before) / 2);
    if (await isBefore(middle)) before = middle;
    else behind = middle;
  }
  return before + 1;
}

function timeOf(row: LogRow): number {
  return (JSON.parse(Buffer.from(row.value).toString("utf8")) as UsageBatch).at;
}
