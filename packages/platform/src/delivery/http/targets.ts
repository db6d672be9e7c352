/** The kinds of targets that are reached over HTTP: API destinations by ARN, and endpoints by their address. */
import { type Clock, isLambentError, Lru } from "../../base/index.ts";
import {
  type ApiDestination,
  type ApiDestinations,
  type Connection,
  type ConnectionContent,
  type Connections,
  parseDestinationArn,
} from "../../bus/index.ts";
import { type Realm, realmKey } from "../../model/index.ts";
import type { Parcel } from "../../outbox/index.ts";
import { type Answer, type Authorize, never, type TargetKind } from "../handing.ts";
import type { ConnectionTokens, Token } from "./connection-tokens.ts";
import type { HttpClient } from "./http-client.ts";
import { destinationRequest, endToEnd } from "./request.ts";
import { takeToken, type TokenBucket } from "./token-bucket.ts";
import { API_DESTINATION_POLICY, TOPIC_ENDPOINT_POLICY, verdictOf } from "./verdict.ts";

/** API destinations whose rate is watched; one more and the longest unused begins anew. @limit */
const RATES_WATCHED_MAX = 3_000;
/** Bytes of an answer that are read, so that its connection can be used again; nothing of it is kept. @limit */
const DISCARDED_BYTES_MAX = 65_536;

export interface ApiDestinationTargetParts {
  readonly client: Pick<HttpClient, "call">;
  readonly tokens: Pick<ConnectionTokens, "token" | "forget">;
  readonly connections: Pick<Connections, "byArn" | "content">;
  readonly destinations: Pick<ApiDestinations, "byArn">;
  readonly authorize: Authorize;
  readonly clock: Clock;
}

/** API destinations take a parcel as a request to their endpoint, authorised by their connection, no more often than they allow. */
export function apiDestinationTarget(parts: ApiDestinationTargetParts): TargetKind {
  const rates = new Lru<string, TokenBucket>(RATES_WATCHED_MAX);
  return {
    takes: (target) => parseDestinationArn("api-destination", target) !== undefined,
    async handOver([{ parcel }]) {
      const found = lookUp(parts, parcel);
      if ("kind" in found) return [found];
      const { authorization } = found.content;
      const token = authorization.kind === "oauth" ? await parts.tokens.token(found.realm, found.connection, authorization) : undefined;
      if (token?.kind === "none") return [noToken(token)];
      const wait = waitOf(rates, parcel.target, found.destination, parts.clock);
      if (wait) return [wait];
      return [await call(parts, found, token?.token, parcel)];
    },
  };
}

interface Found {
  readonly realm: Realm;
  readonly destination: ApiDestination;
  readonly connection: Connection;
  readonly content: ConnectionContent;
}

const { says } = API_DESTINATION_POLICY;

function lookUp({ destinations, connections, authorize }: ApiDestinationTargetParts, { target, sender }: Parcel): Found | Answer {
  const named = destinations.byArn(target);
  if (!named || realmKey(named.realm) !== realmKey(sender.realm))
    return never("RESOURCE_NOT_FOUND", `${says}There is no API destination ${target}.`);
  authorize({ sender, action: "events:InvokeApiDestination", resource: target, resourcePolicy: undefined });
  const { realm, destination } = named;
  const connection = connections.byArn(destination.connectionArn)?.connection;
  if (!connection) return never("RESOURCE_NOT_FOUND", `${says}The connection ${destination.connectionArn} does not exist.`);
  const content = connections.content(realm, connection);
  // It can be given new secrets while the event waits.
  if (!content)
    return {
      kind: "later",
      refusal: { code: "CONNECTION_NOT_AUTHORIZED", message: `${says}The connection ${connection.name} is de-authorized.` },
    };
  return { realm, destination, connection, content };
}

function noToken({ message, waitMs }: Extract<Token, { readonly kind: "none" }>): Answer {
  return { kind: "later", refusal: { code: "CONNECTION_NOT_AUTHORIZED", message: says + message, retryAfterMs: waitMs } };
}

/** Undefined when it may be called now. */
function waitOf(rates: Lru<string, TokenBucket>, arn: string, { invocationsPerSecond }: ApiDestination, clock: Clock): Answer | undefined {
  const outcome = takeToken(rates.get(arn), invocationsPerSecond, clock.monotonicMs());
  rates.set(arn, outcome.bucket);
  const why = { code: "THROTTLING", message: "The invocation rate of the API destination left no room for it." };
  return outcome.kind === "wait" ? { kind: "wait", ms: outcome.ms, why } : undefined;
}

async function call(
  { client, tokens, clock }: ApiDestinationTargetParts,
  found: Found,
  token: string | undefined,
  parcel: Parcel,
): Promise<Answer> {
  const { realm, destination, connection, content } = found;
  const { timeoutMs } = API_DESTINATION_POLICY;
  const request = requestOf(destination, content, token, parcel);
  if ("kind" in request) return request;
  const ending = await client.call({ ...request, timeoutMs, answerBytesMax: DISCARDED_BYTES_MAX });
  if (token !== undefined && ending.kind === "answered" && (ending.status === 401 || ending.status === 407))
    tokens.forget(realm, connection, token);
  return verdictOf(ending, API_DESTINATION_POLICY, clock.now());
}

function requestOf(...parts: Parameters<typeof destinationRequest>): ReturnType<typeof destinationRequest> | Answer {
  try {
    return destinationRequest(...parts);
  } catch (error) {
    if (isLambentError(error, "InvalidParameter")) return never("INVALID_PARAMETER", says + error.message);
    throw error;
  }
}

/** Endpoints that a topic sends to take a parcel as a POST with the headers of its options. */
export function endpointTarget({ client, clock }: { readonly client: Pick<HttpClient, "call">; readonly clock: Clock }): TargetKind {
  return {
    takes: (target) => /^https?:\/\//i.test(target),
    async handOver([{ parcel }]) {
      const { target, payload, options } = parcel;
      if (!URL.canParse(target)) return [never("INVALID_PARAMETER", `${target.slice(0, 200)} is no address.`)];
      const url = new URL(target);
      const headers = { ...withLogin(url), ...endToEnd(options.headers ?? {}) };
      const { timeoutMs } = TOPIC_ENDPOINT_POLICY;
      const ending = await client.call({ method: "POST", url, headers, body: payload, timeoutMs, answerBytesMax: DISCARDED_BYTES_MAX });
      return [verdictOf(ending, TOPIC_ENDPOINT_POLICY, clock.now())];
    },
  };
}

/** SNS sends user name and password of an address as basic authorisation. */
function withLogin({ username, password }: URL): Record<string, string> {
  if (username === "" && password === "") return {};
  const login = `${decoded(username)}:${decoded(password)}`;
  return { authorization: `Basic ${Buffer.from(login).toString("base64")}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
