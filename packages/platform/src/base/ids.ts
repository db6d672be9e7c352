import { createHash } from "node:crypto";
import type { Clock, Instant } from "./clock.ts";
import type { SecureRandom } from "./random.ts";

/** The part of an id that says when, of the last millisecond asked for: under load many ids share one. */
let lastAt: Instant = -1;
let lastPrefix = "";

/**
 * A time-ordered UUID (version 7, RFC 9562): sorts by creation, so rows keyed by it are appended, not scattered.
 * Its 74 random bits are those of a version 4 one, which the system hands out cheaply: every request gets an id.
 */
export function timeOrderedId(clock: Clock, secure: SecureRandom): string {
  const at = clock.now();
  if (at !== lastAt) {
    const time = at.toString(16).padStart(12, "0");
    lastPrefix = `${time.slice(0, 8)}-${time.slice(8)}-7`;
    lastAt = at;
  }
  return lastPrefix + secure.uuid().slice(15);
}

/** A time-ordered id that follows from what it is for: the same one again, behind a crash, for the same. */
export function derivedId(at: Instant, of: string): string {
  const time = at.toString(16).padStart(12, "0");
  const digest = createHash("sha256").update(of).digest("hex");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${digest.slice(0, 3)}-8${digest.slice(3, 6)}-${digest.slice(6, 18)}`;
}

/** When a time-ordered id was made, milliseconds. */
export function timeOfId(id: string): Instant {
  return Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
}
