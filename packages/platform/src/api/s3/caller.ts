import type { Caller } from "../../objects/index.ts";
import type { Roles } from "../../security/index.ts";
import type { RequestContext } from "../operation.ts";
import { principalId } from "../principal-id.ts";

/** Who asks, as events tell it: an account, `AWS:<role id>:<session>`, or the service that asked. */
export function callerOf(context: RequestContext, roles: Pick<Roles, "roleIdOf">): Caller {
  const { principal, requestId, traceHeader, sourceAddress = "127.0.0.1" } = context;
  const isSession = principal.kind === "function" || principal.kind === "assumedRole";
  const id = principal.kind === "anonymous" ? "Anonymous" : principalId(principal, roles);
  return { principalId: isSession ? `AWS:${id}` : id, sourceAddress, requestId, traceHeader };
}
