/** A part from an object that is there: another name for its file where the part is all of it, else its bytes again. */
import { Readable } from "node:stream";
import type { ByteRange } from "../../storage/index.ts";
import type { BucketCell } from "../bucket-cell.ts";
import { createChecksum } from "../checksums/index.ts";
import { copyOfFile, type CopySource, linkAll, removed } from "../copying.ts";
import { type FoundObject, looseName, openObject } from "../reading.ts";
import { storeBody, type StoredBody } from "../storing-body.ts";
import type { ChecksumAlgorithm } from "../version.ts";

/** The one file that has all of an object. */
interface WholeFile {
  readonly file: string;
  readonly md5: string;
  /** Base64; of the algorithm of the object's. */
  readonly checksum: string | undefined;
}

/**
 * Makes a loose file of a source, or of `range` of it. Throws `RangeNotSatisfiable`, `NotFound` where the source was removed since it was found, and
 * what `storeBody` does.
 */
export async function storeCopy(
  cell: BucketCell,
  source: CopySource,
  range: ByteRange | undefined,
  algorithm: ChecksumAlgorithm | undefined,
): Promise<StoredBody> {
  const { cell: from, found } = source;
  const { bytes } = found.object;
  const isWhole = !range || (range.start === 0 && range.end === bytes - 1);
  const whole = isWhole ? wholeFileOf(found) : undefined;
  if (whole) return linkWhole(cell, source, whole, algorithm);
  const opened = await openObject(from, found, range);
  const length = range ? range.end - range.start + 1 : bytes;
  try {
    return await storeBody(cell, { source: opened, length, ...(algorithm ? { checksum: { algorithm } } : {}) }, -1);
  } finally {
    // What is refused before its first byte was never begun, and would stay open.
    if (opened instanceof Readable) opened.destroy();
  }
}

async function linkWhole(
  cell: BucketCell,
  source: CopySource,
  { file, md5, checksum }: WholeFile,
  algorithm: ChecksumAlgorithm | undefined,
): Promise<StoredBody> {
  const { cell: from, found } = source;
  const { bytes, checksum: known } = found.object;
  const isKnown = checksum !== undefined && known?.algorithm === algorithm;
  const value = algorithm && (isKnown ? checksum : await checksumOf(source, algorithm));
  const release = from.loose.pin(looseName(found));
  if (!release) throw removed(found.key);
  try {
    return await cell.makingFiles(async () => {
      const copy = copyOfFile(cell, file);
      await linkAll(cell, from, copy, found.key);
      return {
        bytes,
        md5,
        checksum: algorithm && value ? { algorithm, value } : undefined,
        place: { kind: "file", file: copy.files.name },
      };
    });
  } finally {
    release();
  }
}

function wholeFileOf({ object, body }: FoundObject): WholeFile | undefined {
  switch (body.kind) {
    case "inline":
      return undefined;
    case "file":
      return { file: body.file, md5: object.etag, checksum: object.checksum?.type === "FULL_OBJECT" ? object.checksum.value : undefined };
    case "parts": {
      if (body.list.count !== 1) return undefined;
      const { file, md5, checksum } = body.list.part(0);
      return { file, md5, checksum };
    }
  }
}

async function checksumOf({ cell, found }: CopySource, algorithm: ChecksumAlgorithm): Promise<string> {
  const checksum = createChecksum(algorithm);
  const opened = await openObject(cell, found);
  if (opened instanceof Uint8Array) checksum.update(opened);
  else for await (const chunk of opened as AsyncIterable<Uint8Array>) checksum.update(chunk);
  return checksum.digest().toString("base64");
}
