import type {
  CORSRule,
  DeleteBucketCorsRequest,
  GetBucketCorsOutput,
  GetBucketCorsRequest,
  PutBucketCorsRequest,
} from "@aws-sdk/client-s3";
import { given } from "../given.ts";
import type { OperationTable } from "../operation.ts";
import { type BucketParts, plain, recordOf, withDocument } from "./bucket-parts.ts";
import { malformedXml, noConfiguration, refused } from "./configuration-errors.ts";
import type { CorsDocument } from "./cors-matching.ts";

/** Rules of one document. @limit */
export const CORS_RULES_MAX = 100;
/** Entries of one list of a rule (P7). */
const ENTRIES_MAX = 100;
const ID_CHARS_MAX = 255;

const METHODS: readonly string[] = ["GET", "PUT", "POST", "DELETE", "HEAD"];

/** Which pages of other origins may read and write here: stored, and answered by `cors-matching.ts`. */
export function corsOperations({ buckets }: BucketParts) {
  return {
    async PutBucketCors(input: PutBucketCorsRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      const document = corsDocument(given(input.CORSConfiguration, "CORSConfiguration").CORSRules ?? []);
      await buckets.update(name, (record) => withDocument(record, "cors", document));
    },

    GetBucketCors(input: GetBucketCorsRequest): GetBucketCorsOutput {
      const { name, documents } = recordOf(buckets, input);
      const document = documents["cors"] as CorsDocument | undefined;
      if (!document) throw noConfiguration(name, "cors", "The CORS configuration does not exist");
      return { CORSRules: [...document.CORSRules] };
    },

    async DeleteBucketCors(input: DeleteBucketCorsRequest): Promise<void> {
      const { name } = recordOf(buckets, input);
      await buckets.update(name, (record) => withDocument(record, "cors", undefined));
    },
  } satisfies OperationTable;
}

/** The document as it is kept; refuses what S3 refuses. */
function corsDocument(rules: readonly CORSRule[]): unknown {
  if (rules.length < 1 || rules.length > CORS_RULES_MAX) throw malformedXml(`there are 1 to ${CORS_RULES_MAX} rules`);
  for (const rule of rules) checkRule(rule);
  const ids = rules.flatMap(({ ID }) => (ID === undefined ? [] : [ID]));
  if (new Set(ids).size !== ids.length) throw refused("request", "RuleId must be unique. Found same ID for more than one rule.");
  return plain({ CORSRules: rules });
}

function checkRule({
  ID,
  AllowedMethods = [],
  AllowedOrigins = [],
  AllowedHeaders = [],
  ExposeHeaders = [],
  MaxAgeSeconds,
}: CORSRule): void {
  if (ID !== undefined && ID.length > ID_CHARS_MAX) throw refused("request", `RuleId cannot be longer than ${ID_CHARS_MAX} characters.`);
  if (AllowedMethods.length === 0 || AllowedOrigins.length === 0) throw malformedXml("a rule has AllowedMethod and AllowedOrigin");
  for (const list of [AllowedMethods, AllowedOrigins, AllowedHeaders, ExposeHeaders])
    if (list.length > ENTRIES_MAX) throw malformedXml(`a list of a rule has at most ${ENTRIES_MAX} entries`);
  for (const method of AllowedMethods)
    if (!METHODS.includes(method))
      throw refused("request", `Found unsupported HTTP method in CORS config. Unsupported method is ${method.slice(0, 100)}`);
  for (const origin of AllowedOrigins) checkOneStar("AllowedOrigin", origin);
  for (const header of AllowedHeaders) checkOneStar("AllowedHeader", header);
  for (const header of ExposeHeaders) {
    if (header.includes("*"))
      throw refused(
        "request",
        `ExposeHeader "${header.slice(0, 100)}" contains wildcard. We currently do not support wildcard for ExposeHeader.`,
      );
    checkHeaderName(header);
  }
  if (MaxAgeSeconds !== undefined && !(Number.isInteger(MaxAgeSeconds) && MaxAgeSeconds >= 0))
    throw malformedXml("MaxAgeSeconds is a whole number");
}

function checkOneStar(what: string, pattern: string): void {
  if (pattern.split("*").length > 2) throw refused("request", `${what} "${pattern.slice(0, 100)}" can not have more than one wildcard.`);
  if (/[^\x20-\x7e]/.test(pattern) || pattern === "")
    throw refused("request", `${what} ${JSON.stringify(pattern.slice(0, 100))} is not one.`);
}

/** What is answered in a header must be able to stand in one. */
function checkHeaderName(name: string): void {
  if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}$/.test(name))
    throw refused("request", `ExposeHeader ${JSON.stringify(name.slice(0, 100))} is not the name of a header.`);
}
