import { isLambentError } from "../base/index.ts";
import type { FunctionVersion } from "../model/index.ts";
import type { ParcelSender } from "../outbox/index.ts";
import { type AuthorizationRequest, type Authorizer, type Principal, serviceSession } from "../security/index.ts";

/** What the platform does in a function's name, its role has to be allowed: reading its queue, sending its outcomes. Throws `AccessDenied`. */
export function authorizeRole(
  authorizer: Authorizer,
  version: FunctionVersion,
  asked: Pick<AuthorizationRequest, "requestId" | "action" | "resource" | "resourcePolicy">,
): void {
  authorizer.authorize({ principal: principalOf(version), region: version.realm.region, ...asked });
}

/** A function where it is known without credentials. */
export function principalOf(version: FunctionVersion): Principal {
  const { realm, name, revisionId, roleArn } = version;
  const identity = { kind: "function", realm, functionName: name, version: version.version, revisionId, roleArn } as const;
  return { ...identity, accessKeyId: "", expiresAt: Number.POSITIVE_INFINITY };
}

/**
 * What a rule, schedule or topic sends, its role has to be allowed where it has one, as the service's session of that role; else the policy
 * of the target, which knows the sender by its ARN. Throws `AccessDenied`.
 */
export function authorizeService(
  authorizer: Authorizer,
  sender: Extract<ParcelSender, { readonly kind: "service" }>,
  asked: Pick<AuthorizationRequest, "action" | "resource" | "resourcePolicy">,
): void {
  const { realm, service, sourceArn, roleArn } = sender;
  const context = { "aws:SourceArn": sourceArn, "aws:SourceAccount": realm.account };
  const principal: Principal = roleArn === undefined ? { kind: "service", service } : serviceSession(realm.account, roleArn, service);
  authorizer.authorize({ principal, requestId: sourceArn, region: realm.region, context, ...asked });
}

/** Whether the role may do what AWS asks for when a mapping of the queue is made. */
export function mayReadQueue(
  authorizer: Authorizer,
  version: FunctionVersion,
  { arn, policy }: { readonly arn: string; readonly policy: string | undefined },
): boolean {
  try {
    for (const action of ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"])
      authorizeRole(authorizer, version, { requestId: version.revisionId, action, resource: arn, resourcePolicy: policy });
    return true;
  } catch (error) {
    if (isLambentError(error, "AccessDenied")) return false;
    throw error;
  }
}
