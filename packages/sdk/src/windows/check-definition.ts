/** From what a person wrote to a definition, or to a list of everything that is wrong with it. */
import {
  type AggregateSpec,
  AGGREGATES_MAX,
  COUNT_SIZE_MAX,
  DURATION_MS_MAX,
  QUANTILES_MAX,
  type SimpleAggregate,
  type TriggerSpec,
  type WindowDefinition,
  WINDOWS_PER_RECORD_MAX,
  type WindowSpec,
} from "./definition.ts";

/** One thing that is wrong: which field, and what it has to be. */
export interface DefinitionFault {
  /** As it is reached: `window.sizeMs`, `aggregates.average.of`; empty for the definition as a whole. */
  readonly field: string;
  /** What was given and what is allowed. */
  readonly rule: string;
}

export type CheckedDefinition =
  | { readonly kind: "definition"; readonly definition: WindowDefinition }
  | { readonly kind: "faults"; readonly faults: readonly DefinitionFault[] };

/** Where nothing is said. */
const DEFAULTS = { outOfOrdernessMs: 0, allowedLatenessMs: 0, jumpMsMax: 86_400_000, idleAfterMs: 60_000 } as const;
const DURATIONS = ["outOfOrdernessMs", "allowedLatenessMs", "jumpMsMax", "idleAfterMs"] as const;
const FIELDS = ["window", "aggregates", ...DURATIONS, "trigger", "late"];
const NAME_LENGTH_MAX = 256;

/** Which fields each kind of window has; those with a question mark may be left out. */
const WINDOW_FIELDS: Readonly<Record<WindowSpec["kind"], readonly string[]>> = {
  tumbling: ["sizeMs", "offsetMs?"],
  hopping: ["sizeMs", "everyMs", "offsetMs?"],
  sliding: ["sizeMs"],
  session: ["gapMs", "sizeMsMax?"],
  tumblingCount: ["size", "order?"],
  slidingCount: ["size", "fullOnly?", "order?"],
  rolling: ["size", "fullOnly?", "order?"],
};

const SIMPLE: readonly SimpleAggregate[] = [
  ...(["count", "sum", "mean", "variance", "sampleVariance", "min", "max"] as const),
  ...(["earliest", "latest", "first", "last", "distinct"] as const),
];

type Fields = Readonly<Record<string, unknown>>;
type Complain = (field: string, rule: string) => void;

/**
 * Checks what stands in a file or came over the wire, and says what was left open: no out-of-orderness and no lateness, a day's
 * jump, a minute's idleness, accumulating panes, each late record told at once, late records dropped. Names every fault, not only the first.
 */
export function checkWindowDefinition(given: unknown): CheckedDefinition {
  const faults: DefinitionFault[] = [];
  const complain: Complain = (field, rule) => void faults.push({ field, rule });
  if (!isObject(given)) return { kind: "faults", faults: [{ field: "", rule: `is ${shown(given)}; it has to be an object.` }] };
  for (const name of Object.keys(given))
    if (!FIELDS.includes(name)) complain(name, `is no field of a window; there are ${FIELDS.join(", ")}.`);
  checkWindow(given["window"], complain);
  checkAggregates(given["aggregates"], kindOf(given["window"]), complain);
  for (const name of DURATIONS) wholeNumber(given, name, name, { least: 0, most: DURATION_MS_MAX, optional: true }, complain);
  checkTrigger(given["trigger"], complain);
  if (![undefined, "drop", "output"].includes(given["late"] as string | undefined))
    complain("late", `is ${shown(given["late"])}; it has to be "drop" or "output".`);
  checkTogether(given, complain);
  return faults.length > 0 ? { kind: "faults", faults } : { kind: "definition", definition: definitionOf(given) };
}

function checkWindow(given: unknown, complain: Complain): void {
  const kind = kindOf(given);
  if (!isObject(given) || kind === undefined) {
    const was = isObject(given) ? shown(given["kind"]) : shown(given);
    const field = isObject(given) ? "window.kind" : "window";
    return complain(field, `is ${was}; a window is an object whose kind is ${Object.keys(WINDOW_FIELDS).join(", ")}.`);
  }
  const names = WINDOW_FIELDS[kind];
  const known = ["kind", ...names.map((name) => name.replace("?", ""))];
  for (const name of Object.keys(given))
    if (!known.includes(name)) complain(`window.${name}`, `is no field of a ${kind} window; there are ${known.join(", ")}.`);
  for (const name of names) checkWindowField(given, name.replace("?", ""), name.endsWith("?"), complain);
  const { sizeMs, everyMs, gapMs, sizeMsMax } = given;
  if (typeof sizeMs === "number" && typeof everyMs === "number" && everyMs > 0) {
    if (everyMs > sizeMs) complain("window.everyMs", `is ${everyMs}; beyond sizeMs (${sizeMs}) records would be in no window.`);
    if (sizeMs / everyMs > WINDOWS_PER_RECORD_MAX)
      complain("window.everyMs", `is ${everyMs}; with sizeMs ${sizeMs} a record is in more than ${WINDOWS_PER_RECORD_MAX} windows.`);
  }
  if (typeof gapMs === "number" && typeof sizeMsMax === "number" && sizeMsMax < gapMs)
    complain("window.sizeMsMax", `is ${sizeMsMax}; a session of one record is gapMs long (${gapMs}).`);
}

function checkWindowField(given: Fields, name: string, optional: boolean, complain: Complain): void {
  const field = `window.${name}`;
  const value = given[name];
  if (name === "fullOnly") {
    if (value !== undefined && typeof value !== "boolean") complain(field, `is ${shown(value)}; it has to be true or false.`);
  } else if (name === "order") {
    if (value !== undefined && value !== "arrival" && value !== "time")
      complain(field, `is ${shown(value)}; it has to be "arrival" or "time".`);
  } else {
    const least = name === "offsetMs" ? -DURATION_MS_MAX : 1;
    wholeNumber(given, name, field, { least, most: name === "size" ? COUNT_SIZE_MAX : DURATION_MS_MAX, optional }, complain);
  }
}

function checkAggregates(given: unknown, kind: WindowSpec["kind"] | undefined, complain: Complain): void {
  if (!isObject(given)) {
    if (given !== undefined || kind !== "rolling") complain("aggregates", `is ${shown(given)}; it has to be an object of names.`);
    return;
  }
  const names = Object.keys(given);
  if (names.length === 0 && kind !== "rolling") complain("aggregates", "is empty; only a rolling window may have none.");
  if (names.length > AGGREGATES_MAX) complain("aggregates", `has ${names.length} names; there may be ${AGGREGATES_MAX}.`);
  for (const name of names) {
    if (!/^[A-Za-z][A-Za-z0-9_-]{0,63}$/u.test(name))
      complain(`aggregates.${name}`, "has to be named by a letter and up to 63 letters, digits, _ or -.");
    checkAggregate(given[name], `aggregates.${name}`, complain);
  }
}

function checkAggregate(given: unknown, field: string, complain: Complain): void {
  if (typeof given === "string") return checkSimple(given, field, complain);
  if (!isObject(given)) return complain(field, `is ${shown(given)}; it has to be a name or an object.`);
  const kinds = ["take", "topK", "largest", "quantiles", "collect"].filter((name) => given[name] !== undefined);
  const [kind] = kinds;
  if (kind === undefined || kinds.length > 1) return complain(field, "has to have one of take, topK, largest, quantiles, collect.");
  for (const name of Object.keys(given))
    if (name !== kind && name !== "of") complain(`${field}.${name}`, `is no field beside ${kind}; of is.`);
  const { of } = given;
  if (of !== undefined && (typeof of !== "string" || !/^[^.]+(?:\.[^.]+)*$/u.test(of) || of.length > NAME_LENGTH_MAX))
    complain(`${field}.of`, `is ${shown(of)}; it has to be names with dots between them, up to ${NAME_LENGTH_MAX} characters.`);
  if (kind === "take") checkSimple(given["take"], `${field}.take`, complain);
  else if (kind === "quantiles") checkQuantiles(given["quantiles"], `${field}.quantiles`, complain);
  else wholeNumber(given, kind, `${field}.${kind}`, { least: 1, most: COUNT_SIZE_MAX, optional: false }, complain);
}

function checkSimple(given: unknown, field: string, complain: Complain): void {
  if (!SIMPLE.some((name) => name === given)) complain(field, `is ${shown(given)}; there are ${SIMPLE.join(", ")}.`);
}

function checkQuantiles(given: unknown, field: string, complain: Complain): void {
  const isShare = (each: unknown): boolean => typeof each === "number" && each >= 0 && each <= 1;
  if (!Array.isArray(given) || given.length === 0 || given.length > QUANTILES_MAX || !given.every(isShare))
    complain(field, `is ${shown(given)}; it has to be a list of 1 to ${QUANTILES_MAX} numbers from 0 to 1.`);
}

function checkTrigger(given: unknown, complain: Complain): void {
  if (given === undefined) return;
  if (!isObject(given)) return complain("trigger", `is ${shown(given)}; it has to be an object.`);
  for (const name of Object.keys(given))
    if (!["early", "late", "panes"].includes(name)) complain(`trigger.${name}`, "is no field of a trigger; there are early, late, panes.");
  checkCounting(given["early"], "trigger.early", ["count", "everyMs"], complain);
  checkCounting(given["late"], "trigger.late", ["count"], complain);
  const { panes } = given;
  if (![undefined, "accumulating", "discarding"].includes(panes as string | undefined))
    complain("trigger.panes", `is ${shown(panes)}; it has to be "accumulating" or "discarding".`);
}

function checkCounting(given: unknown, field: string, names: readonly string[], complain: Complain): void {
  if (given === undefined) return;
  if (!isObject(given) || Object.keys(given).length === 0)
    return complain(field, `is ${shown(given)}; it has to have ${names.join(" or ")}.`);
  for (const name of Object.keys(given))
    if (!names.includes(name)) complain(`${field}.${name}`, `is no field here; there is ${names.join(", ")}.`);
  for (const name of names) wholeNumber(given, name, `${field}.${name}`, { least: 1, most: DURATION_MS_MAX, optional: true }, complain);
}

/** What is right alone and not together. */
function checkTogether(given: Fields, complain: Complain): void {
  const kind = kindOf(given["window"]);
  if (kind === undefined || kind === "tumbling" || kind === "hopping" || kind === "session") return;
  if (!isDefaultTrigger(given["trigger"]))
    complain("trigger", `is for windows that wait for their end; a ${kind} window tells with its records.`);
  if (given["allowedLatenessMs"] !== undefined && given["allowedLatenessMs"] !== 0)
    complain("allowedLatenessMs", `is for windows that wait for their end; let a ${kind} window wait for its records by outOfOrdernessMs.`);
}

/** A definition that was checked has one, also where nothing waits. */
function isDefaultTrigger(given: unknown): boolean {
  if (!isObject(given)) return true;
  const { early, late, panes = "accumulating" } = given;
  const { count = 1 } = isObject(late) ? late : {};
  return early === undefined && count === 1 && panes === "accumulating";
}

/** Of what was found to be right. */
function definitionOf(given: Fields): WindowDefinition {
  const trigger = (given["trigger"] ?? {}) as Partial<TriggerSpec>;
  const durations = Object.fromEntries(DURATIONS.map((name) => [name, given[name] ?? DEFAULTS[name]]));
  return {
    window: given["window"] as WindowSpec,
    aggregates: (given["aggregates"] ?? {}) as Readonly<Record<string, AggregateSpec>>,
    ...(durations as Record<keyof typeof DEFAULTS, number>),
    trigger: { ...trigger, late: trigger.late ?? { count: 1 }, panes: trigger.panes ?? "accumulating" },
    late: (given["late"] ?? "drop") as WindowDefinition["late"],
  };
}

interface Allowed {
  readonly least: number;
  readonly most: number;
  readonly optional: boolean;
}

function wholeNumber(given: Fields, name: string, field: string, { least, most, optional }: Allowed, complain: Complain): void {
  const value = given[name];
  if (value === undefined && optional) return;
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most) return;
  complain(field, `is ${shown(value)}; it has to be a whole number from ${least} to ${most}.`);
}

function kindOf(window: unknown): WindowSpec["kind"] | undefined {
  const kind = isObject(window) ? window["kind"] : undefined;
  return typeof kind === "string" && Object.hasOwn(WINDOW_FIELDS, kind) ? (kind as WindowSpec["kind"]) : undefined;
}

function isObject(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  if (typeof value === "string") return JSON.stringify(value.slice(0, 64));
  return typeof value === "number" || typeof value === "boolean" || value === null ? String(value) : `a ${typeof value}`;
}
