/**
 * Anomaly detection in a stream of numbers: one interface, four ways of knowing what is usual. Without dependencies, clock or
 * ambient chance; memory is bounded for each detector, so one for each key can be had.
 *
 *     const checked = checkDetectorSpec({ kind: "robustZ" });
 *     if (checked.kind === "invalid") return checked.why;
 *     const detector = detectorOf(checked.spec);
 *     const { isAnomaly, why } = detector.score(31.2, time);
 */
export { checkDetectorSpec } from "./spec.ts";
export type { CheckedDetectorSpec, DetectorKind, DetectorSpec } from "./spec.ts";
export { detectorOf, restoreDetector } from "./detector-of.ts";
export type { Detector, Scored } from "./detector.ts";
export { PARAMETERS } from "./defaults.ts";
export type { Parameter } from "./defaults.ts";
