/** What a request may ask of the decoders (P7). Over one of them it is refused, before the work is done where that is possible. */
import { LambentError } from "../base/index.ts";
import type { OperationModel, Shape } from "./schema.ts";

/** A body that is read as a whole document: JSON, CBOR, form. AWS's own bounds are lower for most operations. */
export const DOCUMENT_BYTES_MAX = 6 * 1024 * 1024;
/** The same, where the document may hold a blob: a deployment package of 50 MB as base64. */
export const DOCUMENT_WITH_BLOB_BYTES_MAX = 70 * 1024 * 1024;
/** Objects and lists inside each other. */
export const DEPTH_MAX = 64;
/** Elements of an XML document: ten thousand parts of an upload, each with its number, tag and checksum, are 40,001. */
export const XML_ELEMENTS_MAX = 100_000;
/** Attributes of one XML element. */
export const XML_ATTRIBUTES_MAX = 64;
/** Name and value pairs of a query or a form. */
export const PAIRS_MAX = 20_000;
/** Characters of a path and query together. */
export const URL_CHARS_MAX = 32_768;
/** Entries of a list in one header. */
export const HEADER_ENTRIES_MAX = 1_000;
/** Characters of a value that a pattern without a length rule is applied to. */
export const PATTERN_INPUT_CHARS_MAX = 10_000;
/** Broken rules that one answer names. */
export const VIOLATIONS_MAX = 10;
/** Characters of a value that a message repeats. */
export const VALUE_ECHO_CHARS_MAX = 256;

const documentMax = new WeakMap<OperationModel, number>();

/** How many bytes the document of an operation's request may have. */
export function documentBytesMax(operation: OperationModel): number {
  const known = documentMax.get(operation);
  if (known !== undefined) return known;
  const max = operation.input && holdsBlob(operation.input, new Set()) ? DOCUMENT_WITH_BLOB_BYTES_MAX : DOCUMENT_BYTES_MAX;
  documentMax.set(operation, max);
  return max;
}

function holdsBlob(shape: Shape, seen: Set<Shape>): boolean {
  if (seen.has(shape)) return false;
  seen.add(shape);
  switch (shape.kind) {
    case "structure":
      return shape.members.some((member) => holdsBlob(member.shape, seen));
    case "list":
    case "map":
      return holdsBlob(shape.value.shape, seen);
    default:
      return shape.kind === "blob";
  }
}

export function requireDocumentFits(operation: OperationModel, bytes: number): void {
  const max = documentBytesMax(operation);
  if (bytes > max)
    throw new LambentError("RequestTooLarge", `The request for ${operation.name} has ${bytes} bytes; at most ${max} are read.`);
}

export function requireDepth(depth: number): void {
  if (depth > DEPTH_MAX) throw new LambentError("MalformedRequest", `The document is nested deeper than ${DEPTH_MAX} levels.`);
}
