import type { ListTagsRequest, ListTagsResponse, TagResourceRequest, UntagResourceRequest } from "@aws-sdk/client-lambda";
import { parseFunctionReference } from "../../functions/index.ts";
import { parseMappingArn } from "../../sources/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import type { ManagementDependencies } from "./dependencies.ts";

/** Tags of functions and of event source mappings; those of a function that begin with `lambent:` are settings. @see Lambda API reference */
export function tagOperations({ functions, sources }: ManagementDependencies) {
  const nameOf = (resource: string, context: RequestContext): string => parseFunctionReference(resource, context.realm).name;
  const change = async (
    resource: string,
    context: RequestContext,
    added: Readonly<Record<string, string>>,
    removed: readonly string[],
  ): Promise<void> => {
    const mapping = parseMappingArn(resource);
    if (mapping) return sources.changeTags(context.realm, mapping.uuid, added, removed);
    await functions.lifecycle.changeTags(context.realm, nameOf(resource, context), added, removed);
  };
  return {
    async TagResource(input: TagResourceRequest, context: RequestContext): Promise<void> {
      await change(given(input.Resource, "Resource"), context, given(input.Tags, "Tags"), []);
    },

    async UntagResource(input: UntagResourceRequest, context: RequestContext): Promise<void> {
      await change(given(input.Resource, "Resource"), context, {}, given(input.TagKeys, "TagKeys"));
    },

    ListTags(input: ListTagsRequest, context: RequestContext): ListTagsResponse {
      const resource = given(input.Resource, "Resource");
      const mapping = parseMappingArn(resource);
      if (mapping) return { Tags: { ...sources.get(context.realm, mapping.uuid).tags } };
      return { Tags: functions.reading.details(context.realm, nameOf(resource, context)).tags };
    },
  };
}
