import type { PutStreamTriggerRequest, PutStreamTriggerResponse } from "../api/index.ts";
import { isDestination, readFrom } from "../apps/index.ts";
import { oneOf } from "./choices.ts";
import type { Client } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./errors.ts";
import { functionNameOf } from "./function-permission.ts";
import { getFunction } from "./lambda-api.ts";
import { formatSpan } from "./output.ts";
import { wholeNumber } from "./settings.ts";
import { spanMs } from "./span.ts";
import { formText, isNamedAs, listStreamTriggers, putStreamTrigger, type StreamOption, streamTriggerText } from "./stream-triggers.ts";
import { findQueue, sqs } from "./trigger-api.ts";

export interface StreamTriggerOptions {
  readonly kafka?: string;
  readonly stream?: string;
  readonly format?: string;
  readonly from?: string;
  readonly batch?: string;
  readonly window?: string;
  readonly parallel?: string;
  readonly bisect?: boolean;
  readonly retries?: string;
  readonly maxAge?: string;
  readonly onFailure?: string;
  readonly tumble?: string;
  readonly filter?: readonly string[];
  readonly reportFailures?: boolean;
  /** False with `--no-create`. */
  readonly create?: boolean;
}

type Form = PutStreamTriggerRequest["Form"];

/** `lambent trigger <function> --kafka <topic>` or `--stream <name>`: what is given changes the trigger that is there. */
export async function triggerByStream(
  { output, client }: CommandContext,
  functionName: string,
  options: StreamTriggerOptions,
): Promise<void> {
  const option: StreamOption = options.kafka === undefined ? "stream" : "kafka";
  const streamName = options.kafka ?? options.stream ?? "";
  const settings = settingsOf(options);
  const { name, qualifier } = functionNameOf(functionName);
  await getFunction(client(), name, qualifier);
  const form = await formOf(client(), { functionName, streamName, option, format: options.format });
  const madeQueue = await requireDestination(client(), settings.OnFailure, options.create);
  const made = await putStreamTrigger(client(), {
    ...{ FunctionName: functionName, StreamName: streamName, Source: option === "kafka" ? "kafka" : "kinesis", Form: form },
    ...settings,
    ...(options.create === false ? { CreateStream: false } : {}),
  });
  const { Trigger, Change, CreatedStream } = made;
  if (output.json)
    return output.data({
      Trigger,
      Created: Change === "created",
      ...(CreatedStream && { CreatedStream }),
      ...(madeQueue && { CreatedQueue: madeQueue }),
    });
  if (CreatedStream)
    output.line(`  ${(option === "kafka" ? "topic" : "stream").padEnd(9)} ${streamName}   created: ${createdText(CreatedStream)}`);
  if (madeQueue !== undefined) output.line(`  queue     ${madeQueue}   created`);
  const began = Change === "created" ? `, from ${Trigger.From}` : "";
  output.line(`  trigger   ${streamName} → ${functionName}   ${CHANGES[Change]}: ${streamTriggerText(Trigger)}${began}`);
}

const CHANGES = { created: "created", changed: "changed", none: "is there already" } as const;

interface Asked {
  readonly functionName: string;
  readonly streamName: string;
  readonly option: StreamOption;
  readonly format: string | undefined;
}

/** In another form it would be another trigger, and the function would get each record twice. */
async function formOf(client: Client, { functionName, streamName, option, format }: Asked): Promise<Form> {
  const own: Form = option === "kafka" ? "kafka" : "kinesis";
  const wanted = format === undefined ? undefined : oneOf(format, "--format", ["aws", "json"]) === "json" ? "json" : own;
  const all = await listStreamTriggers(client, functionName);
  const ours = all.filter((each) => each.FunctionName === functionName && each.BootstrapServers === undefined);
  const known = ours.find((each) => each.StreamName === streamName && isNamedAs(each, option));
  if (!known) return wanted ?? own;
  if (wanted === undefined || wanted === known.Form) return known.Form;
  throw new CommandFailure(
    "usage",
    `${functionName} is called by ${streamName} already, with ${formText(known.Form)}.`,
    `To have ${formText(wanted)} instead, take that away first: lambent untrigger ${functionName} --${option} ${streamName}`,
  );
}

function settingsOf(options: StreamTriggerOptions): Partial<PutStreamTriggerRequest> {
  const batch = wholeNumber(options.batch, "--batch", 1, 10_000);
  const window = wholeNumber(options.window, "--window", 0, 300);
  const parallel = wholeNumber(options.parallel, "--parallel", 1, 10);
  const retries = options.retries === "forever" ? -1 : wholeNumber(options.retries, "--retries", 0, 10_000);
  const from = options.from === undefined ? undefined : fromOf(options.from);
  const maxAge = options.maxAge === undefined || options.maxAge === "forever" ? undefined : spanMs(options.maxAge, "--max-age");
  const tumble = options.tumble === undefined ? undefined : spanMs(options.tumble, "--tumble");
  return {
    ...(from === undefined ? {} : { From: from }),
    ...(batch === undefined ? {} : { BatchSize: batch }),
    ...(window === undefined ? {} : { WindowMs: window * 1_000 }),
    ...(parallel === undefined ? {} : { Parallelization: parallel }),
    ...(options.bisect === true ? { Bisects: true } : {}),
    ...(retries === undefined ? {} : { RetriesMax: retries }),
    ...(options.maxAge === undefined ? {} : { RecordAgeMsMax: maxAge ?? -1 }),
    ...(options.onFailure === undefined ? {} : { OnFailure: destinationOf(options.onFailure) }),
    ...(tumble === undefined ? {} : { TumblingMs: tumble }),
    ...(options.filter === undefined ? {} : { Filters: [...options.filter] }),
    ...(options.reportFailures === true ? { ReportsFailures: true } : {}),
  };
}

function fromOf(text: string): string {
  const from = readFrom(text);
  if (from !== undefined) return from;
  throw new CommandFailure(
    "usage",
    `--from is ${JSON.stringify(text)}; it has to be start, latest, or a time.`,
    "For example --from start, or --from 2026-01-31T08:00:00Z",
  );
}

/** Empty for nobody. */
function destinationOf(text: string): string {
  if (text === "none") return "";
  if (isDestination(text)) return text;
  throw new CommandFailure(
    "usage",
    `--on-failure is ${JSON.stringify(text)}; it has to be queue: and a queue's name, an ARN, or none.`,
    "For example --on-failure queue:lost",
  );
}

/** The queue's name when it was missing and is made. */
async function requireDestination(client: Client, destination: string | undefined, create = true): Promise<string | undefined> {
  const name = destination?.startsWith("queue:") ? destination.slice("queue:".length) : undefined;
  if (name === undefined || (await findQueue(client, name))) return undefined;
  if (!create) throw new CommandFailure("notFound", `There is no queue ${name}.`, "Leave --no-create away, and it is created.");
  await sqs(client, "CreateQueue", { QueueName: name, Attributes: name.endsWith(".fifo") ? { FifoQueue: "true" } : {} });
  return name;
}

function createdText({ Partitions, RetentionMs }: NonNullable<PutStreamTriggerResponse["CreatedStream"]>): string {
  const kept = RetentionMs < 0 ? "kept for ever" : `kept for ${formatSpan(RetentionMs).replace(/ 0 (?:h|min|s)$/u, "")}`;
  return `${Partitions === 1 ? "1 partition" : `${Partitions} partitions`}, ${kept}`;
}
