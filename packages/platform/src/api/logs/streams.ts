import type {
  CreateLogStreamRequest,
  DeleteLogStreamRequest,
  DescribeLogStreamsRequest,
  DescribeLogStreamsResponse,
  LogStream as WireLogStream,
} from "@aws-sdk/client-cloudwatch-logs";
import { LambentError } from "../../base/index.ts";
import type { Logs, LogStream } from "../../telemetry/index.ts";
import { given } from "../given.ts";
import type { RequestContext } from "../operation.ts";
import { groupArn, groupNameOf } from "./names.ts";
import { listToken, readListToken } from "./tokens.ts";

/** Log streams: made, listed, removed. @see CloudWatch Logs API reference */

const STREAMS_PER_PAGE_DEFAULT = 50;

export function streamOperations(logs: Logs) {
  return {
    CreateLogStream: (input: CreateLogStreamRequest, { realm }: RequestContext) =>
      logs.createStream(realm, given(input.logGroupName, "logGroupName"), given(input.logStreamName, "logStreamName")),
    DeleteLogStream: (input: DeleteLogStreamRequest, { realm }: RequestContext) =>
      logs.deleteStream(realm, given(input.logGroupName, "logGroupName"), given(input.logStreamName, "logStreamName")),
    DescribeLogStreams: (input: DescribeLogStreamsRequest, context: RequestContext) => describeStreams(logs, input, context),
  };
}

/** A stream beside what lists are ordered by: nothing, or the time of its last event. */
interface Ranked {
  readonly rank: number;
  readonly name: string;
  readonly stream: LogStream;
}

async function describeStreams(
  logs: Logs,
  input: DescribeLogStreamsRequest,
  { realm }: RequestContext,
): Promise<DescribeLogStreamsResponse> {
  const byTime = input.orderBy === "LastEventTime";
  if (byTime && input.logStreamNamePrefix !== undefined) {
    throw new LambentError("InvalidParameter", "logStreamNamePrefix is given with orderBy LastEventTime; it goes with LogStreamName only.");
  }
  const group = await logs.group(realm, groupNameOf(realm, input));
  const direction = input.descending === true ? -1 : 1;
  const order = (left: Pick<Ranked, "rank" | "name">, right: Pick<Ranked, "rank" | "name">): number =>
    direction * (left.rank - right.rank || (left.name < right.name ? -1 : left.name > right.name ? 1 : 0));
  const after = input.nextToken === undefined ? undefined : readListToken(input.nextToken);
  const ranked: Ranked[] = [];
  for (const stream of (await group.streams()).values()) {
    const entry = { rank: byTime ? ((await stream.span())?.last ?? 0) : 0, name: stream.name, stream };
    if (stream.name.startsWith(input.logStreamNamePrefix ?? "") && (!after || order(entry, after) > 0)) ranked.push(entry);
  }
  const limit = input.limit ?? STREAMS_PER_PAGE_DEFAULT;
  const page = ranked.sort(order).slice(0, limit);
  const last = page.at(-1);
  const arn = groupArn(realm, group.settings.name);
  return {
    logStreams: await Promise.all(page.map(({ stream }) => wireStream(stream, arn))),
    ...(ranked.length > limit && last ? { nextToken: listToken(last.rank, last.name) } : {}),
  };
}

async function wireStream(stream: LogStream, group: string): Promise<WireLogStream> {
  const span = await stream.span();
  return {
    logStreamName: stream.name,
    creationTime: stream.createdAt,
    ...(span ? { firstEventTimestamp: span.first, lastEventTimestamp: span.last } : {}),
    ...(stream.lastIngestedAt === undefined ? {} : { lastIngestionTime: stream.lastIngestedAt }),
    arn: `${group}:log-stream:${stream.name}`,
    // AWS reports 0 here since 2019.
    storedBytes: 0,
  };
}
