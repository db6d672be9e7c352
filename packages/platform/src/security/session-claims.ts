import type { Instant } from "../base/index.ts";
import type { FunctionVersion, Realm } from "../model/index.ts";
import type { Principal } from "./principal.ts";

/** Whose session: another one of the root key's, or one of a role's. */
export type SessionRequest =
  | Pick<Principal & { readonly kind: "root" }, "kind" | "account">
  | Pick<
      Principal & { readonly kind: "assumedRole" },
      "kind" | "account" | "roleArn" | "sessionName" | "sessionPolicies" | "tags" | "within"
    >;

/** What a session token says, sealed: read back only after its seal was checked, so its form is ours. */
export type SessionClaims =
  | {
      readonly kind: "function";
      readonly expiresAt: Instant;
      readonly realm: Realm;
      readonly functionName: string;
      readonly version: string;
      readonly revisionId: string;
      readonly roleArn: string;
    }
  | ({ readonly expiresAt: Instant } & SessionRequest);

/** The claims of what can be issued. */
export const claimsOf = {
  function(version: FunctionVersion, expiresAt: Instant): SessionClaims {
    const { realm, name, revisionId } = version;
    return { kind: "function", expiresAt, realm, functionName: name, version: version.version, revisionId, roleArn: version.roleArn };
  },
  session(session: SessionRequest, expiresAt: Instant): SessionClaims {
    return { ...session, expiresAt };
  },
} as const;

/** The claims behind a seal that was checked. */
export function readClaims(plain: Uint8Array): SessionClaims {
  return JSON.parse(Buffer.from(plain).toString("utf8")) as SessionClaims;
}

/** The principal that claims make of whoever holds the key pair. */
export function principalOf(claims: SessionClaims, accessKeyId: string): Principal {
  return { ...claims, accessKeyId };
}
