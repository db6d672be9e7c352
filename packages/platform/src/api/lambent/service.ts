import type { Readable } from "node:stream";
import { LambentError } from "../../base/index.ts";
import type { Apps, AppStreams } from "../../apps/index.ts";
import type { Webhooks } from "../../bus/index.ts";
import type { FunctionVersion, Realm, Signals } from "../../model/index.ts";
import type { Queries } from "../../queries/index.ts";
import type { Inspections } from "../../runtime/index.ts";
import type { Windows } from "../../windows/index.ts";
import type { OperationTable, RequestContext } from "../operation.ts";
import type { Authorize } from "../perform.ts";
import type { Service } from "../service.ts";
import { careOperations, type DataCare } from "./care.ts";
import { debugFunction } from "./debugging.ts";
import { eventOperations, type EventParts } from "./events.ts";
import { archivesOf, changeShape, deployedShape, deploymentOf } from "./forms.ts";
import { queryOperations } from "./queries.ts";
import { streamTriggerOperations } from "./stream-triggers.ts";
import { webhookOperations } from "./webhooks.ts";
import { windowOperations } from "./windows.ts";
import { wiringShape } from "./wiring-forms.ts";
import { LogFollowers } from "./log-followers.ts";
import {
  lambentModel,
  type DebugFunctionRequest,
  type DeployAppRequest,
  type DeployAppResponse,
  type FollowLogsRequest,
  type GetCodeRequest,
  type GetStatusResponse,
  type PlanAppRequest,
  type PlanAppResponse,
} from "./schema.ts";

/**
 * What AWS has no operation for: the server's status, an application as a difference, logs as they are written.
 * Owns shapes and who follows logs; decides nothing: rules are in `apps/` and `functions/`.
 */

export interface LambentServiceParts {
  // What is opened at its first use: the server's status is told without.
  readonly apps: () => Promise<Apps>;
  readonly webhooks: () => Promise<Webhooks>;
  readonly queries: () => Promise<Queries>;
  readonly authorize: Authorize;
  readonly windows: () => Promise<Windows>;
  readonly streamTriggers: () => Promise<AppStreams>;
  readonly signals: Signals;
  /** What `server/` knows of itself. */
  readonly status: (realm: Realm) => GetStatusResponse;
  readonly care: DataCare;
  readonly events: EventParts;
  /** How this machine runs a runtime id, where that is not exactly the one named. */
  readonly runtimeNote: (runtime: string) => string | undefined;
  /** The zip with this SHA-256 (base64url); undefined when nothing here uses it. */
  readonly code: (realm: Realm, sha256: string) => Promise<Buffer | undefined>;
  readonly inspections: Pick<Inspections, "open">;
  /** What `$LATEST` of a function is now. Throws `NotFound` when there is no such function. */
  readonly latest: (realm: Realm, name: string) => FunctionVersion;
  /** Throws `NotFound` when there is no such function. */
  readonly requireFunction: (realm: Realm, name: string) => void;
}

/** Lambent's own API as the gateway serves it. */
export function createLambentService(parts: LambentServiceParts): Service {
  const followers = new LogFollowers(parts.signals);
  return {
    model: lambentModel(),
    operations: operationsOf(parts, followers),
    wireError: (error: LambentError) => ({
      name: error.code,
      message: error.message,
      status: error.entry.status,
      fault: error.entry.fault,
      members: { ...error.details, next: error.entry.next },
    }),
    permission: (operation, input, context) => ({ action: `lambent:${operation}`, resource: resourceOf(operation, input, context) }),
  };
}

function operationsOf(parts: LambentServiceParts, followers: LogFollowers): OperationTable {
  const table = {
    ...careOperations(parts.care),
    ...eventOperations(parts.events),
    ...webhookOperations(parts.webhooks),
    ...queryOperations(parts.queries, parts.authorize),
    ...windowOperations(parts.windows),
    ...streamTriggerOperations(parts),
    GetStatus: (_input: object, context: RequestContext): GetStatusResponse => parts.status(context.realm),
    PlanApp: async (input: PlanAppRequest, context: RequestContext): Promise<PlanAppResponse> => {
      const { changes, kept, wiring } = await (await parts.apps()).plan(context.realm, deploymentOf(input));
      return { Changes: changes.map(changeShape), Kept: kept, Wiring: wiring.map(wiringShape) };
    },
    DeployApp: async (input: DeployAppRequest, context: RequestContext): Promise<DeployAppResponse> => {
      const { changes, kept, functions, wiring } = await (await parts.apps()).deploy(context.realm, deploymentOf(input), archivesOf(input));
      const shapes = functions.map((each) => deployedShape(each, context.endpoint, parts.runtimeNote(each.runtime)));
      return { Changes: changes.map(changeShape), Kept: kept, Functions: shapes, Wiring: wiring.map(wiringShape) };
    },
    GetCode: async (input: GetCodeRequest, context: RequestContext): Promise<{ readonly Zip: Buffer }> => {
      const zip = await parts.code(context.realm, input.Sha256);
      if (!zip) throw new LambentError("NotFound", `No function or layer here has code with the SHA-256 ${input.Sha256}.`);
      return { Zip: zip };
    },
    DebugFunction: async (input: DebugFunctionRequest, context: RequestContext): Promise<{ readonly Lines: Readable }> => {
      const version = parts.latest(context.realm, input.FunctionName);
      return { Lines: await debugFunction(parts.inspections, version, input.Port ?? 0, context.signal) };
    },
    FollowLogs: (input: FollowLogsRequest, context: RequestContext): { readonly Lines: Readable } => {
      parts.requireFunction(context.realm, input.FunctionName);
      return { Lines: followers.follow(context.realm, input.FunctionName, context.signal) };
    },
  };
  return table;
}

/** Kinds of things the operations are about, and the member that names one. */
const RESOURCES = [
  ["function", "FunctionName"],
  ["app", "App"],
  ["window", "Name"],
  ["webhook", "Name"],
] as const;

function resourceOf(operation: string, input: Readonly<Record<string, unknown>>, { realm }: RequestContext): string {
  const isNamed = ([kind, member]: (typeof RESOURCES)[number]): boolean =>
    input[member] !== undefined && (kind !== "window" || operation.includes("Window"));
  const [kind, member] = RESOURCES.find(isNamed) ?? ["app", "App"];
  const name = input[member];
  return typeof name === "string" ? `arn:aws:lambent:${realm.region}:${realm.account}:${kind}:${name}` : "*";
}
