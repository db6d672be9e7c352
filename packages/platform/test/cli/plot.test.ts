import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chartOf, type Chart, svgChart, terminalChart, type Wanted } from "../../src/cli/plot/index.ts";
import { numberAxis, timeAxis } from "../../src/cli/plot/scale.ts";
import type { Row } from "../../src/cli/query/index.ts";

function chart(columns: readonly string[], cells: readonly Row[], wanted: Partial<Wanted> = {}): Chart {
  const charted = chartOf({ columns, cells }, { kind: "line", ...wanted });
  assert.ok(charted.kind === "chart", charted.kind === "fault" ? charted.what : "");
  return charted.chart;
}

const faultOf = (columns: readonly string[], cells: readonly Row[], wanted: Partial<Wanted> = {}): string => {
  const charted = chartOf({ columns, cells }, { kind: "line", ...wanted });
  return charted.kind === "fault" ? charted.what : assert.fail("it was drawn");
};

const NOON = Date.UTC(2026, 10, 22, 12);

const GOLDEN_LINES = [
  "    Two",
  "40 ┤",
  "   │",
  "   │                                  ⢀⣀⣀ a",
  "20 ┤                           ⣀⡠⠤⠤⠔⠒⠉⠁",
  "   │                  ⣀⡠⠤⠤⠔⠒⠉⠉⠉",
  "   │        ⢀⣀⠤⠤⠤⠒⠊⠉⠉⠉ ⠈⠉⠉⠑⠒⠤⠤⠤⣀⡀",
  " 0 ┤⣀⠤⠤⠤⠒⠊⠉⠉⠁                   ⠈⠉⠉⠑⠒⠤⠤⠤⣀ b",
  "   └┬──────────────┬──────────────┬──────",
  "    12:00        12:10          12:20",
  "                 time (UTC)",
  "    a rising",
  "    b tent",
];
const GOLDEN_BARS = [
  "10 ┤",
  "   │            ▇▇▇▇",
  " 5 ┤            ████",
  "   │ ▆▆▆▆       ████           ▄▄▄▄",
  "   │ ████▂▂▂▂   ████▆▆▆▆       ████",
  " 0 ┤ ▀▀▀▀▀▀▀▀   ▀▀▀▀▀▀▀▀   ▅▅▅▅▀▀▀▀",
  "   │                       ▀▀▀▀",
  "-5 ┤",
  "   └─────┬──────────┬──────────┬─────",
  "        mon        tue        wed",
  "                   day",
  "    a a",
  "    b b",
];

void test("lines over time are drawn in dots between axes, with a letter at the end of each and a legend", () => {
  const rows = Array.from({ length: 25 }, (_, n): Row[] => [
    [NOON + n * 60_000, n, "rising"],
    [NOON + n * 60_000, n < 12 ? n : 24 - n, "tent"],
  ]).flat();
  assert.deepEqual(
    terminalChart(chart(["time", "value", "name"], rows, { by: "name", title: "Two" }), { width: 44, height: 7 }),
    GOLDEN_LINES,
  );
});

void test("bars stand side by side at their names, and hang below nothing where they are negative", () => {
  const rows: Row[] = [
    ["mon", 4, 1],
    ["tue", 8, 2],
    ["wed", -2, 3.5],
  ];
  assert.deepEqual(terminalChart(chart(["day", "a", "b"], rows, { y: "a,b", kind: "bar" }), { width: 40, height: 8 }), GOLDEN_BARS);
});

void test("what cannot be drawn is said in one sentence", () => {
  assert.equal(faultOf(["a", "b"], []), "The query answers no rows; there is nothing to draw.");
  assert.equal(faultOf(["a", "b"], [[1, "x"]]), "No column beside a holds numbers; the query answers a, b.");
  assert.equal(faultOf(["a", "b"], [[1, 2]], { y: "c" }), "There is no column c; the query answers a, b.");
  assert.equal(
    faultOf(
      ["a", "b"],
      [
        [1, "NaN"],
        [2, { real: "Infinity" }],
      ],
      { y: "b" },
    ),
    "b has no finite number in any of 2 rows.",
  );
  assert.match(
    faultOf(
      ["a", "b", "c"],
      Array.from({ length: 13 }, (_, n): Row => [1, n, `s${n}`]),
      { by: "c" },
    ),
    /13 lines to draw; 12 can be told apart/u,
  );
  assert.match(
    faultOf(
      ["a", "b"],
      Array.from({ length: 201 }, (_, n): Row => [`t${n}`, n]),
    ),
    /more than 200 different texts/u,
  );
});

void test("values without a number or a place are left out and counted; texts of numbers and of times are taken", () => {
  const made = chart(
    ["at", "n"],
    [
      ["2026-11-22T12:00:00Z", "1.5"],
      ["2026-11-22 12:01", { integer: "9007199254740993" }],
      ["2026-11-22", { real: "Infinity" }],
      [null, 1],
      ["2026-11-22 13:00", null],
    ],
    { y: "n" },
  );
  assert.deepEqual([made.x.kind, made.leftOut], ["time", 3]);
  assert.deepEqual(made.series, [
    {
      name: "n",
      points: [
        { x: NOON, y: 1.5 },
        { x: NOON + 60_000, y: 9007199254740992 },
      ],
    },
  ]);
});

void test("an axis has few marks, at round numbers, that enclose its values, whatever these are", () => {
  const number = fc
    .double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 })
    .filter((value) => value === 0 || Math.abs(value) >= 1e-300);
  fc.assert(
    fc.property(number, number, fc.integer({ min: 2, max: 10 }), (a, b, count) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)];
      const axis = numberAxis(low, high, count);
      const slack = (axis.high - axis.low) * 1e-9;
      assert.ok(axis.low <= low + slack && axis.high >= high - slack && axis.low < axis.high, `${axis.low} ${low} ${high} ${axis.high}`);
      assert.ok(axis.ticks.length >= 2 && axis.ticks.length <= count + 4, `${axis.ticks.length} marks of ${count}`);
      assert.ok(axis.ticks.every(({ at }, index) => Number.isFinite(at) && (index === 0 || at > (axis.ticks[index - 1]?.at ?? 0))));
    }),
    { seed: 11 },
  );
  assert.deepEqual(
    numberAxis(0.13, 0.47, 4).ticks.map(({ label }) => label),
    ["0.1", "0.2", "0.3", "0.4", "0.5"],
  );
  assert.deepEqual(
    timeAxis(NOON - 1, NOON + 3_600_000, 3).ticks.map(({ label }) => label),
    ["12:00", "12:30", "13:00"],
  );
  assert.deepEqual(
    timeAxis(NOON, NOON + 86_400_000 * 2, 4).ticks.map(({ label }) => label),
    ["12:00", "11-23 00:00", "12:00", "11-24 00:00", "12:00"],
  );
});

void test("every chart is drawn within its width, and its file is well-formed whatever the names are", () => {
  const cell = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constantFrom(null, "x", '<b>&"', "\u001b[31m", "\ud800"));
  const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(rows, fc.constantFrom("line", "bar", "points"), fc.integer({ min: 30, max: 100 }), (cells, kind, width) => {
      const charted = chartOf({ columns: ["a", "b", "c"], cells }, { kind, by: "c", title: "<&>" });
      if (charted.kind === "fault") return;
      const lines = terminalChart(charted.chart, { width, height: 8, foreign: (text) => text.replaceAll(/[\u0000-\u001f]/gu, "?") });
      assert.ok(
        lines.slice(1).every((line) => line.length <= Math.max(width, 45)),
        lines.join("\n"),
      );
      const svg = svgChart(charted.chart, { width: 300, height: 200 });
      assert.doesNotMatch(svg, /NaN|Infinity|undefined|[\u0000-\u0008]|\ud800(?![\udc00-\udfff])/u);
      assert.doesNotMatch(
        svg.replaceAll(/<\/?(?:svg|title|style|rect|text|line|polyline|g|circle)\b[^<>]*>/gu, ""),
        /[<>]|&(?!amp;|lt;|gt;|quot;)/u,
      );
    }),
    { seed: 13 },
  );
});

void test("the file of many points has those that are seen, and a line for each series with its name", () => {
  const rows = Array.from({ length: 50_000 }, (_, n): Row => [n, n === 25_000 ? 99 : n % 10, n % 2 === 0 ? "even" : "odd"]);
  const svg = svgChart(chart(["n", "v", "of"], rows, { by: "of" }), { width: 400, height: 200 });
  assert.ok(svg.length < 60_000, `${svg.length} characters`);
  assert.equal(svg.match(/<polyline /gu)?.length, 2);
  assert.match(svg, /<title>even<\/title>/u);
  assert.match(svg, /prefers-color-scheme:dark/u);
});
