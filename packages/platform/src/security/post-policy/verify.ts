import { timingSafeEqual } from "node:crypto";
import { LambentError, type Instant } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import type { Credentials } from "../credentials.ts";
import { realmOf, type CredentialScope, type Principal } from "../principal.ts";
import { signatureMismatch } from "../refusals.ts";
import { sameText, signatureV2 } from "../sigv2.ts";
import { parseAmzDate } from "../sigv4/amz-date.ts";
import { readScope } from "../sigv4/claim.ts";
import { SigningKeys } from "../sigv4/signing-key.ts";
import { readPostPolicy, type PostCondition } from "./document.ts";

/**
 * Uploads by an HTML form: the form carries a policy, the signature is over that policy, and the policy says which fields the form
 * may have with which values, how large the file may be, and until when. Both versions of signatures are taken.
 * The file itself comes later: `checkPostedBytes` holds its length to what was found here.
 */

export interface PostForm {
  /** The bucket that the form was sent to. */
  readonly bucket: string;
  /** Every field before the file, by its name in lower case; `${filename}` in `key` is replaced already. Whoever uses a field uses the one here. */
  readonly fields: ReadonlyMap<string, string>;
}

export interface AuthenticatedPost {
  readonly principal: Principal;
  /** Undefined for the anonymous principal. */
  readonly realm?: Realm;
  /** What the file may have; undefined where nothing was said. */
  readonly bytes?: { readonly min: number; readonly max: number };
  readonly signedBy: "policy" | "nobody";
}

/**
 * Who sends the form. A form with neither policy nor signature is the anonymous principal's. Throws `AccessDenied` where the form is not
 * what its policy says or the policy is over, `InvalidParameter` for a policy or form that is malformed, and for signatures what `Authenticator` throws.
 */
export function verifyPostPolicy(
  form: PostForm,
  now: Instant,
  credentials: Pick<Credentials, "find">,
  options: { readonly regionless: string },
): AuthenticatedPost {
  const signature = readSignature(form.fields, options.regionless);
  if (signature === undefined) return { principal: { kind: "anonymous" }, signedBy: "nobody" };
  const { principal, secretAccessKey } = credentials.find(signature.accessKeyId, form.fields.get("x-amz-security-token"));
  if (!signature.isRight(secretAccessKey))
    throw signatureMismatch("The form's signature does not match its policy and the secret key of this access key.");
  const policy = readPostPolicy(signature.policy);
  if (now >= policy.expiresAt) throw refused("Policy expired.");
  checkConditions(form, policy.conditions);
  checkCovered(form.fields, policy.conditions);
  const bytes = bytesOf(policy.conditions);
  return { principal, realm: realmOf(principal, signature.scope), ...(bytes ? { bytes } : {}), signedBy: "policy" };
}

/** Refuses a file that is smaller or larger than its form's policy says: `InvalidParameter`, `what` `entityTooSmall` or `entityTooLarge`. */
export function checkPostedBytes(range: AuthenticatedPost["bytes"], bytes: number): void {
  if (range === undefined) return;
  if (bytes < range.min)
    throw new LambentError("InvalidParameter", `The file has ${bytes} bytes; the policy asks for at least ${range.min}.`, {
      what: "entityTooSmall",
    });
  if (bytes > range.max)
    throw new LambentError("InvalidParameter", `The file has more than the ${range.max} bytes that the policy allows.`, {
      what: "entityTooLarge",
    });
}

interface PostSignature {
  readonly accessKeyId: string;
  readonly scope: Pick<CredentialScope, "region" | "service">;
  readonly policy: string;
  isRight(secretAccessKey: string): boolean;
}

const signingKeys = new SigningKeys();

function readSignature(fields: PostForm["fields"], regionless: string): PostSignature | undefined {
  const policy = fields.get("policy");
  const isV4 = fields.has("x-amz-signature") || fields.has("x-amz-algorithm") || fields.has("x-amz-credential");
  const isV2 = fields.has("signature") || fields.has("awsaccesskeyid");
  if (policy === undefined && !isV4 && !isV2) return undefined;
  if (isV4 && isV2) throw invalid("The form is signed with Version 2 and Version 4; only one is allowed.");
  return isV2 ? readV2(fields, required(fields, "policy"), regionless) : readV4(fields, required(fields, "policy"));
}

function readV4(fields: PostForm["fields"], policy: string): PostSignature {
  const algorithm = required(fields, "x-amz-algorithm");
  if (algorithm !== "AWS4-HMAC-SHA256") throw invalid("x-amz-algorithm of a form has to be AWS4-HMAC-SHA256.");
  const { scope, scopeText } = readScope(required(fields, "x-amz-credential"));
  const date = required(fields, "x-amz-date");
  const signature = required(fields, "x-amz-signature");
  if (parseAmzDate(date) === undefined) throw invalid("x-amz-date of a form has to be of the form 20150830T123600Z.");
  if (!date.startsWith(scope.date) || scope.service !== "s3")
    throw signatureMismatch("The form's credential is not for s3 on the day of its x-amz-date.");
  return {
    accessKeyId: scope.accessKeyId,
    scope,
    policy,
    isRight: (secretAccessKey) =>
      /^[0-9a-f]{64}$/.test(signature) &&
      timingSafeEqual(signingKeys.sign(secretAccessKey, scopeText, policy), Buffer.from(signature, "hex")),
  };
}

function readV2(fields: PostForm["fields"], policy: string, regionless: string): PostSignature {
  const accessKeyId = required(fields, "awsaccesskeyid");
  const signature = required(fields, "signature");
  return {
    accessKeyId,
    scope: { region: regionless, service: "s3" },
    policy,
    isRight: (secretAccessKey) => sameText(signatureV2(secretAccessKey, policy), signature),
  };
}

function required(fields: PostForm["fields"], name: string): string {
  return fields.get(name) ?? refuseMissing(name);
}

function refuseMissing(name: string): never {
  throw invalid(`Bucket POST must contain a field named '${name}'; it stands before the file.`);
}

function checkConditions(form: PostForm, conditions: readonly PostCondition[]): void {
  for (const condition of conditions) {
    if (condition.kind === "content-length-range") continue;
    const value = condition.field === "bucket" ? form.bucket : form.fields.get(condition.field);
    if (value === undefined || !holds(condition, value)) throw refused(`Policy Condition failed: ${condition.text}`);
  }
}

function holds(condition: PostCondition & { readonly kind: "eq" | "starts-with" }, value: string): boolean {
  if (condition.kind === "eq") return value === condition.value;
  // Content types with commas are a list, each of which has to begin so.
  const values = condition.field === "content-type" ? value.split(",").map((type) => type.trim()) : [value];
  return values.every((one) => one.startsWith(condition.value));
}

/** What signs the form needs no condition, nor does what S3 is asked to ignore. */
const NEEDS_NO_CONDITION: ReadonlySet<string> = new Set(["x-amz-signature", "signature", "awsaccesskeyid", "file", "policy"]);

function checkCovered(fields: PostForm["fields"], conditions: readonly PostCondition[]): void {
  const covered = new Set(conditions.map((condition) => (condition.kind === "content-length-range" ? "" : condition.field)));
  const extra = [...fields.keys()].filter((name) => !covered.has(name) && !NEEDS_NO_CONDITION.has(name) && !name.startsWith("x-ignore-"));
  if (extra.length > 0) throw refused(`Extra input fields: ${extra.slice(0, 5).join(", ").slice(0, 200)}`);
}

/** Where several are given, all have to hold. */
function bytesOf(conditions: readonly PostCondition[]): AuthenticatedPost["bytes"] {
  const ranges = conditions.filter((condition) => condition.kind === "content-length-range");
  if (ranges.length === 0) return undefined;
  return { min: Math.max(...ranges.map((range) => range.min)), max: Math.min(...ranges.map((range) => range.max)) };
}

function refused(why: string): LambentError {
  return new LambentError("AccessDenied", `Invalid according to Policy: ${why}`);
}

function invalid(message: string): LambentError {
  return new LambentError("InvalidParameter", message);
}
