// Payload 2.0, what the gateway hands to a function, as a plain request; and an answer back into its form.

const TEXT_TYPES = /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded|graphql|[\w.+-]+\+(json|xml))|image\/svg\+xml)/i;

/** True for an event the gateway made of an HTTP request. */
export const isHttpEvent = (event) => event?.version === "2.0" && typeof event.requestContext?.http?.method === "string";

/** `{ method, path, query, headers, body: Buffer }`; any other event is a POST of itself to `/`. */
export function toRequest(event) {
  if (!isHttpEvent(event)) {
    const body = Buffer.from(JSON.stringify(event ?? null));
    return {
      method: "POST",
      path: "/",
      query: "",
      headers: { "content-type": "application/json", "content-length": String(body.length) },
      body,
    };
  }
  const headers = { ...event.headers };
  if (event.cookies?.length > 0) headers.cookie = event.cookies.join("; ");
  return {
    method: event.requestContext.http.method,
    path: event.rawPath || "/",
    query: event.rawQueryString ?? "",
    headers,
    body: event.body ? Buffer.from(event.body, event.isBase64Encoded ? "base64" : "utf8") : Buffer.alloc(0),
  };
}

/** Status, headers and cookies of payload 2.0. `headers`: lower-case name → string or list of strings. */
export function toHead(statusCode, headers) {
  const head = { statusCode, headers: Object.create(null) };
  for (const [name, value] of Object.entries(headers)) {
    if (name === "set-cookie") head.cookies = [value].flat().map(String);
    else head.headers[name] = Array.isArray(value) ? value.join(", ") : String(value);
  }
  return head;
}

/** A whole answer, its head as `toHead` has it. */
export function toResult(statusCode, headers, body) {
  const result = { ...toHead(statusCode, headers), body: "", isBase64Encoded: false };
  const text = TEXT_TYPES.test(result.headers["content-type"] ?? "text/plain") && result.headers["content-encoding"] === undefined;
  result.isBase64Encoded = !text && body.length > 0;
  result.body = body.toString(result.isBase64Encoded ? "base64" : "utf8");
  return result;
}
