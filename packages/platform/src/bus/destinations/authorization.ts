/** How requests to an endpoint are authorised: what a connection is given, and what a change of it makes of it. Pure. */
import { LambentError } from "../../base/index.ts";
import { checkEndpoint, checkHeader, checkParameters, type ConnectionParameters, NO_PARAMETERS } from "./connection-parameters.ts";

const OAUTH_METHODS = ["POST", "GET", "PUT"] as const;
export type OAuthMethod = (typeof OAUTH_METHODS)[number];

export type Authorization =
  | { readonly kind: "basic"; readonly username: string; readonly password: string }
  | { readonly kind: "apiKey"; readonly name: string; readonly value: string }
  | {
      readonly kind: "oauth";
      readonly clientId: string;
      readonly clientSecret: string;
      /** Where tokens are got. */
      readonly endpoint: string;
      readonly method: OAuthMethod;
      /** What the request for a token carries beside the client's credentials. */
      readonly parameters: ConnectionParameters;
    };

export type AuthorizationKind = Authorization["kind"];

/** All that is secret about a connection, and what stands beside it: sealed as one. */
export interface ConnectionContent {
  readonly authorization: Authorization;
  /** What every request to an endpoint carries. */
  readonly invocation: ConnectionParameters;
}

type Draft<Kind extends AuthorizationKind> = { readonly kind: Kind } & {
  readonly [Member in Exclude<keyof Extract<Authorization, { kind: Kind }>, "kind">]?:
    | Extract<Authorization, { kind: Kind }>[Member]
    | undefined;
};

/** What a caller gives: for a new connection all of it, for a change what is to be another. */
export type AuthorizationDraft = Draft<"basic"> | Draft<"apiKey"> | Draft<"oauth">;

/** Names of AWS for what can be missing. */
const MEMBERS: Readonly<Record<AuthorizationKind, Readonly<Record<string, string>>>> = {
  basic: { username: "BasicAuthParameters.Username", password: "BasicAuthParameters.Password" },
  apiKey: { name: "ApiKeyAuthParameters.ApiKeyName", value: "ApiKeyAuthParameters.ApiKeyValue" },
  oauth: {
    clientId: "OAuthParameters.ClientParameters.ClientID",
    clientSecret: "OAuthParameters.ClientParameters.ClientSecret",
    endpoint: "OAuthParameters.AuthorizationEndpoint",
    method: "OAuthParameters.HttpMethod",
  },
};

/**
 * The authorization that follows from a draft: what it leaves out stays as in `current`, where that is of the same kind.
 * Refuses one that is not whole, or could not be sent.
 */
export function authorizationOf(draft: AuthorizationDraft, current: Authorization | undefined): Authorization {
  const before = current?.kind === draft.kind ? current : undefined;
  const given = Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined));
  const whole = { ...(draft.kind === "oauth" ? { parameters: NO_PARAMETERS } : {}), ...before, ...given } as Record<string, unknown>;
  const missing = Object.entries(MEMBERS[draft.kind]).find(([member]) => whole[member] === undefined);
  if (missing) throw new LambentError("InvalidParameter", `AuthParameters.${missing[1]} is required with this AuthorizationType.`);
  const authorization = whole as unknown as Authorization;
  checkAuthorization(authorization);
  return authorization;
}

function checkAuthorization(authorization: Authorization): void {
  switch (authorization.kind) {
    case "basic":
      // RFC 7617: everything before the first colon is the name.
      if (authorization.username.includes(":"))
        throw new LambentError("InvalidParameter", "BasicAuthParameters.Username must not hold a colon.");
      return;
    case "apiKey":
      return checkHeader(authorization.name, authorization.value, "ApiKeyAuthParameters");
    case "oauth":
      checkEndpoint(authorization.endpoint, "AuthorizationEndpoint", "noStars");
      if (!OAUTH_METHODS.includes(authorization.method))
        throw new LambentError(
          "InvalidParameter",
          `HttpMethod is ${String(authorization.method)}; it is one of ${OAUTH_METHODS.join(", ")}.`,
        );
      return checkParameters(authorization.parameters);
  }
}
