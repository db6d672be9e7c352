/** Managed windows: streams reckoned over time, by key, exactly once. */
export { Windows, openWindows } from "./windows.ts";
export type { OutsideParts, UpdateOptions, WindowReport, WindowsParts } from "./windows.ts";
export { whatChanges } from "./changes.ts";
export type { WindowChange } from "./changes.ts";
export { readDeclaration, startOf } from "./declaration.ts";
export type { KeyForm, ManagedWindow, SecretForm, SinkForm, Start, TimeForm, WindowRecord, WindowSource } from "./definition.ts";
export type { AnomalyForm } from "./anomaly-form.ts";
export type { PartitionReport, RunnerReport, SinkReport } from "./engine/report.ts";
export type { WindowCall } from "./sinks/function-sink.ts";
export { WINDOWS_SERVICE } from "./sinks/target-sink.ts";
