import { Readable } from "node:stream";
import { type Clock, LambentError, type SecureRandom, timeOrderedId } from "../base/index.ts";
import type { ServiceCall, ServiceCaller } from "../model/index.ts";
import { serviceSession } from "../security/index.ts";
import { decodeInput } from "../wire/index.ts";
import type { RequestContext } from "./operation.ts";
import { type Authorize, perform } from "./perform.ts";
import type { Service } from "./service.ts";
import type { ServiceEntry } from "./services.ts";

export interface ServiceCallerParts {
  readonly services: readonly ServiceEntry[];
  readonly authorize: Authorize;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  /** Scheme, host and port by which this server is reached. */
  readonly endpoint: () => string;
  readonly stopping: AbortSignal;
  readonly reportDefect: (error: unknown, requestId: string) => void;
}

/** Where an SDK has another name for a service than the schemas. */
const SDK_NAMES: Readonly<Record<string, string>> = { eventbridge: "events", cloudwatchlogs: "logs" };

/** The services of this server as targets: each operation is performed as if the role's session had sent it, in JSON. */
export function createServiceCaller(parts: ServiceCallerParts): ServiceCaller {
  const find = async (named: string): Promise<Service | undefined> =>
    parts.services.find(({ metadata }) => metadata.name === (SDK_NAMES[named] ?? named))?.get();
  return {
    async has(service, operation) {
      return Object.hasOwn((await find(service))?.operations ?? {}, operationName(operation));
    },
    async call(call) {
      const service = await find(call.service);
      const operation = service?.model.operations.get(operationName(call.operation));
      if (!service || !operation) throw new LambentError("NotFound", `Nothing here has the operation ${call.service}:${call.operation}.`);
      const input = decodeInput(call.input, operation);
      const output = await perform(service, { operation: operation.name, input }, contextOf(parts, call), parts.authorize);
      // Nobody reads the answer, and what is not read would stay open.
      for (const value of Object.values(output ?? {})) if (value instanceof Readable) value.destroy();
    },
  };
}

/** SDKs write operations with a small first letter. */
function operationName(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1);
}

function contextOf(parts: ServiceCallerParts, { realm, roleArn, holder, traceHeader }: ServiceCall): RequestContext {
  const requestId = timeOrderedId(parts.clock, parts.secureRandom);
  return {
    realm,
    requestId,
    principal: serviceSession(realm.account, roleArn, holder),
    endpoint: parts.endpoint(),
    traceHeader,
    signal: parts.stopping,
    // Nobody waits for the answer, so nobody leaves.
    onCallerGone: () => undefined,
    reportDefect: (error) => parts.reportDefect(error, requestId),
  };
}
