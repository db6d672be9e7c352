import type {
  CreateScheduleGroupInput,
  CreateScheduleGroupOutput,
  DeleteScheduleGroupInput,
  GetScheduleGroupInput,
  GetScheduleGroupOutput,
  ListScheduleGroupsInput,
  ListScheduleGroupsOutput,
  ListTagsForResourceInput,
  ListTagsForResourceOutput,
  ScheduleGroupSummary,
  Tag,
  TagResourceInput,
  UntagResourceInput,
} from "@aws-sdk/client-scheduler";
import { LambentError, type SecureRandom } from "../../base/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { groupArn, type GroupRecord, parseGroupArn, type Schedules } from "../../schedules/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { PAGE_MAX, pageToken, readPageToken } from "./paging.ts";

/** Groups of schedules. @see EventBridge Scheduler API reference */
export function groupOperations({ schedules, secureRandom }: { readonly schedules: Schedules; readonly secureRandom: SecureRandom }) {
  return {
    async CreateScheduleGroup(input: CreateScheduleGroupInput, { realm }: RequestContext): Promise<CreateScheduleGroupOutput> {
      const name = given(input.Name, "name");
      await schedules.createGroup(realm, name, tagsOf(input.Tags ?? []), input.ClientToken ?? secureRandom.uuid());
      return { ScheduleGroupArn: groupArn(realm, name) };
    },

    GetScheduleGroup(input: GetScheduleGroupInput, { realm }: RequestContext): GetScheduleGroupOutput {
      return shapeOf(realm, schedules.group(realm, given(input.Name, "name")));
    },

    async DeleteScheduleGroup(input: DeleteScheduleGroupInput, { realm }: RequestContext): Promise<Record<string, never>> {
      await schedules.deleteGroup(realm, given(input.Name, "name"), input.ClientToken ?? secureRandom.uuid());
      return {};
    },

    ListScheduleGroups(input: ListScheduleGroupsInput, { realm }: RequestContext): ListScheduleGroupsOutput {
      const { NamePrefix: prefix = "", MaxResults: limit = PAGE_MAX } = input;
      const found = schedules.groups(realm, { prefix, after: readPageToken(input.NextToken), limit: limit + 1 });
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return {
        ScheduleGroups: page.map((group) => shapeOf(realm, group)),
        ...(last && found.length > limit ? { NextToken: pageToken(last.name) } : {}),
      };
    },
  };
}

/** Tags, which groups have and schedules do not. */
export function groupTagOperations(schedules: Schedules) {
  return {
    async TagResource(input: TagResourceInput, { realm }: RequestContext): Promise<Record<string, never>> {
      await schedules.changeTags(realm, nameOf(realm, input), tagsOf(given(input.Tags, "tags")), []);
      return {};
    },

    async UntagResource(input: UntagResourceInput, { realm }: RequestContext): Promise<Record<string, never>> {
      await schedules.changeTags(realm, nameOf(realm, input), {}, given(input.TagKeys, "tagKeys"));
      return {};
    },

    ListTagsForResource(input: ListTagsForResourceInput, { realm }: RequestContext): ListTagsForResourceOutput {
      const { tags } = schedules.group(realm, nameOf(realm, input));
      return { Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })) };
    },
  };
}

function shapeOf(realm: Realm, { name, state, createdAt, modifiedAt }: GroupRecord): ScheduleGroupSummary {
  return {
    Arn: groupArn(realm, name),
    Name: name,
    State: state,
    ...(createdAt === undefined ? {} : { CreationDate: new Date(createdAt) }),
    ...(modifiedAt === undefined ? {} : { LastModificationDate: new Date(modifiedAt) }),
  };
}

function tagsOf(tags: readonly Tag[]): Readonly<Record<string, string>> {
  return Object.fromEntries(tags.map(({ Key, Value }) => [given(Key, "key"), given(Value, "value")]));
}

function nameOf(realm: Realm, { ResourceArn }: { readonly ResourceArn: string | undefined }): string {
  const arn = given(ResourceArn, "resourceArn");
  const named = parseGroupArn(arn);
  if (!named || realmKey(named.realm) !== realmKey(realm)) throw new LambentError("NotFound", `Resource ${arn} does not exist.`);
  return named.name;
}
