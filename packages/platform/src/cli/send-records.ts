import { systemSecureRandom } from "../base/index.ts";
import { batches, lines } from "./batches.ts";
import type { Client } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./errors.ts";
import { orMissing } from "./event-api.ts";
import type { StreamOption } from "./stream-triggers.ts";

/** Records one request takes: Kinesis' bound. */
const RECORDS_MAX = 500;
/** Digits of a sequence number that are the offset. */
const OFFSET_DIGITS = 31;

interface Put {
  readonly Records: readonly {
    readonly ShardId?: string;
    readonly SequenceNumber?: string;
    readonly ErrorCode?: string;
    readonly ErrorMessage?: string;
  }[];
}

interface SentRecord {
  readonly Partition: number;
  readonly Offset: number;
}

/** `lambent send --kafka <topic> <value>`: by Kinesis' operations, whatever the stream is read by. Values without a key get one each, so that they spread. */
export async function sendRecords(
  { output, client }: CommandContext,
  { name, option }: { readonly name: string; readonly option: StreamOption },
  value: string,
  key: string | undefined,
): Promise<void> {
  let count = 0;
  for await (const batch of batches(value === "-" ? lines() : [value], Buffer.byteLength(key ?? ""), RECORDS_MAX)) {
    const sent = await put(client(), { name, option }, batch, key, count);
    count += sent.length;
    if (output.json) for (const record of sent) output.line(JSON.stringify(record));
    else if (value !== "-") output.line(`  partition ${sent[0]?.Partition}, offset ${sent[0]?.Offset}   sent to ${name}`);
  }
  if (!output.json && value === "-") output.line(`  ${count} records sent to ${name}`);
}

async function put(
  client: Client,
  { name, option }: { readonly name: string; readonly option: StreamOption },
  values: readonly string[],
  key: string | undefined,
  before: number,
): Promise<SentRecord[]> {
  const headers = { "content-type": "application/x-amz-json-1.1", "x-amz-target": "Kinesis_20131202.PutRecords" };
  const body = {
    StreamName: name,
    Records: values.map((value) => ({ Data: Buffer.from(value).toString("base64"), PartitionKey: key ?? systemSecureRandom.uuid() })),
  };
  const answer = await orMissing(client.json<Put>({ service: "kinesis", method: "POST", path: "/", headers, body }));
  if (!answer)
    throw new CommandFailure(
      "notFound",
      `There is no ${option === "kafka" ? "topic" : "stream"} ${name}.`,
      `\`lambent trigger <function> --${option} ${name}\` creates it with its trigger.`,
    );
  const refused = answer.Records.find(({ ErrorCode }) => ErrorCode !== undefined);
  if (refused) {
    const taken = before + answer.Records.filter(({ ErrorCode }) => ErrorCode === undefined).length;
    throw new CommandFailure(
      "tryAgain",
      refused.ErrorMessage ?? "A record was refused.",
      `${taken} records were sent. Send the rest again in a moment.`,
    );
  }
  return answer.Records.map(({ ShardId = "", SequenceNumber = "" }) => ({
    Partition: Number(ShardId.replace(/^shardId-/u, "")),
    Offset: Number(SequenceNumber.slice(-OFFSET_DIGITS)),
  }));
}
