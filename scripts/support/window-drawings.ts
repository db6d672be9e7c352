/** The drawings of docs/windows/: each kind of window over the same records of one key, as the windows themselves tell it. */
import { checkWindowDefinition, KeyedWindows, type Pane } from "../../packages/sdk/src/windows/index.ts";

interface Drawn {
  readonly title: string;
  readonly given: object;
}

/** Time of each record, in seconds, and its value. */
const RECORDS: readonly (readonly [number, number])[] = [
  [1, 3],
  [3, 5],
  [4, 4],
  [8, 6],
  [12, 2],
  [13, 7],
  [19, 1],
];
const SECONDS = 24;
const WIDTH = 720;
const LEFT = 20;
const SECOND_WIDTH = (WIDTH - 2 * LEFT) / SECONDS;
const ROW_HEIGHT = 26;
const AXIS_Y = 74;
const PANES_Y = 98;
/** Between light and dark, so that both backgrounds show them. */
const COLOURS = { ink: "#7a8599", record: "#d9822b", onTime: "#3f83c9", early: "#8a63c7", late: "#c7566a" } as const;

const sum = { aggregates: { sum: "sum" } };
const KINDS: Readonly<Record<string, Drawn>> = {
  tumbling: { title: "tumbling, 5 s: the sum of each window", given: { window: { kind: "tumbling", sizeMs: 5_000 }, ...sum } },
  hopping: {
    title: "hopping, 10 s every 5 s: the sum of each window",
    given: { window: { kind: "hopping", sizeMs: 10_000, everyMs: 5_000 }, ...sum },
  },
  sliding: {
    title: "sliding, 5 s: for each record the sum of the 5 s up to it",
    given: { window: { kind: "sliding", sizeMs: 5_000 }, ...sum },
  },
  session: {
    title: "session, gap 4 s: the sum of each session, which ends 4 s after its last record",
    given: { window: { kind: "session", gapMs: 4_000 }, ...sum },
  },
  "tumbling-count": {
    title: "tumbling by count, 3: the sum of each three records; the seventh waits",
    given: { window: { kind: "tumblingCount", size: 3 }, ...sum },
  },
  "sliding-count": {
    title: "sliding by count, 3: for each record the sum of the last three",
    given: { window: { kind: "slidingCount", size: 3 }, ...sum },
  },
  rolling: { title: "rolling, 3: for each record the last three values", given: { window: { kind: "rolling", size: 3 }, aggregates: {} } },
  triggers: {
    title: "tumbling, 10 s, early every 2 records, lateness 10 s: the record of second 8 comes after that of second 13",
    given: { window: { kind: "tumbling", sizeMs: 10_000 }, allowedLatenessMs: 10_000, trigger: { early: { count: 2 } }, ...sum },
  },
};

/** Each drawing as the file it is. */
export function windowDrawings(): readonly { readonly path: string; readonly text: string }[] {
  return Object.entries(KINDS).map(([name, drawn]) => ({ path: `docs/windows/${name}.svg`, text: drawingOf(drawn, name === "triggers") }));
}

function drawingOf({ title, given }: Drawn, isOutOfOrder: boolean): string {
  const panes = panesOf(given, isOutOfOrder);
  const height = PANES_Y + panes.length * ROW_HEIGHT + 8;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" font-family="sans-serif" font-size="13">`,
    `<title>${title}</title>`,
    text(LEFT, 18, title, COLOURS.ink, "start"),
    `<line x1="${LEFT}" y1="${AXIS_Y}" x2="${WIDTH - LEFT}" y2="${AXIS_Y}" stroke="${COLOURS.ink}"/>`,
    ...ticks(),
    ...RECORDS.flatMap(([second, value]) => record(second, value)),
    ...panes.flatMap((pane, row) => bar(pane, PANES_Y + row * ROW_HEIGHT)),
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

function panesOf(given: object, isOutOfOrder: boolean): readonly Pane[] {
  const checked = checkWindowDefinition(given);
  if (checked.kind === "faults") throw new TypeError(JSON.stringify(checked.faults));
  const panes: Pane[] = [];
  const windows = new KeyedWindows(checked.definition, { pane: (pane) => void panes.push(pane) });
  const late = RECORDS.filter(([second]) => isOutOfOrder && second === 8);
  const others = RECORDS.filter((each) => !late.includes(each));
  const at = others.findIndex(([second]) => second === 13) + 1;
  for (const [second, value] of others.toSpliced(at, 0, ...late)) windows.add(0, "sensor", second * 1_000, value);
  windows.finish();
  return panes;
}

function ticks(): readonly string[] {
  const marks = Array.from({ length: SECONDS / 2 + 1 }, (_, at) => 2 * at);
  return marks.map((second) => text(place(second), AXIS_Y + 16, `${second}`, COLOURS.ink));
}

function record(second: number, value: number): readonly string[] {
  return [
    `<circle cx="${place(second)}" cy="${AXIS_Y}" r="5" fill="${COLOURS.record}"/>`,
    text(place(second), AXIS_Y - 12, `${value}`, COLOURS.record),
  ];
}

function bar({ window: { start, end }, timing, values, data }: Pane, y: number): readonly string[] {
  const [from, to] = [Math.max(0, place(start / 1_000)), Math.min(WIDTH, place(end / 1_000))];
  const told = data === undefined ? `${JSON.stringify(values["sum"])}` : JSON.stringify(data);
  const label = timing === "onTime" ? told : `${told} ${timing}`;
  const width = Math.max(to - from, 6);
  return [
    `<rect x="${fixed(from)}" y="${y}" width="${fixed(width)}" height="18" rx="4" fill="${COLOURS[timing]}" fill-opacity="0.25" stroke="${COLOURS[timing]}"/>`,
    text(Math.min(to + 8, WIDTH - 90), y + 14, label, COLOURS[timing], "start"),
  ];
}

function text(x: number, y: number, content: string, colour: string, anchor: "start" | "middle" = "middle"): string {
  return `<text x="${fixed(x)}" y="${y}" fill="${colour}" text-anchor="${anchor}">${content.replaceAll("<", "&lt;")}</text>`;
}

const place = (second: number): number => Number(fixed(LEFT + second * SECOND_WIDTH));
const fixed = (length: number): string => String(Math.round(length * 10) / 10);
