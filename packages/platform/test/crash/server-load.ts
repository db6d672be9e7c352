/** Those who use the real server over HTTP while it is killed: clients of SQS, Lambda and EventBridge that say what they ask and hear. */
import { appendFileSync } from "node:fs";
import { EventBridgeClient, EventBridgeServiceException } from "@aws-sdk/client-eventbridge";
import { CreateFunctionCommand, LambdaClient, LambdaServiceException } from "@aws-sdk/client-lambda";
import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
  SQSServiceException,
} from "@aws-sdk/client-sqs";
import { randomBelow, type Random, seededRandom, systemClock } from "../../src/base/index.ts";
import type { RigServer } from "../long/rig.ts";
import { zipOf } from "../support/zips.ts";
import { makeChain, putEvents } from "./chain.ts";
import { CHECKS } from "./checks.ts";
import type { History } from "./history.ts";
import { bodyOf, type Entry, groupOf, itemId, type ListName, numberOf } from "./journal.ts";
import type { ProducerPlan } from "./plan.ts";

/** Names of the queues that stand for the rig's lists; what is received twice in vain goes to `crossed`. */
export const QUEUE_NAMES: Readonly<Record<ListName, string>> = { fifo: "orders.fifo", fair: "jobs", crossed: "jobs-dead" };
export const RECEIVES_MAX = 2;
/** The shortest there is that is not "at once". */
const SHORT_SECONDS = 1;
const LONG_SECONDS = 600;
const RECEIVE_MESSAGES_MAX = 4;
const CONSUMERS_PER_QUEUE = 2;
const ITEMS_PER_CALL_MAX = 3;

/** Where the clients' journal goes. */
export interface Ear {
  readonly history: History;
  lines: number;
  say(entry: Entry): void;
}

/** Hears for a history, and for the log of a disk whose power will be cut: there an answer stands behind the writes and syncs it followed. */
export function earOf(history: History, powerLog: { readonly log: string; readonly journal: string } | undefined): Ear {
  return {
    history,
    lines: 0,
    say(entry) {
      this.lines += 1;
      history.add([entry]);
      if (!powerLog) return;
      const line = `${JSON.stringify(entry)}\n`;
      appendFileSync(powerLog.log, `W 0 0 ${Buffer.byteLength(line)}\t${powerLog.journal}\t\n${line}`);
    },
  };
}

/** Works on the server's queues until it is gone, or `lines` were said; then kills it. */
export async function useUntilKilled(server: RigServer, ear: Ear, seed: number, lines: number): Promise<void> {
  const { accessKeyId, secretAccessKey } = server.key;
  const settings = { endpoint: server.url, region: "us-east-1", credentials: { accessKeyId, secretAccessKey }, maxAttempts: 1 };
  const client = new SQSClient(settings);
  const lambda = new LambdaClient(settings);
  const events = new EventBridgeClient(settings);
  const until = ear.lines + lines;
  const load = { client, ear, urls: new Map<ListName, string>(), goesOn: () => ear.lines < until };
  // The clock's waits keep no process alive, and once the server is gone nothing else does.
  const alive = setInterval(() => undefined, 1_000);
  try {
    await makeQueues(load);
    await makeChain({ events, lambda, sqs: client });
    ear.say({ kind: "ready" });
    const producers = ear.history.producers().filter(({ name }) => name !== "crossing");
    const work = [
      ...producers.map((plan) => produce(load, plan, seed)),
      ...(["fifo", "fair"] as const).flatMap((list) =>
        Array.from({ length: CONSUMERS_PER_QUEUE }, (_, index) => consume(load, list, seededRandom(seed + index))),
      ),
      makeFunctions(load, lambda, seed),
      putEvents(events, ear, load.goesOn).catch((error: unknown) => onlyGone(load, error)),
    ];
    // The first who has seen enough ends it for all, in the middle of what the others do.
    await Promise.race(work);
    await server.kill();
    await Promise.allSettled(work);
  } catch (error) {
    onlyGone(load, error);
  } finally {
    await server.kill();
    clearInterval(alive);
    client.destroy();
    lambda.destroy();
    events.destroy();
  }
}

interface QueueLoad {
  readonly client: SQSClient;
  readonly ear: Ear;
  readonly urls: Map<ListName, string>;
  goesOn(): boolean;
}

async function makeQueues({ client, urls }: QueueLoad): Promise<void> {
  const make = async (list: ListName, Attributes: Record<string, string>): Promise<void> => {
    const { QueueUrl } = await client.send(new CreateQueueCommand({ QueueName: QUEUE_NAMES[list], Attributes }));
    urls.set(list, QueueUrl ?? "");
  };
  await make("crossed", { VisibilityTimeout: String(SHORT_SECONDS) });
  const deadLetterTargetArn = `arn:aws:sqs:us-east-1:000000000000:${QUEUE_NAMES.crossed}`;
  await make("fair", { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount: RECEIVES_MAX }) });
  await make("fifo", { FifoQueue: "true" });
}

function isAnswer(error: unknown): error is SQSServiceException | LambdaServiceException | EventBridgeServiceException {
  return error instanceof SQSServiceException || error instanceof LambdaServiceException || error instanceof EventBridgeServiceException;
}

/** An error the server answered is a finding, unless it says that its storage stopped; a connection that ended is what is being done to it. */
function onlyGone({ ear }: QueueLoad, error: unknown): void {
  if (!isAnswer(error)) return;
  const status = error.$metadata.httpStatusCode ?? 0;
  if (status >= 500 && error.message.startsWith("The storage")) return ear.say({ kind: "stopped" });
  ear.history.findings.push({ check: CHECKS.ends, what: `the server answered ${error.name}: ${error.message}` });
}

/** Each has code of its own: a body that is durable before the function is. */
async function makeFunctions(load: QueueLoad, lambda: LambdaClient, seed: number): Promise<void> {
  try {
    for (let number = 0; load.goesOn(); number++) {
      const FunctionName = `made-${seed}-${number}`;
      const ZipFile = await zipOf({ "index.mjs": `export const handler = () => "${FunctionName}";` });
      const Role = "arn:aws:iam::000000000000:role/made";
      await lambda.send(
        new CreateFunctionCommand({ FunctionName, Role, Runtime: "nodejs22.x", Handler: "index.handler", Code: { ZipFile } }),
      );
      load.ear.say({ kind: "made", name: FunctionName });
    }
  } catch (error) {
    onlyGone(load, error);
  }
}

async function produce(load: QueueLoad, { list, name, again, next }: ProducerPlan, seed: number): Promise<void> {
  const random = seededRandom(seed + name.length);
  try {
    // Only where a message has a deduplication id may it be sent again; elsewhere it may be there already.
    if (list === "fifo" && again.length > 0) await send(load, list, again);
    for (let number = next; load.goesOn();) {
      const count = 1 + randomBelow(random, ITEMS_PER_CALL_MAX);
      await send(
        load,
        list,
        Array.from({ length: count }, (_, index) => itemId(name, number + index)),
      );
      number += count;
    }
  } catch (error) {
    onlyGone(load, error);
  }
}

async function send({ client, ear, urls }: QueueLoad, list: ListName, ids: readonly string[]): Promise<void> {
  const QueueUrl = urls.get(list);
  const messages = ids.map((id) => ({
    MessageBody: bodyOf(id).toString("latin1"),
    ...(list === "fifo" ? { MessageGroupId: groupOf(id), MessageDeduplicationId: id } : {}),
  }));
  ear.say({ kind: "sending", list, ids });
  const [only] = messages;
  if (only && messages.length === 1) await client.send(new SendMessageCommand({ QueueUrl, ...only }));
  else {
    const Entries = messages.map((message, index) => ({ Id: String(index), ...message }));
    const { Failed = [] } = await client.send(new SendMessageBatchCommand({ QueueUrl, Entries }));
    for (const { Code } of Failed) ear.history.findings.push({ check: CHECKS.ends, what: `a message of a batch was refused: ${Code}` });
  }
  ear.say({ kind: "sent", list, ids });
}

export const idOf = (body: string | undefined): string => (body ?? "").slice(0, (body ?? "").indexOf(" "));
/** Messages that no consumer handles, so they go to the dead-letter queue. */
const isPoison = (list: ListName, id: string): boolean => list === "fair" && numberOf(id) % 10 === 9;

async function consume(load: QueueLoad, list: ListName, random: Random): Promise<void> {
  const { client, ear, urls } = load;
  try {
    while (load.goesOn()) {
      const seconds = random.next() < 0.04 ? LONG_SECONDS : SHORT_SECONDS;
      const until = systemClock.now() + seconds * 1_000;
      const MaxNumberOfMessages = 1 + randomBelow(random, RECEIVE_MESSAGES_MAX);
      const { Messages = [] } = await client.send(
        new ReceiveMessageCommand({ QueueUrl: urls.get(list), MaxNumberOfMessages, VisibilityTimeout: seconds, WaitTimeSeconds: 1 }),
      );
      if (Messages.length === 0) continue;
      ear.say({ kind: "leased", list, ids: Messages.map(({ Body }) => idOf(Body)), until, at: systemClock.now() });
      for (const message of Messages) await handle(load, list, message, { until, chance: seconds === LONG_SECONDS ? 0 : random.next() });
    }
  } catch (error) {
    onlyGone(load, error);
  }
}

async function handle(
  { client, ear, urls }: QueueLoad,
  list: ListName,
  { Body, ReceiptHandle }: Message,
  { until, chance }: { readonly until: number; readonly chance: number },
): Promise<void> {
  const id = idOf(Body);
  const QueueUrl = urls.get(list);
  if (Body !== bodyOf(id).toString("latin1")) ear.say({ kind: "body", id, what: (Body ?? "").slice(0, 100) });
  if (chance < 0.06) return;
  try {
    if (chance < 0.14 || isPoison(list, id)) {
      ear.say({ kind: "releasing", list, id });
      await client.send(new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle, VisibilityTimeout: 0 }));
      return;
    }
    ear.say({ kind: "settling", list, id });
    await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    // Deleting succeeds as well when the lease was over, and then need not have deleted anything.
    const outcome = systemClock.now() < until && !ear.history.items.get(id)?.settled ? "settled" : "unsure";
    ear.say({ kind: "settled", list, id, outcome });
  } catch (error) {
    if (!(error instanceof SQSServiceException) || systemClock.now() < until) throw error;
    // The lease was over, which FIFO queues say.
    ear.say({ kind: "settled", list, id, outcome: "unsure" });
  }
}
