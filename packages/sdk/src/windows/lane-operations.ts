/**
 * Aggregates whose state is a few doubles. The doubles of many windows lie side by side in one array, so that a million windows are no
 * objects. Nothing is ever subtracted: a window that slides combines what is in it, so an error made once leaves with its record.
 */

/** Numbers beyond are set aside: a sum of squares of fewer than 10^28 of them does not overflow. */
export const NUMBER_MAGNITUDE_MAX = 1e140;

export interface LaneOperation {
  readonly lanes: number;
  /** What a record adds: a number of its value, its time, or that it is there. */
  readonly input: "number" | "time" | "record";
  /** Makes it the aggregate of no record. */
  clear(lanes: Float64Array, at: number): void;
  add(lanes: Float64Array, at: number, value: number): void;
  /** What `left` has, then what `right` has; `into` may be either. Associative. */
  combine(lanes: Float64Array, left: number, right: number, into: number): void;
  /** null where no records have no result. */
  result(lanes: Float64Array, at: number): number | null;
}

const count: LaneOperation = {
  lanes: 1,
  input: "record",
  clear: (lanes, at) => void (lanes[at] = 0),
  add: (lanes, at) => void (lanes[at] = (lanes[at] as number) + 1),
  combine: (lanes, left, right, into) => void (lanes[into] = (lanes[left] as number) + (lanes[right] as number)),
  result: (lanes, at) => lanes[at] as number,
};

/** Sum in two doubles: what the first cannot hold stands in the second (Knuth's two-sum). About 32 decimal digits of the largest. */
function addPair(lanes: Float64Array, at: number, high: number, low: number, into: number): void {
  const before = lanes[at] as number;
  const sum = before + high;
  const part = sum - before;
  const rest = before - (sum - part) + (high - part) + ((lanes[at + 1] as number) + low);
  const rounded = sum + rest;
  lanes[into] = rounded;
  lanes[into + 1] = rest - (rounded - sum);
}

const sum: LaneOperation = {
  lanes: 2,
  input: "number",
  clear(lanes, at) {
    lanes[at] = 0;
    lanes[at + 1] = 0;
  },
  add: (lanes, at, value) => addPair(lanes, at, value, 0, at),
  combine: (lanes, left, right, into) => addPair(lanes, left, lanes[right] as number, lanes[right + 1] as number, into),
  result: (lanes, at) => lanes[at] as number,
};

/** Sum in two doubles, then how many. */
const mean: LaneOperation = {
  lanes: 3,
  input: "number",
  clear(lanes, at) {
    sum.clear(lanes, at);
    lanes[at + 2] = 0;
  },
  add(lanes, at, value) {
    addPair(lanes, at, value, 0, at);
    lanes[at + 2] = (lanes[at + 2] as number) + 1;
  },
  combine(lanes, left, right, into) {
    const records = (lanes[left + 2] as number) + (lanes[right + 2] as number);
    sum.combine(lanes, left, right, into);
    lanes[into + 2] = records;
  },
  result: (lanes, at) => (lanes[at + 2] === 0 ? null : (lanes[at] as number) / (lanes[at + 2] as number)),
};

/** How many, mean, sum of squared distances from it; combined after Chan, Golub and LeVeque. */
function combineMoments(lanes: Float64Array, left: number, records: number, average: number, squares: number, into: number): void {
  const before = lanes[left] as number;
  const total = before + records;
  if (total === 0) return sumOfNothing(lanes, into);
  const distance = average - (lanes[left + 1] as number);
  const moved = (lanes[left + 1] as number) + distance * (records / total);
  const spread = (lanes[left + 2] as number) + squares + distance * distance * ((before * records) / total);
  lanes[into] = total;
  lanes[into + 1] = before === 0 ? average : moved;
  lanes[into + 2] = before === 0 ? squares : spread;
}

function sumOfNothing(lanes: Float64Array, at: number): void {
  lanes[at] = 0;
  lanes[at + 1] = 0;
  lanes[at + 2] = 0;
}

function varianceOf(divisorLess: 0 | 1): LaneOperation {
  return {
    lanes: 3,
    input: "number",
    clear: sumOfNothing,
    add: (lanes, at, value) => combineMoments(lanes, at, 1, value, 0, at),
    combine: (lanes, left, right, into) =>
      combineMoments(lanes, left, lanes[right] as number, lanes[right + 1] as number, lanes[right + 2] as number, into),
    result(lanes, at) {
      const divisor = (lanes[at] as number) - divisorLess;
      return divisor <= 0 ? null : (lanes[at + 2] as number) / divisor;
    },
  };
}

/** NaN stands for none: every comparison with it is false. */
function extremeOf(input: "number" | "time", isBetter: (value: number, than: number) => boolean): LaneOperation {
  const add = (lanes: Float64Array, at: number, value: number, into: number): void => {
    const before = lanes[at] as number;
    lanes[into] = Number.isNaN(before) || isBetter(value, before) ? value : before;
  };
  return {
    lanes: 1,
    input,
    clear: (lanes, at) => void (lanes[at] = Number.NaN),
    add: (lanes, at, value) => add(lanes, at, value, at),
    combine: (lanes, left, right, into) => add(lanes, left, lanes[right] as number, into),
    result: (lanes, at) => (Number.isNaN(lanes[at]) ? null : (lanes[at] as number)),
  };
}

const isLess = (value: number, than: number): boolean => value < than;
const isMore = (value: number, than: number): boolean => value > than;

export const LANE_OPERATIONS = {
  count,
  sum,
  mean,
  variance: varianceOf(0),
  sampleVariance: varianceOf(1),
  min: extremeOf("number", isLess),
  max: extremeOf("number", isMore),
  earliest: extremeOf("time", isLess),
  latest: extremeOf("time", isMore),
} satisfies Record<string, LaneOperation>;

export type LaneAggregate = keyof typeof LANE_OPERATIONS;
