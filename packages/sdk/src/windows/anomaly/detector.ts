/**
 * What every detector of anomalies is: it is given one value after the other and says of each how unusual it is beside those
 * before it. It reads no clock and knows no chance but its seed: the same values give the same answers. What it keeps is
 * bounded, and `snapshot` gives it whole: who restores it goes on as if nothing had happened. Values that cannot be judged are
 * refused in words and change nothing.
 */
import { checksumOf, SnapshotWriter } from "./snapshot.ts";
import { type DetectorSpec, KINDS, parametersOf } from "./spec.ts";

/** How one value looked. `why` is a sentence with the numbers. */
export type Scored =
  | {
      readonly kind: "scored";
      /** How far from usual: robust standard deviations, of the forest times what 95 % stay within. At most `SCORE_MAX`. */
      readonly score: number;
      readonly isAnomaly: boolean;
      readonly why: string;
    }
  /** Too little was seen yet; the value counts to what is learnt. */
  | { readonly kind: "learning"; readonly score: 0; readonly isAnomaly: false; readonly why: string }
  /** Not a value that can be judged; nothing has changed. */
  | { readonly kind: "refused"; readonly score: 0; readonly isAnomaly: false; readonly why: string };

export interface Detector {
  /** What it was made of, with all parameters. */
  readonly spec: DetectorSpec;
  /** Judges `value` beside what came before, then learns from it. `time` is milliseconds; only `seasonal` looks at it. */
  score(value: unknown, time: number): Scored;
  /** All it knows. `restoreDetector` makes a detector of it that goes on the same. */
  snapshot(): Uint8Array;
  /** What it holds in memory now; it does not grow once everything it keeps is full. */
  readonly bytes: number;
}

/** What a kind of detector brings; input is checked and snapshots are framed for it here. */
export interface Model {
  readonly bytes: number;
  judge(value: number, time: number): Scored;
  write(writer: SnapshotWriter): void;
}

/** Larger values are refused: their squares and sums would no longer be numbers. */
export const VALUE_MAX = 1e100;
/** Times further from the epoch than this are refused: they are no instants of JavaScript's. */
export const TIME_MS_MAX = 8.64e15;
/** A larger score says no more; this one is still readable, and JSON. */
export const SCORE_MAX = 1e6;
/** A spread below this share of what is compared is rounding: a perfectly flat series would otherwise divide by nothing. */
const SPREAD_SHARE_MIN = 1e-9;

/** The detector around a model: refuses what no model can judge. */
export class ModelDetector implements Detector {
  readonly spec: DetectorSpec;
  readonly #model: Model;

  constructor(spec: DetectorSpec, model: Model) {
    this.spec = spec;
    this.#model = model;
  }

  get bytes(): number {
    return this.#model.bytes;
  }

  score(value: unknown, time: number): Scored {
    if (typeof value !== "number") return refused(`The value is ${describe(value)}; it has to be a number.`);
    if (!(Math.abs(value) <= VALUE_MAX)) return refused(`The value is ${value}; it has to be a number of at most ${VALUE_MAX}.`);
    if (typeof time !== "number") return refused(`The time is ${describe(time)}; it has to be a number of milliseconds.`);
    if (!(Math.abs(time) <= TIME_MS_MAX))
      return refused(`The time is ${time}; it has to be milliseconds within ${TIME_MS_MAX} of the epoch.`);
    return this.#model.judge(value, time);
  }

  snapshot(): Uint8Array {
    const writer = new SnapshotWriter();
    writer.byte(SNAPSHOT_VERSION);
    writer.byte(KINDS.indexOf(this.spec.kind));
    for (const parameter of parametersOf(this.spec)) writer.float(parameter);
    this.#model.write(writer);
    writer.whole(checksumOf(writer.bytes()));
    return writer.bytes();
  }
}

/** The first byte of a snapshot; another layout gets another number. */
export const SNAPSHOT_VERSION = 1;

/** How many deviations `distance` is, with a spread that is never nothing. */
export function deviationsOf(distance: number, spread: number, spreadMin: number, compared: number): number {
  if (distance === 0) return 0;
  const scale = Math.max(spread, spreadMin, SPREAD_SHARE_MIN * Math.abs(compared));
  return scale > 0 ? Math.min(SCORE_MAX, Math.abs(distance) / scale) : SCORE_MAX;
}

export function learning(seen: number, needed: number, what = "values"): Scored {
  return { kind: "learning", score: 0, isAnomaly: false, why: `Learning: ${seen} of ${needed} ${what} seen.` };
}

/** `31.2 is 12.4 deviations above <expected> 20.1 (limit 5).` */
export function compared(value: number, expected: number, of: string, score: number, limit: number): Scored {
  const side = value >= expected ? "above" : "below";
  const why = `${figure(value)} is ${figure(score)} deviations ${side} ${figure(expected)}, ${of} (limit ${limit}).`;
  return { kind: "scored", score, isAnomaly: score > limit, why };
}

/** Four digits that count, in few steps: `toPrecision` costs more than the score. */
export function figure(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e6 || (size < 1e-3 && size > 0)) return value.toPrecision(4);
  const unit = size >= 100 ? 10 : size >= 10 ? 100 : size >= 1 ? 1_000 : 1_000_000;
  return String(Math.round(value * unit) / unit);
}

function refused(why: string): Scored {
  return { kind: "refused", score: 0, isAnomaly: false, why };
}

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (value === undefined) return "missing";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
