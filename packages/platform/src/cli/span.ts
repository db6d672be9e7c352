import { CommandFailure } from "./errors.ts";

const UNITS_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `30s`, `10m`, `2h`, `7d` as milliseconds. */
export function spanMs(text: string, option: string): number {
  const found = /^(\d{1,6})(s|m|h|d)$/u.exec(text);
  if (!found)
    throw new CommandFailure(
      "usage",
      `${option} is ${JSON.stringify(text)}; it has to be a number and s, m, h or d.`,
      `For example ${option} 2h`,
    );
  return Number(found[1]) * UNITS_MS[found[2] as keyof typeof UNITS_MS];
}

/** Milliseconds as `spanMs` reads them, in the largest unit that fits; `250ms` where none does. */
export function shortSpan(ms: number): string {
  const [unit, size] = Object.entries(UNITS_MS).findLast(([, each]) => ms >= each && ms % each === 0) ?? ["ms", 1];
  return `${ms / size}${unit}`;
}
