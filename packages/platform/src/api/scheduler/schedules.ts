import { createHash } from "node:crypto";
import type {
  CreateScheduleInput,
  CreateScheduleOutput,
  DeleteScheduleInput,
  GetScheduleInput,
  GetScheduleOutput,
  ListSchedulesInput,
  ListSchedulesOutput,
  ScheduleSummary,
  UpdateScheduleInput,
  UpdateScheduleOutput,
} from "@aws-sdk/client-scheduler";
import { isLambentError, type SecureRandom } from "../../base/index.ts";
import type { Realm } from "../../model/index.ts";
import { type ScheduleRecord, scheduleArn, type Schedules } from "../../schedules/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { PAGE_MAX, pageToken, readPageToken } from "./paging.ts";
import { groupOf, scheduleShape, settingsOf, userTarget } from "./settings.ts";
import type { HasOperation } from "./targets.ts";

/** Schedules looked at for one page: a caller that filters may get a short page with a token for more. */
const LOOKED_AT_MAX = 1_000;

export interface ScheduleOperationParts {
  readonly schedules: Schedules;
  readonly secureRandom: SecureRandom;
  readonly hasOperation: HasOperation;
}

/** Schedules: made, changed, shown, removed. @see EventBridge Scheduler API reference */
export function scheduleOperations({ schedules, secureRandom, hasOperation }: ScheduleOperationParts) {
  return {
    async CreateSchedule(input: CreateScheduleInput, { realm }: RequestContext): Promise<CreateScheduleOutput> {
      const name = given(input.Name, "name");
      const settings = await settingsOf(input, hasOperation);
      const digest = createHash("sha256").update(JSON.stringify(settings)).digest("base64url");
      await schedules.create(realm, groupOf(input), { name, settings, digest, token: input.ClientToken ?? secureRandom.uuid() });
      return { ScheduleArn: scheduleArn(realm, groupOf(input), name) };
    },

    async UpdateSchedule(input: UpdateScheduleInput, { realm }: RequestContext): Promise<UpdateScheduleOutput> {
      const name = given(input.Name, "name");
      await schedules.update(realm, groupOf(input), name, await settingsOf(input, hasOperation));
      return { ScheduleArn: scheduleArn(realm, groupOf(input), name) };
    },

    async GetSchedule(input: GetScheduleInput, { realm }: RequestContext): Promise<GetScheduleOutput> {
      const { record } = await schedules.read(realm, groupOf(input), given(input.Name, "name"));
      return scheduleShape(realm, groupOf(input), record);
    },

    async DeleteSchedule(input: DeleteScheduleInput, { realm }: RequestContext): Promise<Record<string, never>> {
      await schedules.delete(realm, groupOf(input), given(input.Name, "name"), input.ClientToken ?? secureRandom.uuid());
      return {};
    },

    async ListSchedules(input: ListSchedulesInput, { realm }: RequestContext): Promise<ListSchedulesOutput> {
      const { Schedules: found, last } = await pageOf(schedules, realm, input);
      return { Schedules: found, ...(last === undefined ? {} : { NextToken: pageToken(last) }) };
    },
  };
}

/** Group by group in the order of their names. A page ends when it is full, or when enough was looked at. */
async function pageOf(
  schedules: Schedules,
  realm: Realm,
  { GroupName, NamePrefix: prefix = "", State, NextToken, MaxResults: limit = PAGE_MAX }: ListSchedulesInput,
): Promise<{ readonly Schedules: ScheduleSummary[]; readonly last: string | undefined }> {
  const [fromGroup = "", fromName] = readPageToken(NextToken)?.split("/") ?? [];
  const groups = GroupName === undefined ? groupsFrom(schedules, realm, fromGroup) : [GroupName];
  const found: ScheduleSummary[] = [];
  let looked = 0;
  for (const group of groups) {
    for (let after = group === fromGroup ? fromName : undefined; ;) {
      const page = await schedules.list(realm, group, { prefix, after, limit: PAGE_MAX }).catch(noneWhereUnnamed(GroupName));
      for (const record of page) {
        after = record.name;
        looked += 1;
        if (State === undefined || record.settings.state === State) found.push(summaryOf(realm, group, record));
        if (found.length >= limit || looked >= LOOKED_AT_MAX) return { Schedules: found, last: `${group}/${record.name}` };
      }
      if (page.length < PAGE_MAX) break;
    }
  }
  return { Schedules: found, last: undefined };
}

/** A group that is removed while all are looked through has nothing to show; one that was asked for by its name is not there. */
function noneWhereUnnamed(groupName: string | undefined): (error: unknown) => ScheduleRecord[] {
  return (error) => {
    if (groupName === undefined && isLambentError(error, "NotFound")) return [];
    throw error;
  };
}

function groupsFrom(schedules: Schedules, realm: Realm, first: string): string[] {
  const all = schedules.groups(realm, { prefix: "", limit: Number.POSITIVE_INFINITY });
  return all.filter(({ name, state }) => name >= first && state === "ACTIVE").map(({ name }) => name);
}

function summaryOf(realm: Realm, group: string, record: ScheduleRecord): ScheduleSummary {
  return {
    Arn: scheduleArn(realm, group, record.name),
    GroupName: group,
    Name: record.name,
    State: record.settings.state,
    CreationDate: new Date(record.createdAt),
    LastModificationDate: new Date(record.modifiedAt),
    Target: { Arn: userTarget(record).arn },
  };
}
