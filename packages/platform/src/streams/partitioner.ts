/** Where Kafka's clients put a record with a key by default: murmur2 of the key. What Lambent puts itself goes there too. */

const SEED = 0x9747b28c;
const MULTIPLIER = 0x5bd1e995;

/** The partition of `key` among `count`. */
export function murmur2Partition(key: Uint8Array, count: number): number {
  return (murmur2(key) & 0x7fffffff) % count;
}

function murmur2(bytes: Uint8Array): number {
  let hash = SEED ^ bytes.length;
  const wordsEnd = bytes.length - (bytes.length % 4);
  for (let at = 0; at < wordsEnd; at += 4) {
    let word = Math.imul(
      byte(bytes, at) | (byte(bytes, at + 1) << 8) | (byte(bytes, at + 2) << 16) | (byte(bytes, at + 3) << 24),
      MULTIPLIER,
    );
    word = Math.imul(word ^ (word >>> 24), MULTIPLIER);
    hash = Math.imul(hash, MULTIPLIER) ^ word;
  }
  let rest = 0;
  for (let at = bytes.length - 1; at >= wordsEnd; at -= 1) rest = (rest << 8) | byte(bytes, at);
  if (wordsEnd < bytes.length) hash = Math.imul(hash ^ rest, MULTIPLIER);
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER);
  return hash ^ (hash >>> 15);
}

function byte(bytes: Uint8Array, at: number): number {
  return bytes[at] as number;
}
