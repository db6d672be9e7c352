/** Which pages a bucket's CORS document lets read and write: a table of rules, requests and answers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { corsAnswer, type CorsDocument, type CorsRequest } from "../../../src/api/s3/cors-matching.ts";

const VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method";

const DOCUMENT: CorsDocument = {
  CORSRules: [
    {
      AllowedOrigins: ["https://app.example.com", "https://*.example.org"],
      AllowedMethods: ["GET", "PUT"],
      AllowedHeaders: ["Content-Type", "x-amz-*"],
      ExposeHeaders: ["ETag", "x-amz-version-id"],
      MaxAgeSeconds: 600,
    },
    { AllowedOrigins: ["*"], AllowedMethods: ["GET"] },
    { AllowedOrigins: ["https://late.example.com"], AllowedMethods: ["DELETE"], AllowedHeaders: ["*"] },
  ],
};

const NAMED = (origin: string): Record<string, string> => ({
  "access-control-allow-origin": origin,
  "access-control-allow-methods": "GET, PUT",
  "access-control-expose-headers": "ETag, x-amz-version-id",
  "access-control-max-age": "600",
  "access-control-allow-credentials": "true",
  vary: VARY,
});
const ANYBODY = { "access-control-allow-origin": "*", "access-control-allow-methods": "GET", vary: VARY };

const preflight = (origin: string | undefined, method: string | undefined, headers?: string): CorsRequest => ({
  kind: "preflight",
  origin,
  method,
  headers,
});
const actual = (origin: string, method: string): CorsRequest => ({ kind: "actual", origin, method });

const ALLOWED: readonly (readonly [string, CorsRequest, Record<string, string>])[] = [
  ["an origin that is named", actual("https://app.example.com", "PUT"), NAMED("https://app.example.com")],
  ["an origin that a star takes in", actual("https://a.b.example.org", "GET"), NAMED("https://a.b.example.org")],
  ["any origin where a rule says so", actual("https://elsewhere.test", "GET"), ANYBODY],
  ["an origin in other letters is another one", actual("https://APP.example.com", "GET"), ANYBODY],
  ["another scheme is another origin", actual("http://app.example.com", "GET"), ANYBODY],
  ["a star stands for a text that does not overlap itself", actual("https://.example.org", "GET"), NAMED("https://.example.org")],
  ["an actual request that fits nothing has no headers", actual("https://elsewhere.test", "PUT"), {}],
  [
    "a later rule, where the first ones do not fit",
    actual("https://late.example.com", "DELETE"),
    {
      "access-control-allow-origin": "https://late.example.com",
      "access-control-allow-methods": "DELETE",
      "access-control-allow-credentials": "true",
      vary: VARY,
    },
  ],
  ["a preflight without headers", preflight("https://app.example.com", "PUT"), NAMED("https://app.example.com")],
  [
    "a preflight with headers in any letters",
    preflight("https://app.example.com", "PUT", "content-TYPE, X-Amz-Meta-Colour"),
    { ...NAMED("https://app.example.com"), "access-control-allow-headers": "content-type, x-amz-meta-colour" },
  ],
  [
    "a preflight goes on to the rule that allows its headers",
    preflight("https://late.example.com", "DELETE", "authorization"),
    {
      "access-control-allow-origin": "https://late.example.com",
      "access-control-allow-methods": "DELETE",
      "access-control-allow-credentials": "true",
      "access-control-allow-headers": "authorization",
      vary: VARY,
    },
  ],
];

const REFUSED: readonly (readonly [string, CorsRequest, number, RegExp])[] = [
  ["an origin that no rule has for the method", preflight("https://elsewhere.test", "PUT"), 403, /not allowed/],
  ["a header that no rule allows", preflight("https://app.example.com", "PUT", "authorization"), 403, /not allowed/],
  ["headers where the rule names none", preflight("https://elsewhere.test", "GET", "x-a"), 403, /not allowed/],
  ["more headers than a browser sends", preflight("https://late.example.com", "DELETE", "a,".repeat(200)), 403, /not allowed/],
  ["no origin", preflight(undefined, "GET"), 400, /Origin request header needed/],
  ["no method", preflight("https://app.example.com", undefined), 400, /Access-Control-Request-Method: null/],
  ["a method that S3 does not have", preflight("https://app.example.com", "PATCH"), 400, /PATCH/],
];

describe("a CORS document", () => {
  for (const [what, request, headers] of ALLOWED)
    it(`allows ${what}`, () => {
      assert.deepEqual(corsAnswer(DOCUMENT, request), { kind: "allowed", headers });
    });

  for (const [what, request, status, message] of REFUSED)
    it(`refuses ${what}`, () => {
      const answer = corsAnswer(DOCUMENT, request);
      if (answer.kind !== "refused") assert.fail("it was allowed");
      assert.equal(answer.status, status);
      assert.equal(answer.code, status === 400 ? "BadRequest" : "AccessForbidden");
      assert.match(answer.message, message);
    });

  it("that is not there refuses every preflight, and gives no headers", () => {
    const answer = corsAnswer(undefined, preflight("https://app.example.com", "GET"));
    assert.deepEqual(answer, {
      kind: "refused",
      status: 403,
      code: "AccessForbidden",
      message: "CORSResponse: CORS is not enabled for this bucket.",
    });
    assert.deepEqual(corsAnswer(undefined, actual("https://app.example.com", "GET")), { kind: "allowed", headers: {} });
  });
});
