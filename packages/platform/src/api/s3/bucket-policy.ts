/** What S3 asks of a bucket's policy beyond the policy language, whether one is public, and what is left of it where public access is restricted. */
import { LambentError } from "../../base/index.ts";
import { bucketArn, type BucketRecord } from "../../objects/index.ts";
import { compilePattern, matchesPattern, parsePolicy, type PolicyDocument, type PolicyStatement } from "../../security/index.ts";
import { refused } from "./configuration-errors.ts";
import { publicAccessOf } from "./fresh-bucket.ts";

/** Bytes of a bucket's policy. @limit */
export const BUCKET_POLICY_BYTES_MAX = 20_480;

/** Conditions that tie a statement to named callers, where their values are fixed. @see S3 user guide, the meaning of "public" */
const TYING_KEYS: ReadonlySet<string> = new Set([
  "aws:principalaccount",
  "aws:principalarn",
  "aws:principalorgid",
  "aws:sourceaccount",
  "aws:sourcearn",
  "aws:sourceip",
  "aws:sourceowner",
  "aws:sourcevpc",
  "aws:sourcevpce",
  "aws:userid",
  "s3:dataaccesspointaccount",
  "s3:dataaccesspointarn",
  "s3:x-amz-server-side-encryption-aws-kms-key-id",
]);
const TYING_OPERATORS: ReadonlySet<string> = new Set([
  "StringEquals",
  "StringEqualsIgnoreCase",
  "StringLike",
  "ArnEquals",
  "ArnLike",
  "IpAddress",
]);

/** Reads a policy that a bucket is to have; refuses one that S3 would not take for it. */
export function checkBucketPolicy(record: BucketRecord, text: string): void {
  if (Buffer.byteLength(text) > BUCKET_POLICY_BYTES_MAX)
    throw refused("policyTooLarge", `Policy exceeds the maximum allowed document size of ${BUCKET_POLICY_BYTES_MAX} bytes.`);
  const document = parsePolicy(text, "resource");
  for (const statement of document.statements) checkStatement(record.name, statement);
  // There has to be room for the statement that restricting public access adds, whenever that is switched on.
  parsePolicy(withRestriction(record, text), "resource");
  if (publicAccessOf(record)?.BlockPublicPolicy === true && isPublicPolicy(document))
    throw new LambentError("AccessDenied", "Access Denied: public policies are prevented by the BlockPublicPolicy setting of the bucket.");
}

function checkStatement(bucket: string, { action, resource }: PolicyStatement): void {
  if (!action.values.every((value) => value === "*" || value.toLowerCase().startsWith("s3:")))
    throw new LambentError("MalformedPolicy", "Policy has invalid action");
  if (!resource?.values.every((value) => isOf(bucket, value))) throw new LambentError("MalformedPolicy", "Policy has invalid resource");
}

/** A resource is the bucket, or objects in it; wildcards may stand for a part of its name. */
function isOf(bucket: string, resource: string): boolean {
  if (resource === "*") return true;
  const slash = resource.indexOf("/");
  const pattern = compilePattern(slash < 0 ? resource : resource.slice(0, slash), undefined);
  return pattern !== undefined && matchesPattern(pattern, bucketArn(bucket));
}

/** Gives everybody something: one statement is enough. */
export function isPublicPolicy({ statements }: PolicyDocument): boolean {
  return statements.some((statement) => statement.effect === "Allow" && isForEverybody(statement));
}

function isForEverybody({ principal, conditions }: PolicyStatement): boolean {
  const anybody = principal !== undefined && (principal.negated || principal.values.some(({ type }) => type === "*"));
  return (
    anybody &&
    !conditions.some(({ key, operator, ifExists, quantifier, values }) => {
      const ties = TYING_KEYS.has(key) && TYING_OPERATORS.has(operator) && !ifExists && quantifier !== "ForAllValues";
      return ties && values.every((value) => isFixed(key, value));
    })
  );
}

function isFixed(key: string, value: string): boolean {
  if (key === "aws:sourceip") return !value.endsWith("/0");
  // Of an ARN it is enough that account, or organisation, is named.
  const named = key.endsWith("arn") ? (value.split(":")[4] ?? "") || value : value;
  return named !== "" && !/[*?]/.test(named) && !named.includes("${");
}

/**
 * The policy by which calls are decided: the bucket's own. Where public access is restricted and the policy is public, nobody outside the bucket's
 * account has anything from it but services.
 */
export function decidingPolicy(record: BucketRecord): string | undefined {
  const known = decided.get(record);
  if (known) return known.policy;
  const policy = decide(record);
  decided.set(record, { policy });
  return policy;
}

/** By the record, which is another one after each change: calls are many, changes few. */
const decided = new WeakMap<BucketRecord, { readonly policy: string | undefined }>();

function decide(record: BucketRecord): string | undefined {
  const { policy } = record;
  if (policy === undefined || publicAccessOf(record)?.RestrictPublicBuckets !== true) return policy;
  if (!isPublicPolicy(parsePolicy(policy, "resource"))) return policy;
  return withRestriction(record, policy);
}

function withRestriction({ realm }: BucketRecord, policy: string): string {
  const document = JSON.parse(policy) as { readonly Statement: unknown };
  const statements: unknown[] = Array.isArray(document.Statement) ? document.Statement : [document.Statement];
  const restriction = {
    Effect: "Deny",
    Principal: "*",
    Action: "*",
    Resource: "*",
    // Both hold for who has no account and is no service: for whoever does not sign.
    Condition: { StringNotEquals: { "aws:PrincipalAccount": realm.account, "aws:PrincipalType": "Service" } },
  };
  return JSON.stringify({ ...document, Statement: [...statements, restriction] });
}
