/**
 * Typed values from and to a tree of plain ones, which is what JSON and CBOR bodies are once parsed. The two differ
 * only in how they write blobs and timestamps, and in whether members have names of their own.
 */
import type { LambentError } from "../../base/index.ts";
import { requireDepth } from "../bounds.ts";
import type { Member, StructureShape, TimestampShape } from "../schema.ts";
import { bytesOf, dateFromSeconds, formatTimestamp, malformed, parseBase64, parseTimestamp, specialNumber } from "./text.ts";

export interface TreeStyle {
  /** Members go by `jsonName` (restJson1 only). */
  readonly jsonNames: boolean;
  /** Blobs and dates are values of their own kind (CBOR), not text and numbers (JSON). */
  readonly native: boolean;
  /** Blobs are texts, as they are meant, not base64. */
  readonly textBlobs: boolean;
}

export const REST_JSON: TreeStyle = { jsonNames: true, native: false, textBlobs: false };
export const AWS_JSON: TreeStyle = { jsonNames: false, native: false, textBlobs: false };
export const CBOR: TreeStyle = { jsonNames: false, native: true, textBlobs: false };
export const TEXT_JSON: TreeStyle = { jsonNames: false, native: false, textBlobs: true };

type Tree = Readonly<Record<string, unknown>>;
const isTree = (value: unknown): value is Tree =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array) && !(value instanceof Date);

function describe(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (value instanceof Uint8Array) return "bytes";
  if (value instanceof Date) return "a timestamp";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

const mismatch = (path: readonly string[], expected: string, value: unknown): LambentError =>
  malformed(path.join(".") || "The body", expected, describe(value));

/** Reads one tree; `path` leads to the value at hand, so that an error can name it. */
export class TreeReader {
  readonly #style: TreeStyle;
  readonly #path: string[] = [];

  constructor(style: TreeStyle) {
    this.#style = style;
  }

  /** Members into `into`, which has a null prototype; null and unknown members are left out. */
  members(members: readonly Member[], tree: unknown, into: Record<string, unknown>): Record<string, unknown> {
    if (!isTree(tree)) throw mismatch(this.#path, "an object", tree);
    for (const member of members) {
      const key = this.#style.jsonNames ? member.jsonName : member.name;
      // What JSON.parse made has an ordinary prototype, whose own members are nobody's input.
      if (!Object.hasOwn(tree, key)) continue;
      const value = tree[key];
      if (value === null || value === undefined) continue;
      into[member.name] = this.#at(member.name, member, value);
    }
    return into;
  }

  value(member: Member, value: unknown): unknown {
    const shape = member.shape;
    switch (shape.kind) {
      case "string":
        if (typeof value === "string") return value;
        throw mismatch(this.#path, "a string", value);
      case "number":
        return this.#number(value);
      case "boolean":
        if (typeof value === "boolean") return value;
        throw mismatch(this.#path, "true or false", value);
      case "timestamp":
        return this.#timestamp(value);
      case "blob":
        return this.#blob(value);
      case "document":
        return this.document(value, this.#path.length);
      case "list":
        return this.#list(shape.value, value);
      case "map":
        return this.#map(shape.value, value);
      case "structure":
        return this.members(shape.members, value, { __proto__: null });
    }
  }

  /** Any value, made of null-prototype objects. */
  document(value: unknown, depth: number): unknown {
    requireDepth(depth);
    if (Array.isArray(value)) return value.map((entry: unknown) => this.document(entry, depth + 1));
    if (!isTree(value)) return value;
    const copy: Record<string, unknown> = { __proto__: null };
    for (const key of Object.keys(value)) copy[key] = this.document(value[key], depth + 1);
    return copy;
  }

  #at(step: string, member: Member, value: unknown): unknown {
    this.#path.push(step);
    requireDepth(this.#path.length);
    const read = this.value(member, value);
    this.#path.pop();
    return read;
  }

  #number(value: unknown): number {
    if (typeof value === "number") return value;
    if (typeof value === "bigint") return Number(value);
    const special = typeof value === "string" ? specialNumber(value) : undefined;
    if (special === undefined) throw mismatch(this.#path, "a number", value);
    return special;
  }

  #timestamp(value: unknown): Date {
    if (value instanceof Date) return value;
    if (typeof value === "number") return dateFromSeconds(value, this.#path.join("."));
    if (typeof value === "string") return parseTimestamp(value, this.#path.join("."));
    throw mismatch(this.#path, "a timestamp", value);
  }

  #blob(value: unknown): Buffer {
    if (value instanceof Uint8Array) return bytesOf(value);
    if (typeof value === "string" && this.#style.textBlobs) return Buffer.from(value);
    if (typeof value === "string" && !this.#style.native) return parseBase64(value, this.#path.join("."));
    throw mismatch(this.#path, this.#style.native ? "bytes" : "base64 text", value);
  }

  #list(entry: Member, value: unknown): unknown[] {
    if (!Array.isArray(value)) throw mismatch(this.#path, "a list", value);
    return value.map((item: unknown, index) => this.#at(String(index + 1), entry, item));
  }

  #map(entry: Member, value: unknown): Record<string, unknown> {
    if (!isTree(value)) throw mismatch(this.#path, "an object", value);
    const read: Record<string, unknown> = { __proto__: null };
    for (const key of Object.keys(value)) {
      if (value[key] !== null) read[key] = this.#at(key, entry, value[key]);
    }
    return read;
  }
}

/** The tree of some members' values; undefined and null are left out. */
export function writeMembers(members: readonly Member[], values: Tree, style: TreeStyle): Record<string, unknown> {
  const tree: Record<string, unknown> = { __proto__: null };
  for (const member of members) {
    const value = values[member.name];
    if (value !== undefined && value !== null) tree[style.jsonNames ? member.jsonName : member.name] = writeValue(member, value, style);
  }
  return tree;
}

export function writeStructure(shape: StructureShape, value: unknown, style: TreeStyle): Record<string, unknown> {
  return writeMembers(shape.members, value as Tree, style);
}

export function writeValue(member: Member, value: unknown, style: TreeStyle): unknown {
  const shape = member.shape;
  switch (shape.kind) {
    case "number":
      return writeNumber(Number(value), style);
    case "timestamp":
      return writeTimestamp(shape, value, style);
    case "blob":
      return style.native ? bytesOf(value) : bytesOf(value).toString("base64");
    case "list":
      return Array.from(value as Iterable<unknown>)
        .filter((entry) => entry !== undefined && entry !== null)
        .map((entry) => writeValue(shape.value, entry, style));
    case "map":
      return writeMap(shape.value, value as Tree, style);
    case "structure":
      return writeStructure(shape, value, style);
    case "string":
      return String(value);
    default:
      return value;
  }
}

function writeMap(entry: Member, values: Tree, style: TreeStyle): Record<string, unknown> {
  const tree: Record<string, unknown> = { __proto__: null };
  for (const [key, value] of Object.entries(values)) {
    if (value !== undefined && value !== null) tree[key] = writeValue(entry, value, style);
  }
  return tree;
}

function writeNumber(value: number, style: TreeStyle): number | string {
  return style.native || Number.isFinite(value) ? value : String(value);
}

function writeTimestamp(shape: TimestampShape, value: unknown, style: TreeStyle): unknown {
  if (style.native) return value instanceof Date ? value : new Date(Number(value));
  return formatTimestamp(value, shape.format);
}
