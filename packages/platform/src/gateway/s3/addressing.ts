/**
 * Which bucket and key a request is about, from its Host and its URL alone: no registry is asked, so that a name means the same
 * before and after its bucket is made.
 *
 * A host names a bucket
 * 1. by the label `s3` (or `s3-<region>`) behind it: `<bucket>.s3.us-east-1.amazonaws.com`, `<bucket>.s3.localhost:4566`. The last such label
 *    counts, so that buckets may have dots, and one that begins the host (`s3.localhost`) is S3 itself, without a bucket;
 * 2. by standing right before a name that this listener goes by: `<bucket>.localhost`, `<bucket>.<allowed host>`. That is what SDKs make of an
 *    endpoint they were given. Before `localhost` a service's own label (`lambda.localhost`, `sqs.us-east-1.localhost`) is no bucket,
 *    unless the request is signed for S3.
 *
 * Everything else is path style: IP addresses, bare names, and names of which only a wildcard is allowed.
 */

export interface S3Address {
  /** `endpoint`: path style. `bucket`: the host names the bucket. `s3`: the host is S3's, the bucket is in the path. */
  readonly style: "endpoint" | "s3" | "bucket";
  /** Undefined where all buckets are meant. */
  readonly bucket: string | undefined;
  /** Percent-encoded as it came, without the slash before it; "" for the bucket itself. */
  readonly rawKey: string;
  /** Path and query as they are in path style. */
  readonly pathStyleUrl: string;
}

/** Names by which a listener is reached. */
export interface HostNames {
  /** Names below which buckets are, beside `localhost`: lower case, without port. */
  readonly suffixes: readonly string[];
  /** First labels that are other services: `lambda`. */
  readonly services: ReadonlySet<string>;
}

/** What a host says of S3. */
export type HostMeaning = { readonly kind: "bucket"; readonly bucket: string } | { readonly kind: "s3" } | { readonly kind: "endpoint" };

const ENDPOINT: HostMeaning = { kind: "endpoint" };
/** Longest Host header that is looked at; names in the DNS have at most 253 characters. */
const HOST_CHARS_MAX = 320;
/** `bucket.s3.…`, `bucket.s3-eu-west-1.…`; greedy, so that the last such label counts. */
const S3_HOST = /^(?:(.+)\.)?s3(?:-[a-z0-9-]+)?\.[a-z0-9.-]+$/;
const ADDRESS = /^(?:\[|[\d.]+(?::\d*)?$)/;
const REGION = /^[a-z]{2}(?:-[a-z]+)+-\d$/;

/** What `host` (a Host header) means. `isSigned`: the request is signed for S3, so that a service's label is a bucket's name. */
export function meaningOf(host: string, names: HostNames, isSigned: boolean): HostMeaning {
  if (host.length > HOST_CHARS_MAX || !host.includes(".") || ADDRESS.test(host)) return ENDPOINT;
  const name = host.toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
  const s3 = S3_HOST.exec(name);
  if (s3) return s3[1] === undefined ? { kind: "s3" } : { kind: "bucket", bucket: s3[1] };
  if (names.suffixes.includes(name)) return ENDPOINT;
  const suffix = ["localhost", ...names.suffixes].find((each) => name.endsWith(`.${each}`));
  if (suffix === undefined) return ENDPOINT;
  const bucket = name.slice(0, -suffix.length - 1);
  return !isSigned && isService(bucket, names.services) ? ENDPOINT : { kind: "bucket", bucket };
}

/** `lambda`, `lambda.us-east-1`. */
function isService(name: string, services: ReadonlySet<string>): boolean {
  const [label = "", region, more] = name.split(".");
  return services.has(label) && more === undefined && (region === undefined || REGION.test(region));
}

/** Where a request to `host` for `rawUrl` (path and query as sent) goes. */
export function addressOf(meaning: HostMeaning, rawUrl: string): S3Address {
  const mark = rawUrl.indexOf("?");
  const path = mark < 0 ? rawUrl : rawUrl.slice(0, mark);
  if (meaning.kind === "bucket") {
    const query = mark < 0 ? "" : rawUrl.slice(mark);
    const key = path.startsWith("/") ? path : `/${path}`;
    return { style: "bucket", bucket: meaning.bucket, rawKey: key.slice(1), pathStyleUrl: `/${meaning.bucket}${key}${query}` };
  }
  const style = meaning.kind;
  const end = path.indexOf("/", 1);
  const segment = end < 0 ? path.slice(1) : path.slice(1, end);
  return {
    style,
    bucket: segment === "" ? undefined : decoded(segment),
    rawKey: end < 0 ? "" : path.slice(end + 1),
    pathStyleUrl: rawUrl.startsWith("/") ? rawUrl : `/${rawUrl}`,
  };
}

/** A name that is not well encoded is none of a bucket, and stays as it is. */
function decoded(segment: string): string {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
