import type {
  CommonPrefix,
  CompletedPart,
  DeleteObjectsOutput,
  LambdaFunctionConfiguration,
  ListBucketsOutput,
  ListObjectsV2Output,
  NotificationConfiguration,
} from "@aws-sdk/client-s3";
import type { IncomingMessage } from "node:http";
import { isLambentError } from "../base/index.ts";
import { DEFAULT_REGION } from "../model/index.ts";
import { loadService, readXmlAnswer, readXmlError, writeXmlPayload } from "../wire/index.ts";
import { advice, type Client, readBody, refusalOf, type StreamedBody } from "./client.ts";
import { CommandFailure, type ExitName } from "./errors.ts";
import { orMissing } from "./event-api.ts";

/** S3's operations as the command line uses them. Answers are XML, read by S3's own schema. */

export type UploadConfiguration = LambdaFunctionConfiguration;

export interface BucketKey {
  readonly bucket: string;
  readonly key: string;
}

interface S3Request {
  readonly bucket?: string;
  readonly key?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | StreamedBody;
}

type Method = "GET" | "HEAD" | "POST" | "PUT" | "DELETE";

/** Pages one list of buckets may have (P7). */
const PAGES_MAX = 1_000;
/** Keys one request may remove: S3's bound. */
export const KEYS_REMOVED_MAX = 1_000;
/** Bytes of an answer that is a document. */
const DOCUMENT_BYTES_MAX = 16 * 1024 * 1024;

/** One operation; the answer is still to be read. An error status becomes a `CommandFailure`. */
export async function s3(client: Client, method: Method, request: S3Request, signal?: AbortSignal): Promise<IncomingMessage> {
  const { bucket, key, query = {}, headers, body } = request;
  const path = `/${bucket ?? ""}${key === undefined ? "" : `/${encodedKey(key)}`}`;
  const parameters = Object.entries(query).map(([name, value]) => `${name}=${encoded(value)}`);
  const answer = await client.exchange(
    {
      ...{ service: "s3", method, path: parameters.length === 0 ? path : `${path}?${parameters.join("&")}` },
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body }),
    },
    signal,
  );
  const status = answer.statusCode ?? 0;
  if (status >= 400 || status < 200) throw await failureOf(client, status, answer, request);
  return answer;
}

async function document<Output>(
  client: Client,
  operation: string,
  method: Method,
  request: S3Request,
  signal?: AbortSignal,
): Promise<Output> {
  const body = await readBody(await s3(client, method, request, signal), DOCUMENT_BYTES_MAX);
  try {
    return readXmlAnswer(operationOf(operation), body) as Output;
  } catch (error) {
    if (!isLambentError(error)) throw error;
    const [code, message] = errorOf(body);
    if (code === "")
      throw new CommandFailure(
        "failed",
        `${operation} was answered with no document of S3's: ${error.message}`,
        "Name a Lambent server with --endpoint.",
      );
    throw refusal(client, 500, code, message, request);
  }
}

async function done(client: Client, method: Method, request: S3Request, signal?: AbortSignal): Promise<IncomingMessage> {
  const answer = await s3(client, method, request, signal);
  await readBody(answer, DOCUMENT_BYTES_MAX);
  return answer;
}

function operationOf(name: string) {
  const operation = loadService("s3").operations.get(name);
  if (!operation) throw new CommandFailure("failed", `S3 has no operation ${name}.`, "This is a defect in Lambent; please report it.");
  return operation;
}

const payload = (operation: string, value: object): Buffer =>
  writeXmlPayload(loadService("s3"), operationOf(operation), value as Readonly<Record<string, unknown>>);

/** Slashes stay: they are the path's. */
function encodedKey(key: string): string {
  return key.split("/").map(encoded).join("/");
}

/** As a signature has it: all but letters, digits and -._~ */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(/[!'()*]/gu, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Whether the bucket is there, whoever's it is. */
export async function hasBucket(client: Client, bucket: string): Promise<boolean> {
  try {
    await done(client, "HEAD", { bucket });
    return true;
  } catch (error) {
    // Another account's bucket is there; what may be done in it is each operation's to say.
    if (error instanceof CommandFailure && error.exit === "refused") return true;
    if (error instanceof CommandFailure && error.exit === "notFound") return false;
    throw error;
  }
}

export async function createBucket(client: Client, bucket: string): Promise<void> {
  const { region } = client.connection;
  const body = region === DEFAULT_REGION ? {} : { body: payload("CreateBucket", { LocationConstraint: region }) };
  await done(client, "PUT", { bucket, ...body });
}

/** Makes the bucket when it is missing, unless that is not wanted; true when it made it. */
export async function requireBucket(client: Client, bucket: string, create: boolean): Promise<boolean> {
  if (await hasBucket(client, bucket)) return false;
  if (!create) throw new CommandFailure("notFound", `There is no bucket ${bucket}.`, "Leave --no-create away, and it is created.");
  await createBucket(client, bucket);
  return true;
}

export async function listBuckets(client: Client): Promise<NonNullable<ListBucketsOutput["Buckets"]>> {
  const all: NonNullable<ListBucketsOutput["Buckets"]> = [];
  let token: string | undefined;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const query = token === undefined ? {} : { query: { "continuation-token": token } };
    const answer: ListBucketsOutput = await document(client, "ListBuckets", "GET", query);
    all.push(...(answer.Buckets ?? []));
    token = answer.ContinuationToken;
    if (token === undefined) break;
  }
  return all;
}

/** Whom a bucket tells; undefined when there is no such bucket. */
export function findNotifications(client: Client, bucket: string): Promise<NotificationConfiguration | undefined> {
  return orMissing(document(client, "GetBucketNotificationConfiguration", "GET", { bucket, query: { notification: "" } }));
}

/** All of it: what is left out is not told any more. `isLess`: nothing is new, so that targets which are gone meanwhile are in nobody's way. */
export async function putNotifications(
  client: Client,
  bucket: string,
  configuration: NotificationConfiguration,
  { isLess }: { readonly isLess: boolean } = { isLess: false },
): Promise<void> {
  const body = payload("PutBucketNotificationConfiguration", configuration);
  const headers = isLess ? { headers: { "x-amz-skip-destination-validation": "true" } } : {};
  await done(client, "PUT", { bucket, query: { notification: "" }, body, ...headers });
}

export interface ListedObject {
  readonly key: string;
  readonly bytes: number;
  readonly modifiedAt: Date;
  readonly etag: string;
}

export interface ListedPage {
  readonly objects: readonly ListedObject[];
  readonly commonPrefixes: readonly string[];
}

/** Objects of a bucket, page by page in the order of their keys. */
export async function* listObjects(
  client: Client,
  bucket: string,
  { prefix, delimiter }: { readonly prefix: string; readonly delimiter?: string },
  signal?: AbortSignal,
): AsyncGenerator<ListedPage> {
  let token: string | undefined;
  do {
    const query = {
      // Keys may have characters that XML has not.
      ...{ "list-type": "2", "encoding-type": "url", prefix },
      ...(delimiter === undefined ? {} : { delimiter }),
      ...(token === undefined ? {} : { "continuation-token": token }),
    };
    const answer: ListObjectsV2Output = await document(client, "ListObjectsV2", "GET", { bucket, query }, signal);
    yield {
      objects: (answer.Contents ?? []).map(({ Key = "", Size = 0, LastModified = new Date(0), ETag = "" }) => ({
        ...{ key: formDecoded(Key), bytes: Size, modifiedAt: LastModified, etag: ETag.replaceAll('"', "") },
      })),
      commonPrefixes: (answer.CommonPrefixes ?? []).map(({ Prefix = "" }: CommonPrefix) => formDecoded(Prefix)),
    };
    token = answer.NextContinuationToken;
  } while (token !== undefined);
}

function formDecoded(text: string): string {
  return decodeURIComponent(text.replaceAll("+", " "));
}

/** What is known of an object without its bytes; undefined when there is none. */
export function findObject(client: Client, at: BucketKey, signal?: AbortSignal): Promise<IncomingMessage["headers"] | undefined> {
  return orMissing(done(client, "HEAD", at, signal).then(({ headers }) => headers));
}

/** True when only a mark hides it now: its versions stay. */
export async function removeObject(client: Client, at: BucketKey): Promise<boolean> {
  return (await done(client, "DELETE", at)).headers["x-amz-delete-marker"] === "true";
}

/** Removes up to `KEYS_REMOVED_MAX` objects; answers those that were not removed, with why. */
export async function removeObjects(
  client: Client,
  bucket: string,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<readonly { readonly key: string; readonly why: string }[]> {
  const body = payload("DeleteObjects", { Objects: keys.map((Key) => ({ Key })), Quiet: true });
  const { createHash } = await import("node:crypto");
  const headers = { "content-md5": createHash("md5").update(body).digest("base64") };
  const answer: DeleteObjectsOutput = await document(
    client,
    "DeleteObjects",
    "POST",
    { bucket, query: { delete: "" }, headers, body },
    signal,
  );
  return (answer.Errors ?? []).map(({ Key = "", Message, Code = "" }) => ({ key: Key, why: Message ?? Code }));
}

export async function putObject(
  client: Client,
  at: BucketKey,
  body: Uint8Array | StreamedBody,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<void> {
  await done(client, "PUT", { ...at, body, headers }, signal);
}

export async function createUpload(
  client: Client,
  at: BucketKey,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<string> {
  const request = { ...at, query: { uploads: "" }, headers };
  const { UploadId = "" } = await document<{ readonly UploadId?: string }>(client, "CreateMultipartUpload", "POST", request, signal);
  return UploadId;
}

/** Answers the part's ETag. */
export async function putPart(
  client: Client,
  at: BucketKey,
  part: { readonly uploadId: string; readonly number: number; readonly body: Uint8Array | StreamedBody },
  signal: AbortSignal,
): Promise<string> {
  const query = { partNumber: String(part.number), uploadId: part.uploadId };
  return String((await done(client, "PUT", { ...at, query, body: part.body }, signal)).headers.etag ?? "");
}

export async function completeUpload(client: Client, at: BucketKey, uploadId: string, parts: readonly CompletedPart[]): Promise<void> {
  const body = payload("CompleteMultipartUpload", { Parts: parts });
  await document(client, "CompleteMultipartUpload", "POST", { ...at, query: { uploadId }, body });
}

export async function abortUpload(client: Client, at: BucketKey, uploadId: string): Promise<void> {
  await done(client, "DELETE", { ...at, query: { uploadId } });
}

/** What to do about errors that S3 has names of its own for. */
const NEXT_OF_S3_NAME: Readonly<Record<string, readonly [ExitName, string]>> = {
  NoSuchBucket: ["notFound", "`lambent objects ls` shows the buckets that are there."],
  NoSuchKey: ["notFound", "`lambent objects ls <bucket>` shows what is there."],
  NoSuchUpload: ["tryAgain", "Somebody ended it meanwhile: repeat the command."],
  InvalidBucketName: ["usage", "For example photos or my-bucket."],
  InvalidArgument: ["usage", "Correct the value."],
  KeyTooLongError: ["usage", "Choose a shorter name."],
  EntityTooLarge: ["usage", "An object has at most 5 TiB."],
  BucketAlreadyExists: ["refused", "Choose another name: names of buckets are unique over all accounts."],
  BucketAlreadyOwnedByYou: ["tryAgain", "Somebody made it meanwhile: repeat the command."],
  AccessDenied: ["refused", 'Add a policy statement that allows it, or use the root key: eval "$(lambent env)".'],
  InvalidAccessKeyId: ["refused", "Use the key `lambent env` prints."],
  SignatureDoesNotMatch: ["refused", "Check AWS_SECRET_ACCESS_KEY and the clock of this machine."],
  XAmzContentSHA256Mismatch: ["tryAgain", "The file changed while it was sent: repeat the command."],
  StorageFull: ["failed", "Make room on the server's disk."],
  SlowDown: ["tryAgain", "Retry in a moment."],
};

const ALL_OF_A_FOLDER: ReturnType<typeof advice> = ["notFound", "All that is in a folder is meant with --recursive."];

async function failureOf(client: Client, status: number, answer: IncomingMessage, request: S3Request): Promise<CommandFailure> {
  const [code, message] = errorOf(await readBody(answer, DOCUMENT_BYTES_MAX));
  return refusal(client, status, code, message, request);
}

function refusal(client: Client, status: number, name: string, message: string, { bucket, key }: S3Request): CommandFailure {
  const said =
    name === "NoSuchBucket" ? `There is no bucket ${bucket}.` : name === "NoSuchKey" ? `Bucket ${bucket} has no object ${key}.` : message;
  const next = name === "NoSuchKey" && key?.endsWith("/") ? ALL_OF_A_FOLDER : (NEXT_OF_S3_NAME[name] ?? advice(name, status));
  return refusalOf(client.connection, { status, name, said: said || undefined }, next);
}

/** Code and message; empty for what is no error of S3's, as an answer to HEAD, which has no body. */
function errorOf(body: Buffer): readonly [string, string] {
  try {
    const { code, message } = readXmlError(body);
    return [code, message];
  } catch (error) {
    if (isLambentError(error)) return ["", ""];
    throw error;
  }
}
