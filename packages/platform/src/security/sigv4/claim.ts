import { type ErrorDetails, isLambentError } from "../../base/index.ts";
import type { CredentialScope } from "../principal.ts";
import { incompleteSignature, quote } from "../refusals.ts";
import { headerValues, type RequestHead } from "../request.ts";
import { parseQuery, splitTarget, type QueryParameter } from "./canonical.ts";

/** Longest presigned URL: seven days. */
const PRESIGNED_SECONDS_MAX = 604_800;

/** Signed headers one request may name (P7). */
const SIGNED_HEADERS_MAX = 200;

/** What a request says of its own signature; nothing of it is checked yet beyond its form. */
export type SignatureClaim = ClaimParts & ({ readonly form: "header" } | { readonly form: "query"; readonly expiresSeconds: number });

interface ClaimParts {
  readonly scope: CredentialScope;
  /** `date/region/service/aws4_request`. */
  readonly scopeText: string;
  readonly amzDate: string;
  /** Lower case, sorted, unique. */
  readonly signedHeaders: readonly string[];
  /** 32 bytes. */
  readonly signature: Buffer;
  readonly sessionToken: string | undefined;
  readonly path: string;
  readonly parameters: readonly QueryParameter[];
}

/**
 * Reads the claim of a request in either form, or undefined when it carries none.
 *
 * @throws IncompleteSignature; `details.what` is `query` for a URL, `version` for a header of Version 2, `region` where the region is none
 */
export function readClaim(request: RequestHead): SignatureClaim | undefined {
  const authorization = headerValues(request.rawHeaders, "authorization");
  const { path, query } = splitTarget(request.rawUrl);
  const presigned = /(?:^|&)X-Amz-(?:Algorithm|Signature|Credential)=/.test(query);
  const header = authorization[0];
  if (header === undefined) return presigned ? ofQuery(() => readQueryClaim(path, parseQuery(query))) : undefined;
  if (presigned) incomplete("The request is signed both in its Authorization header and in its query; only one is allowed.");
  if (authorization.length > 1) incomplete("The request has more than one Authorization header.");
  return readHeaderClaim(request, header, path, parseQuery(query));
}

/** A URL lacks the same parts as a header, and S3 has another name for it. */
function ofQuery(read: () => SignatureClaim): SignatureClaim {
  try {
    return read();
  } catch (error) {
    if (isLambentError(error, "IncompleteSignature")) incomplete(error.message, { what: "query" });
    throw error;
  }
}

function readHeaderClaim(request: RequestHead, header: string, path: string, parameters: QueryParameter[]): SignatureClaim {
  const blank = header.indexOf(" ");
  const algorithm = blank < 0 ? header : header.slice(0, blank);
  if (algorithm === "AWS")
    incomplete(
      "The Authorization header is signed with Signature Version 2, which is taken in presigned URLs only; sign with Version 4 (AWS4-HMAC-SHA256).",
      { what: "version" },
    );
  if (algorithm !== "AWS4-HMAC-SHA256")
    incomplete(`The Authorization header names the algorithm ${quote(algorithm)}; only AWS4-HMAC-SHA256 is taken.`);
  const parts = new Map<string, string>();
  for (const part of header.slice(blank + 1).split(",", 4)) {
    const equals = part.indexOf("=");
    if (equals > 0) parts.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim());
  }
  const part = (name: string): string => parts.get(name) ?? incomplete(`The Authorization header has no ${name}.`);
  const { scope, scopeText } = readScope(part("Credential"));
  return {
    form: "header",
    scope,
    scopeText,
    amzDate: one(headerValues(request.rawHeaders, "x-amz-date"), "X-Amz-Date header"),
    signedHeaders: readSignedHeaders(part("SignedHeaders")),
    signature: readSignature(part("Signature")),
    sessionToken: atMostOne(headerValues(request.rawHeaders, "x-amz-security-token"), "X-Amz-Security-Token header"),
    path,
    parameters,
  };
}

function readQueryClaim(path: string, parameters: QueryParameter[]): SignatureClaim {
  const values = (name: string): string[] => parameters.filter((parameter) => parameter.name === name).map((parameter) => parameter.value);
  const single = (name: string): string => one(values(name), `query parameter ${name}`);
  const algorithm = single("X-Amz-Algorithm");
  if (algorithm !== "AWS4-HMAC-SHA256") incomplete(`X-Amz-Algorithm is ${quote(algorithm)}; only AWS4-HMAC-SHA256 is taken.`);
  const expires = single("X-Amz-Expires");
  const expiresSeconds = /^\d{1,6}$/.test(expires) ? Number(expires) : Number.NaN;
  if (!(expiresSeconds <= PRESIGNED_SECONDS_MAX))
    incomplete(`X-Amz-Expires is ${quote(expires)}; it is a whole number from 0 to ${PRESIGNED_SECONDS_MAX}.`);
  const { scope, scopeText } = readScope(single("X-Amz-Credential"));
  return {
    form: "query",
    scope,
    scopeText,
    amzDate: single("X-Amz-Date"),
    expiresSeconds,
    signedHeaders: readSignedHeaders(single("X-Amz-SignedHeaders")),
    signature: readSignature(single("X-Amz-Signature")),
    sessionToken: atMostOne(values("X-Amz-Security-Token"), "query parameter X-Amz-Security-Token"),
    path,
    parameters: parameters.filter((parameter) => parameter.name !== "X-Amz-Signature"),
  };
}

/** A scope in which only the region is none. */
const OTHER_REGION = /\/\d{8}\/[^/]{0,64}\/[a-z0-9-]{1,64}\/aws4_request$/;

/** `AKID/20150830/us-east-1/service/aws4_request`, split from the right: an access key id may hold slashes. */
export function readScope(credential: string): { readonly scope: CredentialScope; readonly scopeText: string } {
  const match = /^([\x21-\x7e]{1,128})\/((\d{8})\/([a-z0-9-]{1,32})\/([a-z0-9-]{1,64})\/aws4_request)$/.exec(credential);
  const [, accessKeyId, scopeText, date, region, service] = match ?? [];
  if (accessKeyId === undefined || scopeText === undefined || date === undefined || region === undefined || service === undefined) {
    const what = OTHER_REGION.test(credential) ? "region" : "credential";
    return incomplete(`The credential ${quote(credential)} is not <access key>/<date>/<region>/<service>/aws4_request.`, { what });
  }
  return { scope: { accessKeyId, date, region, service }, scopeText };
}

function readSignedHeaders(list: string): string[] {
  const names = list.split(";", SIGNED_HEADERS_MAX + 1);
  if (names.length > SIGNED_HEADERS_MAX) incomplete(`SignedHeaders names more than ${SIGNED_HEADERS_MAX} headers.`);
  for (let index = 0; index < names.length; index += 1) {
    const name = names[index] ?? "";
    const before = index === 0 ? "" : (names[index - 1] ?? "");
    if (name === "" || name !== name.toLowerCase() || name <= before) {
      incomplete(`SignedHeaders is ${quote(list)}; it is a list of different lower-case names in order, separated by semicolons.`);
    }
  }
  if (!names.includes("host") && !names.includes(":authority")) incomplete("SignedHeaders does not name host (or :authority).");
  return names;
}

function readSignature(text: string): Buffer {
  if (!/^[0-9a-f]{64}$/.test(text)) incomplete(`The signature ${quote(text)} is not 64 lower-case hexadecimal digits.`);
  return Buffer.from(text, "hex");
}

function one(values: readonly string[], what: string): string {
  return atMostOne(values, what) ?? incomplete(`The request has no ${what}.`);
}

function atMostOne(values: readonly string[], what: string): string | undefined {
  if (values.length > 1) incomplete(`The request has more than one ${what}.`);
  return values[0];
}

function incomplete(message: string, details: ErrorDetails = {}): never {
  throw incompleteSignature(message, details);
}
