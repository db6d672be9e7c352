/** From a message's fields to functions that read and write it: compiled once for each version that is spoken. Pure. */
import type { Decoded, Encodable, Field, Fields, Shape } from "./fields.ts";
import type { Reader } from "./reader.ts";
import type { Writer } from "./writer.ts";

type AnyField = Fields[string];
type Read = (reader: Reader) => unknown;
type Write = (writer: Writer, value: unknown) => void;
type Plain = Record<string, unknown>;

/** One message in one version. */
export interface Codec<S> {
  /** Throws `MalformedRequest`. */
  read(reader: Reader): Decoded<S>;
  write(writer: Writer, message: Encodable<S>): void;
}

/** The codec of `fields` in `version`; `flexible` says whether that one has short lengths and tagged fields. */
export function compile<S extends Fields>(fields: S, version: number, flexible: boolean): Codec<S> {
  const read = structReader(fields, version, flexible);
  const write = structWriter(fields, version, flexible);
  return { read: (reader) => read(reader) as Decoded<S>, write };
}

function isThere({ span }: AnyField, version: number): boolean {
  return version >= (span.from ?? 0) && version <= (span.until ?? Infinity);
}

function structReader(fields: Fields, version: number, flexible: boolean): Read {
  const members = Object.entries(fields).map(([name, field]) => {
    const { otherwise } = field;
    return { name, read: isThere(field, version) ? fieldReader(field, version, flexible) : () => otherwise };
  });
  return (reader) => {
    const struct: Plain = {};
    for (const { name, read } of members) struct[name] = read(reader);
    if (flexible) reader.skipTaggedFields();
    return struct;
  };
}

function structWriter(fields: Fields, version: number, flexible: boolean): Write {
  const members = Object.entries(fields)
    .filter(([, field]) => isThere(field, version))
    .map(([name, field]) => ({ name, otherwise: field.otherwise, write: fieldWriter(field, version, flexible) }));
  return (writer, value) => {
    const struct = value as Plain;
    for (const { name, otherwise, write } of members) write(writer, struct[name] ?? otherwise);
    if (flexible) writer.unsignedVarint(0);
  };
}

function isNullable({ span }: AnyField, version: number): boolean {
  return version >= (span.nullableFrom ?? 0);
}

function fieldReader(field: AnyField, version: number, flexible: boolean): Read {
  const { shape } = field;
  switch (shape.kind) {
    case "array":
    case "nullableArray":
      return arrayReader(
        itemReader(shape.items, version, flexible),
        flexible,
        shape.kind === "nullableArray" && isNullable(field, version),
      );
    case "string":
    case "bytes":
      return readLengthened(shape.kind, flexible);
    case "nullableString":
      return readLengthened(isNullable(field, version) ? "nullableString" : "string", flexible);
    case "nullableBytes":
    case "records":
      return (reader) => reader.nullableBytes(flexible);
    default:
      return readFixed(shape.kind);
  }
}

function readLengthened(kind: "string" | "nullableString" | "bytes", flexible: boolean): Read {
  return (reader) => reader[kind](flexible);
}

type FixedKind = Exclude<Shape["kind"], "array" | "nullableArray" | "string" | "nullableString" | "bytes" | "nullableBytes" | "records">;

function readFixed(kind: FixedKind): Read {
  return (reader) => reader[kind]();
}

function itemReader(items: Extract<Shape, { items: unknown }>["items"], version: number, flexible: boolean): Read {
  return isField(items) ? fieldReader(items, version, flexible) : structReader(items, version, flexible);
}

function isField(items: Extract<Shape, { items: unknown }>["items"]): items is Field<unknown, unknown, "needed" | "optional"> {
  return "shape" in items && "span" in items && "otherwise" in items;
}

function arrayReader(readItem: Read, flexible: boolean, mayBeNull: boolean): Read {
  return (reader) => {
    const count = mayBeNull ? reader.nullableElements(flexible) : reader.elements(flexible);
    if (count === undefined) return null;
    const items: unknown[] = [];
    for (let index = 0; index < count; index += 1) items.push(readItem(reader));
    return items;
  };
}

function fieldWriter(field: AnyField, version: number, flexible: boolean): Write {
  const { shape } = field;
  switch (shape.kind) {
    case "array":
    case "nullableArray":
      return arrayWriter(shape.items, version, flexible);
    case "string":
      return (writer, value) => writer.string(value as string, flexible);
    case "nullableString": {
      const absent = isNullable(field, version) ? null : "";
      return (writer, value) => writer.string((value as string | null) ?? absent, flexible);
    }
    case "bytes":
    case "nullableBytes":
    case "records":
      return (writer, value) => writer.bytes(value as Uint8Array | readonly Uint8Array[] | null, flexible);
    default:
      return writeFixed(shape.kind);
  }
}

function writeFixed(kind: FixedKind): Write {
  return (writer, value) => (writer[kind] as (value: unknown) => void).call(writer, value);
}

function arrayWriter(items: Extract<Shape, { items: unknown }>["items"], version: number, flexible: boolean): Write {
  const write = isField(items) ? fieldWriter(items, version, flexible) : structWriter(items, version, flexible);
  return (writer, value) => {
    const list = value as readonly unknown[] | null;
    writer.elements(list?.length, flexible);
    for (const item of list ?? []) write(writer, item);
  };
}
