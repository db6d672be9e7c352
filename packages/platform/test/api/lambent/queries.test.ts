/** What a query's answer looks like, and whom its streams are asked for. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { queryOperations } from "../../../src/api/lambent/queries.ts";
import type { RequestContext } from "../../../src/api/index.ts";
import { LambentError } from "../../../src/base/index.ts";
import { json, QueryWorld } from "../../queries/world.ts";
import { REALM } from "../../streams/world.ts";

const context = { realm: REALM, signal: new AbortController().signal } as RequestContext;

test("an answer is a line about all of it, then a line a row; each stream read needs leave to read it", async (t) => {
  const world = await QueryWorld.open(t);
  await world.put("readings", [json({ n: 1 }), json({ n: 2 })]);
  const asked: string[] = [];
  const operations = queryOperations(
    async () => world.queries,
    (_context, { action, resource }) => {
      asked.push(`${action} ${resource}`);
      if (resource.endsWith("secret")) throw new LambentError("AccessDenied", "no");
    },
  );
  const { Lines } = await operations.RunQuery({ Sql: "select n from readings", Last: 1 }, context);
  const [head = "", ...rows] = Lines.toString().split("\n");
  const table = { table: "readings", stream: "readings", records: 1, kept: 2, cut: false, leftOut: 0 };
  const { durationMs, tables, ...told } = JSON.parse(head) as { durationMs: number; tables: (typeof table & { bytes: number })[] };
  assert.deepEqual([told, rows], [{ columns: ["n"], rows: 1, cut: false }, ["[2]", ""]]);
  assert.deepEqual(
    tables.map(({ bytes, ...facts }) => [facts, bytes > 0]),
    [[table, true]],
  );
  assert.equal(durationMs, 0);
  await world.put("secret", [json(1)]);
  await assert.rejects(operations.RunQuery({ Sql: "select * from secret" }, context), { code: "AccessDenied" });
  assert.deepEqual(
    asked,
    ["readings", "secret"].map((name) => `kinesis:GetRecords arn:aws:kinesis:eu-central-1:000000000000:stream/${name}`),
  );
  await assert.rejects(operations.RunQuery({ Sql: "select 1", Last: 1, FromStart: true }, context), {
    code: "InvalidParameter",
    message: /exclude each other/u,
  });
});
