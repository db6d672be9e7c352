import { readFileSync } from "node:fs";
import { CommandFailure } from "./errors.ts";

/** Options that deploy and config set share, as commander hands them over. */
export interface SettingOptions {
  readonly runtime?: string;
  readonly handler?: string;
  readonly memory?: string;
  readonly timeout?: string;
  readonly description?: string;
  readonly role?: string;
  readonly concurrency?: string;
  readonly env?: readonly string[];
  readonly envFile?: string;
}

/** A whole number from `low` to `high`; the complaint names option, value and rule. */
export function wholeNumber(text: string | undefined, option: string, low: number, high: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/u.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw new CommandFailure(
    "usage",
    `${option} is ${JSON.stringify(text)}; it has to be a whole number from ${low} to ${high}.`,
    `For example ${option} ${low}`,
  );
}

/** Entries of `--env-file` and, over them, of `--env`; undefined when neither was given. */
export function environmentOf(options: SettingOptions): Record<string, string> | undefined {
  if (!options.envFile && !options.env) return undefined;
  const fromFile = options.envFile ? readEnvironmentFile(options.envFile) : [];
  const given = (options.env ?? []).map((entry) => splitEntry(entry, "--env"));
  return Object.fromEntries([...fromFile, ...given]);
}

function readEnvironmentFile(path: string): [string, string][] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    throw new CommandFailure(
      "usage",
      `The environment file ${path} cannot be read: ${(error as NodeJS.ErrnoException).code ?? String(error)}.`,
      "Give a file with one name=value a line.",
    );
  }
  const lines = text.split("\n").map((line) => line.trim());
  return lines.flatMap((line, at) =>
    line === "" || line.startsWith("#") ? [] : [splitEntry(line.replace(/^export\s+/u, ""), `${path}:${at + 1}`)],
  );
}

function splitEntry(entry: string, where: string): [string, string] {
  const found = /^([A-Za-z][A-Za-z0-9_]+)=(.*)$/su.exec(entry);
  if (!found)
    throw new CommandFailure(
      "usage",
      `${where} has ${JSON.stringify(entry)}; it has to be name=value, and a name has two or more letters, digits and _, a letter first.`,
      "For example --env LEVEL=3",
    );
  const [, name = "", value = ""] = found;
  const quoted = /^"(.*)"$|^'(.*)'$/su.exec(value);
  return [name, quoted && where !== "--env" ? (quoted[1] ?? quoted[2] ?? "") : value];
}
