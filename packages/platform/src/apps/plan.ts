import type { FieldChange } from "./difference.ts";
import {
  FUNCTION_DEFAULTS,
  NO_URL,
  type CurrentFunction,
  type FlowForm,
  type FunctionOptions,
  type UrlForm,
  type WantedFunction,
} from "./form.ts";

/** One difference between what is wanted and what is there, as data: shown, then applied. */
export type Change =
  | { readonly kind: "createFunction"; readonly name: string; readonly wanted: CurrentFunction }
  | { readonly kind: "updateCode"; readonly name: string; readonly codeSha256: string }
  | { readonly kind: "updateSettings"; readonly name: string; readonly settings: SettingsChange; readonly fields: readonly FieldChange[] }
  | { readonly kind: "setUrl"; readonly name: string; readonly url: UrlForm & { readonly kind: "url" }; readonly before: UrlForm }
  | { readonly kind: "removeUrl"; readonly name: string }
  | { readonly kind: "removeFunction"; readonly name: string };

/** Only what differs. */
export interface SettingsChange {
  readonly runtime?: string;
  readonly handler?: string;
  readonly options: Partial<FunctionOptions>;
}

/**
 * What has to happen so that `current` becomes `wanted`, in an order that can be applied from first to last.
 *
 * `owned` are functions this application brought and may therefore remove; a function that merely exists stays.
 * An empty plan means that nothing differs. Options a document leaves out are not touched.
 */
export function plan(
  current: ReadonlyMap<string, CurrentFunction>,
  wanted: readonly WantedFunction[],
  owned: ReadonlySet<string>,
  roleArn: string,
): Change[] {
  const names = new Set(wanted.map((each) => each.name));
  const removals = [...owned]
    .filter((name) => !names.has(name) && current.has(name))
    .toSorted()
    .map((name): Change => ({ kind: "removeFunction", name }));
  return [...wanted.flatMap((each) => planFunction(current.get(each.name), each, roleArn)), ...removals];
}

function planFunction(current: CurrentFunction | undefined, wanted: WantedFunction, roleArn: string): Change[] {
  if (!current) {
    const whole = { ...complete(wanted, roleArn), url: NO_URL };
    return [{ kind: "createFunction", name: wanted.name, wanted: whole }, ...planUrl(wanted.name, NO_URL, wanted.url)];
  }
  const changes: Change[] = [];
  const { settings, fields } = settingsDifference(current, wanted);
  if (fields.length > 0) changes.push({ kind: "updateSettings", name: wanted.name, settings, fields });
  if (current.codeSha256 !== wanted.codeSha256) changes.push({ kind: "updateCode", name: wanted.name, codeSha256: wanted.codeSha256 });
  return [...changes, ...planUrl(wanted.name, current.url, wanted.url)];
}

function complete(wanted: WantedFunction, roleArn: string): CurrentFunction {
  const { name, runtime, handler, codeSha256 } = wanted;
  return { name, runtime, handler, codeSha256, options: { ...FUNCTION_DEFAULTS, roleArn, ...wanted.options }, url: wanted.url ?? NO_URL };
}

function planUrl(name: string, current: UrlForm, wanted: UrlForm | undefined): Change[] {
  if (wanted === undefined) return [];
  if (wanted.kind === "none") return current.kind === "none" ? [] : [{ kind: "removeUrl", name }];
  const same = current.kind === "url" && current.auth === wanted.auth && current.invokeMode === wanted.invokeMode;
  return same ? [] : [{ kind: "setUrl", name, url: wanted, before: current }];
}

const PLAIN_OPTIONS = ["description", "memoryMb", "timeoutMs", "tmpMb", "concurrencyPerInstance", "handlerStyle", "roleArn"] as const;

function settingsDifference(current: CurrentFunction, wanted: WantedFunction): { settings: SettingsChange; fields: FieldChange[] } {
  const options: Record<string, unknown> = {};
  const fields: FieldChange[] = [];
  const differs = (field: string, from: string | number, to: string | number | undefined): boolean => {
    if (to === undefined || from === to) return false;
    fields.push({ field, from: String(from), to: String(to) });
    return true;
  };
  const runtime = differs("runtime", current.runtime, wanted.runtime) ? { runtime: wanted.runtime } : {};
  const handler = differs("handler", current.handler, wanted.handler) ? { handler: wanted.handler } : {};
  for (const option of PLAIN_OPTIONS)
    if (differs(option, current.options[option], wanted.options[option])) options[option] = wanted.options[option];
  const environment = wanted.options.environment;
  if (environment) {
    const different = environmentDifference(current.options.environment, environment);
    if (different.length > 0) options["environment"] = environment;
    fields.push(...different);
  }
  const flow = wanted.options.flow;
  if (flow) {
    const different = flowDifference(current.options.flow, flow);
    if (different.length > 0) options["flow"] = flow;
    fields.push(...different);
  }
  return { settings: { ...runtime, ...handler, options }, fields };
}

function flowDifference(from: FlowForm, to: FlowForm): FieldChange[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)] as (keyof FlowForm)[])].toSorted();
  return names
    .filter((name) => from[name] !== to[name])
    .map((name) => ({ field: `async.${String(name)}`, from: from[name] ?? "absent", to: to[name] ?? "absent" }));
}

function environmentDifference(from: Readonly<Record<string, string>>, to: Readonly<Record<string, string>>): FieldChange[] {
  const names = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted();
  return names.flatMap((name) => {
    const had = Object.hasOwn(from, name);
    const has = Object.hasOwn(to, name);
    if (had && has && from[name] === to[name]) return [];
    return [{ field: `environment.${name}`, from: had ? "set" : "absent", to: has ? (had ? "another value" : "set") : "absent" }];
  });
}
