import { LambentError } from "../../base/index.ts";
import { headerDetail, invalid, memberDetail } from "./errors.ts";

/** Bytes of a body, the last one included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * The bytes that a `Range` header asks for; undefined for all of them: without the header, and where it is nothing S3 understands
 * (other units, several ranges, an end before its start).
 *
 * @throws RangeNotSatisfiable for a range that begins behind the end
 */
export function rangeOf(header: string | undefined, bytes: number): ByteRange | undefined {
  const parts = /^bytes=(\d{0,15})-(\d{0,15})$/u.exec(header?.trim() ?? "");
  if (!parts || header === undefined) return undefined;
  const [, first = "", last = ""] = parts;
  if (first === "" && last === "") return undefined;
  if (first === "") return suffixOf(Number(last), header, bytes);
  const start = Number(first);
  if (last !== "" && Number(last) < start) return undefined;
  if (start >= bytes) throw notSatisfiable(header, bytes);
  return { start, end: last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1) };
}

function suffixOf(length: number, header: string, bytes: number): ByteRange {
  if (length === 0 || bytes === 0) throw notSatisfiable(header, bytes);
  return { start: Math.max(bytes - length, 0), end: bytes - 1 };
}

/**
 * The bytes that `x-amz-copy-source-range` names: both ends are given, and are there.
 *
 * @throws InvalidParameter
 */
export function copyRangeOf(text: string, bytes: number): ByteRange {
  const parts = /^bytes=(\d{1,15})-(\d{1,15})$/u.exec(text);
  const start = Number(parts?.[1]);
  const end = Number(parts?.[2]);
  if (!parts || end < start)
    throw invalid(
      "argument",
      "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy",
      { [memberDetail("ArgumentName")]: "x-amz-copy-source-range", [memberDetail("ArgumentValue")]: text.slice(0, 200) },
    );
  if (end >= bytes) throw invalid("argument", `Range specified is not valid for source object of size: ${bytes}`);
  return { start, end };
}

/** `bytes 0-99/1234`. */
export function contentRange({ start, end }: ByteRange, bytes: number): string {
  return `bytes ${start}-${end}/${bytes}`;
}

function notSatisfiable(range: string, bytes: number): LambentError {
  return new LambentError("RangeNotSatisfiable", "The requested range is not satisfiable", {
    [memberDetail("RangeRequested")]: range.slice(0, 200),
    [memberDetail("ActualObjectSize")]: bytes,
    [headerDetail("content-range")]: `bytes */${bytes}`,
  });
}
