/** Which of a bucket's objects something is about, and in which words people say it. */

/** Objects of a bucket whose keys begin and end so; both empty: all. */
export interface UploadFilter {
  readonly bucketName: string;
  readonly prefix: string;
  readonly suffix: string;
}

/** What most rules are for, in short, with S3's own names. */
export const UPLOAD_EVENTS: Readonly<Record<string, string>> = { created: "s3:ObjectCreated:*", removed: "s3:ObjectRemoved:*" };

/** `photos/in/*.jpg`; `photos` for all of it. */
export function uploadText({ bucketName, prefix, suffix }: UploadFilter): string {
  return prefix === "" && suffix === "" ? bucketName : `${bucketName}/${prefix}*${suffix}`;
}

/** `created`, `removed`, or S3's name. */
export function uploadEventText(event: string): string {
  return Object.keys(UPLOAD_EVENTS).find((short) => UPLOAD_EVENTS[short] === event) ?? event;
}
