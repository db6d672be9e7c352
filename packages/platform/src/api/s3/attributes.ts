/** What is told back with an object as it was given: headers, metadata, tags, storage class, encryption, access control list. */
import { LambentError } from "../../base/index.ts";
import type { BucketRecord, ObjectAttributes, ObjectHeaders } from "../../objects/index.ts";
import { aclOf, type AclInput, checkAclAllowed } from "./acl.ts";
import { plain } from "./bucket-parts.ts";
import { invalid } from "./errors.ts";
import { encryptionOf } from "./fresh-bucket.ts";
import { tagsOfHeader } from "./tags.ts";

/** Characters of one header that is kept with an object. */
const HEADER_CHARACTERS_MAX = 8_192;
/** What a header can carry back: one byte a character, no controls. */
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/u;
const METADATA_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u;

/** Classes that are kept and read back; bodies of all of them lie in the data folder, and are read at once. */
const STORAGE_CLASSES: ReadonlySet<string> = new Set([
  "STANDARD",
  "REDUCED_REDUNDANCY",
  "STANDARD_IA",
  "ONEZONE_IA",
  "INTELLIGENT_TIERING",
  "GLACIER",
  "GLACIER_IR",
  "DEEP_ARCHIVE",
]);
export const STANDARD = "STANDARD";

/** What of an input says an object's encryption. */
export interface EncryptionInput {
  readonly ServerSideEncryption?: string | undefined;
  readonly SSEKMSKeyId?: string | undefined;
  readonly BucketKeyEnabled?: boolean | undefined;
}

/** What of an input says an object's headers. */
export interface HeadersInput {
  readonly CacheControl?: string | undefined;
  readonly ContentDisposition?: string | undefined;
  readonly ContentEncoding?: string | undefined;
  readonly ContentLanguage?: string | undefined;
  readonly ContentType?: string | undefined;
  readonly Expires?: Date | string | undefined;
  readonly WebsiteRedirectLocation?: string | undefined;
}

export interface AttributesInput extends EncryptionInput, HeadersInput, AclInput {
  readonly Metadata?: Readonly<Record<string, string>> | undefined;
  readonly Tagging?: string | undefined;
  readonly StorageClass?: string | undefined;
}

/** Members that promise what is not kept, with what they are about. */
const UNBUILT: ReadonlyMap<string, string> = new Map([
  ["SSECustomerAlgorithm", "Encryption with keys of the caller (SSE-C)"],
  ["SSECustomerKey", "Encryption with keys of the caller (SSE-C)"],
  ["SSECustomerKeyMD5", "Encryption with keys of the caller (SSE-C)"],
  ["CopySourceSSECustomerAlgorithm", "Encryption with keys of the caller (SSE-C)"],
  ["CopySourceSSECustomerKey", "Encryption with keys of the caller (SSE-C)"],
  ["ObjectLockMode", "Object lock"],
  ["ObjectLockRetainUntilDate", "Object lock"],
  ["ObjectLockLegalHoldStatus", "Object lock"],
  ["ObjectLockEventHold", "Object lock"],
  ["WriteOffsetBytes", "Appending to an object"],
]);

/** Refuses what would be taken silently: a lock that does not hold, a key that does not encrypt. */
export function refusePromises(input: object): void {
  for (const [member, value] of Object.entries(input)) {
    const what = value === undefined ? undefined : UNBUILT.get(member);
    if (what !== undefined) throw new LambentError("NotImplemented", `${what} is not built in Lambent: ${member} would have no effect.`);
  }
}

/** The attributes that an input gives an object of this bucket. */
export function attributesOf(record: BucketRecord, input: AttributesInput): ObjectAttributes {
  return {
    headers: headersOf(input),
    metadata: metadataOf(input.Metadata),
    tags: tagsOfHeader(input.Tagging),
    storageClass: storageClassOf(input.StorageClass),
    ...ownAttributes(record, input),
  };
}

/** Those that a copy never has from its source. */
export function ownAttributes(record: BucketRecord, input: EncryptionInput & AclInput): Pick<ObjectAttributes, "encryption" | "acl"> {
  const encryption = encryptionOfInput(record, input);
  const owner = record.realm.account;
  const acl = aclOf(input, { owner, bucketOwner: owner });
  if (acl) checkAclAllowed(record, acl);
  return { ...(encryption ? { encryption } : {}), ...(acl ? { acl: plain(acl) } : {}) };
}

export function storageClassOf(name: string = STANDARD): string {
  if (!STORAGE_CLASSES.has(name)) throw invalid("storageClass", "The storage class you specified is not valid");
  return name;
}

/** Metadata with names in lower case, once headers can carry it. */
export function metadataOf(given: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const entries = Object.entries(given).map(([name, value]) => [name.toLowerCase(), value] as const);
  for (const [name, value] of entries) {
    if (!METADATA_NAME.test(name))
      throw invalid("argument", `The name of metadata ${JSON.stringify(name.slice(0, 100))} cannot be one of a header.`);
    checkHeaderValue(value);
  }
  return Object.fromEntries(entries);
}

/** The headers that an object is answered with. */
export function headersOf(input: HeadersInput): ObjectHeaders {
  const expires = input.Expires instanceof Date ? input.Expires.toUTCString() : input.Expires;
  const location = input.WebsiteRedirectLocation;
  if (location !== undefined && !/^(?:\/|https?:\/\/)/u.test(location))
    throw invalid("argument", "The website redirect location must have a prefix of 'http://' or 'https://' or '/'.");
  const headers: ObjectHeaders = {
    contentType: input.ContentType,
    cacheControl: input.CacheControl,
    contentDisposition: input.ContentDisposition,
    contentEncoding: withoutFraming(input.ContentEncoding),
    contentLanguage: input.ContentLanguage,
    expires,
    websiteRedirectLocation: location,
  };
  const given = Object.entries(headers).filter((entry): entry is [string, string] => typeof entry[1] === "string" && entry[1] !== "");
  for (const [, value] of given) checkHeaderValue(value);
  return Object.fromEntries(given);
}

/** Refuses what no header can carry: it comes from queries, forms and JSON too. */
export function checkHeaderValue(value: string): void {
  if (value.length > HEADER_CHARACTERS_MAX) throw invalid("argument", `A header has at most ${HEADER_CHARACTERS_MAX} characters.`);
  if (!HEADER_VALUE.test(value)) throw invalid("argument", "Header value cannot be represented using ISO-8859-1.");
}

/** `aws-chunked` is how a body comes in, not what it is. */
function withoutFraming(encoding: string | undefined): string | undefined {
  return encoding
    ?.split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "" && each.toLowerCase() !== "aws-chunked")
    .join(",");
}

/** What is said of a body's encryption; undefined for the default that everything has. */
function encryptionOfInput(record: BucketRecord, input: EncryptionInput): ObjectAttributes["encryption"] {
  const [rule] = encryptionOf(record).Rules ?? [];
  const usual = rule?.ApplyServerSideEncryptionByDefault;
  const algorithm = input.ServerSideEncryption ?? usual?.SSEAlgorithm;
  if (input.SSEKMSKeyId !== undefined && !algorithm?.startsWith("aws:kms"))
    throw invalid(
      "argument",
      "Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms",
    );
  if (algorithm === undefined || algorithm === DEFAULT_ENCRYPTION) return undefined;
  const keyId = input.SSEKMSKeyId ?? (usual?.SSEAlgorithm === algorithm ? usual.KMSMasterKeyID : undefined);
  if (keyId !== undefined) checkHeaderValue(keyId);
  const bucketKey = input.BucketKeyEnabled ?? rule?.BucketKeyEnabled;
  return { algorithm, ...(keyId === undefined ? {} : { keyId }), ...(bucketKey === true ? { bucketKey } : {}) };
}

const DEFAULT_ENCRYPTION = "AES256";

/** Encryption as answers have it. */
export function encryptionShape({ encryption }: Pick<ObjectAttributes, "encryption">) {
  return {
    ServerSideEncryption: (encryption?.algorithm ?? DEFAULT_ENCRYPTION) as "AES256" | "aws:kms",
    SSEKMSKeyId: encryption?.keyId,
    BucketKeyEnabled: encryption?.bucketKey,
  };
}
