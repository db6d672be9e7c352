/** Instances: processes assigned to one version each, for Node, Python and custom runtimes. */
export { openRuntimeHost } from "./host.ts";
export type { RuntimeHostParts } from "./host.ts";
export { Inspections, INSPECTIONS_MAX } from "./inspection/inspections.ts";
export type { HeldInspection, InspectionRequest } from "./inspection/inspections.ts";
export type { DebuggerNews, DebuggerProtocol } from "./inspection/inspection.ts";
export { findPythons } from "./python-interpreters.ts";
export type { PythonInterpreter } from "./python-interpreters.ts";
export { exitErrorPayload, timedOutPayload } from "./endings.ts";
export { POOL_READY_MAX } from "./pool-size.ts";
export { initTimeoutMs } from "./runtime.ts";
export type { CallReport, Initialization, Instance, RuntimeHost, StartEnding } from "./runtime.ts";
