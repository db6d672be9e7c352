import { createHash } from "node:crypto";
import { LambentError, type Instant } from "../base/index.ts";
import type { Realm } from "../model/index.ts";

/** One revision of one function, as its credentials name it. */
export interface FunctionIdentity {
  readonly realm: Realm;
  readonly functionName: string;
  readonly version: string;
  readonly revisionId: string;
}

/** Who a request comes from, as its signature proved. */
export type Principal =
  /** Holder of a root key: may do everything in its account. */
  | {
      readonly kind: "root";
      readonly account: string;
      readonly accessKeyId: string;
      /** Present when this is a session of the root key, from GetSessionToken. */
      readonly expiresAt?: Instant;
    }
  /** A running function; stays in its realm whatever account its role names. */
  | {
      readonly kind: "function";
      readonly realm: Realm;
      readonly functionName: string;
      readonly version: string;
      readonly revisionId: string;
      readonly roleArn: string;
      readonly accessKeyId: string;
      readonly expiresAt: Instant;
    }
  /** A session from AssumeRole; one that a function asked for stays within that function: its listener, its realm. */
  | {
      readonly kind: "assumedRole";
      readonly account: string;
      readonly roleArn: string;
      readonly sessionName: string;
      readonly accessKeyId: string;
      readonly expiresAt: Instant;
      /** Narrow what the role allows; an empty pair of lists narrows nothing. */
      readonly sessionPolicies: { readonly documents: readonly string[]; readonly arns: readonly string[] };
      /** Session tags: condition keys `aws:PrincipalTag/<name>`. */
      readonly tags: Readonly<Record<string, string>>;
      /** The function whose call it was issued to, over however many sessions; absent outside functions. */
      readonly within?: FunctionIdentity;
    }
  /** The platform acting for one of its parts, for example `events.amazonaws.com`. */
  | { readonly kind: "service"; readonly service: string }
  | { readonly kind: "anonymous" };

/** What a signature claims before it is checked. */
export interface CredentialScope {
  readonly accessKeyId: string;
  /** `YYYYMMDD`. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

/** The session a service has of a role that was passed to it. */
export function serviceSession(account: string, roleArn: string, service: string): Principal {
  const narrowedByNothing = { sessionPolicies: { documents: [], arns: [] }, tags: {} };
  const sessionName = service.split(".")[0] ?? service;
  return { kind: "assumedRole", account, roleArn, sessionName, accessKeyId: "", expiresAt: Number.POSITIVE_INFINITY, ...narrowedByNothing };
}

/** Account a principal acts in, or undefined for those that have none. */
export function accountOf(principal: Principal): string | undefined {
  switch (principal.kind) {
    case "root":
    case "assumedRole":
      return principal.account;
    case "function":
      return principal.realm.account;
    case "service":
    case "anonymous":
      return undefined;
  }
}

/** The function that holds these credentials: its own, or those of a session it asked for; undefined for everybody else. */
export function functionOf(principal: Principal): FunctionIdentity | undefined {
  if (principal.kind === "function") return principal;
  return principal.kind === "assumedRole" ? principal.within : undefined;
}

/** Services whose things belong to an account, not to a region: clients sign for them with a region of their own choice. */
const REGIONLESS_SERVICES: ReadonlySet<string> = new Set(["iam", "sts", "s3", "route53", "cloudfront", "organizations"]);

/**
 * The realm a signed request works in: account of the key, region of the scope.
 * Function credentials, and sessions a function asked for, always stay in the function's realm; a scope that names another region is refused with `AccessDenied`.
 */
export function realmOf(principal: Principal, scope: Pick<CredentialScope, "region" | "service">): Realm {
  const holder = functionOf(principal);
  if (holder) {
    if (scope.region !== holder.realm.region && !REGIONLESS_SERVICES.has(scope.service)) {
      throw new LambentError(
        "AccessDenied",
        `The credentials of function ${holder.functionName} work in ${holder.realm.region}; the request was signed for ${scope.region}.`,
      );
    }
    return holder.realm;
  }
  const account = accountOf(principal);
  if (account === undefined) throw new LambentError("MissingCredentials", "The request is not signed, so it names no account.");
  return { account, region: scope.region };
}

/** Name of the role behind `arn:aws:iam::<account>:role/<path>/<name>`. */
export function roleNameOf(roleArn: string): string {
  return roleArn.slice(roleArn.lastIndexOf("/") + 1);
}

/** Account that a role ARN names. */
export function roleAccountOf(roleArn: string): string {
  return roleArn.split(":", 5)[4] ?? "";
}

/** True for a well-formed role ARN of any account. */
export function isRoleArn(text: string): boolean {
  return text.length <= 2_048 && /^arn:aws[a-z-]*:iam::\d{12}:role\/(?:[\x21-\x7e]{1,510}\/)?[\w+=,.@-]{1,64}$/.test(text);
}

/** The caller's ARN as STS reports it; `anonymous` and services have none of AWS's form and are named plainly. */
export function principalArn(principal: Principal): string {
  switch (principal.kind) {
    case "root":
      return `arn:aws:iam::${principal.account}:root`;
    case "function":
      return `arn:aws:sts::${principal.realm.account}:assumed-role/${roleNameOf(principal.roleArn)}/${principal.functionName}`;
    case "assumedRole":
      return `arn:aws:sts::${principal.account}:assumed-role/${roleNameOf(principal.roleArn)}/${principal.sessionName}`;
    case "service":
      return principal.service;
    case "anonymous":
      return "anonymous";
  }
}

const UNIQUE_ID_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** `prefix` and 16 characters of AWS's identifier alphabet, from the first ten of `bytes`. */
export function uniqueId(prefix: string, bytes: Uint8Array): string {
  let bits = 0;
  let held = 0;
  let text = prefix;
  for (const byte of bytes.subarray(0, 10)) {
    bits = ((bits << 8) | byte) & 0xffff;
    held += 8;
    while (held >= 5) {
      held -= 5;
      text += UNIQUE_ID_ALPHABET.charAt((bits >> held) & 31);
    }
  }
  return text;
}

/** The role id of a role that is only known by its ARN: the same for the same ARN, in AWS's form. */
export function roleIdOfArn(roleArn: string): string {
  return uniqueId("AROA", createHash("sha256").update(roleArn).digest());
}
