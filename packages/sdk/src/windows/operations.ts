/** Operations for `SlidingAggregate`. */
import { LANE_OPERATIONS, type LaneOperation } from "./lane-operations.ts";
import type { Operation } from "./sliding-aggregate.ts";

/** An operation on doubles, with the doubles of one aggregate as an array. Results are of at least one value, never null. */
function operationOf(operation: LaneOperation): Operation<number, Float64Array, number> {
  const { lanes } = operation;
  const both = new Float64Array(2 * lanes);
  return {
    doubles: operation,
    lift(value) {
      const lifted = new Float64Array(lanes);
      operation.clear(lifted, 0);
      operation.add(lifted, 0, value);
      return lifted;
    },
    combine(earlier, later) {
      both.set(earlier);
      both.set(later, lanes);
      operation.combine(both, 0, lanes, 0);
      return both.slice(0, lanes);
    },
    lower: (aggregate) => operation.result(aggregate, 0) ?? Number.NaN,
  };
}

/** Sum in twice the precision of a number. */
export const sumOf: Operation<number, Float64Array, number> = operationOf(LANE_OPERATIONS.sum);
/** Arithmetic mean. */
export const meanOf: Operation<number, Float64Array, number> = operationOf(LANE_OPERATIONS.mean);
/** Variance of the window as a whole (division by n). */
export const varianceOf: Operation<number, Float64Array, number> = operationOf(LANE_OPERATIONS.variance);

const itself = (value: number): number => value;
export const minOf: Operation<number, number, number> = { lift: itself, combine: Math.min, lower: itself };
export const maxOf: Operation<number, number, number> = { lift: itself, combine: Math.max, lower: itself };
