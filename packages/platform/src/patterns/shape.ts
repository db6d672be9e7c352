import { BlockList, isIP } from "node:net";
import type { Primitive } from "./json.ts";
import { hasLiterals } from "./wildcard.ts";

/** How a text is compared: as it is, or after the value was made lower case, as `text` is. */
export type Case = "exact" | "ignored";

/** A text that is looked for at an edge of a value or all over it. `literals` are what stands between the stars. */
export type TextShape =
  | { readonly kind: "prefix"; readonly text: string; readonly case: Case }
  | { readonly kind: "suffix"; readonly text: string; readonly case: Case }
  | { readonly kind: "whole"; readonly text: string; readonly case: "ignored" }
  | { readonly kind: "wildcard"; readonly literals: readonly string[] };

/** Numbers from `low` to `high`, both included. */
export interface RangeShape {
  readonly kind: "range";
  readonly low: number;
  readonly high: number;
}

/** The addresses of one version that have their first `bits` in common with `address`. */
export interface AddressShape {
  readonly kind: "address";
  readonly version: 4 | 6;
  readonly address: string;
  readonly bits: number;
  readonly range: BlockList;
}

/** What takes all values but some. */
export type ExclusionShape =
  | { readonly kind: "not-equal"; readonly values: ReadonlySet<Primitive> }
  | { readonly kind: "not-like"; readonly texts: readonly TextShape[] };

/** What one entry of a leaf's list asks for, as data: it can be asked (`meets`), and found by a value (value-index.ts). */
export type Shape =
  | { readonly kind: "equal"; readonly value: Primitive }
  | { readonly kind: "present" }
  | ExclusionShape
  | TextShape
  | RangeShape
  | AddressShape;

/** Whether a value at the end of a path is one that is asked for. */
export function meets(shape: Shape, value: Primitive): boolean {
  switch (shape.kind) {
    case "equal":
      // A number is equal by its value: 300 and 300.0 are one.
      return value === shape.value;
    case "present":
      return true;
    case "not-equal":
      return !shape.values.has(value);
    case "not-like":
      return typeof value !== "string" || !shape.texts.some((text) => meetsText(text, value));
    case "range":
      return typeof value === "number" && value >= shape.low && value <= shape.high;
    case "address":
      return typeof value === "string" && isAddressOf(shape, value);
    default:
      return typeof value === "string" && meetsText(shape, value);
  }
}

function meetsText(shape: TextShape, value: string): boolean {
  switch (shape.kind) {
    case "prefix":
      return shape.case === "exact" ? value.startsWith(shape.text) : value.toLowerCase().startsWith(shape.text);
    case "suffix":
      return shape.case === "exact" ? value.endsWith(shape.text) : value.toLowerCase().endsWith(shape.text);
    case "whole":
      return value.toLowerCase() === shape.text;
    case "wildcard":
      return hasLiterals(value, shape.literals);
  }
}

function isAddressOf({ version, range }: AddressShape, value: string): boolean {
  return isIP(value) === version && range.check(value, version === 4 ? "ipv4" : "ipv6");
}

/** A text that is equal for shapes that ask the same, and for no others. */
export function keyOf(shape: Shape): string {
  return JSON.stringify(shape, (_key, value: unknown) => {
    if (value instanceof Set) return [...value].toSorted((left, right) => (String(left) < String(right) ? -1 : 1));
    if (value instanceof BlockList) return undefined;
    // JSON writes the infinity that `1e999` is read as like null.
    return typeof value === "number" && !Number.isFinite(value) ? { number: String(value) } : value;
  });
}
