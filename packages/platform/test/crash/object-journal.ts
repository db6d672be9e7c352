/** What clients of buckets say while they work, beside what the other ones say (`journal.ts`). */
import { createHash } from "node:crypto";

/** Keys of `things` are overwritten and deleted; those of `versions` keep every version. */
export const BUCKETS = { things: "rig-things", versions: "rig-versions" } as const;
/** Hears of everything that is made in, or removed from, the bucket `things`. */
export const TOLD_QUEUE = "rig-told";

export type ObjectEntry =
  /** A call that changes what a key holds: `content` from now on, or nothing. Calls are numbered over all lives. */
  | { readonly kind: "asked"; readonly call: number; readonly key: string; readonly content: string | undefined }
  | { readonly kind: "done"; readonly call: number }
  /** The answer says that nothing was changed; without a call, of a version or a part. */
  | { readonly kind: "refused"; readonly call?: number }
  /** A version, under the id that the answer named. */
  | { readonly kind: "kept"; readonly version: string; readonly key: string; readonly content: string }
  | { readonly kind: "removing" | "removed"; readonly version: string }
  | { readonly kind: "begun"; readonly upload: string; readonly key: string }
  | { readonly kind: "parting" | "parted"; readonly upload: string; readonly number: number; readonly content: string }
  /** Its completion as `content`, or without that its abortion, is asked for. */
  | { readonly kind: "ending"; readonly upload: string; readonly content: string | undefined }
  | { readonly kind: "ended"; readonly upload: string }
  /** A notification was received, with this message. */
  | {
      readonly kind: "told";
      readonly message: string;
      readonly event: string;
      readonly key: string;
      readonly etag: string | undefined;
      readonly sequencer: string;
    };

/** Contents with this in their names are files, the others rows. */
const LARGE = "large";
/** Contents that are made of two parts: the first as long as one that is not the last has to be. */
const HUGE = "huge";
const FIRST_PART_BYTES = 5 * 1_024 * 1_024;
/** One of the two parts. */
const PART_FORM = /^(.*huge)#([12])$/u;

/** `<who>.<number>`, mostly small. */
export function contentName(who: string, number: number, isLarge: boolean): string {
  return `${who}.${number}${isLarge ? `.${LARGE}` : ""}`;
}

export function hugeName(who: string, number: number): string {
  return `${who}.${number}.${HUGE}`;
}

/** The contents of the parts of a huge one. */
export function partsOfHuge(name: string): readonly [string, string] {
  return [`${name}#1`, `${name}#2`];
}

/** The bytes of a content follow from its name, which they begin with; a part is cut from the whole. */
export function contentOf(name: string): Buffer {
  const [, whole, part] = PART_FORM.exec(name) ?? [];
  if (whole !== undefined)
    return part === "1" ? contentOf(whole).subarray(0, FIRST_PART_BYTES) : contentOf(whole).subarray(FIRST_PART_BYTES);
  const digest = createHash("sha256").update(name).digest();
  const some = digest.readUInt16LE(0);
  const bytes = name.endsWith(HUGE) ? FIRST_PART_BYTES + 1 + some : name.endsWith(LARGE) ? 17_000 + some : 40 + (some % 2_000);
  return Buffer.alloc(bytes, `${name} ${digest.toString("hex")} `);
}

/** The name of the content that these bytes are; undefined where they are none, or not all of one. */
export function nameOfContent(bytes: Buffer): string | undefined {
  const name = bytes.toString("latin1", 0, Math.max(0, bytes.indexOf(" ")));
  return name !== "" && contentOf(name).equals(bytes) ? name : undefined;
}

const knownEtags = new Map<string, string>();

/** As buckets name what was put in one piece, or in parts. */
export function etagOf(content: string, isOfParts: boolean): string {
  const id = `${content} ${isOfParts}`;
  const known = knownEtags.get(id);
  if (known !== undefined) return known;
  const etag = isOfParts ? etagOfParts(content.endsWith(HUGE) ? partsOfHuge(content) : [content]) : md5Of(content).toString("hex");
  knownEtags.set(id, etag);
  return etag;
}

function etagOfParts(contents: readonly string[]): string {
  const hash = createHash("md5");
  for (const content of contents) hash.update(md5Of(content));
  return `${hash.digest("hex")}-${contents.length}`;
}

function md5Of(content: string): Buffer {
  return createHash("md5").update(contentOf(content)).digest();
}
