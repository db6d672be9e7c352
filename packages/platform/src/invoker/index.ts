/** Running calls: admission, limits, deadlines, what the caller sees of an ending. */
export { ADMISSION_WAIT_MS, Invoker } from "./invoker.ts";
export type { EndedCall, InvokeOutcome, InvokeRequest, InvokerDependencies } from "./invoker.ts";
export { answerOf } from "./record.ts";
export type { Answer } from "./record.ts";
export type { ThrottleReason } from "./concurrency.ts";
