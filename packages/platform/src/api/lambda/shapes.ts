import { createHash } from "node:crypto";
import type { FunctionConfiguration } from "@aws-sdk/client-lambda";
import type { Instant } from "../../base/index.ts";
import { functionArn, type FunctionView } from "../../functions/index.ts";
import type { FunctionVersion, LoggingSettings, Realm } from "../../model/index.ts";

/** `2026-01-01T00:00:00.000+0000`: how Lambda writes times in functions, layers and provisioned concurrency. */
export function lambdaTime(at: Instant): string {
  return new Date(at).toISOString().replace("Z", "+0000");
}

/** One version as every operation shows it. `qualifier` is what the ARN ends with, undefined for none. */
export function functionConfiguration(realm: Realm, view: FunctionView, qualifier: string | undefined): FunctionConfiguration {
  const { version } = view;
  return {
    FunctionName: version.name,
    FunctionArn: functionArn(realm, version.name, qualifier),
    Version: version.version,
    RevisionId: version.revisionId,
    LastModified: lambdaTime(version.modifiedAt),
    CodeSha256: version.code.sha256,
    CodeSize: version.code.zipBytes,
    ...settingsShape(realm, version),
    ...stateShape(view),
  };
}

function settingsShape(realm: Realm, version: FunctionVersion): FunctionConfiguration {
  return {
    Description: version.description,
    Runtime: version.runtime as NonNullable<FunctionConfiguration["Runtime"]>,
    RuntimeVersionConfig: {
      RuntimeVersionArn: `arn:aws:lambda:${realm.region}::runtime:${createHash("sha256").update(version.runtime).digest("hex")}`,
    },
    Handler: version.handler,
    Role: version.roleArn,
    MemorySize: version.memoryMb,
    Timeout: version.timeoutMs / 1_000,
    EphemeralStorage: { Size: version.tmpMb },
    Environment: Object.keys(version.environment).length > 0 ? { Variables: version.environment } : undefined,
    Layers: version.layers.length > 0 ? version.layers.map((layer) => ({ Arn: layer.arn, CodeSize: layer.code.zipBytes })) : undefined,
    Architectures: [version.architecture],
    LoggingConfig: loggingShape(version.logging),
    TracingConfig: { Mode: version.tracing },
    DeadLetterConfig: version.deadLetterArn === undefined ? undefined : { TargetArn: version.deadLetterArn },
    PackageType: "Zip",
    SnapStart: { ApplyOn: "None", OptimizationStatus: "Off" },
  };
}

/** Levels act on JSON lines only, and are shown only then. */
function loggingShape(logging: LoggingSettings): FunctionConfiguration["LoggingConfig"] {
  const levels = { ApplicationLogLevel: logging.applicationLevel, SystemLogLevel: logging.systemLevel as "DEBUG" | "INFO" | "WARN" };
  return { LogFormat: logging.format, LogGroup: logging.group, ...(logging.format === "JSON" ? levels : {}) };
}

function stateShape({ state, update }: FunctionView): FunctionConfiguration {
  switch (state.kind) {
    case "pending":
      return { State: "Pending", StateReason: "The function is being created.", StateReasonCode: "Creating" };
    case "failed":
      return { State: "Failed", StateReason: state.reason, StateReasonCode: "InternalError", LastUpdateStatus: "Failed" };
    case "active":
      return { State: "Active", ...updateShape(update) };
  }
}

function updateShape(update: FunctionView["update"]): FunctionConfiguration {
  switch (update.kind) {
    case "successful":
      return { LastUpdateStatus: "Successful" };
    case "inProgress":
      return { LastUpdateStatus: "InProgress", LastUpdateStatusReason: "The function is being updated." };
    case "failed":
      return { LastUpdateStatus: "Failed", LastUpdateStatusReason: update.reason, LastUpdateStatusReasonCode: "InternalError" };
  }
}
