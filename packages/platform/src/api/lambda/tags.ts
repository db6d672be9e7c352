import type { ListTagsRequest, ListTagsResponse, TagResourceRequest, UntagResourceRequest } from "@aws-sdk/client-lambda";
import { parseFunctionReference } from "../../functions/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import type { ManagementDependencies } from "./dependencies.ts";

/** Tags of functions; those that begin with `lambent:` are settings. @see Lambda API reference */
export function tagOperations({ functions }: ManagementDependencies) {
  const nameOf = (input: { readonly Resource: string | undefined }, context: RequestContext): string =>
    parseFunctionReference(given(input.Resource, "Resource"), context.realm).name;
  return {
    async TagResource(input: TagResourceRequest, context: RequestContext): Promise<void> {
      await functions.lifecycle.changeTags(context.realm, nameOf(input, context), given(input.Tags, "Tags"), []);
    },

    async UntagResource(input: UntagResourceRequest, context: RequestContext): Promise<void> {
      await functions.lifecycle.changeTags(context.realm, nameOf(input, context), {}, given(input.TagKeys, "TagKeys"));
    },

    ListTags(input: ListTagsRequest, context: RequestContext): ListTagsResponse {
      return { Tags: functions.reading.details(context.realm, nameOf(input, context)).tags };
    },
  };
}
