/** Which uploads call a function, as people write it: `photos/*.jpg`; and the names of what comes of it. */
import { isLambentError } from "../base/index.ts";
import { UPLOAD_EVENTS, uploadEventText, type UploadFilter } from "../model/index.ts";
import { checkBucketName } from "../objects/index.ts";
import { digestOf, guessedName, permissionId } from "./guessed-names.ts";

export type UploadReading =
  | { readonly kind: "read"; readonly filter: UploadFilter }
  /** What is wrong with it, and what to write instead: a sentence each. */
  | { readonly kind: "refused"; readonly why: string; readonly next: string };

/** Bytes of a prefix, and of a suffix: S3's bound. */
const FILTER_BYTES_MAX = 1_024;
const EVENT_NAME = /^s3:[A-Za-z]{1,40}(?::(?:\*|[A-Za-z]{1,40}))?$/u;
/** A filter that asks for no more than how names end. */
const ONLY_EXTENSION = /^\*\.([A-Za-z0-9]{1,16})$/u;

/** `photos`, `photos/*`, `photos/in/*.jpg`, `photos/in/`: what stands before the star begins the keys, what stands behind it ends them. */
export function readUpload(text: string): UploadReading {
  const plain = text.replace(/^s3:\/\//u, "");
  const slash = plain.indexOf("/");
  const bucketName = slash < 0 ? plain : plain.slice(0, slash);
  const keys = slash < 0 ? "" : plain.slice(slash + 1);
  const fault = bucketFault(bucketName);
  if (fault !== undefined)
    return refused(`${JSON.stringify(text)} does not begin with a bucket's name: ${fault}`, "For example 'photos/*.jpg'.");
  const [prefix = "", suffix, another] = keys.split("*");
  if (another !== undefined)
    return refused(
      `${JSON.stringify(text)} has more than one star, and S3 knows only how a key begins and how it ends.`,
      "For example 'photos/in/*.jpg'.",
    );
  if (suffix === undefined && prefix !== "" && !prefix.endsWith("/"))
    return refused(
      `${JSON.stringify(text)} has no star: it would be one object only, and S3 knows only how keys begin and end.`,
      `Say '${bucketName}/${prefix}*' for keys that begin so, '${bucketName}/*${prefix}' for keys that end so.`,
    );
  if ([prefix, suffix ?? ""].some((part) => Buffer.byteLength(part) > FILTER_BYTES_MAX))
    return refused(
      `${JSON.stringify(`${text.slice(0, 40)}…`)} is too long: before and behind the star are at most ${FILTER_BYTES_MAX} bytes.`,
      "Shorten it.",
    );
  return { kind: "read", filter: { bucketName, prefix, suffix: suffix ?? "" } };
}

/** `created`, `removed` or a name of S3's as S3 spells it; undefined for what is none. Which kinds there are is the server's to say. */
export function readUploadEvent(text: string): string | undefined {
  const short = Object.hasOwn(UPLOAD_EVENTS, text) ? UPLOAD_EVENTS[text] : undefined;
  if (short !== undefined) return short;
  const name = text.startsWith("s3:") || !text.includes(":") ? text : `s3:${text}`;
  return EVENT_NAME.test(name) ? name : undefined;
}

/** The name of a function's rule that has none: the same event and filter give the same one, others another. */
export function guessedUploadName(functionName: string, event: string, { prefix, suffix }: UploadFilter): string {
  const word = uploadEventText(event).replace(/^s3:/u, "").replaceAll(":", "-").replaceAll("*", "any");
  if (prefix === "" && suffix === "") return guessedName(functionName, word, "");
  const extension = ONLY_EXTENSION.exec(`${prefix}*${suffix}`)?.[1];
  const what = extension ?? `${prefix}-${suffix}`.replaceAll(/[^A-Za-z0-9]+/gu, "-").replaceAll(/^-+|-+$/gu, "");
  const digest = extension === undefined ? digestOf(`${prefix}*${suffix}`) : "";
  return guessedName(functionName, [word, what].filter((part) => part !== "").join("-"), digest);
}

/** The id of the statement by which a function lets a bucket call it. */
export function bucketPermissionId(bucketName: string): string {
  return permissionId(`bucket-${bucketName}`);
}

function bucketFault(name: string): string | undefined {
  try {
    checkBucketName(name);
    return undefined;
  } catch (error) {
    if (isLambentError(error)) return error.message.replace(/^.*is not valid: /u, "");
    throw error;
  }
}

const refused = (why: string, next: string): UploadReading => ({ kind: "refused", why, next });
