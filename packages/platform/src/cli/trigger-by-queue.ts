import type { Client } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./errors.ts";
import { getFunction } from "./lambda-api.ts";
import { wholeNumber } from "./settings.ts";
import { createTrigger, findQueue, listTriggers, sqs, type TriggerSettings, updateTrigger } from "./trigger-api.ts";
import { triggerName, triggerText } from "./trigger-lines.ts";

export interface QueueTriggerOptions {
  readonly queue?: string;
  readonly batch?: string;
  readonly window?: string;
  readonly concurrency?: string;
  readonly filter?: readonly string[];
  readonly reportFailures?: boolean;
  /** False with `--no-create`. */
  readonly create?: boolean;
}

/** A message is to stay hidden while it is tried again and again within one receive: AWS's own advice. */
const VISIBILITY_OF_TIMEOUTS = 6;
const VISIBILITY_SECONDS_MAX = 43_200;

/** `lambent trigger <function> --queue <name>`. */
export async function triggerByQueue(
  { output, client }: CommandContext,
  functionName: string,
  options: QueueTriggerOptions,
): Promise<void> {
  const { queue: queueName = "" } = options;
  const settings = settingsOf(options);
  const { Configuration } = await getFunction(client(), functionName);
  const found = await findQueue(client(), queueName);
  if (!found && options.create === false)
    throw new CommandFailure("notFound", `There is no queue ${queueName}.`, "Leave --no-create away, and it is created.");
  const made = found ? undefined : await makeQueue(client(), queueName, Configuration.Timeout ?? 3);
  const queue = found ?? (await findQueue(client(), queueName));
  if (!queue) throw new CommandFailure("tryAgain", `The queue ${queueName} was deleted meanwhile.`, "Repeat the command.");
  const [known] = await listTriggers(client(), { functionName, queueArn: queue.arn });
  const trigger = known ? await changed(client(), known, settings) : await createTrigger(client(), functionName, queue.arn, settings);
  if (output.json) return output.data({ Trigger: trigger, ...(made ? { CreatedQueue: made } : {}), Created: known === undefined });
  if (made) output.line(`  queue     ${queueName}   created: ${made.kind}, visibility timeout ${made.visibilitySeconds} s`);
  output.line(`  trigger   ${triggerName(trigger)}   ${known ? verbOf(settings) : "created"}: ${triggerText(trigger)}`);
}

/** What was given changes the trigger that is there. */
async function changed(client: Client, known: Awaited<ReturnType<typeof createTrigger>>, settings: TriggerSettings) {
  return Object.keys(settings).length === 0 ? known : updateTrigger(client, known.UUID, settings);
}

const verbOf = (settings: TriggerSettings): string => (Object.keys(settings).length === 0 ? "is there already" : "changed");

async function makeQueue(client: Client, name: string, timeoutSeconds: number) {
  const fifo = name.endsWith(".fifo");
  const visibilitySeconds = Math.min(timeoutSeconds * VISIBILITY_OF_TIMEOUTS, VISIBILITY_SECONDS_MAX);
  const attributes = { VisibilityTimeout: String(visibilitySeconds), ...(fifo ? { FifoQueue: "true" } : {}) };
  await sqs(client, "CreateQueue", { QueueName: name, Attributes: attributes });
  return { name, kind: fifo ? "FIFO" : "standard", visibilitySeconds };
}

function settingsOf(options: QueueTriggerOptions): TriggerSettings {
  const batch = wholeNumber(options.batch, "--batch", 1, 10_000);
  const window = wholeNumber(options.window, "--window", 0, 300);
  const concurrency = wholeNumber(options.concurrency, "--concurrency", 2, 1_000);
  return {
    ...(batch === undefined ? {} : { BatchSize: batch }),
    ...(window === undefined ? {} : { MaximumBatchingWindowInSeconds: window }),
    ...(concurrency === undefined ? {} : { ScalingConfig: { MaximumConcurrency: concurrency } }),
    ...(options.filter === undefined ? {} : { FilterCriteria: { Filters: options.filter.map((Pattern) => ({ Pattern })) } }),
    ...(options.reportFailures === true ? { FunctionResponseTypes: ["ReportBatchItemFailures"] } : {}),
  };
}
