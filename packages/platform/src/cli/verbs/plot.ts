import { writeFileSync } from "node:fs";
import { oneOf } from "../choices.ts";
import type { CommandContext, Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { type Chart, chartOf, svgChart, terminalChart } from "../plot/index.ts";
import { askQuery, factLines, type RangeOptions } from "../query/index.ts";
import { wholeNumber } from "../settings.ts";

interface PlotOptions extends RangeOptions {
  readonly x?: string;
  readonly y?: string;
  readonly by?: string;
  readonly kind?: string;
  readonly out?: string;
  readonly width?: string;
  readonly title?: string;
}

const KINDS = ["line", "bar", "points"] as const;
/** Rows that are drawn, at most. */
const ROWS_MAX = 100_000;
const TERMINAL = { width: 80, height: 16 };
const PIXELS = { width: 800, ratio: 0.5 };
const COLOURS = ["green", "yellow", "red", "bold", "dim"] as const;

/** `lambent plot "select …"`, or a stream and `--y`. */
export const run: Run<PlotOptions> = async (context, [query = ""], options) => {
  const { output } = context;
  const kind = options.kind === undefined ? "line" : oneOf(options.kind, "--kind", KINDS);
  const width = wholeNumber(options.width, "--width", 20, 10_000);
  const isStatement = /^\s*(?:select|with|values)\b/iu.test(query) || /\s/u.test(query.trim());
  const sql = isStatement ? query : statementFor(query, options);
  const result = await askQuery(context.client(), sql, options, ROWS_MAX);
  const { x, y, by, title } = options;
  const charted = chartOf(result, { x: isStatement ? x : (x ?? "time"), y, by, title, kind });
  if (charted.kind === "fault") throw new CommandFailure("usage", charted.what, charted.next);
  const { chart } = charted;
  if (output.json) output.data(chart);
  else draw(context, chart, options.out, width);
  if (chart.leftOut > 0)
    output.note(`  left out, being no finite numbers or without a place on ${output.foreign(chart.xName, "err")}: ${chart.leftOut}`);
  for (const line of factLines(result, "")) output.note(line);
};

/** A stream's columns; its records' time is there whatever their members are named. */
function statementFor(stream: string, { x, y, by }: PlotOptions): string {
  if (y === undefined)
    throw new CommandFailure(
      "usage",
      `Which column of ${stream} is to be drawn is not said.`,
      `For example lambent plot ${stream} --y value`,
    );
  const columns = [...new Set([...y.split(",").map((name) => name.trim()), by, x].filter((name) => name !== undefined))].map(quoted);
  return `select ${[...(x === undefined ? ['_time as "time"'] : []), ...columns].join(", ")} from ${quoted(stream)}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function draw({ output }: CommandContext, chart: Chart, out: string | undefined, width: number | undefined): void {
  if (out !== undefined) {
    const wide = width ?? PIXELS.width;
    writeFileSync(out, svgChart(chart, { width: wide, height: Math.max(200, Math.round(wide * PIXELS.ratio)) }));
    return output.note(`  ${out}`);
  }
  const columns = width ?? Math.min(process.stdout.columns ?? TERMINAL.width, 200);
  const paint = (series: number, text: string): string => output.paint(COLOURS[series % COLOURS.length] ?? "bold", text);
  for (const line of terminalChart(chart, { width: columns, height: TERMINAL.height, paint, foreign: (text) => output.foreign(text) }))
    output.line(line);
}
