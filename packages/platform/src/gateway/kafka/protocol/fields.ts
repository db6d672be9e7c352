/** The types that messages are written down in: a message is an object of fields, and a field says in which versions it is there. */

/** In which versions of its API a field is there. */
export interface Span {
  readonly from?: number;
  /** The last one. */
  readonly until?: number;
}

type PrimitiveKind =
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "bigInt64"
  | "bool"
  | "string"
  | "nullableString"
  | "bytes"
  | "nullableBytes"
  | "records"
  | "uuid";

export type Shape =
  | { readonly kind: PrimitiveKind }
  | { readonly kind: "array" | "nullableArray"; readonly items: Fields | Field<unknown, unknown, Need> };

/** Whether a writer must give it. What is there in some versions only, or has a value for those who say nothing, may be left out. */
type Need = "needed" | "optional";

export interface Field<Read, Written, Needed extends Need> {
  readonly shape: Shape;
  readonly span: Span & { readonly nullableFrom?: number };
  /** Its value where it is not there. */
  readonly otherwise: unknown;
  /** For the compiler only. */
  readonly types?: { readonly read: Read; readonly written: Written; readonly needed: Needed };
}

export type Fields = Readonly<Record<string, Field<unknown, unknown, Need>>>;

type ReadOf<F> = F extends Field<infer Read, unknown, Need> ? Read : never;
type NeededKeys<S> = { [K in keyof S]: S[K] extends Field<unknown, unknown, infer N> ? (N extends "needed" ? K : never) : never }[keyof S];
type WrittenOf<F> = F extends Field<unknown, infer Written, Need> ? Written : never;

/** A message as it is read: every member is there. */
export type Decoded<S> = { readonly [K in keyof S]: ReadOf<S[K]> };
/** A message as it is given to be written. */
export type Encodable<S> = { readonly [K in NeededKeys<S>]: WrittenOf<S[K]> } & {
  readonly [K in Exclude<keyof S, NeededKeys<S>>]?: WrittenOf<S[K]> | undefined;
};

type Making<T, Options> = {
  (): Field<T, T, "needed">;
  (options: Options): Field<T, T, "optional">;
};

function primitive<T>(kind: PrimitiveKind, absent: T): Making<T, Span & { readonly otherwise?: T }> {
  return (options: Span & { readonly otherwise?: T } = {}) => ({
    shape: { kind },
    span: options,
    otherwise: options.otherwise === undefined ? absent : options.otherwise,
  });
}

function nullable<T>(kind: PrimitiveKind) {
  return (options: Span & { readonly nullableFrom?: number } = {}): Field<T | null, T | null, "optional"> => ({
    shape: { kind },
    span: options,
    otherwise: null,
  });
}

export const int8 = primitive<number>("int8", 0);
export const int16 = primitive<number>("int16", 0);
export const int32 = primitive<number>("int32", 0);
/** 64 bits as a number: for positions and times. */
export const int64 = primitive<number>("int64", 0);
export const bigInt64 = primitive<bigint>("bigInt64", -1n);
export const bool = primitive<boolean>("bool", false);
export const string = primitive<string>("string", "");
export const nullableString = nullable<string>("nullableString");
export const bytes = primitive<Uint8Array>("bytes", Buffer.alloc(0));
export const uuid = primitive<string>("uuid", "00000000-0000-0000-0000-000000000000");

/** Record batches: read as a view of the frame, written as the buffers they are kept in. */
export function records(): Field<Buffer | null, readonly Uint8Array[] | null, "optional"> {
  return { shape: { kind: "records" }, span: {}, otherwise: null };
}

type Structs<S> = [readonly Decoded<S>[], readonly Encodable<S>[]];

export function array<S extends Fields>(items: S): Field<Structs<S>[0], Structs<S>[1], "needed">;
export function array<S extends Fields>(items: S, span: Span): Field<Structs<S>[0], Structs<S>[1], "optional">;
export function array(items: Fields, span: Span = {}): Field<unknown, unknown, Need> {
  return { shape: { kind: "array", items }, span, otherwise: [] };
}

export function nullableArray<S extends Fields>(
  items: S,
  span: Span & { readonly nullableFrom?: number } = {},
): Field<Structs<S>[0] | null, Structs<S>[1] | null, "optional"> {
  return { shape: { kind: "nullableArray", items }, span, otherwise: null };
}

export function arrayOf<R, W, N extends Need>(items: Field<R, W, N>): Field<readonly R[], readonly W[], "needed">;
export function arrayOf<R, W, N extends Need>(items: Field<R, W, N>, span: Span): Field<readonly R[], readonly W[], "optional">;
export function arrayOf(items: Field<unknown, unknown, Need>, span: Span = {}): Field<unknown, unknown, Need> {
  return { shape: { kind: "array", items }, span, otherwise: [] };
}

export function nullableArrayOf<R, W, N extends Need>(
  items: Field<R, W, N>,
  span: Span & { readonly nullableFrom?: number } = {},
): Field<readonly R[] | null, readonly W[] | null, "optional"> {
  return { shape: { kind: "nullableArray", items }, span, otherwise: null };
}
