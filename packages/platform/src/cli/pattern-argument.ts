import { readFileSync } from "node:fs";
import { patternFault, shortPattern } from "../apps/index.ts";
import { CommandFailure } from "./errors.ts";

const EXAMPLE = "For example --on order.placed, --on 'order.*' or --on '{\"source\":[\"shop\"]}'";

/** What `--on` was given, as an event pattern: JSON, `@` and a file's name, or in short the type of events. */
export function readPattern(argument: string): string {
  const text = argument.startsWith("@") ? readFileSync(argument.slice(1), "utf8") : argument;
  const pattern = text.trimStart().startsWith("{") ? compact(text, argument) : argument.startsWith("@") ? undefined : shortPattern(text);
  if (pattern === undefined)
    throw new CommandFailure("usage", `--on is ${JSON.stringify(argument)}; it has to be an event pattern or the type of events.`, EXAMPLE);
  const fault = patternFault(pattern);
  if (fault !== undefined) throw new CommandFailure("usage", `--on is no event pattern: ${fault}`, EXAMPLE);
  return pattern;
}

function compact(text: string, argument: string): string {
  try {
    return JSON.stringify(JSON.parse(text));
  } catch (error) {
    const where = argument.startsWith("@") ? argument.slice(1) : "--on";
    throw new CommandFailure(
      "usage",
      `The pattern of ${where} is not JSON: ${(error as Error).message.replaceAll(/\s+/gu, " ")}.`,
      EXAMPLE,
    );
  }
}

const EVENT_FIELDS: ReadonlySet<string> = new Set([
  ...["version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail", "replay-name", "$or"],
]);

/** Fields a pattern asks for that no event has; those of `$or` are not looked at. */
export function foreignFields(pattern: string): string[] {
  return Object.keys(JSON.parse(pattern) as object).filter((name) => !EVENT_FIELDS.has(name));
}
