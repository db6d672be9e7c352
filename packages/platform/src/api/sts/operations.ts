import type {
  AssumeRoleRequest,
  AssumeRoleResponse,
  Credentials as WireCredentials,
  GetCallerIdentityResponse,
  GetSessionTokenRequest,
  GetSessionTokenResponse,
} from "@aws-sdk/client-sts";
import { LambentError } from "../../base/index.ts";
import {
  accountOf,
  type Authorizer,
  type Credentials,
  type FunctionIdentity,
  functionOf,
  isRoleArn,
  parsePolicy,
  type Principal,
  principalArn,
  type Role,
  roleAccountOf,
  roleNameOf,
  type Roles,
  type SessionCredentials,
} from "../../security/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";

/** Who am I, and sessions. @see STS API reference */

export interface StsDependencies {
  readonly credentials: Credentials;
  readonly roles: Roles;
  readonly authorizer: Authorizer;
}

/** Characters of a session policy. @limit */
const SESSION_POLICY_CHARACTERS_MAX = 2_048;
/** Managed policies a session may be narrowed by. @limit */
const SESSION_POLICY_ARNS_MAX = 10;
/** Tags of a session. @limit */
const SESSION_TAGS_MAX = 50;

const SESSION_SECONDS_DEFAULT = 3_600;
/** A role's own bound where the role does not exist here. */
const ROLE_SESSION_SECONDS_MAX = 43_200;
/** A session made from a session, and one of a root key. */
const CHAINED_SESSION_SECONDS_MAX = 3_600;

/** The operations of STS. */
export function stsOperations(dependencies: StsDependencies) {
  return {
    GetCallerIdentity: (_input: object, context: RequestContext) => callerIdentity(dependencies, context.principal),
    AssumeRole: (input: AssumeRoleRequest, context: RequestContext) => assumeRole(dependencies, input, context),
    GetSessionToken: (input: GetSessionTokenRequest, context: RequestContext) => sessionToken(dependencies, input, context.principal),
  };
}

function callerIdentity(dependencies: StsDependencies, principal: Principal): GetCallerIdentityResponse {
  const account = given(accountOf(principal), "A signature");
  return { UserId: userId(dependencies, principal, account), Account: account, Arn: principalArn(principal) };
}

function userId(dependencies: StsDependencies, principal: Principal, account: string): string {
  switch (principal.kind) {
    case "function":
      return `${dependencies.roles.roleIdOf(account, principal.roleArn)}:${principal.functionName}`;
    case "assumedRole":
      return `${dependencies.roles.roleIdOf(account, principal.roleArn)}:${principal.sessionName}`;
    case "root":
    case "service":
    case "anonymous":
      return account;
  }
}

/**
 * A session of a role, in the caller's own account whatever account the ARN names. The trust policy of a role that exists here
 * decides; of a role that does not, every well-formed ARN is taken and the audit says so.
 */
function assumeRole(dependencies: StsDependencies, input: AssumeRoleRequest, context: RequestContext): AssumeRoleResponse {
  refuseUnbuilt(input, ["SerialNumber", "TokenCode", "SourceIdentity", "ProvidedContexts", "TransitiveTagKeys"]);
  const roleArn = given(input.RoleArn, "RoleArn");
  const sessionName = given(input.RoleSessionName, "RoleSessionName");
  if (!isRoleArn(roleArn))
    throw new LambentError(
      "InvalidParameter",
      `RoleArn is ${JSON.stringify(roleArn.slice(0, 200))}; it is arn:aws:iam::<account>:role/<name>.`,
    );
  const account = given(accountOf(context.principal), "A signature");
  const role = roleAccountOf(roleArn) === account ? dependencies.roles.findRole(account, roleNameOf(roleArn)) : undefined;
  const sessionPolicies = readSessionPolicies(dependencies, input, account);
  const tags = readTags(input);
  authorizeAssume(dependencies, input, context, role, tags);
  const seconds = sessionSeconds(input.DurationSeconds, role, context.principal);
  const credentials = dependencies.credentials.issueSession(
    { kind: "assumedRole", account, roleArn, sessionName, sessionPolicies, tags, ...holderOf(context.principal) },
    seconds * 1_000,
  );
  const narrowed = sessionPolicies.documents.length + sessionPolicies.arns.length + Object.keys(tags).length > 0;
  return {
    Credentials: wireCredentials(credentials),
    AssumedRoleUser: {
      AssumedRoleId: `${dependencies.roles.roleIdOf(account, roleArn)}:${sessionName}`,
      Arn: `arn:aws:sts::${account}:assumed-role/${roleNameOf(roleArn)}/${sessionName}`,
    },
    ...(narrowed ? { PackedPolicySize: packedPercent(sessionPolicies, tags) } : {}),
  };
}

/** A session that a function asks for stays within it: it works where the function's own credentials do, and nowhere else. */
function holderOf(principal: Principal): { within?: FunctionIdentity } {
  const holder = functionOf(principal);
  if (!holder) return {};
  const { realm, functionName, version, revisionId } = holder;
  return { within: { realm, functionName, version, revisionId } };
}

function authorizeAssume(
  dependencies: StsDependencies,
  input: AssumeRoleRequest,
  context: RequestContext,
  role: Role | undefined,
  tags: Readonly<Record<string, string>>,
): void {
  const requestTags = Object.entries(tags).map(([key, value]) => [`aws:RequestTag/${key}`, value] as const);
  const authorize = (action: string): void =>
    dependencies.authorizer.authorize({
      principal: context.principal,
      requestId: context.requestId,
      region: context.realm.region,
      action,
      resource: role?.arn ?? given(input.RoleArn, "RoleArn"),
      resourcePolicy: role?.trustPolicy,
      resourcePolicyKind: "trust",
      context: {
        "sts:RoleSessionName": given(input.RoleSessionName, "RoleSessionName"),
        ...(input.ExternalId === undefined ? {} : { "sts:ExternalId": input.ExternalId }),
        ...(requestTags.length === 0 ? {} : { "aws:TagKeys": Object.keys(tags) }),
        ...Object.fromEntries(requestTags),
      },
    });
  authorize("sts:AssumeRole");
  if (requestTags.length > 0) authorize("sts:TagSession");
}

function readSessionPolicies(
  dependencies: StsDependencies,
  input: AssumeRoleRequest,
  account: string,
): { documents: string[]; arns: string[] } {
  const documents = input.Policy === undefined ? [] : [input.Policy];
  for (const text of documents) {
    if (text.length > SESSION_POLICY_CHARACTERS_MAX)
      throw new LambentError(
        "LimitExceeded",
        `Policy has ${text.length} characters; at most ${SESSION_POLICY_CHARACTERS_MAX} are allowed.`,
      );
    parsePolicy(text, "identity");
  }
  const arns = (input.PolicyArns ?? []).map((descriptor) => given(descriptor.arn, "PolicyArns.arn"));
  if (arns.length > SESSION_POLICY_ARNS_MAX)
    throw new LambentError("LimitExceeded", `PolicyArns has ${arns.length} entries; at most ${SESSION_POLICY_ARNS_MAX} are allowed.`);
  for (const arn of arns) {
    if (dependencies.roles.namedPolicy(account, arn) === undefined)
      throw new LambentError("InvalidParameter", `PolicyArns names ${arn}, which does not exist.`);
  }
  return { documents, arns };
}

function readTags(input: AssumeRoleRequest): Record<string, string> {
  const tags = input.Tags ?? [];
  if (tags.length > SESSION_TAGS_MAX)
    throw new LambentError("LimitExceeded", `Tags has ${tags.length} entries; at most ${SESSION_TAGS_MAX} are allowed.`);
  return Object.fromEntries(tags.map((tag) => [given(tag.Key, "Tags.Key"), given(tag.Value, "Tags.Value")]));
}

function sessionSeconds(wanted: number | undefined, role: Role | undefined, caller: Principal): number {
  const seconds = wanted ?? SESSION_SECONDS_DEFAULT;
  const chained = caller.kind !== "root" || caller.expiresAt !== undefined;
  const most = chained ? CHAINED_SESSION_SECONDS_MAX : (role?.maxSessionSeconds ?? ROLE_SESSION_SECONDS_MAX);
  if (seconds < 900 || seconds > most) {
    throw new LambentError(
      "InvalidParameter",
      `DurationSeconds is ${seconds}; for this ${chained ? "caller, itself a session" : "role"}, it is 900 to ${most}.`,
    );
  }
  return seconds;
}

/** How full the room for policies and tags is, in percent. */
function packedPercent(
  policies: { readonly documents: readonly string[]; readonly arns: readonly string[] },
  tags: Readonly<Record<string, string>>,
): number {
  const characters = JSON.stringify([policies.documents, policies.arns, tags]).length;
  const room = SESSION_POLICY_CHARACTERS_MAX + SESSION_POLICY_ARNS_MAX * 2_048 + SESSION_TAGS_MAX * (128 + 256);
  return Math.ceil((100 * characters) / room);
}

/** Another session of the root key; sessions of roles have their end and get no new one here. */
function sessionToken(dependencies: StsDependencies, input: GetSessionTokenRequest, principal: Principal): GetSessionTokenResponse {
  refuseUnbuilt(input, ["SerialNumber", "TokenCode"]);
  if (principal.kind !== "root" || principal.expiresAt !== undefined) {
    throw new LambentError("AccessDenied", "Cannot call GetSessionToken with session credentials.");
  }
  // AWS gives a root key's session an hour, also when more is asked for.
  const seconds = Math.min(input.DurationSeconds ?? SESSION_SECONDS_DEFAULT, CHAINED_SESSION_SECONDS_MAX);
  const credentials = dependencies.credentials.issueSession({ kind: "root", account: principal.account }, seconds * 1_000);
  return { Credentials: wireCredentials(credentials) };
}

function wireCredentials(credentials: SessionCredentials): WireCredentials {
  return {
    AccessKeyId: credentials.accessKeyId,
    SecretAccessKey: credentials.secretAccessKey,
    SessionToken: credentials.sessionToken,
    Expiration: new Date(credentials.expiresAt),
  };
}
