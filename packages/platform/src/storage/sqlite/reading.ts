/** Reads on a connection of its own; each statement sees every commit that was durable before it began. */
import { Buffer } from "node:buffer";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import { READ_BYTES_MAX } from "../store.ts";
import { Checker } from "./checker.ts";
import { numberKey, rowChecksum } from "./checksum.ts";
import { openConnection } from "./connection.ts";
import type { CheckQuestion, ReadAnswer, ReadQuestion, WorkerSettings } from "./messages.ts";
import { isDamage } from "./thread.ts";

interface StateColumns {
  readonly key: Uint8Array;
  readonly crc: number;
  readonly value: Uint8Array;
}

export class Reading {
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #listBehind: StatementSync;
  readonly #listFrom: StatementSync;
  readonly #log: StatementSync;
  #checker: Checker | undefined;

  constructor(settings: WorkerSettings) {
    this.#database = openConnection(settings.file);
    this.#get = this.#database.prepare("select key, crc, value from state where cell = ? and key = ?");
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
      if (question.kind === "get" || question.kind === "list") return stateRows(question.cell, this.#stateRows(question));
      return (this.#checker ??= new Checker(this.#database)).answer(question);
    } catch (error) {
      if (isDamage(error)) return { kind: "damaged", what: error.message };
      throw error;
    }
  }

  #stateRows(question: Exclude<ReadQuestion, { kind: "read" } | CheckQuestion>): Iterable<StateColumns> {
    const rows =
      question.kind === "get"
        ? this.#get.iterate(question.cell, question.key)
        : (question.fromInclusive ? this.#listFrom : this.#listBehind).iterate(
            question.cell,
            question.from,
            question.before,
            question.limit,
          );
    return rows as Iterable<unknown> as Iterable<StateColumns>;
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

function stateRows(cell: number, columns: Iterable<StateColumns>): ReadAnswer {
  const rows: { key: string; value: Uint8Array }[] = [];
  let bytes = 0;
  for (const { key, crc, value } of columns) {
    const name = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString("utf8");
    if (rowChecksum(cell, key, value) !== crc)
      return { kind: "damaged", what: `its row ${JSON.stringify(name)} does not have its checksum` };
    bytes += value.byteLength;
    if (rows.length > 0 && bytes > READ_BYTES_MAX) break;
    rows.push({ key: name, value });
  }
  return { kind: "rows", rows };
}
