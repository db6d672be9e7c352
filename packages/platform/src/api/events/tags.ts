import type {
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  Tag,
  TagResourceRequest,
  UntagResourceRequest,
} from "@aws-sdk/client-eventbridge";
import { LambentError } from "../../base/index.ts";
import { type Buses, parseEventsArn, parseRuleArn } from "../../bus/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";

type Tags = Readonly<Record<string, string>>;

/** Tags of buses and rules. @see EventBridge API reference */
export function tagOperations(buses: Buses) {
  const change = async ({ realm }: RequestContext, arn: string, decide: (tags: Tags) => Tags): Promise<void> => {
    const { rule, bus } = namedBy(realm, arn);
    if (rule !== undefined) return buses.rules.setTags(realm, bus, rule, decide);
    await buses.update(realm, bus, ({ tags }) => ({ tags: decide(tags) }));
  };
  return {
    async TagResource(input: TagResourceRequest, context: RequestContext): Promise<void> {
      const added = tagsOf(input.Tags);
      await change(context, given(input.ResourceARN, "ResourceARN"), (tags) => ({ ...tags, ...added }));
    },

    async UntagResource(input: UntagResourceRequest, context: RequestContext): Promise<void> {
      const removed = new Set(given(input.TagKeys, "TagKeys"));
      const decide = (tags: Tags): Tags => Object.fromEntries(Object.entries(tags).filter(([key]) => !removed.has(key)));
      await change(context, given(input.ResourceARN, "ResourceARN"), decide);
    },

    ListTagsForResource(input: ListTagsForResourceRequest, { realm }: RequestContext): ListTagsForResourceResponse {
      const { rule, bus } = namedBy(realm, given(input.ResourceARN, "ResourceARN"));
      const { tags } = rule === undefined ? buses.get(realm, bus) : buses.rules.get(realm, bus, rule);
      return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
    },
  };
}

export function tagsOf(tags: readonly Tag[] | undefined): Tags {
  return Object.fromEntries((tags ?? []).map(({ Key, Value }) => [given(Key, "Key"), given(Value, "Value")]));
}

/** The bus, or the rule on it, that an ARN of the realm names. */
function namedBy(realm: Realm, arn: string): { readonly bus: string; readonly rule?: string } {
  const found = parseEventsArn(arn);
  const isHere = found && realmKey(found.realm) === realmKey(realm);
  const named = isHere && found.kind === "event-bus" ? { bus: found.name } : isHere ? parseRuleArn(arn) : undefined;
  if (!named) throw new LambentError("NotFound", `There is nothing with tags under ${arn.slice(0, 300)}.`);
  return named;
}
