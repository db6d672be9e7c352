/** Reads on a connection of its own; each statement sees every commit that was durable before it began. */
import { Buffer } from "node:buffer";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { READ_BYTES_MAX, READ_KEYS_MAX, type StateRange } from "../store.ts";
import { behindPrefix } from "./behind-prefix.ts";
import { Checker } from "./checker.ts";
import { cellChecksum, joinedRowChecksum, numberKey, rowChecksum } from "./checksum.ts";
import { openConnection } from "./connection.ts";
import type { ReadAnswer, ReadQuestion, WorkerSettings } from "./messages.ts";
import { RowPacker } from "./packed-rows.ts";
import { isDamage } from "./thread.ts";

type ListQuestion = Extract<ReadQuestion, { kind: "list" }>;

/** Where the rows of a range lie. */
interface Scan {
  readonly cell: number;
  readonly from: Uint8Array;
  readonly fromInclusive: boolean;
  readonly before: Uint8Array;
  readonly limit: number;
}

interface StateColumns {
  readonly key: Uint8Array;
  readonly crc: number;
  readonly value: Uint8Array;
}

export class Reading {
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #getAll: StatementSync;
  readonly #listBehind: StatementSync;
  readonly #listFrom: StatementSync;
  readonly #log: StatementSync;
  #checker: Checker | undefined;

  constructor(settings: WorkerSettings) {
    this.#database = openConnection(settings.file);
    this.#get = this.#database.prepare("select key, crc, value from state where cell = ? and key = ?");
    // One statement sees one moment.
    this.#getAll = this.#database.prepare(
      `select key, crc, value from state where cell = ? and key in (${Array.from({ length: READ_KEYS_MAX }, () => "?").join(", ")})`,
    );
    this.#listFrom = this.#database.prepare(
      "select key, crc, value from state where cell = ? and key >= ? and key < ? order by key limit ?",
    );
    this.#listBehind = this.#database.prepare(
      "select key, crc, value from state where cell = ? and key > ? and key < ? order by key limit ?",
    );
    this.#log = this.#database.prepare("select cell, position, crc, value from log where seq = ?");
  }

  close(): void {
    this.#database.close();
  }

  answer(question: ReadQuestion): ReadAnswer {
    try {
      if (question.kind === "read") return this.#readLog(question);
      if (question.kind === "get") return stateRows(question.cell, this.#get.iterate(question.cell, Buffer.from(question.key)));
      if (question.kind === "getAll") return stateRows(question.cell, this.#getAll.iterate(question.cell, ...padded(question.keys)));
      if (question.kind === "list") return packedRows(question.cell, this.#list(question));
      return (this.#checker ??= new Checker(this.#database)).answer(question);
    } catch (error) {
      if (isDamage(error)) return { kind: "damaged", what: error.message };
      throw error;
    }
  }

  #list({ cell, range }: ListQuestion): Iterable<unknown> {
    const scan = scanOf(cell, range);
    if (range.delimiter !== undefined) return this.#firsts(scan, Buffer.from(range.delimiter), Buffer.byteLength(range.prefix));
    return (scan.fromInclusive ? this.#listFrom : this.#listBehind).iterate(cell, scan.from, scan.before, scan.limit);
  }

  /** One look for each, which goes behind all that are like it. They see one moment, and find the way into the database once. */
  *#firsts(scan: Scan, delimiter: Buffer, behindBytes: number): Generator<StateColumns, void> {
    this.#database.exec("begin");
    try {
      yield* this.#eachFirst(scan, delimiter, behindBytes);
    } finally {
      this.#database.exec("rollback");
    }
  }

  /** Only the first of the keys that are alike up to `delimiter`, looked for behind so many bytes. */
  *#eachFirst({ cell, from, fromInclusive, before, limit }: Scan, delimiter: Buffer, behindBytes: number): Generator<StateColumns, void> {
    let place = from;
    let isInclusive = fromInclusive;
    for (let count = 0; count < limit; count++) {
      const row = (isInclusive ? this.#listFrom : this.#listBehind).get(cell, place, before, 1) as StateColumns | undefined;
      if (!row) return;
      yield row;
      const key = Buffer.from(row.key.buffer, row.key.byteOffset, row.key.byteLength);
      const at = key.indexOf(delimiter, behindBytes);
      isInclusive = at >= 0;
      place = isInclusive ? behindPrefix(key.subarray(0, at + delimiter.length)) : key;
    }
  }

  #readLog(question: Extract<ReadQuestion, { kind: "read" }>): ReadAnswer {
    const values: Uint8Array[] = [];
    let bytes = 0;
    for (let index = 0; index < question.sequences.length; index++) {
      const position = question.position + index;
      const row = this.#log.get(question.sequences[index] as number) as unknown as
        | { cell: number; position: number; crc: number; value: Uint8Array }
        | undefined;
      if (row === undefined) return { kind: "damaged", what: `row ${position} of its log is missing` };
      if (row.cell !== question.cell || row.position !== position || rowChecksum(row.cell, numberKey(row.position), row.value) !== row.crc)
        return { kind: "damaged", what: `row ${position} of its log does not have its checksum` };
      bytes += row.value.byteLength;
      if (values.length > 0 && bytes > READ_BYTES_MAX) break;
      values.push(row.value);
    }
    return { kind: "values", values };
  }
}

function scanOf(cell: number, { prefix, after, limit }: StateRange): Scan {
  const first = Buffer.from(prefix);
  const begin = after === undefined ? undefined : Buffer.from(after);
  const range = { cell, before: behindPrefix(first), limit };
  return begin && begin.compare(first) >= 0
    ? { ...range, from: begin, fromInclusive: false }
    : { ...range, from: first, fromInclusive: true };
}

/** As many as the statement has places; one of them stands in the places that are left. */
function padded(names: readonly string[]): Uint8Array[] {
  const keys = names.map((name) => Buffer.from(name));
  const [first] = keys;
  return first === undefined ? [] : [...keys, ...Array.from({ length: READ_KEYS_MAX - keys.length }, () => first)];
}

function stateRows(cell: number, found: Iterable<unknown>): ReadAnswer {
  const rows: { key: string; value: Uint8Array }[] = [];
  let bytes = 0;
  for (const { key, crc, value } of found as Iterable<StateColumns>) {
    if (rowChecksum(cell, key, value) !== crc) return damagedRow(key);
    bytes += value.byteLength;
    if (rows.length > 0 && bytes > READ_BYTES_MAX) break;
    rows.push({ key: textOf(key), value });
  }
  return { kind: "rows", rows };
}

function packedRows(cell: number, found: Iterable<unknown>): ReadAnswer {
  const packer = new RowPacker();
  const begun = cellChecksum(cell);
  let bytes = 0;
  for (const { key, crc, value } of found as Iterable<StateColumns>) {
    if (!packer.isEmpty && bytes + value.byteLength > READ_BYTES_MAX) break;
    bytes += value.byteLength;
    if (joinedRowChecksum(begun, packer.add(key, value)) !== crc) return damagedRow(key);
  }
  return packer.packed();
}

function damagedRow(key: Uint8Array): ReadAnswer {
  return { kind: "damaged", what: `its row ${JSON.stringify(textOf(key))} does not have its checksum` };
}

function textOf(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("utf8");
}
