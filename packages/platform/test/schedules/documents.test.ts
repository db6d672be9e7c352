/** What docs/schedules.md shows is so. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { nextAt, parseExpression } from "../../src/schedules/index.ts";

const page = readFileSync(new URL("../../../../docs/schedules.md", import.meta.url), "utf8");
const table = JSON.parse(readFileSync(new URL("../fixtures/schedule-dst/table.json", import.meta.url), "utf8")) as readonly {
  readonly zone: string;
  readonly due: Readonly<Record<string, readonly string[]>>;
}[];

/** Zone, what its clocks do, a time of day that this concerns, and the day. */
const CHANGES: readonly (readonly [zone: string, clocks: string, time: string, day: string])[] = [
  ["Europe/Berlin", "2:00 → 3:00", "2:30", "2026-03-29"],
  ["Europe/Berlin", "3:00 → 2:00", "2:30", "2026-10-25"],
  ["America/New_York", "2:00 → 3:00", "2:30", "2026-03-08"],
  ["America/New_York", "2:00 → 1:00", "1:30", "2026-11-01"],
  ["Australia/Lord_Howe", "2:00 → 2:30", "2:15", "2026-10-04"],
  ["Australia/Lord_Howe", "2:00 → 1:30", "1:30", "2026-04-05"],
  ["America/Sao_Paulo", "0:00 → 1:00", "0:00", "2018-11-04"],
  ["America/Sao_Paulo", "24:00 → 23:00", "23:45", "2018-02-17"],
  ["Africa/Cairo", "0:00 → 1:00", "0:00", "2024-04-26"],
  ["Africa/Cairo", "24:00 → 23:00", "23:45", "2024-10-31"],
];

/** The table of the page, out of the table that Python made. */
function clockTable(): string {
  const rows = CHANGES.map(([zone, clocks, time, day]) => {
    const [hour = "", minute = ""] = time.split(":");
    const expression = `cron(${Number(minute)} ${Number(hour)} * * ? *)`;
    const cells = [-1, 0, 1].map((offset) => dueOn(zone, expression, dayBeside(day, offset)) ?? "**not due**");
    return `| ${zone} | ${day}, ${clocks} | ${time} | ${cells.join(" | ")} |`;
  });
  return [
    "| zone | clocks | every day at | due the day before (UTC) | that day | the day after |",
    "|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

function dueOn(zone: string, expression: string, day: string): string | undefined {
  const local = new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" });
  const found = new Set(
    table
      .filter((row) => row.zone === zone)
      .flatMap(({ due }) => (due[expression] ?? []).filter((at) => local.format(Date.parse(at)) === day)),
  );
  assert.ok(found.size <= 1, `${expression} on ${day}`);
  return [...found][0]?.slice(5, 16).replace("T", " ");
}

const dayBeside = (day: string, offset: number): string => new Date(Date.parse(day) + offset * 86_400_000).toISOString().slice(0, 10);

describe("docs/schedules.md", () => {
  it("shows what happens when clocks change", () => {
    assert.ok(page.includes(clockTable()), `docs/schedules.md must contain exactly:\n${clockTable()}`);
  });

  it("names expressions of which each is one, with when it is due", () => {
    const rows = [...page.matchAll(/^\| `((?:cron|rate|at)\([^`]+\))` \| [^|]+ \| (\d{4}-\d\d-\d\d \d\d:\d\d) \|$/gmu)];
    assert.ok(rows.length >= 8, "there is a table of expressions");
    const from = Date.UTC(2026, 0, 1);
    for (const [, expression = "", due] of rows) {
      const parsed = parseExpression(expression) ?? assert.fail(expression);
      const at = nextAt(parsed, { zone: "UTC", anchor: from }, from - 1);
      assert.equal(at !== undefined && new Date(at).toISOString().slice(0, 16).replace("T", " "), due, expression);
    }
  });
});
