/** What the key is about by which an application remembers a trigger: `triggerKey`, `ruleKey`, `scheduleKey`, `uploadKey` write them. */
import { LambentError } from "../base/index.ts";

export type TriggerReference =
  | { readonly kind: "queue"; readonly functionName: string; readonly queueName: string }
  | { readonly kind: "rule"; readonly functionName: string; readonly busName: string; readonly ruleName: string }
  | { readonly kind: "schedule"; readonly functionName: string; readonly scheduleName: string }
  | { readonly kind: "upload"; readonly functionName: string; readonly bucketName: string; readonly uploadName: string };

/** What a key that an application remembers is about. */
export function triggerOfKey(key: string): TriggerReference {
  const [functionName = "", second = "", third, fourth] = key.split(" ");
  if (third === undefined) return { kind: "queue", functionName, queueName: second };
  if (second === "rule" && fourth !== undefined) return { kind: "rule", functionName, busName: third, ruleName: fourth };
  if (second === "upload" && fourth !== undefined) return { kind: "upload", functionName, bucketName: third, uploadName: fourth };
  if (second === "schedule") return { kind: "schedule", functionName, scheduleName: third };
  throw new LambentError(
    "StorageCorrupt",
    `The record of an application names a trigger ${JSON.stringify(key)}, which this Lambent cannot read.`,
  );
}
