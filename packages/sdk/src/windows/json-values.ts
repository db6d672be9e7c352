import type { JsonValue } from "./definition.ts";

/** What a value that is kept may take in memory, estimated. @limit */
export const KEPT_VALUE_BYTES_MAX = 4_194_304;
/** Levels of a value that is kept. */
const DEPTH_MAX = 64;

/** The value itself, or its field along `path`; undefined where there is none. Only own fields count. */
export function fieldOf(value: unknown, path: readonly string[] | undefined): unknown {
  if (path === undefined) return value;
  let found = value;
  for (const name of path) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as Readonly<Record<string, unknown>>)[name];
  }
  return found;
}

/** About how many bytes `value` takes in memory, or undefined when it is nothing that JSON can say. */
export function bytesOf(value: unknown, depth = 0): number | undefined {
  switch (typeof value) {
    case "number":
      return Number.isFinite(value) ? 8 : undefined;
    case "boolean":
      return 8;
    case "string":
      return 24 + 2 * value.length;
    case "object":
      return value === null ? 8 : bytesOfParts(value, depth);
    default:
      return undefined;
  }
}

function bytesOfParts(value: object, depth: number): number | undefined {
  if (depth >= DEPTH_MAX) return undefined;
  let bytes = 48;
  const parts: Iterable<unknown> = Array.isArray(value) ? value : Object.values(value);
  for (const part of parts) {
    const more = bytesOf(part, depth + 1);
    if (more === undefined) return undefined;
    bytes += 8 + more;
  }
  if (!Array.isArray(value)) for (const name of Object.keys(value)) bytes += 2 * name.length;
  return bytes;
}

/** One text for equal values: names of objects are put in order. */
export function identityOf(value: JsonValue): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map(identityOf).join()}]`;
  const fields = value as Readonly<Record<string, JsonValue>>;
  const names = Object.keys(fields).toSorted();
  return `{${names.map((name) => `${JSON.stringify(name)}:${identityOf(fields[name] ?? null)}`).join()}}`;
}
