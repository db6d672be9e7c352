import type {
  Archive,
  CancelReplayRequest,
  CancelReplayResponse,
  CreateArchiveRequest,
  CreateArchiveResponse,
  DeleteArchiveRequest,
  DescribeArchiveRequest,
  DescribeArchiveResponse,
  DescribeReplayRequest,
  DescribeReplayResponse,
  ListArchivesRequest,
  ListArchivesResponse,
  ListReplaysRequest,
  ListReplaysResponse,
  Replay,
  StartReplayRequest,
  StartReplayResponse,
  UpdateArchiveRequest,
  UpdateArchiveResponse,
} from "@aws-sdk/client-eventbridge";
import { LambentError } from "../../base/index.ts";
import { type ArchiveRecord, busArn, type Buses, eventsArn, parseEventsArn, type ReplayRecord } from "../../bus/index.ts";
import { realmKey, type Realm } from "../../model/index.ts";
import { given, refuseUnbuilt } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { paged } from "./paging.ts";

/** Archives of buses. @see EventBridge API reference */
export function archiveOperations(buses: Buses) {
  const { archives } = buses;
  const shapeOf = async (realm: Realm, record: ArchiveRecord): Promise<Archive> => {
    const { events, bytes } = await archives.counts(realm, record);
    return {
      ...{ ArchiveName: record.name, EventSourceArn: busArn(realm, record.bus), State: "ENABLED", RetentionDays: record.retentionDays },
      ...{ SizeBytes: bytes, EventCount: events, CreationTime: new Date(record.createdAt) },
    };
  };
  const answer = (realm: Realm, { name, createdAt }: ArchiveRecord): CreateArchiveResponse => ({
    ...{ ArchiveArn: eventsArn(realm, "archive", name), State: "ENABLED", CreationTime: new Date(createdAt) },
  });
  return {
    async CreateArchive(input: CreateArchiveRequest, { realm }: RequestContext): Promise<CreateArchiveResponse> {
      refuseUnbuilt(input, ["KmsKeyIdentifier"]);
      const record = await archives.create(realm, {
        name: given(input.ArchiveName, "ArchiveName"),
        bus: busOf(realm, given(input.EventSourceArn, "EventSourceArn")),
        description: input.Description,
        pattern: input.EventPattern,
        retentionDays: input.RetentionDays ?? 0,
      });
      return answer(realm, record);
    },

    async UpdateArchive(input: UpdateArchiveRequest, { realm }: RequestContext): Promise<UpdateArchiveResponse> {
      refuseUnbuilt(input, ["KmsKeyIdentifier"]);
      const { Description, EventPattern, RetentionDays } = input;
      const record = await archives.update(realm, given(input.ArchiveName, "ArchiveName"), {
        ...(Description === undefined ? {} : { description: Description }),
        ...(EventPattern === undefined ? {} : { pattern: EventPattern }),
        ...(RetentionDays === undefined ? {} : { retentionDays: RetentionDays }),
      });
      return answer(realm, record);
    },

    async DeleteArchive(input: DeleteArchiveRequest, { realm }: RequestContext): Promise<void> {
      await archives.delete(realm, given(input.ArchiveName, "ArchiveName"));
    },

    async DescribeArchive(input: DescribeArchiveRequest, { realm }: RequestContext): Promise<DescribeArchiveResponse> {
      const record = archives.get(realm, given(input.ArchiveName, "ArchiveName"));
      return {
        ...(await shapeOf(realm, record)),
        ...{ ArchiveArn: eventsArn(realm, "archive", record.name), Description: record.description, EventPattern: record.pattern },
      };
    },

    async ListArchives(input: ListArchivesRequest, { realm }: RequestContext): Promise<ListArchivesResponse> {
      const bus = input.EventSourceArn === undefined ? undefined : busOf(realm, input.EventSourceArn);
      const found = archives
        .list(realm, input.NamePrefix ?? "")
        .filter((archive) => (bus === undefined || archive.bus === bus) && (input.State === undefined || input.State === "ENABLED"));
      const { page, next } = paged(found, ({ name }) => name, input);
      return { Archives: await Promise.all(page.map((record) => shapeOf(realm, record))), NextToken: next };
    },
  };
}

/** Replays of archives. @see EventBridge API reference */
export function replayOperations(buses: Buses) {
  const { archives, replays } = buses;
  return {
    async StartReplay(input: StartReplayRequest, { realm }: RequestContext): Promise<StartReplayResponse> {
      const archive = archiveOf(realm, given(input.EventSourceArn, "EventSourceArn"));
      const [from, to] = [given(input.EventStartTime, "EventStartTime").getTime(), given(input.EventEndTime, "EventEndTime").getTime()];
      if (from >= to)
        throw new LambentError(
          "InvalidParameter",
          "Parameter EventEndTime is not valid. Reason: EventStartTime must be before EventEndTime.",
        );
      const { Arn, FilterArns } = given(input.Destination, "Destination");
      if (busOf(realm, given(Arn, "Destination.Arn")) !== archives.get(realm, archive).bus)
        throw new LambentError(
          "InvalidParameter",
          "Parameter Destination.Arn is not valid. Reason: Cross event bus replay is not permitted.",
        );
      const record = await replays.start(realm, {
        ...{ name: given(input.ReplayName, "ReplayName"), archive, description: input.Description, from, to },
        onlyRules: FilterArns && FilterArns.length > 0 ? [...FilterArns] : undefined,
      });
      const { name, startedAt } = record;
      return { ReplayArn: eventsArn(realm, "replay", name), State: "STARTING", ReplayStartTime: new Date(startedAt) };
    },

    async CancelReplay(input: CancelReplayRequest, { realm }: RequestContext): Promise<CancelReplayResponse> {
      const { name } = await replays.cancel(realm, given(input.ReplayName, "ReplayName"));
      return { ReplayArn: eventsArn(realm, "replay", name), State: "CANCELLING" };
    },

    DescribeReplay(input: DescribeReplayRequest, { realm }: RequestContext): DescribeReplayResponse {
      const record = replays.get(realm, given(input.ReplayName, "ReplayName"));
      return {
        ...replayShape(realm, record),
        ...{ ReplayArn: eventsArn(realm, "replay", record.name), Description: record.description },
        Destination: { Arn: busArn(realm, record.bus), FilterArns: record.onlyRules && [...record.onlyRules] },
      };
    },

    ListReplays(input: ListReplaysRequest, { realm }: RequestContext): ListReplaysResponse {
      const archive = input.EventSourceArn === undefined ? undefined : archiveOf(realm, input.EventSourceArn);
      const found = replays
        .list(realm, input.NamePrefix ?? "")
        .filter(
          (replay) => (archive === undefined || replay.archive === archive) && (input.State ?? stateName(replay)) === stateName(replay),
        );
      const { page, next } = paged(found, ({ name }) => name, input);
      return { Replays: page.map((record) => replayShape(realm, record)), NextToken: next };
    },
  };
}

function replayShape(realm: Realm, record: ReplayRecord): Replay {
  const { state, lastAt } = record;
  return {
    ...{ ReplayName: record.name, EventSourceArn: eventsArn(realm, "archive", record.archive), State: stateName(record) },
    ...{ EventStartTime: new Date(record.from), EventEndTime: new Date(record.to), ReplayStartTime: new Date(record.startedAt) },
    ...(lastAt === undefined ? {} : { EventLastReplayedTime: new Date(lastAt) }),
    ...("at" in state ? { ReplayEndTime: new Date(state.at) } : {}),
    ...("reason" in state ? { StateReason: state.reason } : {}),
  };
}

function stateName({ state }: ReplayRecord): "RUNNING" | "COMPLETED" | "CANCELLED" | "FAILED" {
  switch (state.kind) {
    case "running":
      return "RUNNING";
    case "completed":
      return "COMPLETED";
    case "cancelled":
      return "CANCELLED";
    case "failed":
      return "FAILED";
  }
}

function busOf(realm: Realm, arn: string): string {
  const found = parseEventsArn(arn);
  if (found?.kind !== "event-bus") throw new LambentError("InvalidParameter", `${arn.slice(0, 300)} is no ARN of an event bus.`);
  if (realmKey(found.realm) !== realmKey(realm)) throw new LambentError("NotFound", `Event bus ${arn.slice(0, 300)} does not exist.`);
  return found.name;
}

function archiveOf(realm: Realm, arn: string): string {
  const found = parseEventsArn(arn);
  if (found?.kind !== "archive")
    throw new LambentError("InvalidParameter", "Parameter EventSourceArn is not valid. Reason: Must contain an archive ARN.");
  if (realmKey(found.realm) !== realmKey(realm)) throw new LambentError("NotFound", `Archive ${arn.slice(0, 300)} does not exist.`);
  return found.name;
}
