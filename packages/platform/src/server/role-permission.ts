import { type Clock, isLambentError } from "../base/index.ts";
import type { FunctionVersion } from "../model/index.ts";
import type { AuthorizationRequest, Authorizer } from "../security/index.ts";

/** What the platform does in a function's name, its role has to be allowed: reading its queue, sending its outcomes. Throws `AccessDenied`. */
export function authorizeRole(
  authorizer: Authorizer,
  clock: Clock,
  version: FunctionVersion,
  asked: Pick<AuthorizationRequest, "requestId" | "action" | "resource" | "resourcePolicy">,
): void {
  const { realm, name, revisionId, roleArn } = version;
  const identity = { kind: "function", realm, functionName: name, version: version.version, revisionId, roleArn } as const;
  authorizer.authorize({ principal: { ...identity, accessKeyId: "", expiresAt: clock.now() }, region: realm.region, ...asked });
}

/** Whether the role may do what AWS asks for when a mapping of the queue is made. */
export function mayReadQueue(
  authorizer: Authorizer,
  clock: Clock,
  version: FunctionVersion,
  { arn, policy }: { readonly arn: string; readonly policy: string | undefined },
): boolean {
  try {
    for (const action of ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"])
      authorizeRole(authorizer, clock, version, { requestId: version.revisionId, action, resource: arn, resourcePolicy: policy });
    return true;
  } catch (error) {
    if (isLambentError(error, "AccessDenied")) return false;
    throw error;
  }
}
