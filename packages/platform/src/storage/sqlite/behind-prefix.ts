/** The first byte string behind all that begin with `prefix`. UTF-8 has no byte 0xFF, so adding one never carries. */
export function behindPrefix(prefix: Uint8Array): Uint8Array<ArrayBuffer> {
  if (prefix.length === 0) return Uint8Array.of(0xff);
  const end = new Uint8Array(prefix);
  end[end.length - 1] = (prefix.at(-1) ?? 0) + 1;
  return end;
}
