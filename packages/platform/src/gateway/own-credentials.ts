import { LambentError } from "../base/index.ts";
import type { InstanceCaller } from "../model/index.ts";
import { functionOf, type Principal } from "../security/index.ts";

/** On an instance's listener only its own credentials are taken, and those of sessions it got with them (P3). Throws `AccessDenied`. */
export function requireOwn(principal: Principal, caller: InstanceCaller): void {
  const holder = functionOf(principal);
  const isOwn =
    holder !== undefined &&
    holder.functionName === caller.version.name &&
    holder.version === caller.version.version &&
    holder.revisionId === caller.version.revisionId;
  if (!isOwn) throw new LambentError("AccessDenied", "this listener takes only the credentials issued to its own function");
}
