import { CommandFailure } from "./errors.ts";

/** `value` when it is one of `choices`; the complaint lists them. */
export function oneOf<const Choice extends string>(
  value: string,
  option: string,
  choices: readonly Choice[],
  example = (choice: string): string => `${option}${option.startsWith("--") ? " " : "="}${choice}`,
): Choice {
  const found = choices.find((choice) => choice === value);
  if (found !== undefined) return found;
  throw new CommandFailure(
    "usage",
    `${option} is ${JSON.stringify(value)}; it has to be one of ${choices.join(", ")}.`,
    `For example ${example(choices[0] ?? "")}`,
  );
}
