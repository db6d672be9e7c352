/** How buckets may be named: their names are host names. */
import { LambentError } from "../base/index.ts";

const ENDS_RESERVED = ["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];
const BEGINNINGS_RESERVED = ["xn--", "sthree-"];

/** Refuses what is no bucket's name with `InvalidBucketName`. @see Amazon S3 user guide, bucket naming rules */
export function checkBucketName(name: string): void {
  const fault = faultOf(name);
  if (fault !== undefined)
    throw new LambentError("InvalidBucketName", `The specified bucket is not valid: ${fault}`, { name: name.slice(0, 128) });
}

function faultOf(name: string): string | undefined {
  if (name.length < 3 || name.length > 63) return `a name has 3 to 63 characters, this one ${name.length}.`;
  if (!/^[a-z0-9.-]+$/u.test(name)) return "a name has lower-case letters, digits, dots and hyphens.";
  if (!/^[a-z0-9].*[a-z0-9]$/u.test(name)) return "a name begins and ends with a letter or a digit.";
  if (name.includes("..")) return "a name has no two dots beside each other.";
  if (/^\d+\.\d+\.\d+\.\d+$/u.test(name)) return "a name is not formed like an IP address.";
  const beginning = BEGINNINGS_RESERVED.find((reserved) => name.startsWith(reserved));
  if (beginning !== undefined) return `names that begin with ${beginning} are reserved.`;
  const end = ENDS_RESERVED.find((reserved) => name.endsWith(reserved));
  return end === undefined ? undefined : `names that end with ${end} are reserved.`;
}
