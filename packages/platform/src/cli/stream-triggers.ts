import type { ListStreamTriggersResponse, PutStreamTriggerRequest, PutStreamTriggerResponse, StreamTriggerShape } from "../api/index.ts";
import type { Client } from "./client.ts";
import { LAMBENT_PATHS } from "./lambent-api.ts";
import { formatSpan } from "./output.ts";

/** Triggers by streams as the command line uses them: our own API knows of each what AWS has no word for. */

export type StreamTriggerJson = StreamTriggerShape;
/** As what a stream is named: `--kafka`, `--stream`. */
export type StreamOption = "kafka" | "stream";

/** Triggers by streams of a function, or all. */
export async function listStreamTriggers(client: Client, functionName: string | undefined): Promise<readonly StreamTriggerJson[]> {
  const query = functionName === undefined ? "" : `?function=${encodeURIComponent(functionName)}`;
  const path = LAMBENT_PATHS.streamTriggers + query;
  return (await client.json<ListStreamTriggersResponse>({ service: "lambent", method: "GET", path })).StreamTriggers;
}

/** Makes the trigger, and its stream, or sets what is given of one that is there. */
export function putStreamTrigger(client: Client, body: PutStreamTriggerRequest): Promise<PutStreamTriggerResponse> {
  return client.json({ service: "lambent", method: "PUT", path: LAMBENT_PATHS.streamTriggers, body });
}

/** Whether a stream that is named so is that of the trigger; bare values are of neither kind. */
export function isNamedAs({ Form }: Pick<StreamTriggerJson, "Form">, option: StreamOption): boolean {
  return Form === "json" || (Form === "kafka") === (option === "kafka");
}

/** `Kafka topic clicks`, `Kafka topic clicks of kafka.example:9092`, `stream readings`. */
export function streamText({ StreamName, Form, BootstrapServers: [broker] = [] }: StreamTriggerJson): string {
  return `${Form === "kafka" ? "Kafka topic" : "stream"} ${StreamName}${broker === undefined ? "" : ` of ${broker}`}`;
}

const FORMS = { kafka: "Kafka's events", kinesis: "Kinesis' events", json: "bare values" } as const;

/** What the function gets: `Kafka's events`. */
export function formText(form: StreamTriggerJson["Form"]): string {
  return FORMS[form];
}

/** `Kafka's events in batches of up to 100 within 5 s, 3 retries, failures to queue:lost`. */
export function streamTriggerText(trigger: StreamTriggerJson): string {
  const { BatchSize, WindowMs, Parallelization, Bisects, RetriesMax, RecordAgeMsMax, OnFailure, TumblingMs, Filters, ReportsFailures } =
    trigger;
  return [
    `${formText(trigger.Form)} in batches of up to ${BatchSize}${WindowMs > 0 ? ` within ${WindowMs / 1_000} s` : ""}`,
    ...(TumblingMs > 0 ? [`windows of ${TumblingMs / 1_000} s`] : []),
    ...(Parallelization > 1 ? [`${Parallelization} at once of a partition`] : []),
    ...(Bisects ? ["halved when they fail"] : []),
    ...(RetriesMax === undefined ? [] : [RetriesMax === 1 ? "1 retry" : `${RetriesMax} retries`]),
    ...(RecordAgeMsMax === undefined ? [] : [`given up after ${formatSpan(RecordAgeMsMax)}`]),
    ...(OnFailure === undefined ? [] : [`failures to ${OnFailure}`]),
    ...(Filters.length > 0 ? ["filtered"] : []),
    ...(ReportsFailures ? ["failures reported by record"] : []),
  ].join(", ");
}
