import { type BucketRecord, expiryOf, type StoredObject } from "../../objects/index.ts";

/** When an object that is current goes, and by which rule, as a header: `expiry-date="…", rule-id="…"`; undefined where no rule is for it. */
export function expirationOf({ lifecycle }: Pick<BucketRecord, "lifecycle">, key: string, object: StoredObject): string | undefined {
  const expiry = expiryOf(lifecycle, key, object);
  return expiry && `expiry-date="${new Date(expiry.at).toUTCString()}", rule-id="${encodeURIComponent(expiry.rule)}"`;
}
