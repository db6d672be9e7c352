import { type Codec, compile } from "./codec.ts";
import type { Fields } from "./fields.ts";

export {
  array,
  arrayOf,
  bigInt64,
  bool,
  bytes,
  int16,
  int32,
  int64,
  int8,
  nullableArray,
  nullableArrayOf,
  nullableString,
} from "./fields.ts";
export { records, string, uuid } from "./fields.ts";

interface ApiTable<Request extends Fields, Response extends Fields> {
  readonly key: number;
  readonly name: string;
  /** First and last version that are spoken. */
  readonly versions: readonly [number, number];
  /** From this version on lengths are short and tagged fields may follow; `Infinity` for none. */
  readonly flexibleFrom: number;
  readonly request: Request;
  readonly response: Response;
}

/** One request and its answer, in all versions that are spoken. */
export interface Api<Request extends Fields, Response extends Fields> extends ApiTable<Request, Response> {
  isFlexible(version: number): boolean;
  requestCodec(version: number): Codec<Request>;
  responseCodec(version: number): Codec<Response>;
}

/** An API from its table; what reads and writes a version is made when that is first spoken. */
export function api<Request extends Fields, Response extends Fields>(table: ApiTable<Request, Response>): Api<Request, Response> {
  const isFlexible = (version: number): boolean => version >= table.flexibleFrom;
  const kept = <S extends Fields>(fields: S): ((version: number) => Codec<S>) => {
    const codecs = new Map<number, Codec<S>>();
    return (version) => {
      const codec = codecs.get(version) ?? compile(fields, version, isFlexible(version));
      codecs.set(version, codec);
      return codec;
    };
  };
  return { ...table, isFlexible, requestCodec: kept(table.request), responseCodec: kept(table.response) };
}
