import type { OperationCase } from "./cases.ts";
import { s3BucketCases } from "./s3-buckets.ts";
import { s3MultipartCases } from "./s3-multipart.ts";
import { s3ObjectCases } from "./s3-objects.ts";

/** S3, by the SDK for JavaScript. */
export const s3Cases = { ...s3BucketCases, ...s3ObjectCases, ...s3MultipartCases } satisfies Readonly<Record<string, OperationCase>>;
