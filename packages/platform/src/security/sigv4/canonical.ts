import { hash } from "node:crypto";

/**
 * The canonical forms of SigV4, from the raw path, query and headers and never from a parsed URL, which normalises.
 * Strings hold one character a byte. Everything here is total: malformed escapes are encoded as the bytes they are.
 */

/** `raw`: S3, each segment encoded once and nothing removed. `normalised`: every other service. */
export type PathStyle = "raw" | "normalised";

/** How a service's requests have their path canonicalised. */
export function pathStyleOf(service: string): PathStyle {
  return service === "s3" ? "raw" : "normalised";
}

const ENCODED_BYTES: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  const character = String.fromCharCode(byte);
  return /[A-Za-z0-9\-._~]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
});

/** Percent-encodes every byte that is not unreserved. */
function encodeBytes(bytes: string, keepSlash: boolean): string {
  if (keepSlash ? !/[^A-Za-z0-9\-._~/]/.test(bytes) : !/[^A-Za-z0-9\-._~]/.test(bytes)) return bytes;
  let encoded = "";
  for (let index = 0; index < bytes.length; index += 1) {
    const code = bytes.charCodeAt(index);
    encoded += keepSlash && code === 0x2f ? "/" : (ENCODED_BYTES[code & 0xff] ?? "");
  }
  return encoded;
}

/** Undoes percent-encoding byte by byte; a `%` that begins no escape stands for itself. */
function decodeBytes(text: string): string {
  if (!text.includes("%")) return text;
  return text.replace(/%([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/** The canonical path of `rawPath`. */
export function canonicalPath(rawPath: string, style: PathStyle): string {
  if (style === "normalised") return encodeBytes(withoutDotSegments(rawPath), true);
  if (rawPath === "") return "/";
  if (!/[^A-Za-z0-9\-._~/]/.test(rawPath)) return rawPath;
  return rawPath
    .split("/")
    .map((segment) => encodeBytes(decodeBytes(segment), false))
    .join("/");
}

function withoutDotSegments(path: string): string {
  if (!path.includes("//") && !path.includes("/.")) return path === "" ? "/" : path;
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const directory = /\/\.{0,2}$/.test(path);
  return kept.length === 0 ? "/" : `/${kept.join("/")}${directory ? "/" : ""}`;
}

/** A query parameter, both parts decoded to bytes. */
export interface QueryParameter {
  readonly name: string;
  readonly value: string;
}

/** The parameters of a raw query (without `?`), in the order sent. A bare name has the value "". */
export function parseQuery(rawQuery: string): QueryParameter[] {
  if (rawQuery === "") return [];
  const parameters: QueryParameter[] = [];
  for (const part of rawQuery.split("&")) {
    if (part === "") continue;
    const equals = part.indexOf("=");
    if (equals < 0) parameters.push({ name: decodeBytes(part), value: "" });
    else parameters.push({ name: decodeBytes(part.slice(0, equals)), value: decodeBytes(part.slice(equals + 1)) });
  }
  return parameters;
}

/** The canonical query: encoded, sorted by name, then value. */
export function canonicalQuery(parameters: readonly QueryParameter[]): string {
  if (parameters.length === 0) return "";
  const encoded = parameters.map(({ name, value }) => [encodeBytes(name, false), encodeBytes(value, false)] as const);
  encoded.sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB));
  return encoded.map(([name, value]) => `${name}=${value}`).join("&");
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A header value trimmed, with every run of blanks inside as one space. */
export function canonicalHeaderValue(value: string): string {
  const collapsed = /[\t\r\n]| {2}/.test(value) ? value.replace(/[ \t\r\n]+/g, " ") : value;
  const first = collapsed.charCodeAt(0);
  const last = collapsed.charCodeAt(collapsed.length - 1);
  return first === 0x20 || last === 0x20 ? collapsed.replace(/^ +| +$/g, "") : collapsed;
}

export interface CanonicalParts {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Signed headers, sorted by lower-case name, values canonical. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly payloadHash: string;
}

/** The canonical request: what is hashed into the string to sign. */
export function canonicalRequest(parts: CanonicalParts): string {
  let headers = "";
  let names = "";
  for (const [name, value] of parts.headers) {
    headers += `${name}:${value}\n`;
    names += names === "" ? name : `;${name}`;
  }
  return `${parts.method}\n${parts.path}\n${parts.query}\n${headers}\n${names}\n${parts.payloadHash}`;
}

/** The string to sign for a canonical request. */
export function stringToSign(amzDate: string, scope: string, canonical: string): string {
  return `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${sha256OfByteString(canonical)}`;
}

// `hash` takes a string as UTF-8; only bytes above 0x7f differ, and they are rare.
function sha256OfByteString(bytes: string): string {
  return hash("sha256", /[^\x00-\x7f]/.test(bytes) ? Buffer.from(bytes, "latin1") : bytes, "hex");
}

/** SHA-256 of the empty body. */
const EMPTY_BODY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/** SHA-256 of a body, hex. */
export function bodyHash(body: Uint8Array): string {
  return body.byteLength === 0 ? EMPTY_BODY_SHA256 : hash("sha256", body, "hex");
}

/** Splits a raw request target at its first `?`. */
export function splitTarget(rawUrl: string): { readonly path: string; readonly query: string } {
  const mark = rawUrl.indexOf("?");
  return mark < 0 ? { path: rawUrl, query: "" } : { path: rawUrl.slice(0, mark), query: rawUrl.slice(mark + 1) };
}
