import type { WireRequest } from "./http.ts";
import type { ServiceModel } from "./schema.ts";
import type { Protocol } from "./service-data.ts";

/**
 * The protocol a request shows: by header, then by target and content type, then by form or `Action`; one that
 * shows none speaks its service's own. Old and new SDKs use different ones for the same service.
 */
export function detectProtocol(
  request: Pick<WireRequest, "rawUrl" | "headers">,
  service: Pick<ServiceModel, "protocol"> | undefined,
): Protocol {
  // There every path is a key and every header may be a stranger's, so that nothing but the service tells it.
  if (service?.protocol === "restXml") return "restXml";
  const headers = request.headers;
  if (headers["smithy-protocol"] === "rpc-v2-cbor") return "rpcv2Cbor";
  if (headers["x-amz-target"] !== undefined)
    return headers["content-type"]?.startsWith("application/x-amz-json-1.0") ? "awsJson1_0" : "awsJson1_1";
  const hasPaths = service === undefined || service.protocol === "restJson1";
  if (
    (!hasPaths || isRoot(request.rawUrl)) &&
    (headers["content-type"]?.startsWith("application/x-www-form-urlencoded") || hasAction(request.rawUrl))
  )
    return "awsQuery";
  return service?.protocol ?? "restJson1";
}

/** awsQuery goes to the root, but for services that have no paths, whose older clients go to a queue's URL; elsewhere a form is only what curl calls any body, and `Action` a parameter like others. */
function isRoot(rawUrl: string): boolean {
  return rawUrl === "/" || rawUrl === "" || rawUrl.startsWith("/?") || rawUrl.startsWith("?");
}

function hasAction(rawUrl: string): boolean {
  const start = rawUrl.indexOf("?");
  return start !== -1 && (rawUrl.startsWith("Action=", start + 1) || rawUrl.includes("&Action=", start));
}
