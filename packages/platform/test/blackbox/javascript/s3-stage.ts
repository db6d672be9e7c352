import type { S3 } from "@aws-sdk/client-s3";
import { known, type Stage } from "./cases.ts";

/** A bucket that nobody made. */
export const NOWHERE = "nobody-made-this-bucket";

/** A bucket of the case's own, made by the unrecorded client. */
export async function bucket({ stage }: Stage, Bucket: string): Promise<string> {
  await stage.s3.createBucket({ Bucket });
  return Bucket;
}

/** The same, of which the public may be given something. */
export async function openBucket(stage: Stage, name: string): Promise<string> {
  const Bucket = await bucket(stage, name);
  await stage.stage.s3.deletePublicAccessBlock({ Bucket });
  return Bucket;
}

/** A bucket of the case's own, which keeps every version. */
export async function versionedBucket(stage: Stage, name: string): Promise<string> {
  const Bucket = await bucket(stage, name);
  await stage.stage.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: "Enabled" } });
  return Bucket;
}

/** The text of an object, as the unrecorded client reads it. */
export async function textOf({ stage }: Stage, Bucket: string, Key: string, VersionId?: string): Promise<string> {
  const { Body } = await stage.s3.getObject({ Bucket, Key, ...(VersionId === undefined ? {} : { VersionId }) });
  return known(Body).transformToString();
}

/** The keys of a bucket. */
export async function keysOf(s3: S3, Bucket: string): Promise<readonly string[]> {
  const { Contents = [] } = await s3.listObjectsV2({ Bucket });
  return Contents.map(({ Key }) => known(Key));
}
