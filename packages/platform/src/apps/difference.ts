/** A field as a person reads it: `memoryMb 128 → 256`. Values of environment entries are never shown. */
export interface FieldChange {
  readonly field: string;
  readonly from: string;
  readonly to: string;
}

/** What is shown where a field differs; nothing where it does not. */
export function difference(field: string, from: FieldValue, to: FieldValue): FieldChange[] {
  const [before, after] = [shown(from), shown(to)];
  return before === after ? [] : [{ field, from: before, to: after }];
}

type FieldValue = string | number | boolean | object | undefined;

function shown(value: FieldValue): string {
  if (value === undefined) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}
