/**
 * Orders two strings as their UTF-8 bytes do, without encoding them.
 *
 * UTF-16 order differs only where a surrogate meets a unit from U+E000 on: `"\u{10000}"` (units D800 DC00) is behind
 * `"\uFFFF"` in UTF-8 and before it in UTF-16.
 */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return raised(a) - raised(b);
  }
  return left.length - right.length;
}

/** Lifts surrogates above every other unit, where their code points are. */
function raised(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}
