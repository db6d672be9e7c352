import type { BlobReferences } from "../storage/index.ts";

/** Cells of the functions' registry, whatever realm: `<realm>/registry/functions/0`. */
const REGISTRY_CELL = /^[^/]+\/registry\/functions\/0$/;

/**
 * Every part whose rows refer to bodies, and how. What is missing here is swept: a part that puts bodies stands here before
 * it puts the first one.
 */
export const BLOB_REFERENCES: readonly BlobReferences[] = [{ isIn: (cell) => REGISTRY_CELL.test(cell), of: codesOf }];

/** Code of functions, versions and layers: wherever a row holds `{sha256, zipBytes, …}`. */
function codesOf(value: Uint8Array): readonly string[] {
  const found: string[] = [];
  JSON.parse(Buffer.from(value).toString("utf8"), (_key, inner: unknown) => {
    if (typeof inner === "object" && inner !== null && "zipBytes" in inner && "sha256" in inner && typeof inner.sha256 === "string")
      found.push(Buffer.from(inner.sha256, "base64").toString("hex"));
    return inner;
  });
  return found;
}
