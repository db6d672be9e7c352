import type { IncomingHttpHeaders } from "node:http";
import type { CorsSettings } from "../../functions/index.ts";

/** Headers for the answer to a request with an Origin; empty when the settings do not allow it. */
export function corsHeaders(settings: CorsSettings, origin: string | undefined): Record<string, string> {
  const allowed = origin === undefined ? undefined : allowedOrigin(settings, origin);
  if (allowed === undefined) return {};
  const headers: Record<string, string> = { "access-control-allow-origin": allowed };
  if (allowed !== "*") headers.vary = "Origin";
  if (settings.allowCredentials) headers["access-control-allow-credentials"] = "true";
  if (settings.exposeHeaders?.length) headers["access-control-expose-headers"] = settings.exposeHeaders.join(",");
  return headers;
}

/** True for a browser's question before the real request; it never reaches the function when CORS is configured. */
export function isPreflight(method: string, headers: IncomingHttpHeaders): boolean {
  return method === "OPTIONS" && headers.origin !== undefined && headers["access-control-request-method"] !== undefined;
}

/** The answer's headers for a preflight. */
export function preflightHeaders(settings: CorsSettings, headers: IncomingHttpHeaders): Record<string, string> {
  const answer = corsHeaders(settings, headers.origin);
  if (Object.keys(answer).length === 0) return answer;
  answer["access-control-allow-methods"] = expand(settings.allowMethods, headers["access-control-request-method"]);
  const asked = headers["access-control-request-headers"];
  if (asked !== undefined) answer["access-control-allow-headers"] = expand(settings.allowHeaders, asked);
  if (settings.maxAgeSeconds !== undefined) answer["access-control-max-age"] = String(settings.maxAgeSeconds);
  return answer;
}

function allowedOrigin(settings: CorsSettings, origin: string): string | undefined {
  if (settings.allowOrigins?.includes("*")) return settings.allowCredentials ? origin : "*";
  return settings.allowOrigins?.includes(origin) ? origin : undefined;
}

/** With credentials a browser takes "*" literally, so what was asked for is repeated. */
function expand(allowed: readonly string[] | undefined, asked: string | undefined): string {
  if (allowed?.includes("*")) return asked ?? "*";
  return (allowed ?? []).join(",");
}
