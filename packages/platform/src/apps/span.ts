const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `3`, `3s`, `2m`, `4d`; the schema has checked the form. */
export function spanMs(span: number | string): number {
  if (typeof span === "number") return span * 1_000;
  return Number.parseInt(span, 10) * (UNIT_MS[span.at(-1) ?? "s"] ?? 1_000);
}
