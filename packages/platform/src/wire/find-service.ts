import type { WireRequest } from "./http.ts";
import { rpcPath } from "./protocols/rpc-cbor.ts";
import { findRoute, parseQuery } from "./route.ts";
import type { ServiceModel } from "./schema.ts";
import type { ServiceMetadata } from "./service-data.ts";

/** What tells a request's service. */
export interface RequestHead extends Pick<WireRequest, "method" | "rawUrl" | "headers"> {
  /** The service in the credential scope, where the request is signed. */
  readonly scopeService?: string | undefined;
  /** Holds the action of an unsigned awsQuery request. */
  readonly body?: Buffer | undefined;
}

/** Characters of a form in which the action and version of an unsigned request are looked for. */
const FORM_HEAD_CHARS_MAX = 1_024;

/** A service of which its metadata is known, but maybe not its schema. */
interface Known {
  readonly metadata: ServiceMetadata;
}

/**
 * The service that a request is for, among `models`; undefined when nothing in it tells.
 *
 * A signed request says so in its scope, and nothing else counts then: another answer would let a signature for one
 * service reach a second one. Unsigned ones are told by X-Amz-Target, by the path, by the action, then by the host.
 */
export function findService(head: RequestHead, models: readonly ServiceModel[]): ServiceModel | undefined {
  const inHead = findServiceInHead(head, models);
  return inHead === "untold" ? (byRoute(head, models) ?? byAction(head, models) ?? byHost(head, models)) : inHead;
}

/** The same where the head alone tells it, for services whose schemas are not read yet; "untold" where it takes their schemas. */
export function findServiceInHead<S extends Known>(head: RequestHead, services: readonly S[]): S | "untold" | undefined {
  const scope = head.scopeService;
  if (scope !== undefined) return services.find(({ metadata }) => metadata.signingName === scope);
  return byTarget(head, services) ?? "untold";
}

// No service of protocol restXml is told by target or route: there each path is a key of somebody's.
function byTarget<S extends Known>(head: RequestHead, services: readonly S[]): S | undefined {
  const target = head.headers["x-amz-target"];
  const prefix = target?.slice(0, target.lastIndexOf(".")) ?? rpcPath(head.rawUrl)?.service;
  return prefix === undefined
    ? undefined
    : services.find(({ metadata }) => metadata.protocol !== "restXml" && metadata.targetPrefix === prefix);
}

function byRoute(head: RequestHead, models: readonly ServiceModel[]): ServiceModel | undefined {
  return models.find((model) => model.protocol === "restJson1" && findRoute(model, head.method, head.rawUrl, head.headers) !== undefined);
}

function byAction(head: RequestHead, models: readonly ServiceModel[]): ServiceModel | undefined {
  const mark = head.rawUrl.indexOf("?");
  const query = mark === -1 ? "" : head.rawUrl.slice(mark + 1);
  const isForm = head.headers["content-type"]?.startsWith("application/x-www-form-urlencoded");
  const body = isForm ? (head.body?.toString("latin1", 0, FORM_HEAD_CHARS_MAX) ?? "") : "";
  // Only whole pairs: the last one may be cut in the middle of an escape.
  const whole = body.length < FORM_HEAD_CHARS_MAX ? body : body.slice(0, body.lastIndexOf("&") + 1);
  if (!query.includes("Action=") && !whole.includes("Action=")) return undefined;
  const pairs = parseQuery(`${query}&${whole}`);
  const action = pairs.get("Action")?.[0] ?? "";
  const version = pairs.get("Version")?.[0];
  return models.find(
    ({ metadata, operations, protocol }) =>
      protocol !== "restXml" && operations.has(action) && (version === undefined || version === metadata.apiVersion),
  );
}

/** `lambda.us-east-1.amazonaws.com`, `logs.localhost`. */
function byHost(head: RequestHead, models: readonly ServiceModel[]): ServiceModel | undefined {
  const label = head.headers["host"]?.split(".", 1)[0];
  return models.find(({ metadata }) => metadata.endpointPrefix === label);
}
