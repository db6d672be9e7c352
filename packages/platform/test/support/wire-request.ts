import type { WireRequest } from "../../src/wire/index.ts";

/** A request as a listener would hand it on. */
export function wireRequest(
  method: string,
  rawUrl: string,
  headers: Readonly<Record<string, string>> = {},
  body: string | Buffer = "",
): WireRequest {
  return {
    method,
    rawUrl,
    rawHeaders: Object.entries(headers).flat(),
    headers: { __proto__: null, ...headers } as unknown as WireRequest["headers"],
    body: typeof body === "string" ? Buffer.from(body, "utf8") : body,
  };
}

/** A form post, as awsQuery sends it. */
export function formRequest(body: string): WireRequest {
  return wireRequest("POST", "/", { "content-type": "application/x-www-form-urlencoded; charset=utf-8" }, body);
}

/** A JSON call with a target. */
export function targetRequest(target: string, body: string, version: "1.0" | "1.1" = "1.1"): WireRequest {
  return wireRequest("POST", "/", { "content-type": `application/x-amz-json-${version}`, "x-amz-target": target }, body);
}
