import { difference, type FieldChange } from "./difference.ts";
import type { EventRules } from "./event-plan.ts";
import { triggerOfKey } from "./trigger-key.ts";
import type { CurrentUpload, CurrentUploadWiring, UploadNames, UploadTrigger, UploadWiring, WantedBucket } from "./upload-form.ts";
import { uploadKey } from "./upload-form.ts";

/** One difference between the buckets and their rules that are wanted and those that are there. */
export type UploadChange =
  | { readonly kind: "createBucket"; readonly bucket: WantedBucket }
  | { readonly kind: "createUpload"; readonly upload: UploadTrigger }
  | { readonly kind: "updateUpload"; readonly upload: UploadTrigger; readonly fields: readonly FieldChange[] }
  | { readonly kind: "removeUpload"; readonly upload: UploadNames };

export type UploadRules = Pick<EventRules, "owned" | "onlyUntouched">;

/** Buckets that are missing: those that are named, and those that only a trigger names. None is ever removed: it holds objects. */
export function planBuckets(current: CurrentUploadWiring, wanted: UploadWiring): UploadChange[] {
  return bucketsOf(wanted)
    .filter((name) => !current.buckets.has(name))
    .map((name) => ({ kind: "createBucket", bucket: { name } }));
}

/** What has to happen with rules once buckets and functions are there. */
export function planUploads(current: CurrentUploadWiring, wanted: UploadWiring, rules: UploadRules): UploadChange[] {
  return wanted.uploads.flatMap((upload): UploadChange[] => {
    const key = uploadKey(upload);
    const known = current.uploads.get(key);
    if (!known) return rules.onlyUntouched && rules.owned.has(key) ? [] : [{ kind: "createUpload", upload }];
    const fields = uploadDifference(known, upload);
    return fields.length === 0 || rules.onlyUntouched ? [] : [{ kind: "updateUpload", upload, fields }];
  });
}

/** Rules this application brought and no longer names. */
export function planUploadRemovals(current: CurrentUploadWiring, wanted: UploadWiring, rules: UploadRules): UploadChange[] {
  const named = new Set(uploadKeys(wanted));
  return [...rules.owned]
    .filter((key) => !named.has(key) && current.uploads.has(key))
    .toSorted()
    .flatMap((key): UploadChange[] => {
      const trigger = triggerOfKey(key);
      return trigger.kind === "upload" ? [{ kind: "removeUpload", upload: trigger }] : [];
    });
}

/** All such rules of a document, as an application remembers them. */
export function uploadKeys({ uploads }: Pick<UploadWiring, "uploads">): string[] {
  return uploads.map(uploadKey);
}

/** Of changes, the rules that were made. */
export function createdUploadKeys(changes: readonly UploadChange[]): string[] {
  return changes.flatMap((change) => (change.kind === "createUpload" ? [uploadKey(change.upload)] : []));
}

/** Buckets that are named with their own words, and those that only a trigger names. */
export function bucketsOf({ buckets, uploads }: UploadWiring): string[] {
  return [...new Set([...buckets.map(({ name }) => name), ...uploads.map(({ bucketName }) => bucketName)])];
}

const FIELDS = ["event", "prefix", "suffix"] as const;

function uploadDifference(known: CurrentUpload, { options: wanted }: UploadTrigger): FieldChange[] {
  const fields = FIELDS.flatMap((field) => difference(field, known.options[field], wanted[field]));
  return [...fields, ...difference("permission", known.permitted ? "given" : "missing", "given")];
}
