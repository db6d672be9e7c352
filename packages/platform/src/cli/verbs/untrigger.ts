import { type AnyTrigger, listAllTriggers, removeAnyTrigger, sourceText } from "../all-triggers.ts";
import type { Run } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import type { UploadFilter } from "../../model/index.ts";
import { isNamedAs } from "../stream-triggers.ts";
import { filterOf } from "../upload-triggers.ts";

interface UntriggerOptions {
  readonly queue?: string;
  /** A topic of Kafka. */
  readonly kafka?: string;
  readonly stream?: string;
  readonly rule?: string;
  readonly bus?: string;
  readonly schedule?: string;
  /** A bucket, or exactly what a trigger was made with. */
  readonly upload?: string;
}

/** `lambent untrigger <function>`: the queue and its messages stay, and so do the stream, the bus, a rule with other targets, and the bucket. */
export const run: Run<UntriggerOptions> = async ({ output, client }, [functionName = ""], options) => {
  const uploads = options.upload === undefined ? undefined : (await import("../trigger-by-upload.ts")).readFilter(options.upload);
  const found = (await listAllTriggers(client(), functionName)).filter((trigger) => isAsked(trigger, options, uploads));
  if (found.length === 0)
    throw new CommandFailure(
      "notFound",
      `${functionName} has no trigger${askedText(options)}.`,
      `\`lambent triggers ${functionName}\` shows what there is.`,
    );
  const removed: { readonly trigger: AnyTrigger; readonly beside: string }[] = [];
  for (const trigger of found) removed.push({ trigger, beside: await removeAnyTrigger(client(), trigger) });
  if (output.json) return output.data({ Removed: removed.map(({ trigger }) => nameOf(trigger)) });
  for (const { trigger, beside } of removed) output.line(`  ${plainName(trigger)} → ${trigger.functionName}   removed${beside}`);
};

/** Without an option, every trigger is. */
function isAsked(trigger: AnyTrigger, options: UntriggerOptions, uploads: UploadFilter | undefined): boolean {
  const { queue, kafka, stream, rule, bus, schedule } = options;
  if ([queue, kafka, stream, rule, bus, schedule, uploads].every((each) => each === undefined)) return true;
  switch (trigger.kind) {
    case "queue":
      return trigger.queue === queue;
    case "stream": {
      const { StreamName } = trigger.stream;
      return (StreamName === kafka && isNamedAs(trigger.stream, "kafka")) || (StreamName === stream && isNamedAs(trigger.stream, "stream"));
    }
    case "rule": {
      const { Name, EventBusName } = trigger.rule.rule;
      if (rule === undefined) return bus === EventBusName;
      return rule === Name && (bus === undefined || bus === EventBusName);
    }
    case "schedule":
      return trigger.schedule.Name === schedule;
    case "upload": {
      if (uploads === undefined) return false;
      const { bucketName, prefix, suffix } = uploads;
      const own = filterOf(trigger.upload);
      return bucketName === own.bucketName && ((prefix === "" && suffix === "") || (prefix === own.prefix && suffix === own.suffix));
    }
  }
}

function askedText({ queue, kafka, stream, rule, bus, schedule, upload }: UntriggerOptions): string {
  if (upload !== undefined) return ` by uploads to ${upload}`;
  if (queue !== undefined) return ` of queue ${queue}`;
  if (kafka !== undefined) return ` by Kafka topic ${kafka}`;
  if (stream !== undefined) return ` by stream ${stream}`;
  if (schedule !== undefined) return ` by schedule ${schedule}`;
  if (rule !== undefined) return ` by rule ${rule}${bus === undefined ? "" : ` of bus ${bus}`}`;
  return bus === undefined ? "" : ` by a rule of bus ${bus}`;
}

/** What names it to AWS's operations. */
function nameOf(trigger: AnyTrigger): string {
  switch (trigger.kind) {
    case "queue":
      return trigger.mapping.UUID;
    case "stream":
      return trigger.stream.UUID;
    case "rule":
      return trigger.rule.rule.Arn;
    case "schedule":
      return trigger.schedule.Name;
    case "upload":
      return trigger.upload.configuration.Id ?? "";
  }
}

function plainName(trigger: AnyTrigger): string {
  return trigger.kind === "queue" ? trigger.queue : sourceText(trigger);
}
