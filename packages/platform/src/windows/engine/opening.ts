/**
 * From what a cell keeps to a window that goes on: the snapshot, then the journal again. Here a changed definition and a reset take effect, so that
 * a crash between the word and the deed is made good by the next opening.
 */
import { type Clock, LambentError } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { Streams } from "../../streams/index.ts";
import { Anomalies } from "../anomaly.ts";
import { whatChanges } from "../changes.ts";
import type { ManagedWindow, Start, WindowRecord } from "../definition.ts";
import type { JournalRow } from "../journal/journal-row.ts";
import type { Step } from "../journal/step.ts";
import { LANES } from "./lane.ts";
import { atOnce, collected, paced } from "./paced.ts";
import { decodeResultRow, encodeResultRow, type ResultRow } from "./result-row.ts";
import { startSteps } from "./start-steps.ts";
import type { CellHead, WindowCell } from "./window-cell.ts";
import { moveOn, type SourcePosition, WindowState } from "./window-state.ts";

export interface OpeningParts {
  readonly clock: Pick<Clock, "monotonicMs">;
  readonly streams: Pick<Streams, "find" | "partition">;
  readonly realm: Realm;
  readonly record: WindowRecord;
  readonly cell: WindowCell;
}

export interface OpenedState {
  readonly state: WindowState;
  /** Results that may not have reached their sinks. */
  readonly rows: readonly ResultRow[];
  readonly sunk: Readonly<Record<string, number>>;
  readonly givenUp: Readonly<Record<string, number>>;
}

/** Reads the cell, and writes it anew where the window's record says something else than it. */
export async function openState(parts: OpeningParts): Promise<OpenedState> {
  const { record, cell, streams, realm } = parts;
  const { head } = cell;
  if (head?.generation !== record.generation) {
    const positions = head && (await positionsOf(cell, head, record.start));
    return begin(parts, await startSteps(streams, realm, record.definition.source.stream, record.start, positions));
  }
  const known = await replayed(parts, head);
  const change = whatChanges(head.definition, record.definition);
  if (change.kind === "same") return known;
  if (change.kind === "restarted")
    throw new LambentError(
      "IllegalState",
      `The definition of window ${record.name} does not go with what it reckoned: ${change.why.join("; ")}.`,
    );
  return goOn(parts, known);
}

/** Nothing is known yet, or no more. */
async function begin({ record, cell }: OpeningParts, steps: readonly Step[]): Promise<OpenedState> {
  const { definition, generation } = record;
  const state = WindowState.fresh(definition, atOnce(anomaliesOf(definition)));
  state.apply(steps);
  const opened: OpenedState = { state, rows: [], sunk: {}, givenUp: {} };
  await writeSnapshot(cell, { definition, generation }, opened);
  return opened;
}

/** What is known goes on under another definition. */
async function goOn({ record, cell, clock }: OpeningParts, { state, ...rest }: OpenedState): Promise<OpenedState> {
  const { definition, generation } = record;
  const head = state.head;
  const blocks = await paced(clock, collected(state.blocks()));
  const anomalies = await paced(clock, anomaliesOf(definition, await paced(clock, collected(state.anomalyBlocks()))));
  const migrated = await paced(clock, WindowState.restoring(definition, anomalies, { head, blocks }));
  const opened: OpenedState = { state: migrated, ...rest };
  await writeSnapshot(cell, { definition, generation }, opened);
  return opened;
}

/** Where it has read to, without what it reckoned: a window whose state cannot be read any more can still be reset. */
async function positionsOf(cell: WindowCell, { state }: CellHead, start: Start): Promise<ReadonlyMap<number, SourcePosition>> {
  const positions = new Map(state.positions);
  if (start.kind !== "here") await cell.passJournal();
  else for await (const { steps } of cell.replay()) for (const step of steps) moveOn(positions, step);
  return positions;
}

async function replayed({ cell, clock }: OpeningParts, head: CellHead): Promise<OpenedState> {
  const { definition } = head;
  const anomalies = await paced(clock, anomaliesOf(definition, await cell.blocks("anomalies")));
  const restored = { head: head.state, blocks: await cell.blocks("windows") };
  const state = await paced(clock, WindowState.restoring(definition, anomalies, restored));
  let rows = (await cell.blocks("rows")).map(decodeResultRow);
  let { sunk, givenUp } = head;
  for await (const row of cell.replay()) {
    ({ sunk, givenUp } = row);
    rows = [...rows, ...(await paced(clock, state.applying(row.steps)))].filter((each) => !isSunk(each, row.sunk));
    refuseOtherResults(state, row);
  }
  return { state, rows, sunk, givenUp };
}

/** The same steps lead to the same results, or what sinks have does not go with what is known here. */
function refuseOtherResults({ emitted }: WindowState, row: JournalRow): void {
  const lane = LANES.find((each) => emitted[each] !== row.emitted[each]);
  if (lane !== undefined)
    throw new LambentError(
      "StorageCorrupt",
      `The journal of a window leads to ${emitted[lane]} ${lane}, and it led to ${row.emitted[lane]}. Resetting the window begins it anew.`,
    );
}

/** Of the sinks that are told of, all have it. */
function isSunk({ lane, first, keys }: ResultRow, sunk: Readonly<Record<string, number>>): boolean {
  const mine = Object.entries(sunk).filter(([sink]) => sink.startsWith(`${lane} `));
  return mine.every(([, count]) => count >= first + keys.length);
}

/** Makes the journal short: what is known now, and what has not reached its sinks. */
export function writeSnapshot(
  cell: WindowCell,
  of: { readonly definition: ManagedWindow; readonly generation: number },
  { state, rows, sunk, givenUp }: OpenedState,
): Promise<void> {
  return cell.replace(
    { ...of, state: state.head, sunk, givenUp },
    { windows: state.blocks(), anomalies: state.anomalyBlocks(), rows: rowBlocks(rows) },
  );
}

function* rowBlocks(rows: readonly ResultRow[]): Generator<Uint8Array> {
  for (const row of rows) yield encodeResultRow(row);
}

function* anomaliesOf({ anomaly }: ManagedWindow, blocks: readonly Uint8Array[] = []): Generator<void, Anomalies | undefined> {
  return anomaly && (yield* Anomalies.restoring(anomaly, blocks));
}
