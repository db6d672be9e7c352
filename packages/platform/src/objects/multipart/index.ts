/** Uploads in parts. */
export { Uploads } from "./uploads.ts";
export type { CompleteOptions, PartSource, PartsPage, UploadDraft, UploadRules } from "./uploads.ts";
export { PART_BYTES_MIN } from "./completing.ts";
export type { CompleteRequest, NamedPart } from "./completing.ts";
export { partOf, partsOf } from "./part-of.ts";
export { ANSWER_KEPT_MS } from "./answers.ts";
export type { UploadListing, UploadsQuery } from "./listing.ts";
export { leftoverRows, partRows, uploadRows } from "./upload.ts";
export type { Upload, UploadChecksum, UploadedPart, WantedChecksum } from "./upload.ts";
