/** Objects of buckets and files of this machine: what is meant, and carrying bytes between them. */
export { bucketPathText, folderPrefix, keyFor, readBucketPath, readPlace, stepsOf } from "./bucket-path.ts";
export type { Place } from "./bucket-path.ts";
export { contentTypeOf } from "./content-types.ts";
export type { CopyOptions, Elsewhere, InBucket } from "./copying.ts";
export { fetchTo } from "./fetch-command.ts";
export { interruptible } from "./interruptible.ts";
export { reportFailed } from "./many.ts";
export type { Tally } from "./many.ts";
export { openProgress } from "./progress.ts";
export { sendTo } from "./send-command.ts";
