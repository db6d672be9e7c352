import { LambentError } from "../../base/index.ts";
import type { Queries, QueryAnswer, Range } from "../../queries/index.ts";
import type { StreamRecord } from "../../streams/index.ts";
import { formatArn } from "../../wire/index.ts";
import type { RequestContext } from "../operation.ts";
import type { Authorize } from "../perform.ts";
import type { QueryHead, RunQueryRequest, RunQueryResponse } from "./query-schema.ts";

/** Queries over streams. Whoever asks needs leave for each stream that is read, as for reading it by Kinesis. */
export function queryOperations(queries: () => Promise<Queries>, authorize: Authorize) {
  return {
    async RunQuery(input: RunQueryRequest, context: RequestContext): Promise<RunQueryResponse> {
      const { Sql, RowsMax, TimeoutMs } = input;
      const range = rangeOf(input);
      const request = {
        ...{ sql: Sql, mayRead: (stream: StreamRecord) => authorize(context, readPermission(stream)) },
        ...(range === undefined ? {} : { range }),
        ...(RowsMax === undefined ? {} : { rowsMax: RowsMax }),
        ...(TimeoutMs === undefined ? {} : { timeoutMs: TimeoutMs }),
      };
      const answer = await (await queries()).run(context.realm, request, context.signal);
      return { Lines: Buffer.concat([Buffer.from(`${JSON.stringify(headOf(answer))}\n`), answer.lines]) };
    },
  };
}

function rangeOf({ Last, Since, FromStart }: RunQueryRequest): Range | undefined {
  const given = [Last, Since, FromStart === true ? true : undefined].filter((each) => each !== undefined);
  if (given.length > 1)
    throw new LambentError("InvalidParameter", "Last, Since and FromStart are given together; they exclude each other.");
  if (Last !== undefined) return { kind: "last", records: Last };
  if (Since !== undefined) return { kind: "since", at: Since.getTime() };
  return FromStart === true ? { kind: "fromStart" } : undefined;
}

function readPermission({ realm, name }: StreamRecord) {
  const { region, account } = realm;
  return { action: "kinesis:GetRecords", resource: formatArn({ service: "kinesis", region, account, resource: `stream/${name}` }) };
}

function headOf({ columns, rows, cut, durationMs, tables, leftOut }: QueryAnswer): QueryHead {
  const members = new Map(leftOut);
  return {
    ...{ columns, rows, cut, durationMs: Math.round(durationMs) },
    tables: tables.map(({ table, stream, records, bytes, kept, isCut }) => ({
      table,
      stream,
      records,
      bytes,
      kept,
      cut: isCut,
      leftOut: members.get(table) ?? 0,
    })),
  };
}
