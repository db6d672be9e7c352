import type { DatabaseSync } from "node:sqlite";
import { rowChecksum } from "./checksum.ts";
import type { StoreContents } from "./messages.ts";

/** Rows the arrays grow by at least. */
const GROWTH_ROWS = 1_024;

/** Reads what the owner keeps in memory: names and heads of all cells, and where the rows of their logs are. */
export function readContents(database: DatabaseSync): StoreContents {
  const log = readLog(database);
  return { ...readCells(database), ...log };
}

function readCells(database: DatabaseSync): Pick<StoreContents, "cells" | "heads" | "damaged" | "lastCell"> {
  const cells: StoreContents["cells"][number][] = [];
  const damaged: StoreContents["damaged"][number][] = [];
  const heads = database.prepare("select block, data from head").all() as unknown as StoreContents["heads"];
  let lastCell = 0;
  for (const row of database.prepare("select id, key, crc from cell order by id").iterate()) {
    const { id, key, crc } = row as unknown as { id: number; key: Uint8Array; crc: number };
    lastCell = id;
    const name = Buffer.from(key).toString("utf8");
    if (rowChecksum(id, key, NOTHING) === crc) cells.push({ id, key: name });
    else damaged.push({ id, key: name, what: "its name does not have its checksum" });
  }
  return { cells, heads, damaged, lastCell };
}

function readLog(database: DatabaseSync): Pick<StoreContents, "logSequences" | "logCells" | "logPositions" | "lastSequence"> {
  let sequences = new Float64Array(GROWTH_ROWS);
  let cells = new Float64Array(GROWTH_ROWS);
  let positions = new Float64Array(GROWTH_ROWS);
  let count = 0;
  const rows = database.prepare("select seq, cell, position from log order by seq");
  rows.setReturnArrays(true);
  for (const row of rows.iterate() as Iterable<unknown> as Iterable<[number, number, number]>) {
    if (count === sequences.length) [sequences, cells, positions] = [grown(sequences), grown(cells), grown(positions)];
    [sequences[count], cells[count], positions[count]] = row;
    count++;
  }
  return {
    logSequences: sequences.slice(0, count),
    logCells: cells.slice(0, count),
    logPositions: positions.slice(0, count),
    lastSequence: sequences[count - 1] ?? 0,
  };
}

function grown(array: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(array.length * 2);
  larger.set(array);
  return larger;
}

const NOTHING = new Uint8Array(0);
