/**
 * Which topics a member of a `consumer` group names in what it says of itself. The bytes are the clients' own agreement,
 * so what does not read as one says nothing.
 */
const VERSION_BYTES = 2;
const COUNT_BYTES = 4;
const LENGTH_BYTES = 2;

/** Topics of a subscription; undefined for bytes that are none. */
export function subscribedTopics(metadata: Buffer): readonly string[] | undefined {
  if (metadata.length < VERSION_BYTES + COUNT_BYTES) return undefined;
  const count = metadata.readInt32BE(VERSION_BYTES);
  let at = VERSION_BYTES + COUNT_BYTES;
  // A topic has its length at least.
  if (count < 0 || count > (metadata.length - at) / LENGTH_BYTES) return undefined;
  const topics: string[] = [];
  for (let index = 0; index < count; index++) {
    if (at + LENGTH_BYTES > metadata.length) return undefined;
    const length = metadata.readInt16BE(at);
    at += LENGTH_BYTES;
    if (length < 0 || at + length > metadata.length) return undefined;
    topics.push(metadata.toString("utf8", at, at + length));
    at += length;
  }
  return topics;
}
