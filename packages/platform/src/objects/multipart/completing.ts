/** What an upload becomes: pure. Which parts it is made of, whether they may be its parts, its ETag and its checksum. */
import { createHash } from "node:crypto";
import { LambentError } from "../../base/index.ts";
import { combineCrc, createChecksum } from "../checksums/index.ts";
import type { BodyPart, ChecksumAlgorithm, ObjectChecksum } from "../version.ts";
import { isPartNumber, type Leftover, type Upload, type UploadChecksum, type UploadedPart } from "./upload.ts";

/** What every part but the last one has at least, in bytes. @limit */
export const PART_BYTES_MIN = 5 * 1024 * 1024;

/** A part as whoever completes an upload names it. */
export interface NamedPart {
  readonly number: number;
  /** Hex, without quotes. */
  readonly etag: string;
  readonly checksum?: { readonly algorithm: ChecksumAlgorithm; readonly value: string } | undefined;
}

export interface CompleteRequest {
  readonly parts: readonly NamedPart[];
  /** What all parts together have to have. */
  readonly expectedBytes?: number | undefined;
  /** What the object's checksum has to be, or only of which type. */
  readonly checksum?:
    | {
        readonly algorithm?: ChecksumAlgorithm | undefined;
        /** Base64; of a COMPOSITE one with or without its `-<parts>`. */
        readonly value?: string | undefined;
        readonly type?: ObjectChecksum["type"] | undefined;
      }
    | undefined;
}

/** The object's content. */
export interface CompletedBody {
  readonly parts: readonly BodyPart[];
  readonly bytes: number;
  readonly etag: string;
  readonly checksum?: ObjectChecksum | undefined;
  readonly kept: Leftover["kept"];
}

/**
 * Decides what `request` makes of the parts that were uploaded. Throws `InvalidPartOrder` where numbers do not rise, `InvalidPart` for
 * one that is not there or another one now, `PartTooSmall`, `InvalidParameter` where the size is another one than was said, and
 * `ChecksumMismatch`.
 *
 * @see S3 API reference, CompleteMultipartUpload
 */
export function decideCompletion(
  upload: Upload,
  uploaded: ReadonlyMap<number, UploadedPart>,
  request: CompleteRequest,
  partBytesMin: number = PART_BYTES_MIN,
): CompletedBody {
  const chosen = chosenParts(upload, uploaded, request.parts);
  for (const { number, bytes, md5 } of chosen.slice(0, -1)) {
    if (bytes < partBytesMin)
      throw new LambentError("PartTooSmall", `Part ${number} has ${bytes} bytes; one that is not the last has at least ${partBytesMin}.`, {
        ...{ partNumber: number, etag: md5, proposedBytes: bytes, bytesMin: partBytesMin },
      });
  }
  const bytes = chosen.reduce((sum, part) => sum + part.bytes, 0);
  if (request.expectedBytes !== undefined && request.expectedBytes !== bytes)
    throw new LambentError(
      "InvalidParameter",
      `The parts have ${bytes} bytes together, not ${request.expectedBytes} as the request says.`,
      {
        what: "request",
      },
    );
  const checksum = upload.checksum && checksumOf(upload.checksum, chosen);
  checkExpected(checksum, request.checksum);
  return {
    parts: chosen.map((part) => bodyPartOf(part, upload.checksum)),
    bytes,
    etag: etagOfParts(chosen.map(({ md5 }) => md5)),
    checksum,
    kept: runsOf(chosen.map(({ number }) => number)),
  };
}

/** `<MD5 of the parts' MD5s>-<count>`. */
export function etagOfParts(md5s: readonly string[]): string {
  const hash = createHash("md5");
  for (const md5 of md5s) hash.update(md5, "hex");
  return `${hash.digest("hex")}-${md5s.length}`;
}

/** Whether `number` is in one of `runs`, which rise. */
export function isKept(runs: Leftover["kept"], number: number): boolean {
  let low = 0;
  let high = runs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const [first, last] = runs[middle] ?? [0, 0];
    if (number < first) high = middle;
    else if (number > last) low = middle + 1;
    else return true;
  }
  return false;
}

function chosenParts(upload: Upload, uploaded: ReadonlyMap<number, UploadedPart>, named: readonly NamedPart[]): readonly UploadedPart[] {
  if (named.length === 0) throw new LambentError("InvalidParameter", "No part is named; an object has at least one.", { what: "xml" });
  let before = 0;
  for (const { number } of named) {
    checkPartNumber(number);
    if (number <= before)
      throw new LambentError("InvalidPartOrder", `Part ${number} is named behind part ${before}; numbers have to rise.`);
    before = number;
  }
  return named.map((part) => partNamed(upload, uploaded.get(part.number), part));
}

/** Refuses a part's number that none has, with `InvalidParameter`. */
export function checkPartNumber(number: number): void {
  if (!isPartNumber(number))
    throw new LambentError("InvalidParameter", `A part's number is ${number}; it is a whole number from 1 to 10000.`, {
      what: "argument",
      argument: "partNumber",
    });
}

function partNamed(upload: Upload, part: UploadedPart | undefined, named: NamedPart): UploadedPart {
  const refused = (why: string): LambentError =>
    new LambentError("InvalidPart", `Part ${named.number} of upload ${upload.id} ${why}`, {
      uploadId: upload.id,
      partNumber: named.number,
      etag: named.etag,
    });
  if (!part) throw refused("was not uploaded.");
  if (part.md5 !== named.etag.toLowerCase()) throw refused(`has the ETag ${part.md5}, not ${named.etag}.`);
  const { checksum } = named;
  if (checksum && part.checksum?.algorithm === checksum.algorithm && part.checksum.value !== checksum.value)
    throw refused(`has the ${checksum.algorithm} ${part.checksum.value}, not ${checksum.value}.`);
  if (checksum && upload.checksum && checksum.algorithm !== upload.checksum.algorithm)
    throw refused(`has a ${upload.checksum.algorithm} checksum, not a ${checksum.algorithm} one.`);
  return part;
}

function checksumOf({ type, algorithm }: UploadChecksum, parts: readonly UploadedPart[]): ObjectChecksum {
  const digests = parts.map(({ bytes, checksum }) => ({ bytes, value: Buffer.from(checksum?.value ?? "", "base64") }));
  if (type === "FULL_OBJECT") return { algorithm, type, value: combineCrc(algorithm, digests).toString("base64") };
  const composite = createChecksum(algorithm);
  for (const { value } of digests) composite.update(value);
  return { algorithm, type, value: composite.digest().toString("base64") };
}

function checkExpected(actual: ObjectChecksum | undefined, expected: CompleteRequest["checksum"]): void {
  if (!expected) return;
  const { algorithm = actual?.algorithm, type = actual?.type, value } = expected;
  // A digest that nobody can check would be taken for one that was.
  if (algorithm !== actual?.algorithm || type !== actual?.type) throw otherChecksum(actual, algorithm, type);
  const bare = value?.replace(/-\d+$/u, "");
  if (actual && bare !== undefined && bare !== actual.value)
    throw new LambentError("ChecksumMismatch", `The parts have the ${actual.algorithm} ${actual.value} together, not ${bare}.`, {
      digest: "checksum",
    });
}

function otherChecksum(actual: ObjectChecksum | undefined, algorithm = "no", type = "any"): LambentError {
  const begun = actual ? `for a ${actual.algorithm} checksum of type ${actual.type}` : "without a checksum";
  return new LambentError("InvalidParameter", `The upload was begun ${begun}; the request has ${algorithm} checksum of ${type} type.`, {
    what: "request",
  });
}

function bodyPartOf({ file, bytes, md5, checksum }: UploadedPart, wanted: UploadChecksum | undefined): BodyPart {
  return { file, bytes, md5, ...(wanted && checksum ? { checksum: checksum.value } : {}) };
}

/** Rising numbers as runs of neighbours: mostly one. */
function runsOf(numbers: readonly number[]): Leftover["kept"] {
  const runs: [number, number][] = [];
  for (const number of numbers) {
    const run = runs.at(-1);
    if (run && run[1] === number - 1) run[1] = number;
    else runs.push([number, number]);
  }
  return runs;
}
