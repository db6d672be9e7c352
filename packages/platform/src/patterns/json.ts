/** What can stand at the end of a path. */
export type Primitive = string | number | boolean | null;
export type JsonObject = Readonly<Record<string, unknown>>;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function isPrimitive(value: unknown): value is Primitive {
  return value === null || typeof value === "string" || typeof value === "number" || typeof value === "boolean";
}

/**
 * What stands in an array and in the arrays inside it. Walked with a list of its own instead of a recursion: an event may
 * have more arrays inside each other than the stack has room for (P8).
 */
export function elementsOf(array: readonly unknown[]): readonly unknown[] {
  if (!array.some(Array.isArray)) return array;
  const elements: unknown[] = [];
  const ahead: unknown[] = [array];
  while (ahead.length > 0) {
    const next = ahead.pop();
    if (Array.isArray(next)) for (let at = next.length - 1; at >= 0; at -= 1) ahead.push(next[at]);
    else elements.push(next);
  }
  return elements;
}
