// Handler style `fetch`: (Request) => Response, the web's own objects.
import { toRequest, toResult } from "./http-event.mjs";
import { NO_RESPONSE } from "./web.mjs";

function requestOf(event) {
  const { method, path, query, headers, body } = toRequest(event);
  const scheme = headers["x-forwarded-proto"] === "https" ? "https" : "http";
  const host = headers.host ?? event?.requestContext?.domainName ?? "localhost";
  const url = `${scheme}://${host}${path}${query ? `?${query}` : ""}`;
  const bodiless = method === "GET" || method === "HEAD";
  return new Request(url, { method, headers, ...(bodiless ? {} : { body }) });
}

/** A handler `(event, context)` around a fetch-style one. */
export function fetchHandler(handle) {
  return async (event, context) => {
    const response = await handle(requestOf(event), context);
    if (!(response instanceof Response)) return NO_RESPONSE;
    const headers = Object.fromEntries(response.headers);
    const cookies = response.headers.getSetCookie();
    if (cookies.length > 0) headers["set-cookie"] = cookies;
    return toResult(response.status, headers, Buffer.from(await response.arrayBuffer()));
  };
}
