import { LambentError } from "../../base/index.ts";
import { invalid, memberDetail } from "./errors.ts";

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
  readonly versionId: string | undefined;
}

/**
 * What `x-amz-copy-source` names: `bucket/key?versionId=id`, also with a `/` before it, URL-encoded; an encoded `?` belongs to the key.
 *
 * @throws InvalidParameter; NotImplemented for access points
 */
export function parseCopySource(text: string): CopySource {
  if (text.startsWith("arn:")) throw new LambentError("NotImplemented", "Access points are not built in Lambent: name bucket and key.");
  const [path, query] = split(text, "?");
  const [bucket, key] = split(decoded(path).replace(/^\//u, ""), "/");
  if (bucket === "" || key === undefined || key === "")
    throw invalid("argument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey", {
      [memberDetail("ArgumentName")]: "x-amz-copy-source",
      [memberDetail("ArgumentValue")]: text.slice(0, 200),
    });
  return { bucket, key, versionId: query === undefined ? undefined : versionOf(query) };
}

function versionOf(query: string): string {
  const value = /^versionId=([^&]+)$/u.exec(query)?.[1];
  if (value === undefined) throw invalid("argument", "Unsupported copy source parameter.");
  return decoded(value);
}

/** Plus signs are spaces, as S3 reads them. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw invalid("argument", "Invalid copy source encoding.");
  }
}

function split(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
