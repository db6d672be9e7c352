/** What a target gets of an event: all of it, a part, a constant, or what a template makes of it. Pure. */
import { invariant, JsonText, LambentError } from "../../base/index.ts";
import { awsTime, type BusEvent, cloudEventView } from "../envelope.ts";
import { type InputPath, parseInputPath, selectInput } from "./path.ts";
import { type InputTemplate, parseInputTemplate, PREDEFINED, writeInput } from "./template.ts";

/** Largest input a template may make of an event: one of 8 KiB can name a large event a thousand times. @limit */
export const TARGET_INPUT_BYTES_MAX = 1_048_576;
/** Variables of one template. @limit */
export const INPUT_VARIABLES_MAX = 100;

/** How a target is given events, as it is kept. Where a target has none, it gets the event in AWS's form. */
export type TargetInput =
  | { readonly kind: "event"; readonly form: "aws" | "cloudevent" }
  | { readonly kind: "constant"; readonly json: string }
  /** What a path leads to, in AWS's form of the event; `null` where it leads nowhere. */
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "template"; readonly template: string; readonly paths: Readonly<Record<string, string>> };

/** The members of a target of PutTargets that say it. */
export interface GivenInput {
  readonly input?: string | undefined;
  readonly inputPath?: string | undefined;
  readonly inputTransformer?: { readonly paths: Readonly<Record<string, string>>; readonly template: string } | undefined;
}

/** The rule by which a target gets the event. */
export interface InputRule {
  readonly ruleArn: string;
  readonly ruleName: string;
}

/** How target `targetId` is to be given events; undefined when nothing says it. Throws `InvalidParameter` in EventBridge's words. */
export function targetInput({ input, inputPath, inputTransformer }: GivenInput, targetId: string): TargetInput | undefined {
  if ([input, inputPath, inputTransformer].filter((given) => given !== undefined).length > 1)
    throw refused(`Only one of Input, InputPath, or InputTransformer must be provided for target ${targetId}.`);
  const said: TargetInput | undefined =
    input !== undefined
      ? { kind: "constant", json: input }
      : inputPath !== undefined
        ? { kind: "path", path: inputPath }
        : inputTransformer && { kind: "template", ...inputTransformer };
  if (said) understood(said, targetId);
  return said;
}

/**
 * What a target gets of `event`, whose form of AWS is `view`. Throws `RequestTooLarge` when a template makes more than
 * `TARGET_INPUT_BYTES_MAX` of it.
 */
export function targetPayload(input: TargetInput | undefined, event: BusEvent, view: Buffer, rule: InputRule): Buffer {
  if (!input || (input.kind === "event" && input.form === "aws")) return view;
  const plan = understood(input, rule.ruleName);
  switch (plan.kind) {
    case "event":
      return cloudEventView(event);
    case "constant":
      return plan.payload;
    case "path":
      return Buffer.from(selectInput(readView(view), plan.path) ?? "null");
    case "template":
      return fromTemplate(plan, event, view, rule);
  }
}

type Plan =
  | { readonly kind: "event" }
  | { readonly kind: "constant"; readonly payload: Buffer }
  | { readonly kind: "path"; readonly path: InputPath }
  | { readonly kind: "template"; readonly template: InputTemplate; readonly paths: ReadonlyMap<string, InputPath> };

/** Read once for as long as the rule's record lives. */
const plans = new WeakMap<TargetInput, Plan>();

function understood(input: TargetInput, targetId: string): Plan {
  const known = plans.get(input);
  if (known) return known;
  const plan = planOf(input, targetId);
  plans.set(input, plan);
  return plan;
}

function planOf(input: TargetInput, targetId: string): Plan {
  switch (input.kind) {
    case "event":
      return { kind: "event" };
    case "constant":
      if (!JsonText.parse(input.json)) throw refused(`JSON syntax error in input for target ${targetId}.`);
      return { kind: "constant", payload: Buffer.from(input.json) };
    case "path":
      return { kind: "path", path: requirePath(input.path, targetId) };
    case "template": {
      const given = Object.entries(input.paths);
      if (given.length > INPUT_VARIABLES_MAX)
        throw refused(`InputPathsMap for target ${targetId} has ${given.length} entries; at most ${INPUT_VARIABLES_MAX} are allowed.`);
      const paths = new Map(given.map(([name, path]) => [name, requirePath(path, targetId)]));
      return { kind: "template", paths, template: parseInputTemplate(input.template, new Set(paths.keys()), targetId) };
    }
  }
}

function requirePath(text: string, targetId: string): InputPath {
  const path = parseInputPath(text);
  if (path === undefined) throw refused(`InputPath for target ${targetId} is invalid.`);
  return path;
}

function fromTemplate({ template, paths }: Extract<Plan, { kind: "template" }>, event: BusEvent, bytes: Buffer, rule: InputRule): Buffer {
  const view = readView(bytes);
  const values = new Map<string, string | undefined>();
  const valueOf = (name: string): string | undefined => {
    if (!values.has(name)) {
      const path = paths.get(name);
      values.set(name, path ? selectInput(view, path) : predefined(name, view, event, rule));
    }
    return values.get(name);
  };
  const written = writeInput(template, valueOf, TARGET_INPUT_BYTES_MAX);
  const payload = written === undefined ? undefined : Buffer.from(written);
  if (payload === undefined || payload.length > TARGET_INPUT_BYTES_MAX)
    throw new LambentError(
      "RequestTooLarge",
      `The InputTemplate of a target of rule ${rule.ruleName} makes more than ${TARGET_INPUT_BYTES_MAX} bytes of event ${event.id}.`,
    );
  return payload;
}

function readView(view: Buffer): JsonText {
  const read = JsonText.parse(view.toString("utf8"));
  invariant(read !== undefined, "an event's view is JSON");
  return read;
}

function predefined(name: string, view: JsonText, event: BusEvent, { ruleArn, ruleName }: InputRule): string {
  switch (name) {
    case PREDEFINED.ruleArn:
      return JSON.stringify(ruleArn);
    case PREDEFINED.ruleName:
      return JSON.stringify(ruleName);
    case PREDEFINED.ingestionTime:
      return JSON.stringify(awsTime(event.ingestedAt));
    case PREDEFINED.event:
      return withoutDetail(event);
    default:
      return view.text;
  }
}

/** EventBridge writes this one in an order, and with a name for the type, that nothing else has. */
function withoutDetail(event: BusEvent): string {
  return JSON.stringify({
    id: event.id,
    account: event.account,
    detailType: event.type,
    time: awsTime(event.ingestedAt),
    source: event.source,
    region: event.region,
    resources: event.resources,
    version: "0",
  });
}

const refused = (message: string): LambentError => new LambentError("InvalidParameter", message);
