import type { Clock, Instant } from "./clock.ts";
import type { SecureRandom } from "./random.ts";

/**
 * A time-ordered UUID (version 7, RFC 9562): sorts by creation, so rows keyed by it are appended, not scattered.
 * For identifiers inside; request ids at the edge are plain version 4 (`SecureRandom.uuid`).
 */
export function timeOrderedId(clock: Clock, secure: SecureRandom): string {
  const bytes = secure.bytes(16);
  bytes.writeUIntBE(clock.now(), 0, 6);
  bytes[6] = (bytes.readUInt8(6) & 0x0f) | 0x70;
  bytes[8] = (bytes.readUInt8(8) & 0x3f) | 0x80;
  const hex = bytes.toString("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** When a time-ordered id was made, milliseconds. */
export function timeOfId(id: string): Instant {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
