/**
 * Scoring a value, beside the plain way to know the same: for the robust score the window sorted for each value, for the forest a
 * loop over as many points as its trees hold, without any tree. Values are a daily curve with noise and a wild one in a hundred;
 * detectors have seen enough to be full before anything is measured.
 */
import { seededRandom, systemClock } from "../../packages/platform/src/base/index.ts";
import { checkDetectorSpec, type DetectorSpec, detectorOf } from "../../packages/sdk/src/windows/anomaly/index.ts";
import { measurePair, type PairResult, type Sample } from "../support/pair.ts";

/** Different values that are gone through again and again. */
const VALUES = 65_536;
/** Scores are asked for in groups of so many between two looks at the clock. */
const GROUP = 16;
const MINUTE_MS = 60_000;

export interface AnomalyResult {
  readonly robust: PairResult;
  readonly forest: PairResult;
  /** Kind → values a second. */
  readonly others: ReadonlyMap<string, readonly Sample[]>;
}

export async function measureAnomaly({ rounds, roundMs }: { rounds: number; roundMs: number }): Promise<AnomalyResult> {
  const values = drawnValues();
  const robust = specOf({ kind: "robustZ" });
  const forest = specOf({ kind: "rrcf" });
  const pairOf = (ours: () => Sample, bound: () => Sample): Promise<PairResult> => {
    ours();
    bound();
    return measurePair(
      () => Promise.resolve(ours()),
      () => Promise.resolve(bound()),
      rounds,
    );
  };
  const others = new Map<string, readonly Sample[]>();
  for (const spec of [specOf({ kind: "ewma" }), specOf({ kind: "seasonal", periodMs: 1_440 * MINUTE_MS })]) {
    const measure = scoring(spec, values, roundMs);
    measure();
    others.set(spec.kind, Array.from({ length: rounds }, measure));
  }
  return {
    robust: await pairOf(scoring(robust, values, roundMs), bySorting(robust, values, roundMs)),
    forest: await pairOf(scoring(forest, values, roundMs), byLooping(forest, values, roundMs)),
    others,
  };
}

function scoring(spec: DetectorSpec, values: Float64Array, roundMs: number): () => Sample {
  const detector = detectorOf(spec);
  let anomalies = 0;
  let at = 0;
  const score = (): void => {
    if (detector.score(values[at % VALUES], at * MINUTE_MS).isAnomaly) anomalies += 1;
    at += 1;
  };
  for (let warm = 0; warm < 3_000; warm++) score();
  return () => {
    const before = { anomalies, at };
    const value = perSecond(score, roundMs);
    return { value, details: { "anomalies in 1,000": ((anomalies - before.anomalies) * 1_000) / (at - before.at) } };
  };
}

/** The last values copied and sorted, their distances from the median too. */
function bySorting(spec: Extract<DetectorSpec, { kind: "robustZ" }>, values: Float64Array, roundMs: number): () => Sample {
  const size = spec.window;
  let at = 0;
  let above = 0;
  const score = (): void => {
    const sorted = values.slice(at, at + size).sort();
    const median = ((sorted[size / 2 - 1] ?? 0) + (sorted[size / 2] ?? 0)) / 2;
    const distances = sorted.map((value) => Math.abs(value - median)).sort();
    const spread = (((distances[size / 2 - 1] ?? 0) + (distances[size / 2] ?? 0)) / 2) * 1.4826;
    if (Math.abs((values[at + size] ?? 0) - median) / spread > spec.threshold) above += 1;
    at = (at + 1) % (VALUES - size - 1);
  };
  return () => ({ value: perSecond(score, roundMs), details: { "above the threshold": above } });
}

/** The distance of a point to each point of each tree. */
function byLooping(spec: Extract<DetectorSpec, { kind: "rrcf" }>, values: Float64Array, roundMs: number): () => Sample {
  const { trees, points, shingle } = spec;
  const coordinates = Float64Array.from({ length: trees * points * shingle }, (_, i) => values[i % VALUES] ?? 0);
  let at = 0;
  let nearest = Infinity;
  const score = (): void => {
    for (let i = 0; i < coordinates.length; i += shingle) {
      let distance = 0;
      for (let d = 0; d < shingle; d++) distance += Math.abs((coordinates[i + d] ?? 0) - (values[at + d] ?? 0));
      if (distance < nearest && distance > 0) nearest = distance;
    }
    at = (at + 1) % (VALUES - shingle);
  };
  return () => ({ value: perSecond(score, roundMs), details: { "nearest point": nearest } });
}

function perSecond(score: () => void, durationMs: number): number {
  const began = systemClock.monotonicMs();
  let scored = 0;
  let elapsedMs = 0;
  for (let groups = 1; elapsedMs < durationMs; elapsedMs = systemClock.monotonicMs() - began) {
    // As many groups as take about a millisecond: reading the clock must not be what is measured.
    if (scored > 0 && (elapsedMs * groups * GROUP) / scored < 1) groups *= 2;
    for (let count = 0; count < groups * GROUP; count++) score();
    scored += groups * GROUP;
  }
  return (scored * 1_000) / elapsedMs;
}

function drawnValues(): Float64Array {
  const random = seededRandom(2026);
  return Float64Array.from({ length: VALUES }, (_, i) => {
    const noise = random.next() + random.next() + random.next();
    return 50 + 10 * Math.sin((2 * Math.PI * i) / 1_440) + noise + (random.next() < 0.01 ? 40 * random.next() : 0);
  });
}

function specOf<Kind extends DetectorSpec["kind"]>(given: {
  readonly kind: Kind;
  readonly periodMs?: number;
}): Extract<DetectorSpec, { kind: Kind }> {
  const checked = checkDetectorSpec(given);
  if (checked.kind === "invalid") throw new TypeError(checked.why);
  return checked.spec as Extract<DetectorSpec, { kind: Kind }>;
}
