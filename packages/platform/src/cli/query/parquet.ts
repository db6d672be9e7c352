/** The rows of a query as an Apache Parquet file: columns with one type each, which SQL does not ask of them. */
import type { BasicType } from "hyparquet-writer";
import type { Cell, QueryResult } from "./ask.ts";
import { cellText, uniqueNames } from "./formats.ts";

type Kind = "INT64" | "DOUBLE" | "STRING" | "BYTE_ARRAY";

export interface ParquetFile {
  readonly bytes: Uint8Array;
  /** Columns with values of several kinds, which became texts. */
  readonly mixed: readonly string[];
}

/** Integers become INT64, numbers DOUBLE, texts STRING, blobs BYTE_ARRAY; all may be null. */
export async function parquetOf({ columns, cells }: QueryResult): Promise<ParquetFile> {
  // Its library is loaded by nobody else.
  const { parquetWriteBuffer } = await import("hyparquet-writer");
  const mixed: string[] = [];
  const columnData = uniqueNames(columns).map((name, at) => {
    const column = cells.map((row) => row[at] ?? null);
    const kinds = new Set(column.filter((cell) => cell !== null).map(kindOf));
    const type = commonKind(kinds);
    if (type === "STRING" && (kinds.size > 1 || (kinds.size === 1 && !kinds.has("STRING")))) mixed.push(name);
    return { name, type: type as BasicType, data: column.map((cell) => (cell === null ? null : valueOf(cell, type))), nullable: true };
  });
  return { bytes: new Uint8Array(parquetWriteBuffer({ columnData })), mixed };
}

function kindOf(cell: Exclude<Cell, null>): Kind {
  if (typeof cell === "number") return Number.isInteger(cell) ? "INT64" : "DOUBLE";
  if (typeof cell === "string") return "STRING";
  return "integer" in cell ? "INT64" : "real" in cell ? "DOUBLE" : "BYTE_ARRAY";
}

function commonKind(kinds: ReadonlySet<Kind>): Kind {
  const [only] = kinds;
  if (kinds.size === 1 && only !== undefined) return only;
  return kinds.size === 2 && kinds.has("INT64") && kinds.has("DOUBLE") ? "DOUBLE" : "STRING";
}

function valueOf(cell: Exclude<Cell, null>, kind: Kind): bigint | number | string | Uint8Array {
  switch (kind) {
    case "INT64":
      return BigInt(cellText(cell));
    case "DOUBLE":
      return Number(cellText(cell));
    case "STRING":
      return cellText(cell);
    case "BYTE_ARRAY":
      return typeof cell === "object" && "blob" in cell ? Buffer.from(cell.blob, "base64") : Buffer.from(cellText(cell));
  }
}
