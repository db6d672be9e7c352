/** A chart as an SVG file that needs nothing else: readable on a light and on a dark page. Pure. */
import type { Chart, Kind, Point, Series } from "./chart.ts";
import { type Axis, axesOf, placeIn } from "./scale.ts";

export interface SvgOptions {
  readonly width: number;
  readonly height: number;
}

/** Colours that people who see few of them tell apart, each readable on white and on black. */
const COLOURS = [
  "#0072b2",
  "#d55e00",
  "#009e73",
  "#cc79a7",
  "#a67c00",
  "#3a9bdc",
  "#7f7f7f",
  "#8c564b",
  "#6a51a3",
  "#17a2a2",
  "#b22222",
  "#5b8c00",
];
const STYLE = [
  "svg{color-scheme:light dark;font:12px system-ui,sans-serif}",
  ".page{fill:#fff}text{fill:#222}.grid{stroke:#ddd}.axis{stroke:#888}",
  "@media(prefers-color-scheme:dark){.page{fill:#16181c}text{fill:#ddd}.grid{stroke:#333}.axis{stroke:#888}}",
  ".line{fill:none;stroke-width:1.5;stroke-linejoin:round}",
].join("");
const LEGEND_ROW = 18;
const CHARACTER = 7;
const NAME_CHARS_MAX = 40;

interface Frame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly x: Axis;
  readonly y: Axis;
}

/** The file's text. */
export function svgChart(chart: Chart, { width, height }: SvgOptions): string {
  const { x, y } = axesOf(chart, { x: Math.max(2, Math.floor(width / 110)), y: Math.max(2, Math.floor(height / 60)) });
  const left = 16 + CHARACTER * Math.max(...y.ticks.map(({ label }) => label.length));
  const names = chart.series.map(({ name }) => shortName(name));
  const legend = legendOf(names, left, width, chart.title === undefined ? 14 : 38);
  const frame: Frame = { left, top: legend.bottom + 6, right: width - 16, bottom: height - 44, x, y };
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${escaped(chart.title ?? `${chart.yName} over ${chart.xName}`)}</title>`,
    `<style>${STYLE}</style>`,
    `<rect class="page" width="${width}" height="${height}"/>`,
    ...(chart.title === undefined ? [] : [`<text x="${left}" y="22" font-size="15">${escaped(chart.title)}</text>`]),
    ...legend.parts,
    ...axisParts(chart, frame),
    ...chart.series.flatMap((series, at) => seriesParts(chart, series, at, frame)),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}

function axisParts({ x: axis, xName }: Chart, frame: Frame): string[] {
  const { left, right, top, bottom, x, y } = frame;
  const parts: string[] = [];
  for (const { at, label } of y.ticks) {
    const height = place(bottom, top, placeIn(y, at));
    parts.push(`<line class="grid" x1="${left}" x2="${right}" y1="${height}" y2="${height}"/>`);
    parts.push(`<text x="${left - 8}" y="${height}" dy="4" text-anchor="end">${escaped(label)}</text>`);
  }
  let free = 0;
  for (const { at, label } of x.ticks) {
    const across = place(left, right, placeIn(x, at));
    const text = shortName(label);
    const half = (text.length * CHARACTER) / 2;
    parts.push(`<line class="axis" x1="${across}" x2="${across}" y1="${bottom}" y2="${bottom + 5}"/>`);
    if (across - half < free) continue;
    free = across + half + CHARACTER;
    parts.push(`<text x="${across}" y="${bottom + 19}" text-anchor="middle">${escaped(text)}</text>`);
  }
  parts.push(`<line class="axis" x1="${left}" x2="${right}" y1="${bottom}" y2="${bottom}"/>`);
  const name = `${shortName(xName)}${axis.kind === "time" ? " (UTC)" : ""}`;
  parts.push(`<text x="${(left + right) / 2}" y="${bottom + 37}" text-anchor="middle">${escaped(name)}</text>`);
  return parts;
}

/** The names in rows from the left, as many in each as fit. */
function legendOf(
  names: readonly string[],
  left: number,
  width: number,
  top: number,
): { readonly parts: string[]; readonly bottom: number } {
  const parts: string[] = [];
  let [across, down] = [left, top];
  for (const [at, name] of names.entries()) {
    const wide = 22 + name.length * CHARACTER;
    if (across > left && across + wide > width - 16) [across, down] = [left, down + LEGEND_ROW];
    parts.push(`<rect x="${across}" y="${down - 4}" width="12" height="4" fill="${colourOf(at)}"/>`);
    parts.push(`<text x="${across + 17}" y="${down + 2}">${escaped(name)}</text>`);
    across += wide + 10;
  }
  return { parts, bottom: down + 8 };
}

function seriesParts({ kind, series: all }: Chart, series: Series, at: number, frame: Frame): string[] {
  const title = `<title>${escaped(series.name)}</title>`;
  const points = kind === "bar" ? series.points : visible(series.points, frame, kind);
  const spots = points.map(
    ({ x, y }) => [place(frame.left, frame.right, placeIn(frame.x, x)), place(frame.bottom, frame.top, placeIn(frame.y, y))] as const,
  );
  const [only] = spots;
  if (kind === "line" && spots.length > 1)
    return [
      `<polyline class="line" stroke="${colourOf(at)}" points="${spots.map((spot) => spot.join(",")).join(" ")}">${title}</polyline>`,
    ];
  if (kind !== "bar")
    return only ? [`<g fill="${colourOf(at)}">${title}${spots.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="2.5"/>`).join("")}</g>`] : [];
  const places = new Set(all.flatMap(({ points: mine }) => mine.map(({ x }) => x))).size;
  const wide = Math.max(1, rounded((((frame.right - frame.left) / Math.max(1, places)) * 0.8) / all.length));
  const zero = place(frame.bottom, frame.top, placeIn(frame.y, 0));
  const bars = spots.map(([x, y]) => {
    const begin = rounded(Math.min(frame.right - wide, Math.max(frame.left, x - (wide * all.length) / 2 + at * wide)));
    return `<rect x="${begin}" y="${Math.min(y, zero)}" width="${wide}" height="${rounded(Math.abs(zero - y))}"/>`;
  });
  return [`<g fill="${colourOf(at)}">${title}${bars.join("")}</g>`];
}

/** Of the points in one column of pixels the first, the least, the greatest and the last: no others change what is seen of a line. */
function visible(points: readonly Point[], { left, right, x }: Frame, kind: Kind): readonly Point[] {
  if (kind !== "line" || points.length <= 4 * (right - left)) return points;
  const kept: Point[] = [];
  const byColumn = Map.groupBy(points, (point) => Math.floor(place(left, right, placeIn(x, point.x))));
  for (const some of byColumn.values()) {
    const byHeight = some.toSorted((a, b) => a.y - b.y);
    const chosen = new Set([some[0], byHeight[0], byHeight.at(-1), some.at(-1)]);
    kept.push(...some.filter((point) => chosen.has(point)));
  }
  return kept;
}

function place(from: number, to: number, part: number): number {
  return rounded(from + (to - from) * part);
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

function colourOf(at: number): string {
  return COLOURS[at % COLOURS.length] ?? "#000";
}

function shortName(name: string): string {
  return name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX - 1)}…` : name;
}

/** XML has no control characters, in whatever form. */
function escaped(text: string): string {
  return text
    .toWellFormed()
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/gu, "\ufffd")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
