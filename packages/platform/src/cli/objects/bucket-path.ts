/** Places of bytes as people write them: in a bucket, on this machine, or a standard stream. docs/decisions/0029 says why so. */
import { CommandFailure } from "../errors.ts";
import type { BucketKey } from "../s3-api.ts";

export type Place =
  | ({ readonly kind: "bucket" } & BucketKey)
  | { readonly kind: "local"; readonly path: string }
  /** Standard input, or output. */
  | { readonly kind: "standard" };

const SCHEME = "s3://";
const BUCKET_NAME = /^[a-z0-9.-]{3,63}$/u;
/** `photos:cat.jpg`. A drive's letter is too short for a bucket. */
const WITH_COLON = /^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9]):(.*)$/su;

/** `s3://photos/cat.jpg` and `photos:cat.jpg` are in a bucket, `-` is a standard stream, all else is on this machine: `./photos:cat.jpg` too. */
export function readPlace(text: string): Place {
  if (text === "-") return { kind: "standard" };
  if (text.startsWith(SCHEME)) return { kind: "bucket", ...readBucketPath(text) };
  const [, bucket, key = ""] = WITH_COLON.exec(text) ?? [];
  if (bucket !== undefined) return { kind: "bucket", bucket, key };
  if (text === "") throw new CommandFailure("usage", "A name is empty.", "For example lambent objects cp cat.jpg photos:cat.jpg");
  return { kind: "local", path: text };
}

/** Where only buckets are meant, a slash says as much as a colon: `photos`, `photos/2024/`, `photos:2024/`, `s3://photos/2024/`. */
export function readBucketPath(text: string): BucketKey {
  const plain = text.startsWith(SCHEME) ? text.slice(SCHEME.length) : text;
  const end = plain.search(text.startsWith(SCHEME) ? /\//u : /[/:]/u);
  const bucket = end < 0 ? plain : plain.slice(0, end);
  if (!BUCKET_NAME.test(bucket))
    throw new CommandFailure(
      "usage",
      `${JSON.stringify(text)} does not begin with a bucket's name: 3 to 63 lower-case letters, digits, - and dots.`,
      "For example photos/2024/cat.jpg",
    );
  return { bucket, key: end < 0 ? "" : plain.slice(end + 1) };
}

/** `photos:cat.jpg`. */
export function bucketPathText({ bucket, key }: BucketKey): string {
  return `${bucket}:${key}`;
}

/** The keys that are in a folder: a prefix that ends in a slash, or the whole bucket. */
export function folderPrefix(key: string): string {
  return key === "" || key.endsWith("/") ? key : `${key}/`;
}

/** The key of a file that is sent there: into a bucket or a folder of it, under its own name. */
export function keyFor(key: string, fileName: string): string {
  return key === "" || key.endsWith("/") ? key + fileName : key;
}

/**
 * Where an object is put below a folder, as steps from there; undefined for a key that would lead out of the folder, or names no file.
 * Whoever may write to a bucket chooses its keys.
 */
export function stepsOf(key: string): readonly string[] | undefined {
  const steps = key.split("/");
  return steps.some((step) => step === "" || step === "." || step === ".." || /[\0\\]/u.test(step)) ? undefined : steps;
}
