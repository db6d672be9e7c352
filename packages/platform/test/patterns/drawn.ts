/** Patterns and events to be drawn: few keys and short words, so that they often match. */
import fc from "fast-check";

export type Primitive = null | boolean | number | string;
export type Json = Primitive | readonly Json[] | { readonly [key: string]: Json };
export type Pattern = { readonly [key: string]: Pattern | readonly Json[] };

const keys = fc.constantFrom("a", "b");
export const words = fc.stringMatching(/^[ab]{0,3}$/u);
export const values = fc.oneof(words, fc.integer({ min: 0, max: 3 }), fc.boolean(), fc.constant(null));

export const event = eventsOf(values);

/** Events that have these values. */
export function eventsOf(drawn: fc.Arbitrary<Primitive>): fc.Arbitrary<Json> {
  return fc.letrec<{ event: Json; value: Json }>((tie) => ({
    event: fc.dictionary(keys, tie("value"), { maxKeys: 3 }),
    value: fc.oneof({ maxDepth: 3, depthSize: "small" }, drawn, fc.array(tie("value"), { maxLength: 2 }), tie("event")),
  })).event;
}

/** Patterns whose leaves have these entries, some with `$or`. */
export function patternsOf(entries: fc.Arbitrary<Json>): fc.Arbitrary<Pattern> {
  return fc.letrec<{ pattern: Pattern; plain: Pattern }>((tie) => ({
    plain: fc.dictionary(
      keys,
      fc.oneof({ maxDepth: 3, depthSize: "small" }, fc.array(entries, { minLength: 1, maxLength: 2 }), tie("plain")),
      { minKeys: 1, maxKeys: 2 },
    ),
    pattern: fc.oneof(
      tie("plain"),
      fc
        .tuple(tie("plain"), fc.array(tie("plain"), { minLength: 2, maxLength: 3 }))
        .map(([first, $or]) => ({ ...(first as object), $or }) as unknown as Pattern),
    ),
  })).pattern;
}
