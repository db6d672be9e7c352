import type { CreateFunctionRequest, LoggingConfig, UpdateFunctionConfigurationRequest } from "@aws-sdk/client-lambda";
import { LambentError } from "../../base/index.ts";
import type { SettingsInput } from "../../functions/index.ts";
import type { LoggingSettings } from "../../model/index.ts";

type SettingsRequest =
  | Omit<CreateFunctionRequest, "Code" | "Role" | "FunctionName" | "Publish" | "Tags">
  | UpdateFunctionConfigurationRequest;

/** The settings of a request in our own units and names. Refuses those whose effect is not built. */
export function settingsInput(request: SettingsRequest & { readonly Role?: string | undefined }): SettingsInput {
  refuseUnbuiltSettings(request);
  return {
    description: request.Description,
    runtime: request.Runtime,
    handler: request.Handler,
    roleArn: request.Role,
    memoryMb: request.MemorySize,
    timeoutMs: request.Timeout === undefined ? undefined : request.Timeout * 1_000,
    tmpMb: request.EphemeralStorage?.Size,
    environment: request.Environment === undefined ? undefined : (request.Environment.Variables ?? {}),
    architecture: "Architectures" in request ? request.Architectures?.[0] : undefined,
    logging: request.LoggingConfig === undefined ? undefined : loggingInput(request.LoggingConfig),
    tracing: request.TracingConfig?.Mode,
    deadLetterArn: request.DeadLetterConfig === undefined ? undefined : (request.DeadLetterConfig.TargetArn ?? ""),
  };
}

function loggingInput(logging: LoggingConfig): Partial<LoggingSettings> {
  const { LogFormat, ApplicationLogLevel, SystemLogLevel, LogGroup } = logging;
  return {
    ...(LogFormat === undefined ? {} : { format: LogFormat }),
    ...(ApplicationLogLevel === undefined ? {} : { applicationLevel: ApplicationLogLevel }),
    ...(SystemLogLevel === undefined ? {} : { systemLevel: SystemLogLevel }),
    ...(LogGroup === undefined ? {} : { group: LogGroup }),
  };
}

const UNBUILT: readonly string[] = [
  "CapacityProviderConfig",
  "CodeSigningConfigArn",
  "DurableConfig",
  "FileSystemConfigs",
  "ImageConfig",
  "KMSKeyArn",
  "PublishTo",
  "TenancyConfig",
  "VpcConfig",
];

/** Tools send many members empty; only one that asks for something is refused. */
function refuseUnbuiltSettings(request: object): void {
  const members = new Map<string, unknown>(Object.entries(request));
  const asked = UNBUILT.find((member) => asksForSomething(members.get(member)));
  if (asked !== undefined) throw new LambentError("NotImplemented", `${asked} is not built in Lambent.`);
  if (members.get("PackageType") === "Image") throw new LambentError("NotImplemented", "PackageType Image is not built in Lambent.");
  const snapStart = members.get("SnapStart");
  if (typeof snapStart === "object" && snapStart !== null && "ApplyOn" in snapStart && snapStart.ApplyOn === "PublishedVersions") {
    throw new LambentError("NotImplemented", "SnapStart is not built in Lambent; instances start from a pool instead.");
  }
}

function asksForSomething(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return false;
  if (typeof value !== "object") return true;
  return Object.values(value).some(asksForSomething);
}
