/** Messages made up from the tables of the protocol, for every API and version. */
import fc from "fast-check";
import { type Api, type Field, type Fields, Reader, SUPPORTED_APIS, Writer } from "../../../src/gateway/kafka/protocol/index.ts";

export type AnyApi = Api<Fields, Fields>;
type AnyField = Fields[string];

export const ALL_APIS: readonly AnyApi[] = Object.values(SUPPORTED_APIS).flat();

/** Each API in each version that is spoken. */
export function* everyVersion(): Generator<{ readonly api: AnyApi; readonly version: number; readonly name: string }> {
  for (const api of ALL_APIS)
    for (let version = api.versions[0]; version <= api.versions[1]; version += 1) yield { api, version, name: `${api.name} v${version}` };
}

/** Messages of `fields` as `version` can say them: what is not there in it has the value it is read as. */
export function messagesOf(fields: Fields, version: number): fc.Arbitrary<Record<string, unknown>> {
  return fc.record(Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, valuesOf(field, version)])), {
    noNullPrototype: true,
  });
}

function valuesOf(field: AnyField, version: number): fc.Arbitrary<unknown> {
  const { shape, span, otherwise } = field;
  if (version < (span.from ?? 0) || version > (span.until ?? Infinity)) return fc.constant(otherwise);
  const orNull = (values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
    version >= (span.nullableFrom ?? 0) ? fc.option(values, { nil: null }) : values;
  // Long enough for what is written in pieces and what is not copied, too.
  const bytes = fc.oneof(
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 900, max: 3_000 }).map((length) => new Uint8Array(length).fill(7)),
  );
  const asBuffers = bytes.map((each) => Buffer.from(each));
  switch (shape.kind) {
    case "array":
    case "nullableArray": {
      const items = isField(shape.items) ? valuesOf(shape.items, version) : messagesOf(shape.items, version);
      const list = fc.array(items, { maxLength: 3 });
      return shape.kind === "array" ? list : orNull(list);
    }
    case "string":
      return strings;
    case "nullableString":
      return orNull(strings);
    case "bytes":
      return asBuffers;
    case "nullableBytes":
    case "records":
      return orNull(asBuffers);
    default:
      return FIXED[shape.kind];
  }
}

const strings = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.integer({ min: 100, max: 1_200 }).map((length) => "s".repeat(length)),
);
const FIXED = {
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32_768, max: 32_767 }),
  int32: fc.integer(),
  int64: fc.maxSafeInteger(),
  bigInt64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  bool: fc.boolean(),
  uuid: fc.uuid(),
};

function isField(items: Fields | Field<unknown, unknown, "needed" | "optional">): items is Field<unknown, unknown, "needed" | "optional"> {
  return "shape" in items;
}

/** Records are given as the buffers they are kept in. */
function writable(fields: Fields, message: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(message).map(([name, value]) => {
      const shape = fields[name]?.shape;
      if (shape?.kind === "records") return [name, value === null ? null : [value]];
      const isStructs = (shape?.kind === "array" || shape?.kind === "nullableArray") && !isField(shape.items);
      if (!isStructs || value === null) return [name, value];
      const { items } = shape;
      return [name, (value as Record<string, unknown>[]).map((each) => (isField(items) ? each : writable(items, each)))];
    }),
  );
}

/** The bytes of a message, without header. */
export function encode(api: AnyApi, side: "request" | "response", version: number, message: Record<string, unknown>): Buffer {
  const writer = new Writer();
  const codec = side === "request" ? api.requestCodec(version) : api.responseCodec(version);
  codec.write(writer, writable(api[side], message));
  const { length } = writer;
  const bytes = Buffer.concat(writer.finish());
  if (bytes.length !== length) throw new RangeError(`the writer says ${length} bytes, and wrote ${bytes.length}`);
  return bytes;
}

/** The message in `bytes`, and how many bytes follow it. */
export function decode(api: AnyApi, side: "request" | "response", version: number, bytes: Buffer) {
  const reader = new Reader(bytes);
  const codec = side === "request" ? api.requestCodec(version) : api.responseCodec(version);
  const message: Record<string, unknown> = { ...codec.read(reader) };
  return { message, left: reader.left };
}
