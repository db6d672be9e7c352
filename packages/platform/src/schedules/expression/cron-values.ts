/** Lists, ranges and steps of numbers, as every field of a cron expression has them. */

export interface ValueRange {
  readonly min: number;
  readonly max: number;
  /** Names of the values from `min` on, in capitals. */
  readonly names: readonly string[];
  /** Whether a range may begin late and end early: `FRI-MON`, `22-2`. */
  readonly wraps: boolean;
}

/** The values that `*`, `5`, `1-5`, `0/15`, `10-40/10` or a list of such stands for, in order; undefined for anything else. */
export function readValues(text: string, range: ValueRange): number[] | undefined {
  const values = new Set<number>();
  for (const part of text.split(",")) {
    const read = readPart(part, range);
    if (!read) return undefined;
    for (const value of read) values.add(value);
  }
  return [...values].sort((left, right) => left - right);
}

/** One value by number or name; undefined when it is out of the range. */
export function readValue(text: string, { min, max, names }: ValueRange): number | undefined {
  const named = names.indexOf(text.toUpperCase());
  if (named >= 0) return min + named;
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

function readPart(text: string, range: ValueRange): number[] | undefined {
  const [span = "", stepText, ...more] = text.split("/");
  const step = stepText === undefined ? 1 : readStep(stepText, range);
  if (step === undefined || more.length > 0) return undefined;
  const all = readSpan(span, stepText !== undefined, range);
  return all?.filter((_value, index) => index % step === 0);
}

/** `5` alone is one value; before a step it is all from there on. */
function readSpan(text: string, stepped: boolean, range: ValueRange): number[] | undefined {
  if (text === "*") return count(range.min, range.max);
  const [fromText = "", toText, ...more] = text.split("-");
  const from = readValue(fromText, range);
  if (from === undefined || more.length > 0) return undefined;
  if (toText === undefined) return stepped ? count(from, range.max) : [from];
  const to = readValue(toText, range);
  if (to === undefined) return undefined;
  if (from <= to) return count(from, to);
  return range.wraps ? [...count(from, range.max), ...count(range.min, to)] : undefined;
}

function readStep(text: string, { min, max }: ValueRange): number | undefined {
  const step = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  return step >= 1 && step <= max - min + 1 ? step : undefined;
}

function count(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
