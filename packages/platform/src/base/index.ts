/** Ground: what every part stands on and that stands on nothing. */
export { systemClock, delay } from "./clock.ts";
export type { Clock, Instant, MonotonicMs, Timer } from "./clock.ts";
export { ManualClock } from "./manual-clock.ts";
export { systemSecureRandom, seededRandom, randomBelow, freshSeed } from "./random.ts";
export type { Random, SecureRandom } from "./random.ts";
export { timeOfId, timeOrderedId } from "./ids.ts";
export { LambentError, isLambentError } from "./errors.ts";
export type { ErrorDetails } from "./errors.ts";
export { ERROR_CATALOGUE } from "./error-catalogue.ts";
export type { ErrorCode, ErrorEntry, Fault } from "./error-catalogue.ts";
export { failpoint, FAILPOINTS } from "./failpoint.ts";
export type { Failpoint } from "./failpoint.ts";
export { unreachable, invariant } from "./unreachable.ts";
export { Lru } from "./lru.ts";
export { TextBuffer } from "./text-buffer.ts";
export { nodeHttp } from "./node-http.ts";
export { deferred } from "./deferred.ts";
export type { Deferred } from "./deferred.ts";
