/** What is read of a stream, and where a statement ends: pure. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { oneStatement } from "../../src/queries/engine/one-statement.ts";
import { type Extent, planReading, QUERY_READ_BYTES_MAX, QUERY_RECORDS_MAX, shares } from "../../src/queries/reading-plan.ts";

const MIB = 1024 * 1024;
const extent = (partition: number, records: number, recordBytes = 100): Extent => ({
  partition,
  first: 10,
  end: 10 + records,
  bytes: records * recordBytes,
  records,
});

void test("what may be read is shared evenly, nobody gets more than there is, and nothing is left while somebody wants it", () => {
  const some = fc.array(fc.nat({ max: 1_000 }), { minLength: 1, maxLength: 20 });
  fc.assert(
    fc.property(some, fc.nat({ max: 5_000 }), (sizes, max) => {
      const given = shares(sizes, max);
      const total = given.reduce((sum, each) => sum + each, 0);
      const there = sizes.reduce((sum, each) => sum + each, 0);
      assert.equal(total, Math.min(max, there));
      const cut = given.filter((each, at) => each < (sizes[at] ?? 0));
      assert.ok(given.every((each, at) => each <= (sizes[at] ?? 0)));
      // Whoever is cut has as much as anybody, but for one record of rounding.
      assert.ok(cut.every((each) => each >= Math.max(...given) - 1));
    }),
    { seed: 3 },
  );
});

void test("the newest are read, or the oldest when asked from the start, within the bounds of records and bytes", () => {
  assert.deepEqual(planReading({ kind: "newest" }, [extent(0, 150_000), extent(1, 30)]), {
    spans: [
      { partition: 0, from: 50_040, to: 150_010 },
      { partition: 1, from: 10, to: 40 },
    ],
    isCut: true,
  });
  assert.deepEqual(planReading({ kind: "last", records: 5 }, [extent(0, 90)]), {
    spans: [{ partition: 0, from: 95, to: 100 }],
    isCut: false,
  });
  const many = planReading({ kind: "fromStart" }, [extent(0, 2 * QUERY_RECORDS_MAX, 10)]);
  assert.deepEqual(many, { spans: [{ partition: 0, from: 10, to: 10 + QUERY_RECORDS_MAX }], isCut: true });
  const large = planReading({ kind: "last", records: 1_000 }, [extent(0, 1_000, MIB)]);
  assert.deepEqual(large, { spans: [{ partition: 0, from: 1_010 - QUERY_READ_BYTES_MAX / MIB, to: 1_010 }], isCut: true });
  assert.deepEqual(planReading({ kind: "newest" }, [extent(0, 0)]), { spans: [{ partition: 0, from: 10, to: 10 }], isCut: false });
});

void test("a statement ends at the first semicolon that is in no string, name or comment", () => {
  const sheltered = fc.constantFrom("';'", '";"', "[;]", "`;`", "/*;*/", "--;\n", "''''", '"a""b"', " x ", "1");
  fc.assert(
    fc.property(fc.array(sheltered, { maxLength: 8 }), (parts) => {
      const sql = `select ${parts.join(" ")}`;
      assert.deepEqual(oneStatement(`${sql}; -- over;\n /* ; */`), { kind: "statement", sql });
      assert.equal(oneStatement(`${sql}; select 1`).kind, "refused");
    }),
    { seed: 5 },
  );
  for (const sql of ["", " \n-- x", "select 1\0; drop table s", "selected", "insert into x values (1)", "explain select 1"])
    assert.equal(oneStatement(sql).kind, "refused", sql);
  for (const sql of ["/* x */ WITH a AS (select 1) select * from a", "values (1)", "select 'open", "select /* open"])
    assert.deepEqual(oneStatement(sql), { kind: "statement", sql });
});
