import type {
  CreateLogGroupRequest,
  DeleteLogGroupRequest,
  DeleteRetentionPolicyRequest,
  DescribeLogGroupsRequest,
  DescribeLogGroupsResponse,
  ListTagsForResourceRequest,
  ListTagsForResourceResponse,
  LogGroup as WireLogGroup,
  PutRetentionPolicyRequest,
  TagResourceRequest,
  UntagResourceRequest,
} from "@aws-sdk/client-cloudwatch-logs";
import { LambentError } from "../../base/index.ts";
import type { LogGroup, Logs } from "../../telemetry/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { groupArn, groupOfArn } from "./names.ts";
import { listToken, readListToken } from "./tokens.ts";

/** Log groups: made, listed, kept for a time, tagged. @see CloudWatch Logs API reference */

const GROUPS_PER_PAGE_DEFAULT = 50;
/** Days a group may keep its events. */
const RETENTION_DAYS: readonly number[] = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
];
/** Tags of one group. @limit */
export const LOG_GROUP_TAGS_MAX = 50;

export function groupOperations(logs: Logs) {
  return {
    CreateLogGroup: (input: CreateLogGroupRequest, { realm }: RequestContext) => createGroup(logs, input, realm),
    DeleteLogGroup: (input: DeleteLogGroupRequest, { realm }: RequestContext) =>
      logs.deleteGroup(realm, given(input.logGroupName, "logGroupName")),
    DescribeLogGroups: (input: DescribeLogGroupsRequest, context: RequestContext) => describeGroups(logs, input, context),
    PutRetentionPolicy: (input: PutRetentionPolicyRequest, { realm }: RequestContext) => putRetention(logs, input, realm),
    DeleteRetentionPolicy: (input: DeleteRetentionPolicyRequest, { realm }: RequestContext) =>
      logs.changeGroup(realm, given(input.logGroupName, "logGroupName"), (settings) => ({ ...settings, retentionDays: undefined })),
    TagResource: (input: TagResourceRequest, { realm }: RequestContext) => {
      const tags = given(input.tags, "tags");
      return logs.changeGroup(realm, taggedGroup(realm, input.resourceArn), (settings) => ({
        ...settings,
        tags: checkTags({ ...settings.tags, ...tags }),
      }));
    },
    UntagResource: (input: UntagResourceRequest, { realm }: RequestContext) => {
      const gone = new Set(given(input.tagKeys, "tagKeys"));
      const without = (tags: Readonly<Record<string, string>>) =>
        Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key)));
      return logs.changeGroup(realm, taggedGroup(realm, input.resourceArn), (settings) => ({ ...settings, tags: without(settings.tags) }));
    },
    ListTagsForResource: async (input: ListTagsForResourceRequest, { realm }: RequestContext): Promise<ListTagsForResourceResponse> => {
      const group = await logs.group(realm, taggedGroup(realm, input.resourceArn));
      return { tags: { ...group.settings.tags } };
    },
  };
}

async function createGroup(logs: Logs, input: CreateLogGroupRequest, realm: RequestContext["realm"]): Promise<void> {
  refuseUnbuilt(input, ["kmsKeyId"]);
  if (input.logGroupClass !== undefined && input.logGroupClass !== "STANDARD")
    throw new LambentError("NotImplemented", `logGroupClass ${input.logGroupClass} is not built; STANDARD is.`);
  if (input.deletionProtectionEnabled === true)
    throw new LambentError("NotImplemented", "deletionProtectionEnabled is not built in Lambent.");
  await logs.createGroup(realm, given(input.logGroupName, "logGroupName"), checkTags(input.tags ?? {}));
}

async function describeGroups(logs: Logs, input: DescribeLogGroupsRequest, { realm }: RequestContext): Promise<DescribeLogGroupsResponse> {
  refuseUnbuilt(input, ["accountIdentifiers", "logGroupIdentifiers"]);
  if (input.logGroupNamePrefix !== undefined && input.logGroupNamePattern !== undefined) {
    throw new LambentError("InvalidParameter", "logGroupNamePrefix and logGroupNamePattern are both given; only one of them may be.");
  }
  const after = input.nextToken === undefined ? "" : readListToken(input.nextToken).name;
  const prefix = input.logGroupNamePrefix ?? "";
  const part = (input.logGroupNamePattern ?? "").toLowerCase();
  const limit = input.limit ?? GROUPS_PER_PAGE_DEFAULT;
  const wanted = (await logs.groups(realm)).filter(
    ({ settings: { name } }) => name > after && name.startsWith(prefix) && name.toLowerCase().includes(part),
  );
  const page = wanted.slice(0, limit);
  const last = page.at(-1);
  return {
    logGroups: await Promise.all(page.map(wireGroup)),
    ...(wanted.length > limit && last ? { nextToken: listToken(0, last.settings.name) } : {}),
  };
}

async function wireGroup(group: LogGroup): Promise<WireLogGroup> {
  const { name, createdAt, retentionDays } = group.settings;
  const arn = groupArn(group.realm, name);
  return {
    logGroupName: name,
    creationTime: createdAt,
    ...(retentionDays === undefined ? {} : { retentionInDays: retentionDays }),
    metricFilterCount: 0,
    arn: `${arn}:*`,
    logGroupArn: arn,
    storedBytes: await group.bytes(),
    logGroupClass: "STANDARD",
  };
}

async function putRetention(logs: Logs, input: PutRetentionPolicyRequest, realm: RequestContext["realm"]): Promise<void> {
  const retentionDays = given(input.retentionInDays, "retentionInDays");
  if (!RETENTION_DAYS.includes(retentionDays)) {
    throw new LambentError("InvalidParameter", `retentionInDays is ${retentionDays}; allowed are ${RETENTION_DAYS.join(", ")}.`);
  }
  await logs.changeGroup(realm, given(input.logGroupName, "logGroupName"), (settings) => ({ ...settings, retentionDays }));
}

function taggedGroup(realm: RequestContext["realm"], arn: string | undefined): string {
  return groupOfArn(realm, given(arn, "resourceArn"));
}

function checkTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const count = Object.keys(tags).length;
  if (count > LOG_GROUP_TAGS_MAX)
    throw new LambentError("LimitExceeded", `The log group would have ${count} tags; ${LOG_GROUP_TAGS_MAX} are allowed.`);
  return tags;
}
