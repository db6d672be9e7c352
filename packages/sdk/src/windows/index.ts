/** Windows over streams of records: pure, without a clock, usable inside a function as well as by the platform. */
export { checkWindowDefinition } from "./check-definition.ts";
export type { CheckedDefinition, DefinitionFault } from "./check-definition.ts";
export { isTimed } from "./definition.ts";
export type {
  AggregateSpec,
  CountOrder,
  JsonValue,
  SimpleAggregate,
  TriggerSpec,
  WindowDefinition,
  WindowLimits,
  WindowSpec,
} from "./definition.ts";
export { KeyedWindows } from "./keyed-windows.ts";
export type { WindowsCounts, WindowsSize } from "./keyed-windows.ts";
export { maxOf, meanOf, minOf, sumOf, varianceOf } from "./operations.ts";
export type { Pane, SetAside, SetAsideReason, WindowBounds, WindowOutput } from "./output.ts";
export { SNAPSHOT_BLOCK_BYTES_MAX, SnapshotFault } from "./blocks.ts";
export { SlidingAggregate } from "./sliding-aggregate.ts";
export type { Operation, Reach } from "./sliding-aggregate.ts";
export { whatChanges } from "./what-changes.ts";
export type { DefinitionChange } from "./what-changes.ts";
