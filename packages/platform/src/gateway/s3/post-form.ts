/**
 * An upload by a page's form, as the PutObject that it stands for. Its policy is its signature: which fields it may have, how large the
 * file may be, until when. Without either, it is anybody's, and the bucket's policy decides.
 *
 * @see S3 API reference, "POST Object"
 */
import type { IncomingMessage } from "node:http";
import { type Instant, LambentError } from "../../base/index.ts";
import type { IncomingBody } from "../../objects/index.ts";
import { type AuthenticatedPost, checkPostedBytes, type Credentials, verifyPostPolicy } from "../../security/index.ts";
import type { WireRequest, WireResponse } from "../../wire/index.ts";
import { checksumOf } from "./incoming-body.ts";
import { readUploadForm } from "./multipart-form.ts";
import { taggingHeader } from "./tagging-header.ts";

export interface FormRequest {
  readonly request: IncomingMessage;
  readonly bucket: string;
  readonly bytes: AsyncIterable<Uint8Array>;
  readonly credentials: Pick<Credentials, "find">;
  readonly now: Instant;
  /** Region of forms whose signature names none. */
  readonly region: string;
}

export interface FormUpload {
  readonly signed: AuthenticatedPost;
  /** The same upload as a PUT, without its body. */
  readonly put: WireRequest;
  readonly body: IncomingBody;
  /** The answer to the form, out of the one to the PUT. `bucketUrl`: where the bucket is. */
  answer(stored: WireResponse, bucketUrl: string): WireResponse;
}

/** Fields that are headers of a PUT under the same name. */
const HEADER_FIELDS: ReadonlySet<string> = new Set([
  "cache-control",
  "content-type",
  "content-disposition",
  "content-encoding",
  "content-language",
  "content-md5",
  "expires",
]);
/** Those that sign the form, and say nothing of the object. */
const SIGNING_FIELDS: ReadonlySet<string> = new Set([
  "x-amz-algorithm",
  "x-amz-credential",
  "x-amz-date",
  "x-amz-signature",
  "x-amz-security-token",
]);
const FILE_NAME = "${filename}";

/** Reads a form up to its file, and checks who sends it. Throws what the reader of forms and `verifyPostPolicy` throw. */
export async function formUpload({ request, bucket, bytes, credentials, now, region }: FormRequest): Promise<FormUpload> {
  const { fields, fileName, file } = await readUploadForm(request.headers["content-type"] ?? "", bytes);
  const key = fields.get("key")?.replaceAll(FILE_NAME, () => fileName);
  if (key === undefined || key === "")
    throw new LambentError(
      "InvalidParameter",
      "Bucket POST must contain a field named 'key'. If it is specified, please check the order of the fields.",
    );
  const named = new Map(fields).set("key", key);
  const signed = verifyPostPolicy({ bucket, fields: named }, now, credentials, { regionless: region });
  const headers = putHeaders(named);
  return {
    signed,
    put: {
      method: "PUT",
      // Encoded: what a bucket's name cannot have would else be read as a part of the key, or of a query.
      rawUrl: `/${encodeURIComponent(bucket)}/${encodeKey(key)}`,
      rawHeaders: Object.entries(headers).flat(),
      headers,
      body: Buffer.alloc(0),
    },
    body: { source: ofAllowedLength(file, signed.bytes), md5: headers["content-md5"], checksum: checksumOf(headers) },
    answer: (stored, bucketUrl) => formAnswer({ fields: named, bucket, key }, stored, `${bucketUrl}/${encodeKey(key)}`),
  };
}

function putHeaders(fields: ReadonlyMap<string, string>): Record<string, string> {
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [name, value] of fields) {
    const isHeader = HEADER_FIELDS.has(name) || (name.startsWith("x-amz-") && !SIGNING_FIELDS.has(name));
    if (isHeader) headers[name] = headerValue(name, value);
  }
  const acl = fields.get("acl");
  if (acl !== undefined) headers["x-amz-acl"] = acl;
  const tagging = fields.get("tagging");
  if (tagging !== undefined) headers["x-amz-tagging"] = taggingHeader(tagging);
  return headers;
}

/** A field as a header would have brought it: one character a byte of UTF-8, nothing that could not stand in one. */
function headerValue(name: string, value: string): string {
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name) || /[\x00-\x08\x0a-\x1f\x7f]/.test(value))
    throw new LambentError("InvalidParameter", `The field ${JSON.stringify(name.slice(0, 100))} could not stand in a header.`);
  return Buffer.from(value, "utf8").toString("latin1");
}

async function* ofAllowedLength(file: AsyncIterable<Buffer>, range: AuthenticatedPost["bytes"]): AsyncGenerator<Buffer, void> {
  let bytes = 0;
  for await (const chunk of file) {
    bytes += chunk.length;
    if (range && bytes > range.max) checkPostedBytes(range, bytes);
    yield chunk;
  }
  checkPostedBytes(range, bytes);
}

interface Posted {
  readonly fields: ReadonlyMap<string, string>;
  readonly bucket: string;
  readonly key: string;
}

function formAnswer({ fields, bucket, key }: Posted, stored: WireResponse, location: string): WireResponse {
  const { "content-length": _length, "content-type": _type, ...headers } = stored.headers;
  const etag = headers["etag"] ?? "";
  const body = Buffer.alloc(0);
  const redirect = redirection(fields.get("success_action_redirect") ?? fields.get("redirect"), { bucket, key, etag });
  if (redirect !== undefined) return { status: 303, headers: { ...headers, location: redirect }, body };
  headers["location"] = location;
  const status = fields.get("success_action_status");
  if (status === "200") return { status: 200, headers, body };
  if (status !== "201") return { status: 204, headers, body };
  const members = { Location: location, Bucket: bucket, Key: key, ETag: etag };
  const xml = Object.entries(members).map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`);
  const document = `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>${xml.join("")}</PostResponse>`;
  return { status: 201, headers: { ...headers, "content-type": "application/xml" }, body: Buffer.from(document) };
}

/** Where a browser goes on; as S3, a redirection that is no address of the web is none. */
function redirection(target: string | undefined, uploaded: Readonly<Record<string, string>>): string | undefined {
  if (target === undefined || !URL.canParse(target)) return undefined;
  const url = new URL(target);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  for (const [name, value] of Object.entries(uploaded)) url.searchParams.append(name, value);
  return url.href;
}

function encodeKey(key: string): string {
  return key.toWellFormed().split("/").map(encodeURIComponent).join("/");
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
