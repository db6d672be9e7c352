import { systemSecureRandom } from "../../base/index.ts";
import { batches, lines } from "../batches.ts";
import type { Client } from "../client.ts";
import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { findQueue, sqs } from "../trigger-api.ts";

interface Sent {
  readonly Successful?: readonly { readonly MessageId: string }[];
  readonly Failed?: readonly { readonly Id: string; readonly Message?: string }[];
}

/** `lambent send <queue> <message>`, or `-` for a message a line. */
export const run: Run<{ readonly group?: string }> = async ({ output, client }, [name = "", message = ""], { group }) => {
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
};

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
