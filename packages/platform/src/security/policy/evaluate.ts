import { conditionHolds, type ContextValues } from "./conditions.ts";
import type { Match, PolicyDocument, PolicyStatement, PrincipalPattern } from "./document.ts";
import { compilePattern, matchesPattern, type VariableLookup } from "./pattern.ts";

/**
 * Whether policies allow a request. Pure: no clock, no store; the same inputs give the same decision, which names the
 * statement it rests on. An explicit deny wins over everything, nothing is allowed that no statement allows.
 */

/** Condition keys (any case) and their values; a key that is absent is not in it. */
export type ConditionContext = Readonly<Record<string, string | readonly string[]>>;

export interface AccessRequest {
  /** The identities the caller goes by in a `Principal` element: its session's ARN and its role's; undefined = anonymous or a service. */
  readonly principalArns: readonly string[];
  /** Account of the caller; undefined = anonymous or a service. */
  readonly account: string | undefined;
  /** For example `events.amazonaws.com`, when the platform acts for one of its parts. */
  readonly service: string | undefined;
  /** True when the resource has to agree, whoever asks: a role's trust policy, without which nobody assumes it. */
  readonly resourceMustAllow: boolean;
  /** Account the resource belongs to. */
  readonly resourceAccount: string;
  /** `service:Operation`. */
  readonly action: string;
  /** ARN, or `*` for actions without a resource. */
  readonly resource: string;
  readonly context: ConditionContext;
}

export interface NamedPolicy {
  readonly name: string;
  readonly document: PolicyDocument;
}

/** The policies that bear on one request. */
export interface PolicySet {
  /** Of the caller; `"all"` for a caller without policies of its own that may do everything its account may. */
  readonly identity: readonly NamedPolicy[] | "all";
  readonly resource: readonly NamedPolicy[];
  /** Narrow the identity; undefined when the session has none. */
  readonly session: readonly NamedPolicy[] | undefined;
  /** Narrows the identity; undefined when the role has none. */
  readonly boundary: NamedPolicy | undefined;
}

export interface StatementReference {
  readonly policy: string;
  readonly statement: string;
}

export type Decision =
  /** `by` is undefined when the caller may do everything. */
  | { readonly kind: "allowed"; readonly through: "identity" | "resource"; readonly by: StatementReference | undefined }
  | { readonly kind: "denied"; readonly why: "explicitDeny"; readonly by: StatementReference }
  /** No statement of the named sort allows it. */
  | {
      readonly kind: "denied";
      readonly why: "noIdentityPolicy" | "noResourcePolicy" | "sessionPolicy" | "boundary";
      readonly by: undefined;
    };

/** Decides `request` by `policies`. */
export function evaluate(request: AccessRequest, policies: PolicySet): Decision {
  const facts = factsOf(request);
  const identity = policies.identity === "all" ? [] : policies.identity;
  const boundary = policies.boundary === undefined ? [] : [policies.boundary];
  const denied = firstMatch("Deny", [...identity, ...policies.resource, ...(policies.session ?? []), ...boundary], facts);
  if (denied) return { kind: "denied", why: "explicitDeny", by: denied.reference };

  const byResource = resourceGrant(policies.resource, facts);
  const ownAccount = request.account !== undefined && request.account === request.resourceAccount;
  // A grant to the very session is its own; policies of the session do not narrow it.
  if (ownAccount && byResource?.reach === "session") return { kind: "allowed", through: "resource", by: byResource.reference };
  if (request.account === undefined)
    return byResource ? { kind: "allowed", through: "resource", by: byResource.reference } : refuse("noResourcePolicy");

  const byIdentity = policies.identity === "all" ? "all" : firstMatch("Allow", policies.identity, facts);
  const direct = ownAccount && byResource !== undefined && byResource.reach !== "account";
  if (byIdentity === undefined && !direct) return refuse("noIdentityPolicy");
  if ((!ownAccount || request.resourceMustAllow) && byResource === undefined) return refuse("noResourcePolicy");
  if (policies.session && !firstMatch("Allow", policies.session, facts)) return refuse("sessionPolicy");
  // A boundary narrows what identity policies give, not what a resource gives.
  if (policies.boundary && !direct && !firstMatch("Allow", boundary, facts)) return refuse("boundary");
  if (byIdentity === undefined && byResource) return { kind: "allowed", through: "resource", by: byResource.reference };
  return { kind: "allowed", through: "identity", by: byIdentity === "all" ? undefined : byIdentity?.reference };
}

function refuse(why: "noIdentityPolicy" | "noResourcePolicy" | "sessionPolicy" | "boundary"): Decision {
  return { kind: "denied", why, by: undefined };
}

/** What statements are compared with, prepared once a request. */
interface Facts {
  readonly request: AccessRequest;
  readonly action: string;
  readonly context: ContextValues;
  readonly variables: VariableLookup;
}

function factsOf(request: AccessRequest): Facts {
  const context = new Map<string, readonly string[]>();
  for (const [key, value] of Object.entries(request.context)) context.set(key.toLowerCase(), typeof value === "string" ? [value] : value);
  const variables: VariableLookup = (name) => {
    const values = context.get(name);
    return values?.length === 1 ? values[0] : undefined;
  };
  return { request, action: request.action.toLowerCase(), context, variables };
}

interface Found {
  readonly reference: StatementReference;
  /** How a `Principal` element named the caller: not at all, its whole account, everybody or its role, or the session itself. */
  readonly reach: Reach;
}
type Reach = "account" | "broad" | "session";

function firstMatch(effect: "Allow" | "Deny", policies: readonly NamedPolicy[], facts: Facts): Found | undefined {
  for (const policy of policies) {
    for (const statement of policy.document.statements) {
      if (statement.effect !== effect) continue;
      const reach = statementApplies(statement, policy.document, facts);
      if (reach) return { reference: { policy: policy.name, statement: statement.id }, reach };
    }
  }
  return undefined;
}

const REACH_ORDER: Readonly<Record<Reach, number>> = { account: 1, broad: 2, session: 3 };

/** The strongest grant of the resource's own policies. */
function resourceGrant(policies: readonly NamedPolicy[], facts: Facts): Found | undefined {
  let best: Found | undefined;
  for (const policy of policies) {
    for (const statement of policy.document.statements) {
      if (statement.effect !== "Allow") continue;
      const reach = statementApplies(statement, policy.document, facts);
      if (reach && (best === undefined || REACH_ORDER[reach] > REACH_ORDER[best.reach])) {
        best = { reference: { policy: policy.name, statement: statement.id }, reach };
      }
    }
  }
  return best;
}

function statementApplies(statement: PolicyStatement, document: PolicyDocument, facts: Facts): Reach | undefined {
  const variables = document.variables ? facts.variables : undefined;
  const inList = (match: Match<string>, text: string, fold: boolean, lookup: VariableLookup | undefined): boolean =>
    match.values.some((value) => {
      const pattern = compilePattern(fold ? value.toLowerCase() : value, lookup);
      return pattern !== undefined && matchesPattern(pattern, text);
    }) !== match.negated;
  if (!inList(statement.action, facts.action, true, undefined)) return undefined;
  if (statement.resource && !inList(statement.resource, facts.request.resource, false, variables)) return undefined;
  const reach = statement.principal ? principalReach(statement.principal, facts.request) : "broad";
  if (reach === undefined) return undefined;
  return statement.conditions.every((condition) => conditionHolds(condition, facts.context, variables)) ? reach : undefined;
}

function principalReach(match: Match<PrincipalPattern>, request: AccessRequest): Reach | undefined {
  let best: Reach | undefined;
  for (const pattern of match.values) {
    const reach = patternReach(pattern, request);
    if (reach && (best === undefined || REACH_ORDER[reach] > REACH_ORDER[best])) best = reach;
  }
  if (!match.negated) return best;
  return best === undefined ? "broad" : undefined;
}

function patternReach(pattern: PrincipalPattern, request: AccessRequest): Reach | undefined {
  switch (pattern.type) {
    case "*":
      return "broad";
    case "Service":
      return request.service !== undefined && pattern.value === request.service ? "broad" : undefined;
    case "AWS": {
      if (request.account === undefined) return undefined;
      if (pattern.value === request.account || /^arn:[a-z-]+:iam::(\d{12}):root$/.exec(pattern.value)?.[1] === request.account)
        return "account";
      if (!request.principalArns.includes(pattern.value)) return undefined;
      return pattern.value.includes(":sts:") ? "session" : "broad";
    }
    case "Federated":
    case "CanonicalUser":
      return undefined;
  }
}
