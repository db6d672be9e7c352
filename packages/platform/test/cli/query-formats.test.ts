import assert from "node:assert/strict";
import { test } from "node:test";
import { parquetReadObjects } from "hyparquet";
import fc from "fast-check";
import { csvOf, jsonLinesOf, jsonOf, parquetOf, type QueryResult, type Row, tableOf } from "../../src/cli/query/index.ts";

const resultOf = (columns: readonly string[], cells: readonly Row[]): QueryResult => ({
  columns,
  cells,
  rows: cells.length,
  cut: false,
  durationMs: 1,
  tables: [],
});

/** A reader of RFC 4180 that shares nothing with the writer: character by character. */
function readCsv(text: string): (string | null)[][] {
  const rows: (string | null)[][] = [[]];
  for (let at = 0; at < text.length;) {
    const row = rows.at(-1) as (string | null)[];
    let field = "";
    if (text[at] === '"') {
      for (at += 1; text[at] !== '"' || text[at + 1] === '"'; at += text[at] === '"' ? 2 : 1) field += text[at];
      at += 1;
      row.push(field);
    } else {
      for (; at < text.length && text[at] !== "," && !text.startsWith("\r\n", at); at += 1) field += text[at];
      row.push(field === "" ? null : field);
    }
    if (text[at] === ",") at += 1;
    else {
      assert.ok(text.startsWith("\r\n", at), `a line ends with CR LF, at ${at}`);
      at += 2;
      if (at < text.length) rows.push([]);
    }
  }
  return rows;
}

const texts = fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('"', ",", "\r", "\n", " ", "a", "é") }));

void test("CSV gives back every text, and tells nothing from an empty text", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.option(texts), fc.option(texts)), { minLength: 1, maxLength: 5 }), (rows) => {
      assert.deepEqual(readCsv(csvOf(resultOf(["a", 'b"'], rows))), [["a", 'b"'], ...rows]);
    }),
    { seed: 7 },
  );
  assert.equal(
    csvOf(
      resultOf(
        ["n", "x"],
        [
          [1.5, { integer: "9007199254740993" }],
          [{ blob: "AP8=" }, { real: "-Infinity" }],
        ],
      ),
    ),
    "n,x\r\n1.5,9007199254740993\r\nAP8=,-Infinity\r\n",
  );
});

void test("JSON has an object a row, with all digits of integers, and a name once", () => {
  const result = resultOf(
    ["a", "a", "a_2", "b"],
    [
      [1, "x\n", null, { integer: "9223372036854775807" }],
      [{ real: "Infinity" }, { blob: "AP8=" }, 2, 3],
    ],
  );
  assert.equal(
    jsonLinesOf(result),
    '{"a":1,"a_3":"x\\n","a_2":null,"b":9223372036854775807}\n{"a":"Infinity","a_3":"AP8=","a_2":2,"b":3}\n',
  );
  assert.deepEqual(
    JSON.parse(jsonOf(result)),
    jsonLinesOf(result)
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as unknown),
  );
  assert.equal(jsonOf(resultOf(["a"], [])), "[]\n");
});

void test("a Parquet file is read back by a reader of its own with the same values, each column of one type", async () => {
  const rows: Row[] = [
    [1, 1.5, "text", { blob: "AP8=" }, 1, null],
    [{ integer: "9223372036854775807" }, 2, 'é"', null, "two", null],
    [null, { real: "-Infinity" }, "", { blob: "" }, 2.5, null],
  ];
  const { bytes, mixed } = await parquetOf(resultOf(["int", "real", "text", "blob", "mixed", "nothing"], rows));
  const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
  const read = await parquetReadObjects({ file, utf8: false });
  assert.deepEqual(
    read.map((row) => Object.values(row).map((value: unknown) => (value instanceof Uint8Array ? [...value] : value))),
    [
      [1n, 1.5, "text", [0, 255], "1", null].map(orNull),
      [9223372036854775807n, 2, 'é"', null, "two", null].map(orNull),
      [null, -Infinity, "", [], "2.5", null].map(orNull),
    ],
  );
  assert.deepEqual(mixed, ["mixed"]);
  const { bytes: none } = await parquetOf(resultOf(["a"], []));
  assert.deepEqual(
    await parquetReadObjects({ file: none.buffer.slice(none.byteOffset, none.byteOffset + none.byteLength) as ArrayBuffer }),
    [],
  );
});

const orNull = (value: unknown): unknown => value ?? null;

void test("a table has numbers to the right, and long or hostile texts cut and spelled out", () => {
  const cells: Row[] = [
    ["a", 5],
    ["b\u001b[2J\nc", 1_000.25],
    ["x".repeat(200), null],
  ];
  const lines = tableOf(resultOf(["key", "n"], cells), (text) => text.replaceAll("\u001b", "\\x1b"));
  assert.deepEqual(lines, [
    `key${" ".repeat(77)}        n`,
    `a${" ".repeat(79)}        5`,
    `b\\x1b[2J c${" ".repeat(70)}  1000.25`,
    `${"x".repeat(79)}…`,
  ]);
});
