import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { databaseOf } from "../../../src/windows/sinks/postgres/database-url.ts";
import { netEffect, storableJson } from "../../../src/windows/sinks/postgres/net-effect.ts";

interface Told {
  readonly key: string;
  readonly start: number;
  readonly index: number;
  readonly replaces: readonly number[];
}

const told = fc.record({
  key: fc.constantFrom("a", "b", "0 1 a"),
  start: fc.nat(3),
  index: fc.nat(2),
  replaces: fc.array(fc.nat(3), { maxLength: 2 }),
});

/** Row by row, as it is told. */
function oneByOne(panes: readonly Told[], eachPane: boolean): Map<string, string> {
  const table = new Map<string, string>();
  for (const pane of panes) {
    for (const start of pane.replaces) for (const nth of [0, 1, 2]) table.delete(JSON.stringify([pane.key, start, nth]));
    table.set(JSON.stringify([pane.key, pane.start, eachPane ? pane.index : 0]), textOf(pane));
  }
  return table;
}

function textOf({ key, start, index, replaces }: Told): string {
  return JSON.stringify({
    key,
    window: { start, end: start + 1 },
    index,
    replaces: replaces.map((from) => ({ start: from, end: from + 1 })),
  });
}

test("what rows of results come to at once is what their panes come to one by one", () => {
  const rows = fc.array(fc.array(told, { maxLength: 12 }), { maxLength: 6 });
  fc.assert(
    fc.property(rows, fc.boolean(), (all, eachPane) => {
      const table = new Map<string, string>();
      for (const panes of all) {
        const effect = netEffect({ keys: panes.map(({ key }) => key), texts: panes.map(textOf) }, eachPane);
        for (const { key, start } of effect.replaced) for (const nth of [0, 1, 2]) table.delete(JSON.stringify([key, start, nth]));
        for (const { key, start, nth, text } of effect.rows) {
          const name = JSON.stringify([key, start, nth]);
          table.set(name, text);
        }
        const names = effect.rows.map(({ key, start, end, nth }) => JSON.stringify([key, start, end, nth]));
        assert.equal(new Set(names).size, names.length);
      }
      assert.deepEqual(table, oneByOne(all.flat(), eachPane));
    }),
  );
});

test("texts that Postgres has no place for are mended, and others are left as they are", () => {
  const text = '{"a\\u0000b":["\\ud83d","\\ud83d\\ude00","\\\\u0000"],"n":1}';
  assert.deepEqual(JSON.parse(storableJson(text)), { "a\u{fffd}b": ["\u{fffd}", "😀", "\\u0000"], n: 1 });
  assert.equal(storableJson('{"n":1.50}'), '{"n":1.50}');
});

test("an address of a database names nothing else, and what is wrong with it is said without its password", () => {
  assert.deepEqual(databaseOf("postgres://me:p%40ss@db.example/shop"), {
    ...{ host: "db.example", port: 5432, user: "me", password: "p@ss", database: "shop", tls: "verified" },
  });
  assert.equal(databaseOf("postgresql://me@localhost").tls, "off");
  assert.equal(databaseOf("postgres://me@[::1]:1/x?sslmode=require").tls, "unverified");
  const bad = [
    "postgres://me:secret@db/x?sslrootcert=/etc/passwd",
    "postgres://me:secret@/x?host=/var/run",
    "postgres://me:secret@db/x?sslmode=prefer",
    "mysql://me:secret@db/x",
    "host=db password=secret",
    "postgres://:secret@db/x",
    "postgres://me:secret%@db/x",
  ];
  for (const address of bad)
    assert.throws(
      () => databaseOf(address),
      ({ code, message }: { code: string; message: string }) => code === "InvalidParameter" && !message.includes("secret"),
      address,
    );
});
