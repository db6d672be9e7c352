import { LambentError } from "../../base/index.ts";
import { LIST_ITEMS_MAX } from "./limits.ts";

/** Which part of a list is asked for. */
export interface PageRequest {
  /** What the page before this one ended with. */
  readonly marker?: string | undefined;
  readonly maxItems?: number | undefined;
}

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextMarker: string | undefined;
}

/**
 * One page of `items`, ordered by their keys. A marker holds the last key shown, so that items that come or go between two
 * pages neither repeat nor hide others. Throws `InvalidParameter` for a marker of no list.
 */
export function page<T>(items: readonly T[], keyOf: (item: T) => string, request: PageRequest): Page<T> {
  const limit = request.maxItems === undefined ? LIST_ITEMS_MAX : Math.min(request.maxItems, LIST_ITEMS_MAX);
  if (!Number.isInteger(limit) || limit < 1)
    throw new LambentError("InvalidParameter", `MaxItems is ${limit}; it is a whole number from 1.`);
  const keyed = items.map((item) => ({ key: keyOf(item), item })).toSorted((a, b) => order(a.key, b.key));
  const after = request.marker === undefined ? undefined : keyOfMarker(request.marker);
  const rest = after === undefined ? keyed : keyed.filter(({ key }) => order(key, after) > 0);
  const shown = rest.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(({ item }) => item),
    nextMarker: last !== undefined && rest.length > shown.length ? Buffer.from(`:${last.key}`).toString("base64url") : undefined,
  };
}

/** A key under which whole numbers sort by value. */
export function numberKey(value: number): string {
  return String(value).padStart(12, "0");
}

function keyOfMarker(marker: string): string {
  const text = Buffer.from(marker, "base64url").toString("utf8");
  if (!text.startsWith(":")) throw new LambentError("InvalidParameter", "Marker is not one that a list of this kind has given out.");
  return text.slice(1);
}

function order(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
