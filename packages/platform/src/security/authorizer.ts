import { isLambentError, LambentError, type Clock } from "../base/index.ts";
import type { AuditLog, AuditOutcome } from "./audit.ts";
import { parsePolicyCached } from "./policy/cache.ts";
import { evaluate, type ConditionContext, type Decision, type NamedPolicy, type PolicySet } from "./policy/evaluate.ts";
import { accountOf, principalArn, roleAccountOf, roleNameOf, type Principal } from "./principal.ts";
import type { Roles } from "./roles.ts";

/**
 * Gathers the policies that bear on a call, has them evaluated, and writes the decision down. Root keys may do everything.
 * The identity policies of a role that exists here are enforced; a role that does not exist here has nothing to enforce, so its
 * calls are allowed and marked `notEnforced` in the audit. Resource policies, session policies and boundaries always count.
 */
export interface Authorizer {
  /** Returns when `request` is allowed; throws `AccessDenied` naming who, what and why. */
  authorize(request: AuthorizationRequest): void;
}

export interface AuthorizationRequest {
  readonly principal: Principal;
  readonly requestId: string;
  /** Region the request was signed for. */
  readonly region: string;
  /** `service:Operation`. */
  readonly action: string;
  /** ARN, or `*`. */
  readonly resource: string;
  /** Whose the resource is, where its ARN does not say: buckets. */
  readonly resourceAccount?: string | undefined;
  /** The policy attached to the resource, JSON text. */
  readonly resourcePolicy?: string | undefined;
  /** What that policy is: the trust policy of a role names no resource. */
  readonly resourcePolicyKind?: "resource" | "trust";
  /** Condition keys of this call beside the global ones. */
  readonly context?: ConditionContext;
}

/** The authorizer over the roles of this server. */
export function createAuthorizer(options: { readonly roles: Roles; readonly audit: AuditLog; readonly clock: Clock }): Authorizer {
  const { roles, audit, clock } = options;
  return {
    authorize(request) {
      const { principal, action, resource, requestId } = request;
      const outcome = decide(request, roles, clock);
      audit.record({ requestId, principal: principalArn(principal), action, resource, outcome });
      if (outcome.kind !== "denied") return;
      const because = outcome.by ? `${outcome.why} in statement ${outcome.by.statement} of ${outcome.by.policy}` : outcome.why;
      throw new LambentError("AccessDenied", `${principalArn(principal)} is not allowed to ${action} on ${resource}: ${because}.`);
    },
  };
}

function decide(request: AuthorizationRequest, roles: Roles, clock: Clock): AuditOutcome {
  const { principal } = request;
  if (principal.kind === "root" && mayEverything(principal.account, request)) return { kind: "allowed", by: undefined };
  let gathered: { readonly policies: PolicySet; readonly enforced: boolean };
  try {
    gathered = gather(request, roles);
  } catch (error) {
    // Whoever stored the policy checked it; if it cannot be read now, nothing is allowed by it.
    if (isLambentError(error, "MalformedPolicy"))
      return { kind: "denied", why: `a policy cannot be read (${error.message})`, by: undefined };
    throw error;
  }
  const account = accountOf(principal);
  const decision = evaluate(
    {
      principalArns: principalArns(principal),
      account,
      service: principal.kind === "service" ? principal.service : undefined,
      resourceMustAllow: request.resourcePolicyKind === "trust" && request.resourcePolicy !== undefined,
      resourceAccount: resourceAccount(request) ?? account ?? "",
      action: request.action,
      resource: request.resource,
      context: { ...globalContext(request, roles, clock), ...request.context },
    },
    gathered.policies,
  );
  return outcomeOf(decision, gathered.enforced);
}

/** A root key, in its own account; in another one it is what that account's policies say. */
function mayEverything(account: string, request: AuthorizationRequest): boolean {
  return request.resourcePolicyKind === "trust" || (resourceAccount(request) ?? account) === account;
}

function outcomeOf(decision: Decision, enforced: boolean): AuditOutcome {
  if (decision.kind === "denied") return { kind: "denied", why: REASONS[decision.why], by: decision.by };
  if (!enforced && decision.through === "identity") return { kind: "notEnforced", why: "roleNotHere" };
  return { kind: "allowed", by: decision.by };
}

const REASONS: Readonly<Record<(Decision & { kind: "denied" })["why"], string>> = {
  explicitDeny: "explicit deny",
  noIdentityPolicy: "no policy of the caller allows it",
  noResourcePolicy: "no policy of the resource allows it",
  sessionPolicy: "no policy of the session allows it",
  boundary: "the permissions boundary does not allow it",
};

/** The policies that bear on a call, and whether the caller's own were found here. */
function gather(request: AuthorizationRequest, roles: Roles): { readonly policies: PolicySet; readonly enforced: boolean } {
  const { principal, resourcePolicy } = request;
  const kind = request.resourcePolicyKind ?? "resource";
  const resource: NamedPolicy[] =
    resourcePolicy === undefined
      ? []
      : [{ name: `${kind} policy of ${request.resource}`, document: parsePolicyCached(resourcePolicy, kind) }];
  if (principal.kind !== "function" && principal.kind !== "assumedRole") {
    return {
      policies: { identity: principal.kind === "root" ? "all" : [], resource, session: undefined, boundary: undefined },
      enforced: true,
    };
  }
  const account = accountOf(principal) ?? "";
  const own = roleAccountOf(principal.roleArn) === account ? roles.policiesOfRole(account, roleNameOf(principal.roleArn)) : undefined;
  const session = principal.kind === "assumedRole" ? sessionPolicies(principal, account, roles) : undefined;
  return {
    policies: { identity: own?.identity ?? "all", resource, session, boundary: own?.boundary },
    enforced: own !== undefined,
  };
}

function sessionPolicies(
  principal: Principal & { readonly kind: "assumedRole" },
  account: string,
  roles: Roles,
): NamedPolicy[] | undefined {
  const { documents, arns } = principal.sessionPolicies;
  if (documents.length === 0 && arns.length === 0) return undefined;
  const inline = documents.map((text) => ({ name: "session policy", document: parsePolicyCached(text, "identity") }));
  // A managed policy that was deleted since allows nothing.
  const managed = arns.flatMap((arn) => roles.namedPolicy(account, arn) ?? []);
  return [...inline, ...managed];
}

/** A session answers to its own ARN and to its role's. */
function principalArns(principal: Principal): readonly string[] {
  if (principal.kind !== "function" && principal.kind !== "assumedRole") return [principalArn(principal)];
  return roleAccountOf(principal.roleArn) === accountOf(principal)
    ? [principalArn(principal), principal.roleArn]
    : [principalArn(principal)];
}

function globalContext(request: AuthorizationRequest, roles: Roles, clock: Clock): ConditionContext {
  const { principal } = request;
  const now = clock.now();
  const account = accountOf(principal);
  return {
    "aws:CurrentTime": new Date(now).toISOString(),
    "aws:EpochTime": String(Math.floor(now / 1_000)),
    "aws:RequestedRegion": request.region,
    "aws:PrincipalType": principal.kind === "anonymous" ? "Anonymous" : principal.kind === "service" ? "Service" : "AssumedRole",
    ...(account === undefined ? {} : { "aws:PrincipalAccount": account }),
    ...identityContext(principal, roles),
  };
}

function identityContext(principal: Principal, roles: Roles): ConditionContext {
  switch (principal.kind) {
    case "function":
      return {
        "aws:PrincipalArn": principal.roleArn,
        "aws:userid": `${roles.roleIdOf(principal.realm.account, principal.roleArn)}:${principal.functionName}`,
      };
    case "assumedRole": {
      const tags = Object.entries(principal.tags).map(([name, value]) => [`aws:PrincipalTag/${name}`, value] as const);
      return {
        "aws:PrincipalArn": principal.roleArn,
        "aws:userid": `${roles.roleIdOf(principal.account, principal.roleArn)}:${principal.sessionName}`,
        ...Object.fromEntries(tags),
      };
    }
    case "service":
      return { "aws:PrincipalServiceName": principal.service, "aws:PrincipalIsAWSService": "true" };
    case "root":
    case "anonymous":
      return {};
  }
}

/** Account in the resource's ARN, else as the request says; undefined where neither has one, as for `*`. */
function resourceAccount(request: AuthorizationRequest): string | undefined {
  const account = request.resource.split(":", 6)[4];
  return account === undefined || !/^\d{12}$/.test(account) ? request.resourceAccount : account;
}
