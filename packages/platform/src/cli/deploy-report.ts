import type { ChangeShape, DeployAppResponse, PlanAppResponse, WiringChangeShape } from "../api/index.ts";
import { formatMs, type Output } from "./output.ts";
import type { Packed } from "./packing/index.ts";

/** What a deployment did, as a person reads it: guesses are marked, only differences are listed. */
export function printDeployment(output: Output, answer: DeployAppResponse, packed: ReadonlyMap<string, Packed>, tookMs: number): void {
  for (const each of answer.Functions) {
    const { FunctionName: name } = each;
    const changes = answer.Changes.filter((change) => change.FunctionName === name);
    const facts = [
      runtimeText(packed.get(name), each.Runtime),
      handlerText(packed.get(name), each.Handler),
      `${each.MemorySize} MB`,
      formatTimeout(each.TimeoutMs),
    ].join(" · ");
    output.line(`  ${output.paint("bold", name)}   ${facts}        ${endingText(answer, name, changes, tookMs)}`);
    if (!changes.some((change) => change.Kind === "createFunction")) printFields(output, name, changes);
    const note = runtimeNoteText(each);
    if (note !== undefined) output.line(`  ${" ".repeat(name.length)}   ${output.paint("yellow", note)}`);
    if (each.Url)
      output.line(
        `  ${" ".repeat(name.length)}   ${each.Url}     ${each.UrlAuthType === "NONE" ? "public (--no-url for none)" : "signed requests only"}`,
      );
  }
  for (const change of answer.Changes) if (change.Kind === "removeFunction") output.line(`  ${change.FunctionName}   removed`);
  printWiring(output, answer.Wiring, WIRING_DONE);
}

/** What a deployment would do. */
export function printPlan(output: Output, plan: PlanAppResponse): void {
  if (plan.Changes.length === 0 && plan.Wiring.length === 0) output.line("  Nothing would change.");
  for (const change of plan.Changes) {
    output.line(`  ${change.FunctionName}   ${PLAN_WORDS[change.Kind]}`);
    printFields(output, change.FunctionName, [change]);
  }
  printWiring(output, plan.Wiring, WIRING_PLANNED);
}

type WiringWords = Readonly<Record<WiringChangeShape["Kind"], string>>;

const WIRING_DONE: WiringWords = {
  createQueue: "queue created",
  updateQueue: "queue changed",
  createTrigger: "trigger created",
  updateTrigger: "trigger changed",
  removeTrigger: "trigger removed",
  createBus: "bus created",
  updateBus: "bus changed",
  createRule: "rule created",
  updateRule: "rule changed",
  removeRule: "rule removed",
  createSchedule: "schedule created",
  updateSchedule: "schedule changed",
  removeSchedule: "schedule removed",
  createBucket: "bucket created",
  createUpload: "trigger by uploads created",
  updateUpload: "trigger by uploads changed",
  removeUpload: "trigger by uploads removed",
  createStream: "stream created",
  updateStream: "stream changed",
  createStreamTrigger: "trigger by a stream created",
  updateStreamTrigger: "trigger by a stream changed",
  removeStreamTrigger: "trigger by a stream removed",
  createWindow: "window created",
  updateWindow: "window changed",
  removeWindow: "window removed",
};
const WIRING_PLANNED: WiringWords = {
  createQueue: "queue would be created",
  updateQueue: "queue would change",
  createTrigger: "trigger would be created",
  updateTrigger: "trigger would change",
  removeTrigger: "trigger would be removed",
  createBus: "bus would be created",
  updateBus: "bus would change",
  createRule: "rule would be created",
  updateRule: "rule would change",
  removeRule: "rule would be removed",
  createSchedule: "schedule would be created",
  updateSchedule: "schedule would change",
  removeSchedule: "schedule would be removed",
  createBucket: "bucket would be created",
  createUpload: "trigger by uploads would be created",
  updateUpload: "trigger by uploads would change",
  removeUpload: "trigger by uploads would be removed",
  createStream: "stream would be created",
  updateStream: "stream would change",
  createStreamTrigger: "trigger by a stream would be created",
  updateStreamTrigger: "trigger by a stream would change",
  removeStreamTrigger: "trigger by a stream would be removed",
  createWindow: "window would be created",
  updateWindow: "window would change",
  removeWindow: "window would be removed",
};

function printWiring(output: Output, changes: readonly WiringChangeShape[], words: WiringWords): void {
  for (const change of changes) {
    const { Kind, FunctionName, Fields = [] } = change;
    const name = FunctionName === undefined ? sourceText(change) : `${sourceText(change)} → ${FunctionName}`;
    output.line(`  ${name}   ${words[Kind]}`);
    printFields(output, name, [{ Fields }]);
  }
}

/** `orders`, `shop`, `shop/hello-order.placed` for a rule of bus shop, `hello-every-5-minutes`, `photos/hello-created-jpg` for one of bucket photos. */
function sourceText({
  QueueName,
  BusName,
  RuleName,
  ScheduleName,
  BucketName,
  UploadName,
  StreamName,
  WindowName,
}: WiringChangeShape): string {
  if (StreamName !== undefined) return StreamName;
  if (WindowName !== undefined) return WindowName;
  if (BucketName !== undefined) return UploadName === undefined ? BucketName : `${BucketName}/${UploadName}`;
  const rule = BusName === "default" ? RuleName : RuleName && `${BusName}/${RuleName}`;
  return QueueName ?? rule ?? ScheduleName ?? BusName ?? "";
}

const PLAN_WORDS: Readonly<Record<ChangeShape["Kind"], string>> = {
  createFunction: "would be created",
  updateCode: "its code would change",
  updateSettings: "its settings would change",
  setUrl: "its address would change",
  removeUrl: "its address would go",
  removeFunction: "would be removed",
};

function printFields(output: Output, name: string, changes: readonly Pick<ChangeShape, "Fields">[]): void {
  for (const { Field, From, To } of changes.flatMap((change) => change.Fields ?? [])) {
    output.line(`  ${" ".repeat(name.length)}   ${Field}: ${From === "" ? '""' : From} → ${To}`);
  }
}

function endingText(answer: DeployAppResponse, name: string, changes: readonly ChangeShape[], tookMs: number): string {
  if (answer.Kept.includes(name)) return "left as it is: it was changed by hand";
  if (changes.length === 0) return "nothing to change";
  const created = changes.some((change) => change.Kind === "createFunction");
  return `${created ? "deployed" : "updated"} in ${formatMs(tookMs)}`;
}

function runtimeText(packed: Packed | undefined, runtime: string): string {
  if (!packed?.guessed.runtime) return runtime;
  return runtime.startsWith("nodejs") ? "Node" : runtime.startsWith("python") ? "Python" : runtime;
}

/** Every Node runtime runs on the platform's Node and behaves as its id says; another Python is another language level. */
function runtimeNoteText({ Runtime, RuntimeNote }: DeployAppResponse["Functions"][number]): string | undefined {
  return RuntimeNote === undefined || Runtime.startsWith("nodejs") ? undefined : `note: ${Runtime} ${RuntimeNote}`;
}

function handlerText(packed: Packed | undefined, handler: string): string {
  return `handler ${handler}${packed?.guessed.handler ? " (guessed)" : ""}`;
}

function formatTimeout(ms: number): string {
  return ms % 60_000 === 0 ? `${ms / 60_000} min` : `${ms / 1_000} s`;
}
