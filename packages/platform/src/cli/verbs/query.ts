import { writeFileSync } from "node:fs";
import { extname } from "node:path";
import { oneOf } from "../choices.ts";
import type { CommandContext, Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import {
  askQuery,
  csvOf,
  factLines,
  jsonLinesOf,
  jsonOf,
  parquetOf,
  type QueryResult,
  type RangeOptions,
  TABLE_ROWS_MAX,
  tableOf,
} from "../query/index.ts";
import { wholeNumber } from "../settings.ts";

interface QueryOptions extends RangeOptions {
  readonly format?: string;
  readonly out?: string;
  readonly rows?: string;
}

const FORMATS = ["table", "csv", "json", "jsonl", "parquet"] as const;
type Format = (typeof FORMATS)[number];
const FORMAT_OF_ENDING: Readonly<Record<string, Format>> = {
  ".csv": "csv",
  ".json": "json",
  ".jsonl": "jsonl",
  ".ndjson": "jsonl",
  ".parquet": "parquet",
};
const ROWS_DEFAULT = 10_000;
const ROWS_MAX = 100_000;

/** `lambent query "select …"`: read-only SQL over streams. */
export const run: Run<QueryOptions> = async (context, [sql = ""], options) => {
  const { output } = context;
  const format = formatOf(options, output.json);
  const rowsMax = wholeNumber(options.rows, "--rows", 1, ROWS_MAX) ?? ROWS_DEFAULT;
  const result = await askQuery(context.client(), sql, options, rowsMax);
  if (output.json && options.format === undefined && options.out === undefined) {
    const { cells, ...head } = result;
    return output.data({ ...head, cells });
  }
  await put(context, result, format, options.out);
  for (const line of factLines(result, rowsMax < ROWS_MAX ? `; --rows asks for up to ${ROWS_MAX}` : "")) output.note(line);
};

function formatOf({ format, out }: QueryOptions, json: boolean): Format {
  if (format !== undefined) return oneOf(format, "--format", FORMATS);
  return (out === undefined ? undefined : FORMAT_OF_ENDING[extname(out).toLowerCase()]) ?? (json ? "json" : "table");
}

async function put({ output }: CommandContext, result: QueryResult, format: Format, out: string | undefined): Promise<void> {
  if (format === "parquet") return putParquet(output, result, out);
  if (format === "table" && out === undefined) {
    const [head = "", ...rows] = tableOf(result, (text) => output.foreign(text));
    output.line(output.paint("dim", head));
    for (const row of rows) output.line(row);
    if (result.cells.length > TABLE_ROWS_MAX) output.note(`  The first ${TABLE_ROWS_MAX} are shown; --format csv or --out <file> has all.`);
    return;
  }
  const text = {
    table: () => `${tableOf(result, (each) => each).join("\n")}\n`,
    csv: () => csvOf(result),
    json: () => jsonOf(result),
    jsonl: () => jsonLinesOf(result),
  }[format]();
  if (out === undefined) output.raw(Buffer.from(output.foreign(text)));
  else writeFileSync(out, text);
}

async function putParquet(output: CommandContext["output"], result: QueryResult, out: string | undefined): Promise<void> {
  if (out === undefined && process.stdout.isTTY)
    throw new CommandFailure(
      "usage",
      "A Parquet file is bytes, which a terminal cannot show.",
      "Say --out rows.parquet, or send it into a file.",
    );
  const { bytes, mixed } = await parquetOf(result);
  for (const name of mixed) output.note(`  Column ${name} has values of several kinds; they are texts in the file.`);
  if (out === undefined) output.raw(bytes);
  else writeFileSync(out, bytes);
}
