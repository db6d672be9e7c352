/** What a bucket's CORS document answers a browser. Pure: the gateway asks it for each request that has an Origin. @see S3 user guide, CORS */
import type { CORSRule } from "@aws-sdk/client-s3";

/** A bucket's document `cors`, as it is stored. */
export interface CorsDocument {
  readonly CORSRules: readonly CORSRule[];
}

export type CorsRequest =
  /** OPTIONS: what the browser would like to send. */
  | {
      readonly kind: "preflight";
      readonly origin: string | undefined;
      /** `Access-Control-Request-Method`. */
      readonly method: string | undefined;
      /** `Access-Control-Request-Headers`. */
      readonly headers: string | undefined;
    }
  | { readonly kind: "actual"; readonly origin: string; readonly method: string };

export type CorsAnswer =
  /** Headers to answer with; none where an actual request fits no rule, which is answered all the same. */
  | { readonly kind: "allowed"; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: "refused"; readonly status: 400 | 403; readonly code: "BadRequest" | "AccessForbidden"; readonly message: string };

/** Headers that a preflight may name; more are no browser's (P7). */
const REQUESTED_HEADERS_MAX = 100;
const HEADERS_CHARS_MAX = 8_192;

/**
 * The first rule that fits decides. `document` is a bucket's document `cors`; undefined where it has none.
 *
 * A preflight that no rule fits is refused, an actual request that no rule fits has no headers, by which the browser refuses it.
 */
export function corsAnswer(document: CorsDocument | undefined, request: CorsRequest): CorsAnswer {
  return request.kind === "preflight" ? preflight(document, request) : actual(document, request);
}

function actual(document: CorsDocument | undefined, { origin, method }: CorsRequest & { readonly kind: "actual" }): CorsAnswer {
  for (const rule of document?.CORSRules ?? []) {
    const allowed = allowedOrigin(rule, origin);
    if (allowed !== undefined && hasMethod(rule, method)) return { kind: "allowed", headers: answerHeaders(rule, allowed, origin) };
  }
  return { kind: "allowed", headers: {} };
}

function preflight(
  document: CorsDocument | undefined,
  { origin, method, headers }: CorsRequest & { readonly kind: "preflight" },
): CorsAnswer {
  if (origin === undefined || origin === "") return badRequest("Insufficient information. Origin request header needed.");
  if (method === undefined || !METHODS.has(method))
    return badRequest(`Invalid Access-Control-Request-Method: ${(method ?? "null").slice(0, 100)}`);
  if (!document) return forbidden("CORSResponse: CORS is not enabled for this bucket.");
  const names = headerNames(headers);
  for (const rule of names === undefined ? [] : document.CORSRules) {
    const allowed = allowedOrigin(rule, origin);
    if (allowed === undefined || !hasMethod(rule, method) || !names?.every((name) => allowsHeader(rule, name))) continue;
    const requested: Record<string, string> = names.length === 0 ? {} : { "access-control-allow-headers": names.join(", ") };
    return { kind: "allowed", headers: { ...answerHeaders(rule, allowed, origin), ...requested } };
  }
  return forbidden(
    "CORSResponse: This CORS request is not allowed: no rule of the bucket allows this Origin, Access-Control-Request-Method and Access-Control-Request-Headers.",
  );
}

const METHODS: ReadonlySet<string> = new Set(["GET", "PUT", "POST", "DELETE", "HEAD"]);

function badRequest(message: string): CorsAnswer {
  return { kind: "refused", status: 400, code: "BadRequest", message };
}

function forbidden(message: string): CorsAnswer {
  return { kind: "refused", status: 403, code: "AccessForbidden", message };
}

/** Lower case; undefined where they are more than a browser sends. */
function headerNames(header: string | undefined): string[] | undefined {
  if (header === undefined) return [];
  if (header.length > HEADERS_CHARS_MAX) return undefined;
  const names = header.split(",").map((name) => name.trim().toLowerCase());
  return names.length > REQUESTED_HEADERS_MAX ? undefined : names.filter((name) => name !== "");
}

function answerHeaders(rule: CORSRule, allowed: string, origin: string): Record<string, string> {
  const anybody = allowed === "*";
  return {
    "access-control-allow-origin": anybody ? "*" : origin,
    "access-control-allow-methods": (rule.AllowedMethods ?? []).join(", "),
    ...(rule.ExposeHeaders?.length ? { "access-control-expose-headers": rule.ExposeHeaders.join(", ") } : {}),
    ...(rule.MaxAgeSeconds === undefined ? {} : { "access-control-max-age": String(rule.MaxAgeSeconds) }),
    // A browser takes credentials only for an origin that is named.
    ...(anybody ? {} : { "access-control-allow-credentials": "true" }),
    vary: "Origin, Access-Control-Request-Headers, Access-Control-Request-Method",
  };
}

/** Which of the rule's origins it is. */
function allowedOrigin({ AllowedOrigins }: CORSRule, origin: string): string | undefined {
  return AllowedOrigins?.find((pattern) => fits(pattern, origin));
}

function hasMethod({ AllowedMethods }: CORSRule, method: string): boolean {
  return AllowedMethods?.includes(method) === true;
}

function allowsHeader({ AllowedHeaders }: CORSRule, name: string): boolean {
  return AllowedHeaders?.some((pattern) => fits(pattern.toLowerCase(), name)) === true;
}

/** One `*` at most, which stands for any text. */
function fits(pattern: string, text: string): boolean {
  const star = pattern.indexOf("*");
  if (star < 0) return pattern === text;
  const [before, behind] = [pattern.slice(0, star), pattern.slice(star + 1)];
  return text.length >= before.length + behind.length && text.startsWith(before) && text.endsWith(behind);
}
