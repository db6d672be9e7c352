/**
 * Every parameter of every detector: its bounds, its default and the reason for it. The defaults were fixed before any labelled
 * series was looked at, from the textbook or from noise alone; docs/anomaly.md shows what they give, also where they lose.
 */
export interface Parameter {
  readonly min: number;
  readonly max: number;
  readonly whole: boolean;
  /** Undefined where nobody but the user can know it. */
  readonly otherwise: number | undefined;
  readonly meaning: string;
}

/**
 * Five robust deviations. Normal noise goes beyond about once in 1.7 million values; estimated from 128 values, and with tails as
 * real data has them, still rarely enough that an alert means something. Three and a half, the textbook's cut for cleaning
 * data, would alert of normal noise every two thousand values.
 */
const threshold = parameter(0.5, 1_000, 5, "a score above this is an anomaly: robust standard deviations");
/** Nothing known: every spread counts. */
const spreadMin = parameter(0, 1e50, 0, "a spread that is smaller counts as this much: differences too small to matter");
/** With 32 values the median absolute deviation is within 20 % of the truth two times out of three. */
const warmUp = whole(4, 100_000, 32, "values seen before any is judged");

export const PARAMETERS = {
  robustZ: {
    /** Two hours of minutes, a morning of heartbeats: the spread is known within 10 %, and a shift is taken as usual after half. */
    window: whole(4, 4_096, 128, "values that a new one is compared with"),
    warmUp,
    threshold,
    spreadMin,
  },
  ewma: {
    /** Remembers about ten values: follows drift within them, and one wild value moves it by a tenth of three deviations. */
    weight: parameter(0.001, 1, 0.1, "how much of the expected value each new one makes"),
    /** A fifth of the above: the spread has to outlast what it judges. */
    spreadWeight: parameter(0.001, 1, 0.02, "how much of the spread each new value makes"),
    warmUp: whole(4, 1_024, 32, "values seen before any is judged"),
    threshold,
    spreadMin,
  },
  seasonal: {
    periodMs: whole(2, 366 * 86_400_000, undefined, "after how long the pattern comes again"),
    /** The hours of a day. */
    phases: whole(2, 1_024, 24, "parts of a period that have a baseline each"),
    /** A week of days: the median of seven stands three wild ones. */
    cycles: whole(1, 64, 7, "periods remembered for each phase"),
    /** The least with which one wild period is outvoted. */
    cyclesMin: whole(1, 64, 3, "periods a phase was seen in before it is judged"),
    /** A level that moves is taken over after eight values; its own noise adds five per cent. */
    level: whole(1, 1_024, 15, "last values, each without its season, whose median is the level"),
    /** As many as the robust score's window. */
    window: whole(8, 4_096, 128, "last differences from what was expected that give the spread"),
    threshold,
    spreadMin,
  },
  rrcf: {
    /** The mean of a hundred trees varies by a tenth of one tree's. */
    trees: whole(1, 256, 100, "trees of the forest"),
    /** The sample size of the paper's experiments, and of those on isolation forests before it. */
    points: whole(8, 1_024, 256, "shingles that one tree holds"),
    /** Short patterns, and twice as quick as sixteen. */
    shingle: whole(1, 32, 4, "values in a row that are looked at as one point"),
    /** A tree remembers ten times as long as it has points: 2,560 values, almost two days of minutes. */
    share: parameter(0.001, 1, 0.1, "share of the shingles that each tree takes once it is full"),
    /** As many displacements as two trees have points. */
    window: whole(32, 4_096, 512, "last displacements that a new one is compared with"),
    /** Half of what one tree holds. */
    warmUp: whole(8, 100_000, 256, "values seen before any is judged"),
    /** Of normal, even and Laplace noise, one point in ten thousand moves 3.5, 1.9 and 4.4 times what 95 % stay within. */
    threshold: parameter(0.5, 1_000, 5, "a score above this is an anomaly: times what 95 % of the last displacements stay within"),
    seed: whole(0, 4_294_967_295, 1, "where its chance begins; the same seed gives the same answers"),
  },
} as const satisfies Record<string, Record<string, Parameter>>;

function parameter(min: number, max: number, otherwise: number | undefined, meaning: string): Parameter {
  return { min, max, whole: false, otherwise, meaning };
}

function whole(min: number, max: number, otherwise: number | undefined, meaning: string): Parameter {
  return { min, max, whole: true, otherwise, meaning };
}
