import type {
  ConnectionAuthResponseParameters,
  ConnectionHttpParameters,
  ConnectionState as ConnectionStateName,
  CreateConnectionAuthRequestParameters,
  CreateConnectionRequest,
  UpdateConnectionAuthRequestParameters,
} from "@aws-sdk/client-eventbridge";
import { LambentError } from "../../base/index.ts";
import type {
  AuthorizationDraft,
  AuthorizationKind,
  ConnectionContent,
  ConnectionParameter,
  ConnectionParameters,
  ConnectionState,
} from "../../bus/index.ts";
import { given, refuseUnbuilt } from "../given.ts";

/** Between EventBridge's shapes of connections and those of `bus/`. */

type AuthorizationTypeName = NonNullable<CreateConnectionRequest["AuthorizationType"]>;
/** Members of a request that are all optional: of a new connection, or of a change. */
export type AuthParameters = CreateConnectionAuthRequestParameters | UpdateConnectionAuthRequestParameters;

const KINDS: Readonly<Record<AuthorizationTypeName, { readonly kind: AuthorizationKind; readonly member: keyof AuthParameters }>> = {
  BASIC: { kind: "basic", member: "BasicAuthParameters" },
  API_KEY: { kind: "apiKey", member: "ApiKeyAuthParameters" },
  OAUTH_CLIENT_CREDENTIALS: { kind: "oauth", member: "OAuthParameters" },
};

const TYPES: Readonly<Record<AuthorizationKind, AuthorizationTypeName>> = {
  basic: "BASIC",
  apiKey: "API_KEY",
  oauth: "OAUTH_CLIENT_CREDENTIALS",
};

export function authorizationTypeOf(kind: AuthorizationKind): AuthorizationTypeName {
  return TYPES[kind];
}

/** What a request says of the authorization; undefined when it says nothing of it. */
export function authorizationDraft(
  type: AuthorizationTypeName,
  parameters: AuthParameters,
  stays: AuthorizationKind | undefined,
): AuthorizationDraft | undefined {
  refuseUnbuilt(parameters, ["ConnectivityParameters"]);
  const { kind, member } = KINDS[type];
  const other = Object.values(KINDS).find((each) => each.member !== member && parameters[each.member] !== undefined);
  if (other)
    throw new LambentError("InvalidParameter", `AuthParameters has ${other.member}, which does not go with AuthorizationType ${type}.`);
  if (parameters[member] === undefined && stays === kind) return undefined;
  switch (kind) {
    case "basic":
      return { kind, username: parameters.BasicAuthParameters?.Username, password: parameters.BasicAuthParameters?.Password };
    case "apiKey":
      return { kind, name: parameters.ApiKeyAuthParameters?.ApiKeyName, value: parameters.ApiKeyAuthParameters?.ApiKeyValue };
    case "oauth": {
      const { ClientParameters, AuthorizationEndpoint, HttpMethod, OAuthHttpParameters } = parameters.OAuthParameters ?? {};
      return {
        kind,
        clientId: ClientParameters?.ClientID,
        clientSecret: ClientParameters?.ClientSecret,
        endpoint: AuthorizationEndpoint,
        method: HttpMethod,
        parameters: OAuthHttpParameters && parametersOf(OAuthHttpParameters),
      };
    }
  }
}

export function parametersOf({ HeaderParameters, QueryStringParameters, BodyParameters }: ConnectionHttpParameters): ConnectionParameters {
  return {
    headers: (HeaderParameters ?? []).map((each) => parameterOf(each, "HeaderParameters")),
    query: (QueryStringParameters ?? []).map((each) => parameterOf(each, "QueryStringParameters")),
    body: (BodyParameters ?? []).map((each) => parameterOf(each, "BodyParameters")),
  };
}

interface Parameter {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
  readonly IsValueSecret?: boolean | undefined;
}

function parameterOf({ Key, Value = "", IsValueSecret = false }: Parameter, list: string): ConnectionParameter {
  return { key: given(Key, `${list}.Key`), value: Value, secret: IsValueSecret };
}

/** What of a connection may be shown: names, and values that nobody said are secret. */
export function authResponse({ authorization, invocation }: ConnectionContent): ConnectionAuthResponseParameters {
  const shown = parametersShape(invocation);
  const common = shown && { InvocationHttpParameters: shown };
  switch (authorization.kind) {
    case "basic":
      return { BasicAuthParameters: { Username: authorization.username }, ...common };
    case "apiKey":
      return { ApiKeyAuthParameters: { ApiKeyName: authorization.name }, ...common };
    case "oauth": {
      const parameters = parametersShape(authorization.parameters);
      const oauth = {
        ClientParameters: { ClientID: authorization.clientId },
        AuthorizationEndpoint: authorization.endpoint,
        HttpMethod: authorization.method,
        ...(parameters && { OAuthHttpParameters: parameters }),
      };
      return { OAuthParameters: oauth, ...common };
    }
  }
}

function parametersShape({ headers, query, body }: ConnectionParameters): ConnectionHttpParameters | undefined {
  if (headers.length + query.length + body.length === 0) return undefined;
  return {
    ...(headers.length > 0 && { HeaderParameters: headers.map(parameterShape) }),
    ...(query.length > 0 && { QueryStringParameters: query.map(parameterShape) }),
    ...(body.length > 0 && { BodyParameters: body.map(parameterShape) }),
  };
}

function parameterShape({ key, value, secret }: ConnectionParameter): Parameter {
  return { Key: key, ...(secret ? {} : { Value: value }), IsValueSecret: secret };
}

export function connectionStateName({ kind }: ConnectionState): ConnectionStateName {
  switch (kind) {
    case "authorized":
      return "AUTHORIZED";
    case "authorizing":
      return "AUTHORIZING";
    case "refused":
    case "deauthorized":
      return "DEAUTHORIZED";
  }
}
