/** Plays one of Apache Beam's trigger transcripts on our windows, and says what was told otherwise than written. */
import type { Pane } from "../../../../sdk/src/windows/index.ts";
import { windowsOf } from "./given.ts";

export interface Transcript {
  readonly name: string;
  readonly window_fn?: string;
  readonly windowfn?: string;
  readonly trigger_fn?: string;
  readonly timestamp_combiner?: string;
  readonly allowed_lateness?: number;
  readonly accumulation_mode?: string;
  readonly error?: string;
  readonly transcript: readonly Step[];
}

interface Step {
  readonly input?: readonly number[];
  readonly watermark?: number;
  readonly expect?: readonly Expected[];
  readonly state?: object;
}

type Expected = Readonly<Record<string, unknown>> & { readonly window: readonly [number, number]; readonly values?: readonly number[] };

/** Of a transcript that `isExpressible`: undefined when all was told as written, else what is wrong. */
export function play(transcript: Transcript): string | undefined {
  const { windows, panes } = windowsOf(definitionOf(transcript));
  const timings = new Map<string, number>();
  for (const step of transcript.transcript) {
    if (step.expect === undefined && panes.length > 0) return "Unexpected output";
    for (const time of step.input ?? []) windows.add(0, "key", time, time);
    if (step.watermark !== undefined) windows.advance(0, step.watermark);
    if (step.expect === undefined) continue;
    const told = panes.splice(0).map((pane) => asBeamSays(pane, transcript, timings));
    for (const expected of step.expect) {
      const found = told.findIndex((pane) => Object.entries(expected).every(([name, value]) => isSame(pane[name], value)));
      if (found === -1) return "Unmatched output";
      told.splice(found, 1);
    }
    if (told.length > 0) return "Unexpected output";
  }
  return panes.length > 0 ? "Unexpected output" : undefined;
}

/** Beam's windows end with their last moment, and its panes that are not early are counted on their own. */
function asBeamSays(pane: Pane, { timestamp_combiner }: Transcript, timings: Map<string, number>): Readonly<Record<string, unknown>> {
  const { start, end } = pane.window;
  const place = `${start} ${end}`;
  const nonspeculative = timings.get(place) ?? 0;
  if (pane.timing !== "early") timings.set(place, nonspeculative + 1);
  const times: Readonly<Record<string, unknown>> = { OUTPUT_AT_EARLIEST: pane.values["earliest"], OUTPUT_AT_LATEST: pane.values["latest"] };
  return {
    window: [start, end - 1],
    values: (pane.values["values"] as number[]).toSorted((a, b) => a - b),
    timestamp: times[timestamp_combiner ?? ""] ?? end - 1,
    early: pane.timing === "early",
    late: pane.timing === "late",
    final: pane.final,
    index: pane.index,
    nonspeculative_index: nonspeculative,
  };
}

function isSame(given: unknown, expected: unknown): boolean {
  return JSON.stringify(given) === JSON.stringify(expected);
}

function definitionOf({ window_fn, windowfn, trigger_fn = "", allowed_lateness = 0, accumulation_mode }: Transcript): object {
  const [, name, size] = /^(\w+)\((\d+)\)$/u.exec(window_fn ?? windowfn ?? "") ?? [];
  const early = /early=AfterCount\((\d+)\)/u.exec(trigger_fn)?.[1];
  const late = /late=AfterCount\((\d+)\)/u.exec(trigger_fn)?.[1];
  return {
    window: name === "Sessions" ? { kind: "session", gapMs: Number(size) } : { kind: "tumbling", sizeMs: Number(size) },
    aggregates: { values: { collect: 1_000 }, earliest: "earliest", latest: "latest" },
    allowedLatenessMs: allowed_lateness,
    // The transcript alone moves the watermark.
    outOfOrdernessMs: 1_000_000_000,
    trigger: {
      ...(early === undefined ? {} : { early: { count: Number(early) } }),
      ...(late === undefined ? {} : { late: { count: Number(late) } }),
      panes: accumulation_mode === "discarding" ? "discarding" : "accumulating",
    },
  };
}
