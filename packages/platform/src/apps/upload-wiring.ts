/** Buckets of an application and their rules: compared with what is there, and applied. */
import { LambentError } from "../base/index.ts";
import { type Realm, uploadText } from "../model/index.ts";
import { overlappingRules } from "../objects/index.ts";
import { refuseMany, refuseTwice } from "./event-wiring.ts";
import { triggerOfKey } from "./trigger-key.ts";
import type { AppUploads, CurrentUpload, CurrentUploadWiring, UploadTrigger, UploadWiring } from "./upload-form.ts";
import { bucketsOf, type UploadChange, uploadKeys } from "./upload-plan.ts";

/** Buckets of one application (P7). */
const APP_BUCKETS_MAX = 100;
/** Rules of buckets of one application (P7). */
const APP_UPLOADS_MAX = 400;

/** What is there of what the document names, and of what the application brought before. */
export function currentUploads(port: AppUploads, realm: Realm, wanted: UploadWiring, owned: ReadonlySet<string>): CurrentUploadWiring {
  const uploads = new Map<string, CurrentUpload>();
  for (const key of new Set([...uploadKeys(wanted), ...owned])) {
    const trigger = triggerOfKey(key);
    const found = trigger.kind === "upload" ? port.currentUpload(realm, trigger) : undefined;
    if (found) uploads.set(key, found);
  }
  return { buckets: new Set(bucketsOf(wanted).filter((name) => port.hasBucket(realm, name))), uploads };
}

/** Carries out `changes` and stops at the first that fails; those of one bucket's rules are one change. */
export async function applyUploads(port: AppUploads, realm: Realm, changes: readonly UploadChange[]): Promise<void> {
  const wanted = new Map<string, UploadTrigger[]>();
  for (const change of changes)
    switch (change.kind) {
      case "createBucket":
        await port.createBucket(realm, change.bucket);
        break;
      case "removeUpload":
        await port.removeUpload(realm, change.upload);
        break;
      case "createUpload":
      case "updateUpload": {
        const { bucketName } = change.upload;
        wanted.set(bucketName, [...(wanted.get(bucketName) ?? []), change.upload]);
      }
    }
  for (const [bucketName, uploads] of wanted) await port.putUploads(realm, bucketName, uploads);
}

/** Refuses too many, what is named twice, and what S3 would tell two functions of. */
export function checkUploads({ buckets, uploads }: UploadWiring): void {
  refuseMany(buckets, APP_BUCKETS_MAX, "buckets");
  refuseMany(uploads, APP_UPLOADS_MAX, "triggers by uploads");
  refuseTwice(uploads.map(({ bucketName, uploadName }) => `The trigger ${uploadName} by uploads to bucket ${bucketName}`));
  for (const [bucketName, of] of Object.entries(Object.groupBy(uploads, (each) => each.bucketName))) {
    const pair = overlappingRules((of ?? []).map(({ functionName, options }) => ({ functionName, ...options, events: [options.event] })));
    if (pair)
      throw new LambentError(
        "InvalidParameter",
        `${pair.map((each) => `${uploadText({ bucketName, ...each })} of function ${each.functionName}`).join(" and ")} overlap, and of one object S3 tells only one.`,
      );
  }
}
