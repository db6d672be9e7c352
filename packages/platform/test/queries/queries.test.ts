import assert from "node:assert/strict";
import { test } from "node:test";
import { LambentError } from "../../src/base/index.ts";
import { QUERIES_AT_ONCE_MAX } from "../../src/queries/index.ts";
import { json, QueryWorld } from "./world.ts";

const RECURSION = "with recursive c(x) as (select 1 union all select x + 1 from c) select count(*) from c";

void test("a stream is a table of what every record has, and a column for each member of JSON objects", async (t) => {
  const world = await QueryWorld.open(t);
  await world.put("readings", [
    json({ device: "a", celsius: 20.5, on: true, tags: ["x"], count: 7 }, { key: Buffer.from("a"), timestamp: 1_000 }),
    json(
      { device: "b", celsius: null, on: false },
      {
        key: Buffer.from("b"),
        timestamp: 2_000,
        headers: [
          ["trace", Buffer.from("1")],
          ["n", Buffer.from("2")],
          ["n", undefined],
        ],
      },
    ),
    { key: Buffer.from([255]), value: undefined, timestamp: 3_000 },
  ]);
  const { columns } = await world.run("select * from readings");
  assert.deepEqual(columns, ["partition", "offset", "time", "key", "value", "headers", "device", "celsius", "on", "tags", "count"]);
  assert.deepEqual(
    await world.rows(
      `select partition, offset, time, key, headers, device, celsius, "on", tags, count, typeof(count) from readings order by offset`,
    ),
    [
      [0, 0, 1_000, "a", null, "a", 20.5, 1, '["x"]', 7, "integer"],
      [0, 1, 2_000, "b", '{"trace":"1","n":["2",null]}', "b", null, 0, null, null, "null"],
      [0, 2, 3_000, { blob: "/w==" }, null, null, null, null, null, null, "null"],
    ],
  );
  assert.deepEqual(await world.rows("select iso(time), tags ->> 0, json_extract(value, '$.device') from readings limit 1"), [
    ["1970-01-01T00:00:01.000Z", "x", "a"],
  ]);
});

void test("members take the plain names of a record's own columns, which are always found behind an underscore", async (t) => {
  const world = await QueryWorld.open(t);
  await world.put("s", [json({ time: "noon", value: 3, Id: 1, id: 2, _offset: 9 }, { timestamp: 5 })]);
  assert.deepEqual(await world.rows("select time, value, _time, _value, _offset, id from s"), [
    ["noon", 3, 5, '{"time":"noon","value":3,"Id":1,"id":2,"_offset":9}', 0, 1],
  ]);
  assert.deepEqual((await world.run("select * from s")).leftOut, [["s", 2]]);
  await world.put("plain", [json(12.5), json("text"), { key: undefined, value: Buffer.from("{not json") }]);
  assert.deepEqual(await world.rows("select p._value, value, _key from plain p order by _offset"), [
    [12.5, 12.5, null],
    ['"text"', '"text"', null],
    ["{not json", "{not json", null],
  ]);
});

void test("streams are joined by their names, in quotes where these are no plain words, and a window by its own", async (t) => {
  const world = await QueryWorld.open(t);
  await world.put("orders", [json({ id: 1, shop: "x" }), json({ id: 2, shop: "y" })]);
  await world.put("shop.names", [json({ shop: "x", name: "Ex" })]);
  world.results.set("averages", "orders");
  const { tables } = await world.run(
    `with o as (select * from orders) select o.id, n.name from o left join "shop.names" n using (shop), (select 1)`,
  );
  assert.deepEqual(
    tables.map(({ stream, records, kept, isCut }) => [stream, records, kept, isCut]),
    [
      ["orders", 2, 2, false],
      ["shop.names", 1, 1, false],
    ],
  );
  assert.deepEqual(await world.rows("select count(*) from averages; -- of its results"), [[2]]);
  await assert.rejects(world.run("select * from shop.names"), {
    code: "InvalidParameter",
    message: /put a name that is not a plain word into double quotes: "shop\.names"/u,
  });
  await assert.rejects(world.run("select * from Orders2"), { code: "NotFound", message: /There is no stream Orders2 in this account/u });
  await assert.rejects(world.run("select * from ORDERS"), { code: "NotFound", message: /there is one named orders/u });
  await assert.rejects(world.run("select amount from orders"), {
    message: /no such column: amount.* orders has partition, offset, .*, id, shop\./u,
  });
});

void test("the newest records of all partitions are read up to a bound, which the answer tells, or those that are asked for", async (t) => {
  const world = await QueryWorld.open(t);
  await world.put(
    "s",
    Array.from({ length: 90 }, (_, n) => json({ n }, { timestamp: n })),
    0,
    2,
  );
  await world.put("s", [json({ n: 1000 }, { timestamp: 50 })], 1);
  const count = "select count(*), min(n), max(n) from s";
  const seen = async (range?: { kind: "last"; records: number } | { kind: "since"; at: number } | { kind: "fromStart" }) => {
    const { lines, tables } = await world.run(count, range ? { range } : {});
    return [lines.toString().trim(), tables[0]?.records, tables[0]?.isCut];
  };
  assert.deepEqual(await seen(), ["[91,0,1000]", 91, false]);
  assert.deepEqual(await seen({ kind: "last", records: 11 }), ["[11,80,1000]", 11, false]);
  assert.deepEqual(await seen({ kind: "since", at: 50 }), ["[41,50,1000]", 41, false]);
  await assert.rejects(seen({ kind: "since", at: 1_000 }), { message: /no such column: n; no record of s was read/u });
  assert.deepEqual(await seen({ kind: "fromStart" }), ["[91,0,1000]", 91, false]);
});

void test("whatever is no single statement that reads is refused before anything is done", async (t) => {
  const world = await QueryWorld.open(t);
  await world.put("s", [json({ a: 1 })]);
  const refused: readonly (readonly [string, RegExp])[] = [
    ["", /is empty/u],
    ["-- nothing\n", /is empty/u],
    ["drop table s", /begins with "drop"; it has to begin with select/u],
    ["attach database '/tmp/x' as x", /begins with "attach"/u],
    ["pragma table_list", /begins with "pragma"/u],
    ["explain select 1", /begins with "explain"/u],
    ["select 1; drop table s", /more behind the query's semicolon/u],
    ["select ';' /* ; */; select 2", /more behind the query's semicolon/u],
    ["with x as (select 1) insert into s select * from x", /only reads streams/u],
    ["select * from pragma_table_info('s')", /only reads streams|prohibited|not authorized/u],
    ["select load_extension('x')", /no such function|not authorized/u],
    ['select "nothing" from s', /no such column: (?:")?nothing/u],
    ["select from", /syntax error/u],
  ];
  for (const [sql, message] of refused) await assert.rejects(world.run(sql), { code: "InvalidParameter", message }, sql);
  assert.deepEqual(await world.rows("select ';' as a, [a] as \"b;\" from s /* ; */ ;; -- ;".replace(";;", ";")), [[";", 1]]);
});

void test("what a statement may take is bounded: values, memory, rows and bytes of the answer (P7)", async (t) => {
  const world = await QueryWorld.open(t);
  await assert.rejects(world.run("select randomblob(1e9)"), { code: "InvalidParameter", message: /longer than one may be/u });
  await assert.rejects(
    world.run(
      "with recursive c(x) as (select 1 union all select x + 1 from c limit 100) select count(z) from (select randomblob(6e7) z from c order by z)",
    ),
    { message: /memory/u },
  );
  const endless = "with recursive c(x) as (select 1 union all select x + 1 from c) select x from c";
  const few = await world.run(endless, { rowsMax: 10 });
  assert.deepEqual([few.rows, few.cut], [10, true]);
  const wide = await world.run("with recursive c(x) as (select 1 union all select x + 1 from c) select zeroblob(6000000) from c");
  assert.deepEqual([wide.rows, wide.cut], [2, true]);
  assert.deepEqual(await world.rows("select 9223372036854775807, 9e999, -1.5, null, x'00ff', 9007199254740993"), [
    [{ integer: "9223372036854775807" }, { real: "Infinity" }, -1.5, null, { blob: "AP8=" }, { integer: "9007199254740993" }],
  ]);
});

void test("a statement without end is ended by its time, by whoever asked, and by the server's stop; others are not kept from running (P8)", async (t) => {
  const world = await QueryWorld.open(t);
  const late = assert.rejects(world.run(RECURSION, { timeoutMs: 500 }), { code: "LimitExceeded", message: /took longer than 500 ms/u });
  await world.streams.clock.advance(500);
  await late;
  const caller = new AbortController();
  const left = assert.rejects(world.run(RECURSION, {}, caller.signal), { message: /Nobody waits/u });
  caller.abort();
  await left;
  const stuck = Array.from({ length: QUERIES_AT_ONCE_MAX - 1 }, () => assert.rejects(world.run(RECURSION), { code: "ShuttingDown" }));
  assert.deepEqual(await world.rows("values (1)"), [[1]]);
  stuck.push(assert.rejects(world.run(RECURSION), { code: "ShuttingDown" }));
  await assert.rejects(world.run("select 1"), { code: "Throttled" });
  await world.queries.close();
  await Promise.all(stuck);
});

void test("a stream that the caller may not read is not read", async (t) => {
  const world = await QueryWorld.open(t);
  await world.put("secret", [json(1)]);
  const mayRead = ({ name }: { readonly name: string }): void => {
    throw new LambentError("AccessDenied", `not ${name}`);
  };
  await assert.rejects(world.run("select * from secret", { mayRead }), { code: "AccessDenied", message: "not secret" });
});

void test("records that are no JSON, nested deep, or have hundreds of members cost their columns, never the query", async (t) => {
  const world = await QueryWorld.open(t);
  const deep = `{"a":${"[".repeat(50_000)}${"]".repeat(50_000)}}`;
  await world.put("s", [
    { key: undefined, value: Buffer.from(deep) },
    json(Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`m${n}`, n]))),
    json({ 'quo"te': 1, "": 2, "nul\0": 3 }),
    { key: undefined, value: Buffer.from([0xff, 0xfe]) },
  ]);
  const { leftOut } = await world.run("select * from s");
  assert.equal(leftOut[0]?.[0], "s");
  assert.ok((leftOut[0]?.[1] ?? 0) >= 102, String(leftOut));
  assert.deepEqual(await world.rows(`select m3, length(value) from s where m3 = 3`), [
    [3, JSON.stringify(Object.fromEntries(Array.from({ length: 300 }, (_, n) => [`m${n}`, n]))).length],
  ]);
  assert.deepEqual(await world.rows("select count(*), sum(typeof(value) = 'blob') from s"), [[4, 1]]);
});
