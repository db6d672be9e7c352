/** One commit of a window as its log keeps it. */
import type { Lane } from "../engine/lane.ts";
import { ColumnReader, ColumnWriter } from "./columns.ts";
import { type Inputs, noInputs, type Step } from "./step.ts";

const FORMAT = 1;

export interface JournalRow {
  readonly steps: readonly Step[];
  /** By sink: how many results of its lane it has taken. */
  readonly sunk: Readonly<Record<string, number>>;
  /** How many of these its function failed with. */
  readonly givenUp: Readonly<Record<string, number>>;
  /** By lane: how many results there were behind these steps. Reckoned again behind a crash, they have to be as many. */
  readonly emitted: Readonly<Record<Lane, number>>;
}

/** Records are in the columns; of them the head has only how many. */
type Head = Omit<JournalRow, "steps"> & {
  readonly steps: readonly (
    | Exclude<Step, { readonly kind: "records" }>
    | (Omit<Extract<Step, { readonly kind: "records" }>, "inputs"> & { readonly count: number; readonly arrivals: Inputs["arrivals"] })
  )[];
};

export function encodeJournalRow({ steps, ...rest }: JournalRow): Buffer {
  const all = noInputs();
  const heads = steps.map((step): Head["steps"][number] => {
    if (step.kind !== "records") return step;
    const { inputs, ...others } = step;
    for (let at = 0; at < inputs.keys.length; at += 1) {
      all.keys.push(inputs.keys[at] as string);
      all.times.push(inputs.times[at] as number);
      all.values.push(inputs.values[at]);
      all.texts.push(inputs.texts[at]);
    }
    return { ...others, count: inputs.keys.length, arrivals: inputs.arrivals };
  });
  const writer = new ColumnWriter()
    .json({ ...rest, steps: heads } satisfies Head)
    .json(all.keys)
    .numbers(all.times);
  const isText = all.texts.some((text) => text !== undefined);
  if (!isText)
    return writer
      .text("numbers")
      .numbers(all.values as number[])
      .done(FORMAT);
  // A number among texts goes beside them: JSON has no infinite ones.
  const texts = all.texts.map((text) => text ?? "null");
  const numbers = all.values.map((value, at) => (all.texts[at] === undefined ? (value as number) : Number.NaN));
  return writer
    .text("mixed")
    .text(`[${texts.join(",")}]`)
    .json(all.texts.map(textFlag))
    .numbers(numbers)
    .done(FORMAT);
}

/** 1 for a text, 0 for a number. */
function textFlag(text: string | undefined): number {
  return text === undefined ? 0 : 1;
}

export function decodeJournalRow(bytes: Uint8Array): JournalRow {
  const reader = new ColumnReader(bytes, FORMAT, "A row of a window's journal");
  const { steps, ...rest } = reader.json<Head>();
  const keys = reader.json<string[]>();
  const times = reader.numbers();
  const values = valuesOf(reader);
  let from = 0;
  return {
    ...rest,
    steps: steps.map((step): Step => {
      if (step.kind !== "records") return step;
      const { count, arrivals, ...others } = step;
      const to = from + count;
      const inputs = { keys: keys.slice(from, to), times: times.slice(from, to), values: values.slice(from, to), texts: [], arrivals };
      from = to;
      return { ...others, inputs };
    }),
  };
}

function valuesOf(reader: ColumnReader): unknown[] {
  if (reader.text() === "numbers") return reader.numbers();
  const texts = reader.json<unknown[]>();
  const isText = reader.json<number[]>();
  const numbers = reader.numbers();
  return texts.map((value, at) => (isText[at] === 1 ? value : numbers[at]));
}
