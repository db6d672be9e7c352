/** Aggregates and windows as textbooks define them, over lists of records: slow, and nothing kept between two answers. */
import type { JsonValue } from "../../../../sdk/src/windows/index.ts";

export interface TestRecord {
  readonly source: number;
  readonly key: string;
  readonly time: number;
  readonly value: number;
}

/** Every aggregate there is; values are small whole numbers, so that all results are exact. */
export const EVERY_AGGREGATE = {
  count: "count",
  sum: "sum",
  mean: "mean",
  min: "min",
  max: "max",
  earliest: "earliest",
  latest: "latest",
  first: "first",
  last: "last",
  distinct: "distinct",
  top: { topK: 2 },
  largest: { largest: 3 },
  quantiles: { quantiles: [0, 0.25, 0.5, 1] },
  collect: { collect: 4 },
} as const;

/** The same of a list of records in order of arrival; `order` says what first and last mean. */
export function byDefinition(records: readonly TestRecord[], order: "arrival" | "time" = "time"): Readonly<Record<string, JsonValue>> {
  const values = records.map(({ value }) => value);
  const times = records.map(({ time }) => time);
  const placed = (order === "time" ? records.toSorted((a, b) => a.time - b.time) : records).map(({ value }) => value);
  const rising = values.toSorted((a, b) => a - b);
  const some = records.length > 0;
  return {
    count: records.length,
    sum: values.reduce((sum, value) => sum + value, 0),
    mean: some ? values.reduce((sum, value) => sum + value, 0) / values.length : null,
    min: some ? Math.min(...values) : null,
    max: some ? Math.max(...values) : null,
    earliest: some ? Math.min(...times) : null,
    latest: some ? Math.max(...times) : null,
    first: placed[0] ?? null,
    last: placed.at(-1) ?? null,
    distinct: new Set(values).size,
    top: mostFrequent(values, 2),
    largest: rising.toReversed().slice(0, 3),
    quantiles: [0, 0.25, 0.5, 1].map((share) => rising[Math.max(0, Math.ceil(share * rising.length) - 1)] ?? null),
    collect: placed.slice(-4),
  };
}

function mostFrequent(values: readonly number[], most: number): JsonValue {
  const counted = [...Map.groupBy(values, (value) => value)].map(([value, all]) => ({ value, count: all.length, countMax: all.length }));
  const text = ({ value }: { readonly value: number }): string => String(value);
  return counted.toSorted((a, b) => b.count - a.count || (text(a) < text(b) ? -1 : 1)).slice(0, most);
}

/** The watermark after each record: the slowest source's newest record, less what may be out of order. Never back. */
export class WatermarkByDefinition {
  readonly #seen = new Map<number, number>();
  readonly #sources: number;
  readonly #behindMs: number;
  watermark = -Infinity;

  constructor(sources: number, behindMs: number) {
    this.#sources = sources;
    this.#behindMs = behindMs;
  }

  saw({ source, time }: TestRecord): void {
    this.#seen.set(source, Math.max(time, this.#seen.get(source) ?? -Infinity));
    if (this.#seen.size === this.#sources) this.watermark = Math.max(this.watermark, Math.min(...this.#seen.values()) - this.#behindMs);
  }
}
