import {
  asPayload,
  blob,
  boolean,
  defineService,
  inPath,
  integer,
  list,
  map,
  operation,
  optional,
  secret,
  serviceData,
  string,
  structure,
  timestamp,
  type ServiceModel,
  type TypeOf,
} from "../../wire/index.ts";
import { codePath, LAMBENT_METADATA } from "../own-service.ts";
import { EVENT_OPERATIONS } from "./event-schema.ts";
import { QUERY_OPERATIONS } from "./query-schema.ts";
import { STREAM_OPERATIONS } from "./stream-schema.ts";
import { WEBHOOK_OPERATIONS } from "./webhook-schema.ts";
import { WINDOW_OPERATIONS } from "./window-schema.ts";
import { fieldChange, WIRING_MEMBERS, wiringChange } from "./wiring-schema.ts";

/** The schema of Lambent's own API: restJson under `/_lambent/v1`, signed as service `lambent`. */

const functionName = () => string({ pattern: "[A-Za-z0-9_-]{1,64}" });
const appName = () => string({ pattern: "[A-Za-z0-9_-]{1,64}" });

const flowText = () => string({ min: 1, max: 256 });

const urlShape = structure("FunctionUrl", {
  /** `OFF`: there shall be none. */
  Mode: string({ enum: ["OFF", "NONE", "AWS_IAM"] }),
  InvokeMode: optional(string({ enum: ["BUFFERED", "RESPONSE_STREAM"] })),
});

const wantedFunction = structure("WantedFunction", {
  FunctionName: functionName(),
  Runtime: string({ min: 1, max: 64 }),
  Handler: string({ min: 1, max: 128 }),
  /** SHA-256 of the zip, base64. */
  CodeSha256: string({ min: 44, max: 44 }),
  Description: optional(string({ max: 256 })),
  MemorySize: optional(integer({ min: 128, max: 10_240 })),
  TimeoutMs: optional(integer({ min: 1_000, max: 900_000 })),
  TmpSize: optional(integer({ min: 512, max: 10_240 })),
  Environment: optional(secret(map(string(), { max: 1_000 }))),
  Concurrency: optional(integer({ min: 1, max: 1_000 })),
  /** Flow control of asynchronous invocations, all of it; left out: stays as it is. */
  Async: optional(
    structure("AsyncFlow", {
      Concurrency: optional(flowText()),
      Rate: optional(flowText()),
      Debounce: optional(flowText()),
      Priority: optional(flowText()),
      Idempotency: optional(flowText()),
    }),
  ),
  HandlerStyle: optional(string({ enum: ["lambda", "web", "fetch", "functions-framework", "cloudevent"] })),
  Role: optional(string({ max: 2_048 })),
  /** Left out: stays as it is. */
  Url: optional(urlShape),
});

const deploymentMembers = {
  /** Without one, nothing is remembered and nothing removed. */
  App: optional(appName()),
  Functions: list(wantedFunction, { min: 1, max: 200 }),
  ...WIRING_MEMBERS,
  /** Leaves functions alone that a person changed, or that came another way. */
  OnlyUntouched: optional(boolean()),
  /** Takes over functions that are there and came another way, or from another application. */
  Adopt: optional(boolean()),
  /** Where the document lies, when `App` is only its folder's name. */
  Origin: optional(string({ max: 4_096 })),
};

const change = structure("Change", {
  Kind: string({ enum: ["createFunction", "updateCode", "updateSettings", "setUrl", "removeUrl", "removeFunction"] }),
  FunctionName: functionName(),
  Fields: optional(list(fieldChange)),
});
const deployedFunction = structure("DeployedFunction", {
  FunctionName: functionName(),
  Runtime: string(),
  /** What this machine runs it on, where that is not exactly the runtime named. */
  RuntimeNote: optional(string()),
  Handler: string(),
  MemorySize: integer(),
  TimeoutMs: integer(),
  Url: optional(string()),
  UrlAuthType: optional(string()),
});

const planRequest = structure("PlanAppRequest", deploymentMembers);
const planResponse = structure("PlanAppResponse", { Changes: list(change), Kept: list(functionName()), Wiring: list(wiringChange) });
const deployRequest = structure("DeployAppRequest", {
  ...deploymentMembers,
  /** Zips by function name, base64; those whose code does not change may be left out. */
  Archives: optional(map(blob())),
});
const deployResponse = structure("DeployAppResponse", {
  Changes: list(change),
  Kept: list(functionName()),
  Functions: list(deployedFunction),
  Wiring: list(wiringChange),
});

const remarks = () => list(string());
const statusResponse = structure("GetStatusResponse", {
  Version: string(),
  Pid: integer(),
  StartedAt: timestamp(),
  UptimeMs: integer(),
  Region: string(),
  Account: string(),
  /** Absent with `--memory`. */
  DataFolder: optional(string()),
  /** `fsync`, `replicated` or `memory`. */
  Durability: string(),
  Sandbox: structure("SandboxStatus", { Kind: string(), Confined: boolean(), Network: string(), Remarks: remarks() }),
  Runtimes: list(structure("RuntimeStatus", { Runtime: string(), Note: optional(string()) })),
  FunctionCount: integer(),
  InstanceCount: integer(),
  /** Started processes that wait for a function. */
  PoolReady: integer(),
  /** Where Kafka clients come in; absent where they do not. */
  KafkaAddress: optional(string()),
});

const followRequest = structure("FollowLogsRequest", { FunctionName: inPath(functionName()) });
/** One JSON document a line: `{"following"}` first, then `{"at","instance","version","requestId"?,"text"}`, or `{"dropped"}`. */
const followResponse = structure("FollowLogsResponse", { Lines: asPayload(blob()) });

const debugRequest = structure("DebugFunctionRequest", {
  FunctionName: inPath(functionName()),
  /** On the loopback of the server's machine; 0 or left out picks a free one. */
  Port: optional(integer({ min: 0, max: 65_535 })),
});
/**
 * One JSON document a line, until the caller leaves: `{"debugging","address"}` first, then for every instance
 * `{"debugger","instance"}` (`inspector` or `debugpy`) or `{"missing"}`.
 */
const debugResponse = structure("DebugFunctionResponse", { Lines: asPayload(blob()) });

const codeRequest = structure("GetCodeRequest", { Sha256: inPath(string({ pattern: "[A-Za-z0-9_-]{43}" })) });
/** The zip as it was uploaded. */
const codeResponse = structure("GetCodeResponse", { Zip: asPayload(blob()) });

const backupRequest = structure("BackupDataRequest", {
  /** An absolute path on the server's machine: absent, or an empty folder. */
  Target: string({ min: 2, max: 4_096, pattern: "/.*" }),
});
const backupResponse = structure("BackupDataResponse", {
  Target: string(),
  Files: integer(),
  Bytes: integer(),
  Cells: integer(),
  Rows: integer(),
  Bodies: integer(),
  ObjectFiles: integer(),
});

const verifyResponse = structure("VerifyDataResponse", {
  Cells: integer(),
  Rows: integer(),
  Bytes: integer(),
  Bodies: integer(),
  BodyBytes: integer(),
  /** Bodies that no row refers to; no fault, they are swept. */
  UnreferencedBodies: integer(),
  /** Files that objects, or parts of uploads, are in. */
  ObjectFiles: integer(),
  ObjectBytes: integer(),
  /** On their way in or out; no fault, their rows say so. */
  UnreferencedObjectFiles: integer(),
  FaultCount: integer(),
  /** The first thousand. */
  Faults: list(structure("VerifyFault", { Kind: string({ enum: ["store", "cell", "blob", "object"] }), Name: string(), What: string() })),
});

export type PlanAppRequest = TypeOf<typeof planRequest>;
export type PlanAppResponse = TypeOf<typeof planResponse>;
export type DeployAppRequest = TypeOf<typeof deployRequest>;
export type DeployAppResponse = TypeOf<typeof deployResponse>;
export type WantedFunctionShape = TypeOf<typeof wantedFunction>;
export type ChangeShape = TypeOf<typeof change>;
export type DeployedFunctionShape = TypeOf<typeof deployedFunction>;
export type GetStatusResponse = TypeOf<typeof statusResponse>;
export type FollowLogsRequest = TypeOf<typeof followRequest>;
export type DebugFunctionRequest = TypeOf<typeof debugRequest>;
export type BackupDataRequest = TypeOf<typeof backupRequest>;
export type BackupDataResponse = TypeOf<typeof backupResponse>;
export type VerifyDataResponse = TypeOf<typeof verifyResponse>;
export type GetCodeRequest = TypeOf<typeof codeRequest>;

/** The model of the service, made anew at each call. */
export function lambentModel(): ServiceModel {
  return defineService(
    serviceData(LAMBENT_METADATA, [
      operation("GetStatus", "GET", "/_lambent/v1/status", { output: statusResponse }),
      operation("BackupData", "POST", "/_lambent/v1/backup", { input: backupRequest, output: backupResponse }),
      operation("VerifyData", "POST", "/_lambent/v1/verify", { output: verifyResponse }),
      operation("PlanApp", "POST", "/_lambent/v1/apps/plan", { input: planRequest, output: planResponse }),
      operation("DeployApp", "POST", "/_lambent/v1/apps/deploy", { input: deployRequest, output: deployResponse }),
      operation("GetCode", "GET", codePath("{Sha256}"), { input: codeRequest, output: codeResponse }),
      operation("DebugFunction", "POST", "/_lambent/v1/functions/{FunctionName}/debugger", { input: debugRequest, output: debugResponse }),
      ...EVENT_OPERATIONS,
      ...WEBHOOK_OPERATIONS,
      ...QUERY_OPERATIONS,
      ...STREAM_OPERATIONS,
      ...WINDOW_OPERATIONS,
      operation("FollowLogs", "GET", "/_lambent/v1/functions/{FunctionName}/logs", { input: followRequest, output: followResponse }),
    ]),
  );
}
