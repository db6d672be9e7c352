/** Running calls: admission, limits, deadlines, what the caller sees of an ending. */
export { ADMISSION_WAIT_MS, IN_FLIGHT_BYTES_MAX, Invoker } from "./invoker.ts";
export type { EndedCall, InvokeOutcome, InvokeRequest, InvokerDependencies, ThrottleReason } from "./invoker.ts";
export { answerOf, billedMsOf } from "./record.ts";
export type { Answer } from "./record.ts";
export { Concurrency } from "./concurrency.ts";
