/** The first byte string behind all that begin with `prefix`. UTF-8 has no byte 0xFF, so adding one never carries. */
export function behindPrefix(prefix: Uint8Array): Buffer {
  const end = Buffer.from(prefix.length === 0 ? [0xff] : prefix);
  if (prefix.length > 0) end.writeUInt8(end.readUInt8(end.length - 1) + 1, end.length - 1);
  return end;
}
