/** Schedules around the changes of clocks: against a table made by other means, and against the definition. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import fc from "fast-check";
import { nextAt, parseExpression } from "../../src/schedules/index.ts";

interface Change {
  readonly zone: string;
  readonly from: string;
  readonly until: string;
  readonly due: Readonly<Record<string, readonly string[]>>;
}

const table = JSON.parse(readFileSync(new URL("../fixtures/schedule-dst/table.json", import.meta.url), "utf8")) as readonly Change[];
const MINUTE_MS = 60_000;

function occurrences(expression: string, zone: string, fromMs: number, untilMs: number): number[] {
  const parsed = parseExpression(expression) ?? assert.fail(`${expression} is one`);
  const found: number[] = [];
  for (
    let at = nextAt(parsed, { zone, anchor: 0 }, fromMs - 1);
    at !== undefined && at < untilMs;
    at = nextAt(parsed, { zone, anchor: 0 }, at)
  )
    found.push(at);
  return found;
}

describe("when clocks change", () => {
  for (const { zone, from, until, due } of table)
    it(`schedules in ${zone} from ${from.slice(0, 10)} on are due as zoneinfo says`, () => {
      for (const [expression, expected] of Object.entries(due)) {
        const found = occurrences(expression, zone, Date.parse(from), Date.parse(until));
        assert.deepEqual(
          found.map((at) => `${new Date(at).toISOString().slice(0, 19)}Z`),
          expected,
          expression,
        );
      }
    });

  it("any minutes and hours are due when a clock first shows them: walked minute by minute", () => {
    const list = (max: number) => fc.uniqueArray(fc.integer({ min: 0, max }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(fc.constantFrom(...table), list(59), list(23), fc.integer({ min: 0, max: 2_880 }), (change, minutes, hours, skip) => {
        const from = Date.parse(change.from) + skip * MINUTE_MS;
        const until = from + 48 * 60 * MINUTE_MS;
        const expected = walk(change.zone, from, until, new Set(minutes), new Set(hours));
        assert.deepEqual(occurrences(`cron(${minutes.join()} ${hours.join()} * * ? *)`, change.zone, from, until), expected);
      }),
      { numRuns: 25 },
    );
  });
});

/** The definition: at each minute, what a clock shows, unless it has shown it before. */
function walk(zone: string, from: number, until: number, minutes: ReadonlySet<number>, hours: ReadonlySet<number>): number[] {
  const clock = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" });
  const seen = new Set<string>();
  const found: number[] = [];
  for (let at = from - 180 * MINUTE_MS; at < until; at += MINUTE_MS) {
    const shown = clock.format(at);
    const isNew = !seen.has(shown);
    seen.add(shown);
    if (isNew && at >= from && hours.has(Number(shown.slice(11, 13))) && minutes.has(Number(shown.slice(14, 16)))) found.push(at);
  }
  return found;
}
