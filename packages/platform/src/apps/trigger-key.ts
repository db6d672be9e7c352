/** What the key is about by which an application remembers a trigger: `triggerKey`, `ruleKey`, `scheduleKey`, `uploadKey`, `streamTriggerKey`, `windowKey` write them. */
import { LambentError } from "../base/index.ts";
import type { TriggerForm } from "./stream-form.ts";

export type TriggerReference =
  | { readonly kind: "queue"; readonly functionName: string; readonly queueName: string }
  | { readonly kind: "rule"; readonly functionName: string; readonly busName: string; readonly ruleName: string }
  | { readonly kind: "schedule"; readonly functionName: string; readonly scheduleName: string }
  | { readonly kind: "upload"; readonly functionName: string; readonly bucketName: string; readonly uploadName: string }
  | { readonly kind: "stream"; readonly functionName: string; readonly streamName: string; readonly form: TriggerForm }
  | { readonly kind: "window"; readonly windowName: string };

/** What a key that an application remembers is about. */
export function triggerOfKey(key: string): TriggerReference {
  const [functionName = "", second = "", third, fourth] = key.split(" ");
  if (third === undefined) return { kind: "queue", functionName, queueName: second };
  if (second === "rule" && fourth !== undefined) return { kind: "rule", functionName, busName: third, ruleName: fourth };
  if (second === "upload" && fourth !== undefined) return { kind: "upload", functionName, bucketName: third, uploadName: fourth };
  if (second === "stream" && isForm(fourth)) return { kind: "stream", functionName, streamName: third, form: fourth };
  if (second === "window" && functionName === "") return { kind: "window", windowName: third };
  if (second === "schedule") return { kind: "schedule", functionName, scheduleName: third };
  throw new LambentError(
    "StorageCorrupt",
    `The record of an application names a trigger ${JSON.stringify(key)}, which this Lambent cannot read.`,
  );
}

function isForm(text: string | undefined): text is TriggerForm {
  return text === "kinesis" || text === "kafka" || text === "json";
}
