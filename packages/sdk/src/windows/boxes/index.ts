/** Aggregates that are more than a few numbers. */
export type { Box } from "./box.ts";
export { Collect } from "./collect.ts";
export { Largest } from "./largest.ts";
export { Frequent, FREQUENT_COUNTERS_MIN, topOf } from "./frequent.ts";
export { Distinct, DISTINCT_EXACT_MAX, DISTINCT_STANDARD_ERROR } from "./distinct.ts";
export { exactQuantile, Quantiles, QUANTILE_EXACT_MAX, QUANTILE_RANK_ERROR } from "./quantiles.ts";
