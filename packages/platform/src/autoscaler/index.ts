/** How many instances each version has. */
export { Autoscaler, DEFAULT_SETTINGS } from "./autoscaler.ts";
export type { AutoscalerDependencies, AutoscalerSettings, ConcurrencyLimits, FleetReport } from "./autoscaler.ts";
export { decide, forDebugger } from "./decide.ts";
export type { Decision, Observation, ScalingPolicy, ScalingReason } from "./decide.ts";
export { DECISION_LOG_RECORDS_MAX, DecisionLog } from "./decision-log.ts";
export type { DecisionCost, DecisionRecord } from "./decision-log.ts";
export { Fleet } from "./fleet.ts";
export type { Demand, FleetUser, StartPermits } from "./fleet.ts";
