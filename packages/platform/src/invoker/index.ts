/** Running calls: admission, limits, deadlines, what the caller sees of an ending. */
export { ADMISSION_WAIT_MS, Invoker } from "./invoker.ts";
export type { EndedCall, InvokeOutcome, InvokeRequest, InvokerDependencies } from "./invoker.ts";
export { answerOf } from "./record.ts";
export type { Answer } from "./record.ts";
export type { ThrottleReason } from "./concurrency.ts";
export { traceHeaderOf } from "./trace-header.ts";
export { ASYNC_CELL_KIND, ASYNC_PAYLOAD_BYTES_MAX, asyncCell, AsyncInvoker } from "./async/async-invoker.ts";
export type { AsyncInvokerParts, AsyncRequest, OutcomeOutbox } from "./async/async-invoker.ts";
export { decodeOutcome } from "./async/outcome.ts";
export type { InvocationOutcome } from "./async/outcome.ts";
export { eventOf, hopsOf, newTraceHeader, RECURSION_HOPS_MAX, withEvent, withHop } from "./trace-header.ts";
