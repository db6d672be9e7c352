import { parseArgs } from "node:util";

/** `--rounds <n>` of a bench; more rounds, tighter figures. */
export function roundsAsked(otherwise: number): number {
  const { values } = parseArgs({ options: { rounds: { type: "string" } } });
  const rounds = Number(values.rounds ?? otherwise);
  if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1_000)
    throw new RangeError(`--rounds is ${values.rounds}; it has to be 1 to 1000.`);
  return rounds;
}
