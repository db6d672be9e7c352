/** What may be an object's key. */
import { LambentError } from "../base/index.ts";

/** Bytes of a key, in UTF-8. @limit */
export const KEY_BYTES_MAX = 1_024;

/** Refuses what is no key with `InvalidParameter`. */
export function checkKey(key: string): void {
  if (key === "") throw new LambentError("InvalidParameter", "A key has at least one character.", { what: "argument", argument: "key" });
  // Every unit is at most three bytes of UTF-8: short keys need no count.
  const bytes = key.length * 3 <= KEY_BYTES_MAX ? key.length : Buffer.byteLength(key);
  if (bytes > KEY_BYTES_MAX)
    throw new LambentError("InvalidParameter", `The key has ${bytes} bytes; at most ${KEY_BYTES_MAX} are allowed.`, {
      what: "keyTooLong",
      bytes,
      bytesMax: KEY_BYTES_MAX,
    });
  if (key.includes("\0"))
    throw new LambentError("InvalidParameter", "The key has a NUL character, which no key may have.", { what: "uri" });
  if (!key.isWellFormed())
    throw new LambentError("InvalidParameter", "The key is not well-formed Unicode: it has a lone surrogate.", { what: "uri" });
}

/** The text behind which no key is that begins with `prefix`: what a listing goes on behind when it leaves them out. */
export function behindAll(prefix: string): string {
  const room = Math.max(0, KEY_BYTES_MAX + 1 - Buffer.byteLength(prefix));
  return prefix + "\u{10FFFF}".repeat(Math.ceil(room / 4));
}
