import type { DetectorSpec } from "@lambent/sdk/anomaly";
import type { SinkForm } from "./definition.ts";

/** What is unusual for its key is told. */
export interface AnomalyForm {
  /** `value`: each record's; else the name of an aggregate, of each result. */
  readonly of: string;
  readonly detector: DetectorSpec;
  /** What gets those that are anomalies. */
  readonly sinks: readonly SinkForm[];
}
