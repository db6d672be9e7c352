/** Produce: batches go into their partitions as they came, and are acknowledged when they are durable (P1); who asked for no answer gets none. */
import { LambentError } from "../../../base/index.ts";
import { BATCH_BYTES_MAX, checkBatch, type Partition } from "../../../streams/index.ts";
import { type Call, pipelinedRoute, type Route } from "../call.ts";
import { codeOf, type Failure, failureOf, failureOfAppend, failureOfBatch } from "../errors.ts";
import { type Decoded, produce } from "../protocol/index.ts";
import type { HandlerParts } from "./parts.ts";

type ProduceRequest = Decoded<typeof produce.request>;
type TopicData = ProduceRequest["topicData"][number];
type PartitionData = TopicData["partitionData"][number];
type ProduceResponse = Parameters<ReturnType<typeof produce.responseCodec>["write"]>[1];
type PartitionResponse = NonNullable<ProduceResponse["responses"]>[number]["partitionResponses"][number];

type Opened = { readonly kind: "open"; readonly partition: Partition } | (Failure & { readonly kind: "failed" });

/** Answers requests to produce. Batches reach their partitions in the order of the requests; the answers may overlap. */
export function produceRoute(parts: HandlerParts): Route {
  return pipelinedRoute(produce, async (request, call) => {
    const opened = await Promise.all(request.topicData.map((topic) => openTopic(parts, request, topic, call)));
    // From here to the appends nothing waits: the next request begins behind them.
    const responses = request.topicData.map(({ name, topicId, partitionData }, topic) => ({
      name,
      topicId,
      partitions: partitionData.map((data, index) => append(parts, opened[topic]?.[index], data)),
    }));
    return { response: answer(request.acks, responses) };
  });
}

async function answer(
  acks: number,
  topics: readonly { readonly name: string; readonly topicId: string; readonly partitions: readonly Promise<PartitionResponse>[] }[],
): Promise<ProduceResponse | undefined> {
  const responses = await Promise.all(
    topics.map(async ({ partitions, ...topic }) => ({ ...topic, partitionResponses: await Promise.all(partitions) })),
  );
  if (acks !== 0) return { responses };
  const failed = responses.flatMap(({ partitionResponses }) => partitionResponses).find(({ errorCode }) => errorCode !== 0);
  // The only way to tell a producer that wants no answers.
  if (failed) throw new LambentError("InvalidParameter", failed.errorMessage ?? `Error ${failed.errorCode}.`);
  return undefined;
}

async function openTopic(parts: HandlerParts, request: ProduceRequest, topic: TopicData, call: Call): Promise<readonly Opened[]> {
  const failAll = (failure: Failure): readonly Opened[] => topic.partitionData.map(() => ({ kind: "failed", ...failure }));
  if (![-1, 0, 1].includes(request.acks))
    return failAll({ error: "INVALID_REQUIRED_ACKS", message: `acks is ${request.acks}; -1, 0 and 1 are known.` });
  if (request.transactionalId !== null)
    return failAll({ error: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", message: "Transactions are not built in Lambent." });
  try {
    const found = await parts.topics.findOrMake(call, topic, "WriteData");
    if (found.kind === "refused") return failAll({ error: found.error, message: `Nothing can be put into topic ${topic.name}.` });
    const { name } = found.stream;
    return await Promise.all(topic.partitionData.map(({ index }) => openPartition(parts, call, name, index)));
  } catch (error) {
    return failAll(failureOf(error, parts.reportDefect));
  }
}

async function openPartition(parts: HandlerParts, call: Call, name: string, index: number): Promise<Opened> {
  try {
    return { kind: "open", partition: await parts.streams.partition(call.realm, name, index) };
  } catch (error) {
    return { kind: "failed", ...failureOf(error, parts.reportDefect) };
  }
}

/** Begins to append before it first waits. */
async function append(parts: HandlerParts, opened: Opened | undefined, { index, records }: PartitionData): Promise<PartitionResponse> {
  if (opened?.kind !== "open")
    return failed(index, opened ?? { error: "UNKNOWN_TOPIC_OR_PARTITION", message: "There is no such partition." });
  const { partition } = opened;
  if (!records?.length) return failed(index, { error: "INVALID_RECORD", message: "There is no batch of records." });
  const { recordBytesMax, timestamps } = partition.stream.settings;
  const checked = checkBatch(records, { batchBytesMax: BATCH_BYTES_MAX, recordBytesMax });
  if (checked.kind === "fault") return failed(index, failureOfBatch(checked));
  try {
    const outcome = await partition.appendBatch(checked);
    const failure = failureOfAppend(outcome);
    if (failure || !("baseOffset" in outcome)) return failed(index, failure ?? { error: "UNKNOWN_SERVER_ERROR", message: "" });
    const { baseOffset, appendedAt, first } = outcome;
    return { index, errorCode: 0, baseOffset, logAppendTimeMs: timestamps === "append" ? appendedAt : -1, logStartOffset: first };
  } catch (error) {
    return failed(index, failureOf(error, parts.reportDefect));
  }
}

function failed(index: number, { error, message }: Failure): PartitionResponse {
  return { index, errorCode: codeOf(error), baseOffset: -1, errorMessage: message };
}
