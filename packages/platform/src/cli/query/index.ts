/** Queries on the command line: asking, and what becomes of the rows. */
export { askQuery, factLines } from "./ask.ts";
export type { Cell, QueryResult, RangeOptions, Row } from "./ask.ts";
export { cellText, csvOf, jsonLinesOf, jsonOf, TABLE_ROWS_MAX, tableOf } from "./formats.ts";
export { parquetOf } from "./parquet.ts";
