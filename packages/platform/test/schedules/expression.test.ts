/** What a schedule expression says: AWS's dialect, read and refused. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isZone, nextAt, parseExpression } from "../../src/schedules/index.ts";

const FROM = Date.UTC(2026, 0, 1);

/** The next occurrences in UTC, short: `01-05 09:00`. */
function next(expression: string, count: number, from = FROM, zone = "UTC"): string[] {
  const parsed = parseExpression(expression) ?? assert.fail(`${expression} is one`);
  const found: string[] = [];
  for (let after: number | undefined = from - 1; found.length < count;) {
    after = nextAt(parsed, { zone, anchor: from }, after);
    if (after === undefined) break;
    found.push(new Date(after).toISOString().slice(5, 16).replace("T", " "));
  }
  return found;
}

describe("schedule expressions", () => {
  it("refuses what AWS refuses", () => {
    const refused = [
      // Seen refused by AWS.
      ...["cron(0 1 * * * *)", "cron(7 20 * * NOT *)", "cron(INVALID)", "cron(0 dummy ? * MON-FRI *)", "cron(71 8 1 * ? *)", "cron()"],
      ...["rate(10 seconds)", "rate(10 years)", "rate()", "rate(10)", "rate(10 minutess)", "rate(foo minutes)", "rate(-10 minutes)"],
      ...["rate( 10 minutes )", " rate(10 minutes)", "at(2021-12-31T23:59:59Z)", "at(2021-12-31)"],
      // A unit in the singular and a value of one go together.
      ...["rate(5 minute)", "rate(1 minutes)", "rate(1 days)", "rate(0 minutes)", "rate(05 minutes)", "rate(1.5 hours)", "RATE(1 minute)"],
      // Fields out of their ranges.
      ...["cron(60 * * * ? *)", "cron(0 24 * * ? *)", "cron(0 0 0 * ? *)", "cron(0 0 32 * ? *)", "cron(0 0 1 13 ? *)", "cron(0 0 1 0 ? *)"],
      ...["cron(0 0 ? * 0 *)", "cron(0 0 ? * 8 *)", "cron(0 0 1 1 ? 1969)", "cron(0 0 1 1 ? 2200)", "cron(0 0 1 1 ? 2030-2026)"],
      ...["cron(*/0 * * * ? *)", "cron(0/61 * * * ? *)", "cron(1-2-3 * * * ? *)", "cron(1,,2 * * * ? *)", "cron(-1 * * * ? *)"],
      // Exactly one of the two fields for days is a question mark.
      ...["cron(0 0 * * * *)", "cron(0 0 ? * ? *)", "cron(? 0 * * ? *)", "cron(0 0 1 * 2 *)"],
      ...[
        "cron(0 0 * * ?)",
        "cron(0 0 * * ? * *)",
        "cron(0 0 ? * 3#6 *)",
        "cron(0 0 ? * 3#0 *)",
        "cron(0 0 ? * 3#1,6#3 *)",
        "cron(0 0 W * ? *)",
      ],
      ...["cron(0 0 ? * LW *)", "cron(0 0 5L * ? *)", "cron(0 0 15W,3 * ? *)", "cron(0 0 ? * MO *)", "cron(0 0 1 JANUARY ? *)"],
      ...["at(2026-02-30T00:00:00)", "at(2026-01-01T24:00:00)", "at(1969-12-31T00:00:00)", "at(2026-1-1T0:0:0)", "every minute", ""],
    ];
    assert.deepEqual(
      refused.filter((text) => parseExpression(text) !== undefined),
      [],
    );
  });

  it("takes lists, ranges, steps, names and ranges that go over the end", () => {
    assert.deepEqual(next("cron(5,35 14 * * ? *)", 3), ["01-01 14:05", "01-01 14:35", "01-02 14:05"]);
    assert.deepEqual(next("cron(0/25 22-23 * * ? *)", 4), ["01-01 22:00", "01-01 22:25", "01-01 22:50", "01-01 23:00"]);
    assert.deepEqual(next("cron(10-40/15 0 1 JAN,mar ? *)", 4), ["01-01 00:10", "01-01 00:25", "01-01 00:40", "03-01 00:10"]);
    assert.deepEqual(next("cron(0 10 ? * MON-FRI *)", 3), ["01-01 10:00", "01-02 10:00", "01-05 10:00"]);
    assert.deepEqual(next("cron(0 10 ? * FRI-MON *)", 5), ["01-02 10:00", "01-03 10:00", "01-04 10:00", "01-05 10:00", "01-09 10:00"]);
    assert.deepEqual(next("cron(0 23-1 * * ? *)", 4), ["01-01 00:00", "01-01 01:00", "01-01 23:00", "01-02 00:00"]);
    assert.deepEqual(next("cron(0-15/15 8-8 ? * 2,3,4,5,6,7 *)", 2), ["01-01 08:00", "01-01 08:15"]);
    assert.deepEqual(next("cron(0 0 1 1 ? 2027/2)", 2), ["01-01 00:00", "01-01 00:00"]);
  });

  it("finds last days, nearest weekdays and days of the week by number", () => {
    assert.deepEqual(next("cron(0 8 L * ? *)", 3), ["01-31 08:00", "02-28 08:00", "03-31 08:00"]);
    // 31 January 2026 is a Saturday, 28 February too.
    assert.deepEqual(next("cron(0 8 LW * ? *)", 3), ["01-30 08:00", "02-27 08:00", "03-31 08:00"]);
    // 1 February and 1 March are Sundays, 1 August is a Saturday: the nearest weekday stays in the month.
    assert.deepEqual(next("cron(0 8 1W 2,3,8 ? *)", 3), ["02-02 08:00", "03-02 08:00", "08-03 08:00"]);
    // 31 May is a Sunday, and no June has a 31st.
    assert.deepEqual(next("cron(0 8 31W 5-7 ? 2026)", 3), ["05-29 08:00", "07-31 08:00"]);
    assert.deepEqual(next("cron(0 8 15W 8,11 ? *)", 2), ["08-14 08:00", "11-16 08:00"]);
    assert.deepEqual(next("cron(0 8 ? * 3#2 *)", 2), ["01-13 08:00", "02-10 08:00"]);
    assert.deepEqual(next("cron(0 8 ? * TUE#5 *)", 2), ["03-31 08:00", "06-30 08:00"]);
    assert.deepEqual(next("cron(0 8 ? * 6L *)", 2), ["01-30 08:00", "02-27 08:00"]);
    assert.deepEqual(next("cron(0 8 ? * L *)", 2), ["01-03 08:00", "01-10 08:00"]);
    assert.deepEqual(next("cron(0 8 29 2 ? *)", 2), ["02-29 08:00", "02-29 08:00"]);
  });

  it("says of what will never be that it will not", () => {
    for (const expression of [
      "cron(0 0 31 2 ? *)",
      "cron(0 0 31 4,6,9,11 ? *)",
      "cron(0 0 1 1 ? 2020)",
      "cron(0 0 29 2 ? 2100)",
      "cron(0 0 31W 2 ? *)",
    ])
      assert.deepEqual(next(expression, 1), [], expression);
    // The only day on which it could be is the one whose 2:30 is skipped.
    assert.deepEqual(next("cron(30 2 29 3 ? 2026)", 1, FROM, "Europe/Berlin"), []);
    assert.deepEqual(next("at(2026-03-29T02:30:00)", 1, FROM, "Europe/Berlin"), []);
    assert.deepEqual(next("cron(0 0 1 1 ? 2199)", 2, Date.UTC(2199, 0, 1)), ["01-01 00:00"]);
  });

  it("has an occurrence of `at` at the second, in the zone's time, once", () => {
    assert.deepEqual(next("at(2026-07-01T12:00:30)", 2, FROM, "Asia/Kolkata"), ["07-01 06:30"]);
    const parsed = parseExpression("at(2026-07-01T12:00:30)") ?? assert.fail("is one");
    const at = Date.UTC(2026, 6, 1, 6, 30, 30);
    const course = { zone: "Asia/Kolkata", anchor: 0, startAt: at + 1, endAt: at - 1 };
    assert.deepEqual([nextAt(parsed, course, at - 1), nextAt(parsed, course, at)], [at, undefined]);
  });

  it("counts a rate from its anchor, to the millisecond, whatever clocks do", () => {
    const parsed = parseExpression("rate(90 minutes)") ?? assert.fail("is one");
    const anchor = FROM + 123;
    const course = { zone: "Europe/Berlin", anchor };
    assert.equal(nextAt(parsed, course, FROM), anchor);
    assert.equal(nextAt(parsed, course, anchor), anchor + 90 * 60_000);
    assert.equal(nextAt(parsed, course, anchor + 1_000 * 90 * 60_000 - 1), anchor + 1_000 * 90 * 60_000);
    const day = parseExpression("rate(1 day)") ?? assert.fail("is one");
    const before = Date.UTC(2026, 2, 28, 12);
    assert.equal(nextAt(day, { zone: "Europe/Berlin", anchor: before }, before), before + 86_400_000);
  });

  it("stays between start and end", () => {
    const parsed = parseExpression("cron(0 * * * ? *)") ?? assert.fail("is one");
    const [startAt, endAt] = [FROM + 7_200_000, FROM + 3 * 3_600_000];
    const course = { zone: "UTC", anchor: FROM, startAt, endAt };
    assert.deepEqual(
      [nextAt(parsed, course, 0), nextAt(parsed, course, startAt), nextAt(parsed, course, endAt)],
      [startAt, endAt, undefined],
    );
    const rate = parseExpression("rate(1 hour)") ?? assert.fail("is one");
    assert.deepEqual(
      [nextAt(rate, { ...course, anchor: startAt }, 0), nextAt(rate, { ...course, anchor: startAt }, endAt)],
      [startAt, undefined],
    );
  });

  it("knows the zones of the IANA tables by name and takes nothing else for one", () => {
    for (const zone of ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Asia/Kolkata"])
      assert.ok(isZone(zone), zone);
    for (const zone of ["", "Mars/Olympus", "+01:00", "Europe/Berlin ", "Europe", "x".repeat(51), "constructor"])
      assert.ok(!isZone(zone), zone);
  });
});
