import { buffer } from "node:stream/consumers";
import { isLambentError, LambentError } from "../../base/index.ts";
import { CODE_ZIP_BYTES_MAX } from "../../functions/index.ts";
import { type Buckets, objectArn } from "../../objects/index.ts";
import type { RequestContext } from "../operation.ts";
import type { Authorize } from "../perform.ts";
import { decidingPolicy } from "../s3/bucket-policy.ts";

/** Where a request says that its code is. */
export interface CodeInput {
  readonly ZipFile?: Uint8Array | undefined;
  readonly S3Bucket?: string | undefined;
  readonly S3Key?: string | undefined;
  readonly S3ObjectVersion?: string | undefined;
  readonly ImageUri?: string | undefined;
}

export interface CodeInputParts {
  readonly buckets: () => Promise<Buckets>;
  readonly authorize: Authorize;
}

/** The zip of a request: its own bytes, or those of an object that the caller may read. */
export async function zipOf(code: CodeInput, context: RequestContext, parts: CodeInputParts): Promise<Uint8Array> {
  if (code.ImageUri !== undefined)
    throw new LambentError("NotImplemented", "Code from a container image is not built in Lambent; send ZipFile, or S3Bucket and S3Key.");
  if (code.S3Bucket !== undefined && code.S3Key !== undefined) {
    if (code.ZipFile !== undefined)
      throw new LambentError("InvalidParameter", "Please do not provide other FunctionCode parameters when providing a ZipFile.");
    return zipFromBucket({ bucket: code.S3Bucket, key: code.S3Key, version: code.S3ObjectVersion }, context, parts);
  }
  if (code.ZipFile === undefined) throw new LambentError("InvalidParameter", "Please provide a source for function code.");
  return code.ZipFile;
}

interface ObjectName {
  readonly bucket: string;
  readonly key: string;
  readonly version: string | undefined;
}

async function zipFromBucket({ bucket: name, key, version }: ObjectName, context: RequestContext, parts: CodeInputParts): Promise<Buffer> {
  try {
    const buckets = await parts.buckets();
    const record = buckets.get(name);
    const action = version === undefined ? "s3:GetObject" : "s3:GetObjectVersion";
    parts.authorize(context, {
      ...{ action, resource: objectArn(name, key) },
      ...{ resourcePolicy: decidingPolicy(record), resourceAccount: record.realm.account },
    });
    const bucket = await buckets.bucket(name);
    const found = await bucket.get(key, version);
    if (found.object.bytes > CODE_ZIP_BYTES_MAX)
      throw new LambentError(
        "InvalidParameter",
        `s3://${name}/${key} has ${found.object.bytes} bytes; a package has at most ${CODE_ZIP_BYTES_MAX}.`,
      );
    const body = await bucket.open(found);
    return Buffer.isBuffer(body) ? body : await buffer(body);
  } catch (error) {
    // In Lambda's words: it is the function's request that is wrong.
    if (isLambentError(error, "NotFound", "IsDeleteMarker"))
      throw new LambentError(
        "InvalidParameter",
        `Error occurred while GetObject. S3 Error Code: ${missing(error)}. S3 Error Message: ${error.message}`,
      );
    throw error;
  }
}

function missing({ details }: LambentError): string {
  return details["what"] === "bucket" ? "NoSuchBucket" : details["what"] === "version" ? "NoSuchVersion" : "NoSuchKey";
}
