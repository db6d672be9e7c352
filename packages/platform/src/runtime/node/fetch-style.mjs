// Handler style `fetch`: (Request) => Response, the web's own objects.
import { isHttpEvent, toHead, toRequest, toResult } from "./http-event.mjs";
import { STREAMED } from "./streaming.mjs";
import { NO_RESPONSE } from "./web.mjs";

function requestOf(event) {
  const { method, path, query, headers, body } = toRequest(event);
  const scheme = headers["x-forwarded-proto"] === "https" ? "https" : "http";
  const host = headers.host ?? event?.requestContext?.domainName ?? "localhost";
  const url = `${scheme}://${host}${path}${query ? `?${query}` : ""}`;
  const bodiless = method === "GET" || method === "HEAD";
  return new Request(url, { method, headers, ...(bodiless ? {} : { body }) });
}

/** Piece by piece, at the pace of whoever reads; a reader who leaves cancels the body. */
async function pass(body, stream) {
  stream.flushHeaders();
  for await (const chunk of body ?? []) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError("The body of a Response is made of Uint8Array chunks.");
    await new Promise((resolve, reject) => stream.write(chunk, (error) => (error ? reject(error) : resolve())));
  }
  stream.end();
}

/** A handler `(event, context, openStream)` around a fetch-style one. With `openStream` the answer leaves as its body comes. */
export function fetchHandler(handle) {
  return async (event, context, openStream) => {
    const response = await handle(requestOf(event), context);
    if (!(response instanceof Response)) return NO_RESPONSE;
    const headers = Object.fromEntries(response.headers);
    const cookies = response.headers.getSetCookie();
    if (cookies.length > 0) headers["set-cookie"] = cookies;
    if (openStream && isHttpEvent(event)) {
      const stream = openStream();
      stream.setHttpPrelude(toHead(response.status, headers));
      await pass(response.body, stream);
      return STREAMED;
    }
    return toResult(response.status, headers, Buffer.from(await response.arrayBuffer()));
  };
}
