import { unreachable } from "../base/index.ts";
import type { CallEnding, FunctionVersion } from "../model/index.ts";
import { exitErrorPayload, timedOutPayload } from "../runtime/index.ts";

/**
 * What Lambda's users see of a call: its answer, and the platform's own log lines.
 * Forms as AWS documents them ("Lambda function errors", "Log message format").
 */

/** The answer's payload, and the value of `X-Amz-Function-Error` when it is an error. */
export interface Answer {
  readonly payload: Buffer;
  readonly functionError: "Unhandled" | undefined;
}

/** The payload a synchronous caller receives for `ending`. */
export function answerOf(ending: CallEnding, requestId: string, timeoutMs: number): Answer {
  switch (ending.kind) {
    case "handled":
      return { payload: ending.payload, functionError: undefined };
    case "functionError":
      return { payload: ending.payload, functionError: "Unhandled" };
    case "timedOut":
      return { payload: timedOutPayload(requestId, timeoutMs), functionError: "Unhandled" };
    case "instanceLost":
      return { payload: exitErrorPayload(requestId, ending.departure), functionError: "Unhandled" };
    default:
      return unreachable(ending);
  }
}

/** Figures of one call's REPORT line. */
export interface ReportFigures {
  readonly durationMs: number;
  readonly billedMs: number;
  readonly initMs: number;
  readonly maxMemoryMb: number;
}

/** AWS bills whole milliseconds, rounded up; init belongs to the first call of an on-demand instance. */
export function billedMsOf(durationMs: number, initMs: number): number {
  return Math.max(1, Math.ceil(durationMs + initMs));
}

export function startLine(version: FunctionVersion, requestId: string, at: number): string {
  if (version.logging.format === "JSON") {
    return platformEvent(at, "platform.start", { requestId, version: version.version });
  }
  return `START RequestId: ${requestId} Version: ${version.version}`;
}

/** END and REPORT in text; one `platform.report` in JSON. A time-out adds its own line, as on AWS. */
export function endLines(version: FunctionVersion, requestId: string, ending: CallEnding, figures: ReportFigures, at: number): string[] {
  if (version.logging.format === "JSON") {
    const metrics = {
      durationMs: round(figures.durationMs),
      billedDurationMs: figures.billedMs,
      memorySizeMB: version.memoryMb,
      maxMemoryUsedMB: figures.maxMemoryMb,
      ...(figures.initMs > 0 ? { initDurationMs: round(figures.initMs) } : {}),
    };
    return [platformEvent(at, "platform.report", { requestId, metrics, status: statusOf(ending) })];
  }
  const lines = [`END RequestId: ${requestId}`, reportLine(version, requestId, figures, statusOf(ending))];
  if (ending.kind === "timedOut") {
    lines.push(`${new Date(at).toISOString()} ${requestId} Task timed out after ${(version.timeoutMs / 1_000).toFixed(2)} seconds`);
  }
  return lines;
}

function reportLine(version: FunctionVersion, requestId: string, figures: ReportFigures, status: string): string {
  const parts = [
    `REPORT RequestId: ${requestId}`,
    `Duration: ${figures.durationMs.toFixed(2)} ms`,
    `Billed Duration: ${figures.billedMs} ms`,
    `Memory Size: ${version.memoryMb} MB`,
    `Max Memory Used: ${figures.maxMemoryMb} MB`,
  ];
  if (figures.initMs > 0) parts.push(`Init Duration: ${figures.initMs.toFixed(2)} ms`);
  if (status === "timeout" || status === "error") parts.push(`Status: ${status}`);
  return `${parts.join("\t")}\t`;
}

/** `success`, `failure` (the handler failed), `error` (the runtime was lost), `timeout`: the values of `platform.report`. */
function statusOf(ending: CallEnding): string {
  switch (ending.kind) {
    case "handled":
      return "success";
    case "functionError":
      return "failure";
    case "instanceLost":
      return "error";
    case "timedOut":
      return "timeout";
    default:
      return unreachable(ending);
  }
}

function platformEvent(at: number, type: string, record: object): string {
  return JSON.stringify({ time: new Date(at).toISOString(), type, record });
}

function round(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
