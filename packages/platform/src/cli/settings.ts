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
  readonly async?: readonly string[];
  readonly env?: readonly string[];
  readonly envFile?: string;
}

/** Flow control of asynchronous calls that can be set. */
const FLOW_NAMES = ["concurrency", "rate", "debounce", "priority", "idempotency"] as const;

/** Entries of `--async`; undefined when none was given. The server knows what each takes; an empty value takes it away. */
export function flowOf(options: Pick<SettingOptions, "async">): Readonly<Partial<Record<(typeof FLOW_NAMES)[number], string>>> | undefined {
  if (!options.async) return undefined;
  const entries = options.async.map((entry) => {
    const found = /^([a-z]+)=(.*)$/su.exec(entry);
    const name = FLOW_NAMES.find((known) => known === found?.[1]);
    if (!found || !name)
      throw new CommandFailure(
        "usage",
        `--async has ${JSON.stringify(entry)}; it has to be one of ${FLOW_NAMES.join(", ")}, =, and a value.`,
        'For example --async concurrency="2 per customer.id"',
      );
    return [name, found[2] ?? ""] as const;
  });
  return Object.fromEntries(entries);
}

/** A whole number from `low` to `high`; the complaint names option, value and rule. */
export function wholeNumber(text: string | undefined, option: string, low: number, high: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,9}$/u.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw new CommandFailure(
    "usage",
    `${option} is ${JSON.stringify(text)}; it has to be a whole number from ${low} to ${high}.`,
    `For example ${option}${option.startsWith("--") ? " " : "="}${low}`,
  );
}

/** Entries of `--env-file` and, over them, of `--env`; undefined when neither was given. */
export function environmentOf(options: SettingOptions): Record<string, string> | undefined {
  if (!options.envFile && !options.env) return undefined;
  const fromFile = options.envFile ? readEnvironmentFile(options.envFile) : [];
  const given = (options.env ?? []).map(splitEntry);
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
  return parseEnvironmentFile(text, path);
}

/** Blank lines and comments, then one entry: a value in quotes may have several lines, one without ends at a #. As dotenv reads it. */
const SKIPPED = /(?:\s|#.*)*/uy;
const ENTRY = /(?:export[^\S\n]+)?([^\s=#]+)[^\S\n]*=[^\S\n]*(?:'([^']*)'|"((?:\\"|[^"])*)"|`([^`]*)`|([^#\n]*))[^\S\n]*(?:#.*)?(?=\n|$)/uy;

/** Entries of an environment file, in its order. Throws with file and line for what is none. */
export function parseEnvironmentFile(text: string, path: string): [string, string][] {
  const source = text.replace(/^\ufeff/u, "").replaceAll(/\r\n?/gu, "\n");
  const entries: [string, string][] = [];
  for (let at = endOf(SKIPPED, source, 0); at < source.length; at = endOf(SKIPPED, source, at)) {
    const line = `${path}:${source.slice(0, at).split("\n").length}`;
    ENTRY.lastIndex = at;
    const found = ENTRY.exec(source);
    if (!found) throw notAnEntry(source.slice(at).split("\n")[0] ?? "", line);
    const [whole, name = "", single, double, back, bare = ""] = found;
    const value = single ?? double?.replaceAll("\\n", "\n").replaceAll("\\r", "\r") ?? back ?? bare.trim();
    if (!NAME.test(name)) throw notAnEntry(whole, line);
    entries.push([name, value]);
    at += whole.length;
  }
  return entries;
}

function endOf(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return from + (pattern.exec(text)?.[0].length ?? 0);
}

const NAME = /^[A-Za-z][A-Za-z0-9_]+$/u;

/** An entry of `--env`: what follows the = is the value as it is. */
function splitEntry(entry: string): [string, string] {
  const at = entry.indexOf("=");
  const name = entry.slice(0, Math.max(at, 0));
  if (!NAME.test(name)) throw notAnEntry(entry, "--env");
  return [name, entry.slice(at + 1)];
}

function notAnEntry(entry: string, where: string): CommandFailure {
  return new CommandFailure(
    "usage",
    `${where} has ${JSON.stringify(entry)}; it has to be name=value, and a name has two or more letters, digits and _, a letter first.`,
    "For example --env LEVEL=3",
  );
}
