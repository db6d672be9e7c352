/** Which objects a lifecycle rule is for: S3's three forms of saying it, read into one. */
import type { LifecycleRule as RuleShape, LifecycleRuleAndOperator, Tag } from "@aws-sdk/client-s3";
import { type LifecycleFilter, OBJECT_TAGS_MAX } from "../../objects/index.ts";
import { malformedXml, refused } from "./configuration-errors.ts";
import { checkTag } from "./tags.ts";

const PREFIX_BYTES_MAX = 1_024;
/** The largest object there can be, 50 TiB. */
const SIZE_MAX = 50 * 1024 ** 4;

/** The filter of a rule: `Filter`, or the older `Prefix` beside it. */
export function filterOf({ Filter, Prefix }: Pick<RuleShape, "Filter" | "Prefix">): LifecycleFilter {
  if ((Filter === undefined) === (Prefix === undefined)) throw malformedXml("a rule has either Filter or Prefix");
  if (Filter === undefined) return checkedFilter({ Prefix });
  const { And, Tag, ...simple } = Filter;
  const ways = [And, Tag, ...Object.values(simple)].filter((each) => each !== undefined).length;
  if (ways > 1) throw malformedXml("a Filter has one of Prefix, Tag, ObjectSizeGreaterThan, ObjectSizeLessThan, And");
  if (And === undefined) return checkedFilter({ ...simple, ...(Tag === undefined ? {} : { Tags: [Tag] }) });
  const { Tags = [], ...others } = And;
  if (Tags.length + Object.values(others).filter((each) => each !== undefined).length < 2)
    throw malformedXml("And has at least two predicates");
  return checkedFilter(And);
}

/** Asks for tags. */
export function hasTags({ tags }: LifecycleFilter): boolean {
  return Object.keys(tags).length > 0;
}

/** Asks for sizes. */
export function hasSizes({ largerThan, smallerThan }: LifecycleFilter): boolean {
  return largerThan !== undefined || smallerThan !== undefined;
}

function checkedFilter({ Prefix = "", Tags = [], ObjectSizeGreaterThan, ObjectSizeLessThan }: LifecycleRuleAndOperator): LifecycleFilter {
  if (Buffer.byteLength(Prefix) > PREFIX_BYTES_MAX) throw refused("request", `The maximum size of a prefix is ${PREFIX_BYTES_MAX}.`);
  for (const [name, size] of Object.entries({ ObjectSizeGreaterThan, ObjectSizeLessThan })) {
    const least = name === "ObjectSizeLessThan" ? 1 : 0;
    if (size !== undefined && !(Number.isInteger(size) && size >= least && size <= SIZE_MAX))
      throw refused("request", `'${name}' should be a whole number of ${least} to ${SIZE_MAX} bytes`);
  }
  if (ObjectSizeGreaterThan !== undefined && ObjectSizeLessThan !== undefined && ObjectSizeGreaterThan >= ObjectSizeLessThan)
    throw refused("request", "'ObjectSizeLessThan' has to be a value greater than 'ObjectSizeGreaterThan'.");
  return { prefix: Prefix, tags: filterTags(Tags), largerThan: ObjectSizeGreaterThan, smallerThan: ObjectSizeLessThan };
}

function filterTags(tags: readonly Tag[]): Record<string, string> {
  if (tags.length > OBJECT_TAGS_MAX) throw refused("request", `A filter has at most ${OBJECT_TAGS_MAX} tags`);
  const found = new Map<string, string>();
  for (const { Key = "", Value = "" } of tags) {
    checkTag(Key, Value);
    if (found.has(Key)) throw refused("request", "Duplicate Tag Keys are not allowed.");
    found.set(Key, Value);
  }
  return Object.fromEntries(found);
}
