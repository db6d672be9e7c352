/** What each detector finds in each labelled series with its default parameters, as the tables of docs/anomaly.md. */
import {
  checkDetectorSpec,
  type Detector,
  type DetectorKind,
  detectorOf,
  PARAMETERS,
} from "../../packages/sdk/src/windows/anomaly/index.ts";
import { labelledSeries, type LabelledSeries } from "./anomaly-series.ts";

/** Values after a range in which an alarm still counts to it: what follows an anomaly is often unusual beside it. */
const AFTER_VALUES = 10;
/** Anomalous values with at most so many others between them are one alarm: somebody is called once. */
const BETWEEN_VALUES = 3;

export interface Result {
  readonly series: string;
  readonly detector: DetectorKind;
  readonly anomalies: number;
  readonly found: number;
  readonly alarms: number;
  readonly falseAlarms: number;
  /** Mean of values from the beginning of a range that was found to the first alarm. */
  readonly delay: number | undefined;
}

interface Alarm {
  readonly from: number;
  readonly to: number;
}

/** Every series by every detector. */
export function anomalyResults(): readonly Result[] {
  const kinds = Object.keys(PARAMETERS) as readonly DetectorKind[];
  return labelledSeries().flatMap((series) => kinds.map((kind) => resultOf(series, kind)));
}

/** What is counted, from the values that were called anomalies. */
export function countAlarms(anomalous: readonly number[], ranges: LabelledSeries["anomalies"]): Omit<Result, "series" | "detector"> {
  const alarms = alarmsOf(anomalous);
  const isOf = (alarm: Alarm, [from, to]: readonly [number, number]): boolean => alarm.from < to + AFTER_VALUES && alarm.to > from;
  const firsts = ranges.map(([from, to]) => anomalous.find((at) => at >= from && at < to + AFTER_VALUES));
  const delays = ranges.flatMap(([from], i) => (firsts[i] === undefined ? [] : [firsts[i] - from]));
  return {
    anomalies: ranges.length,
    found: delays.length,
    alarms: alarms.length,
    falseAlarms: alarms.filter((alarm) => !ranges.some((range) => isOf(alarm, range))).length,
    delay: delays.length === 0 ? undefined : delays.reduce((sum, delay) => sum + delay, 0) / delays.length,
  };
}

/** Table of results. */
export function anomalyResultTable(): string {
  const rows = anomalyResults().map((result) => {
    const { series, detector, anomalies, found, alarms, falseAlarms, delay } = result;
    const precision = alarms === 0 ? "–" : ((alarms - falseAlarms) / alarms).toFixed(2);
    const recall = anomalies === 0 ? "–" : (found / anomalies).toFixed(2);
    return `| ${series} | \`${detector}\` | ${found} of ${anomalies} | ${falseAlarms} | ${precision} | ${recall} | ${delay === undefined ? "–" : delay.toFixed(1)} |`;
  });
  return [
    "| series | detector | found | false alarms | precision | recall | delay in values |",
    "|---|---|---|---|---|---|---|",
    ...rows,
  ].join("\n");
}

/** Table of parameters. */
export function anomalyParameterTable(): string {
  const rows = Object.entries(PARAMETERS).flatMap(([kind, parameters]) =>
    Object.entries(parameters).map(
      ([name, { min, max, whole, otherwise, meaning }]) =>
        `| \`${kind}\` | \`${name}\` | ${otherwise?.toLocaleString("en") ?? "has to be given"} | ${shown(min)} to ${shown(max)}${whole ? ", whole" : ""} | ${meaning} |`,
    ),
  );
  return ["| detector | parameter | default | may be | what it is |", "|---|---|---|---|---|", ...rows].join("\n");
}

function resultOf(series: LabelledSeries, kind: DetectorKind): Result {
  const detector = detectorFor(kind, series.periodMs);
  const anomalous = series.points.flatMap(({ time, value }, at) => (detector.score(value, time).isAnomaly ? [at] : []));
  return { series: series.name, detector: kind, ...countAlarms(anomalous, series.anomalies) };
}

function detectorFor(kind: DetectorKind, periodMs: number): Detector {
  const checked = checkDetectorSpec(kind === "seasonal" ? { kind, periodMs } : { kind });
  if (checked.kind === "invalid") throw new TypeError(checked.why);
  return detectorOf(checked.spec);
}

function alarmsOf(anomalous: readonly number[]): readonly Alarm[] {
  const alarms: { from: number; to: number }[] = [];
  for (const at of anomalous) {
    const last = alarms.at(-1);
    if (last && at - last.to <= BETWEEN_VALUES) last.to = at + 1;
    else alarms.push({ from: at, to: at + 1 });
  }
  return alarms;
}

function shown(bound: number): string {
  return bound >= 1e15 ? bound.toExponential() : bound.toLocaleString("en");
}
