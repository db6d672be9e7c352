import { systemSecureRandom } from "../../base/index.ts";
import { batches, lines } from "../batches.ts";
import type { Client } from "../client.ts";
import type { CommandContext, Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { findQueue, sqs } from "../trigger-api.ts";

interface SendOptions {
  readonly group?: string;
  /** A topic of Kafka. */
  readonly kafka?: string;
  readonly stream?: string;
  readonly key?: string;
}

interface Sent {
  readonly Successful?: readonly { readonly MessageId: string }[];
  readonly Failed?: readonly { readonly Id: string; readonly Message?: string }[];
}

/** `lambent send <queue> <message>`, or with `--kafka` or `--stream` the message alone; `-` for a message a line. */
export const run: Run<SendOptions> = async (context, [first = "", second], options) => {
  const { kafka, stream, key, group } = options;
  const name = kafka ?? stream;
  if (name === undefined) {
    if (second === undefined) throw usage("The message is missing.", `For example lambent send orders '{"number":1}'`);
    if (key !== undefined) throw usage("--key is for records of streams.", "Name the stream with --kafka or --stream.");
    return sendMessages(context, first, second, group);
  }
  if (kafka !== undefined && stream !== undefined)
    throw usage("--kafka and --stream name a stream each.", "Give the command once for each of them.");
  if (second !== undefined)
    throw usage(`${JSON.stringify(second)} is one argument too many.`, `The stream is ${name}: what remains is the value.`);
  if (group !== undefined) throw usage("--group is for FIFO queues.", "Records of a stream have a --key.");
  const { sendRecords } = await import("../send-records.ts");
  return sendRecords(context, { name, option: kafka === undefined ? "stream" : "kafka" }, first, key);
};

async function sendMessages({ output, client }: CommandContext, name: string, message: string, group: string | undefined): Promise<void> {
  const queue = await findQueue(client(), name);
  if (!queue)
    throw new CommandFailure(
      "notFound",
      `There is no queue ${name}.`,
      "`lambent trigger <function> --queue <name>` creates one with its trigger.",
    );
  let count = 0;
  for await (const batch of batches(message === "-" ? lines() : [message])) {
    const ids = await sendBatch(client(), queue.url, batch, group);
    count += ids.length;
    if (output.json) for (const MessageId of ids) output.line(JSON.stringify({ MessageId }));
    else if (message !== "-") output.line(`  ${ids[0]}   sent to ${name}`);
  }
  if (!output.json && message === "-") output.line(`  ${count} messages sent to ${name}`);
}

async function sendBatch(client: Client, QueueUrl: string, bodies: readonly string[], group: string | undefined): Promise<string[]> {
  const { Successful = [], Failed = [] } = await sqs<Sent>(client, "SendMessageBatch", {
    QueueUrl,
    Entries: bodies.map((MessageBody, at) => ({
      Id: String(at),
      MessageBody,
      ...(group === undefined ? {} : { MessageGroupId: group, MessageDeduplicationId: systemSecureRandom.uuid() }),
    })),
  });
  const [failed] = Failed;
  if (failed) throw new CommandFailure("usage", failed.Message ?? "A message was refused.", "Correct it; FIFO queues need --group.");
  return Successful.map(({ MessageId }) => MessageId);
}

function usage(what: string, next: string): CommandFailure {
  return new CommandFailure("usage", what, next);
}
