import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { openMemoryStore, openSqliteStore, type CommitClass, type Op, type Store } from "../../src/storage/index.ts";

/** The store under test can be opened again; the model lives on. */
interface Real {
  store: Store;
  readonly file: string;
}
type Command = fc.AsyncCommand<Store, Real>;

const CELLS = ["a", "a/b", "é/1"] as const;
const KEYS = ["k", "k1", "k\u0000", "\uFFFF", "\u{1F600}"] as const;
const cell = fc.constantFrom(...CELLS);
const value = fc.uint8Array({ maxLength: 64 });
const commitClass = fc.constantFrom<CommitClass>("interactive", "log", "maintenance");
const expected = fc.oneof(fc.constant("any" as const), fc.nat({ max: 6 }));

const opOf = (on: string): fc.Arbitrary<Op> =>
  fc.oneof(
    fc.record({ kind: fc.constant("put" as const), cell: fc.constant(on), key: fc.constantFrom(...KEYS), value }),
    fc.record({ kind: fc.constant("delete" as const), cell: fc.constant(on), key: fc.constantFrom(...KEYS) }),
    fc.record({ kind: fc.constant("append" as const), cell: fc.constant(on), value }),
    fc.record({ kind: fc.constant("trim" as const), cell: fc.constant(on), before: fc.nat({ max: 20 }) }),
  );
const commit = cell.chain((on) => fc.record({ on: fc.constant(on), expected, ops: fc.array(opOf(on), { maxLength: 6 }), commitClass }));
type Commit = typeof commit extends fc.Arbitrary<infer T> ? T : never;

const command = (name: string, run: (store: Store) => Promise<unknown>): Command => ({
  check: () => true,
  run: async (model, real) => assert.deepEqual(await run(real.store), await run(model)),
  toString: () => name,
});
const plainBytes = (bytes: Uint8Array | undefined): number[] | undefined => (bytes ? [...bytes] : undefined);

const commands = [
  // Several at once: the engine merges them into one transaction, each with an outcome of its own.
  fc
    .array(commit, { minLength: 1, maxLength: 8 })
    .map((commits: Commit[]) =>
      command(`commit ${JSON.stringify(commits)}`, (store) =>
        Promise.all(commits.map((one) => store.commit(one.on, one.expected, one.ops, "interactive"))),
      ),
    ),
  commit.map((one: Commit) =>
    command(`commit ${JSON.stringify(one)}`, (store) => store.commit(one.on, one.expected, one.ops, one.commitClass)),
  ),
  fc
    .tuple(cell, fc.constantFrom(...KEYS))
    .map(([on, key]) => command(`get ${on} ${key}`, async (store) => plainBytes(await store.get(on, key)))),
  fc
    .record({
      on: cell,
      prefix: fc.constantFrom("", "k", "\uFFFF"),
      after: fc.constantFrom(undefined, ...KEYS),
      limit: fc.integer({ min: 1, max: 4 }),
    })
    .map((range) =>
      command(`list ${JSON.stringify(range)}`, async (store) =>
        (
          await store.list(range.on, {
            prefix: range.prefix,
            limit: range.limit,
            ...(range.after === undefined ? {} : { after: range.after }),
          })
        ).map((row) => [row.key, plainBytes(row.value)]),
      ),
    ),
  fc
    .tuple(cell, fc.nat({ max: 20 }), fc.integer({ min: 1, max: 8 }))
    .map(([on, from, limit]) =>
      command(`read ${on} ${from} ${limit}`, async (store) =>
        (await store.read(on, from, limit)).map((row) => [row.position, plainBytes(row.value)]),
      ),
    ),
  cell.map((on) => command(`revision ${on}`, (store) => store.revision(on))),
  fc.constantFrom("", "a", "é").map((prefix) => command(`cells ${prefix}`, (store) => store.cells({ prefix, limit: 2 }))),
  fc.constant<Command>({
    check: () => true,
    run: async (_model, real) => {
      await real.store.close();
      real.store = await openSqliteStore({ file: real.file });
    },
    toString: () => "reopen",
  }),
];

void test("on any sequence of commits, reads and restarts the SQLite engine answers as the memory model", async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (sequence) => {
      const folder = mkdtempSync(join(tmpdir(), "lambent-test-"));
      const file = join(folder, "store.db");
      const real: Real = { store: await openSqliteStore({ file }), file };
      try {
        await fc.asyncModelRun(() => ({ model: openMemoryStore(), real }), sequence);
      } finally {
        await real.store.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { seed: 20_261, numRuns: 6 },
  );
});
