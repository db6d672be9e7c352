import type { AggregateSpec, WindowDefinition } from "./definition.ts";

/** What becomes of kept state when a definition is changed. */
export type DefinitionChange =
  | { readonly kind: "same" }
  /** State is kept; the fields act from now on. */
  | { readonly kind: "compatible"; readonly fields: readonly string[] }
  /** State says something else, or too little: it has to be made anew from an earlier position. */
  | { readonly kind: "incompatible"; readonly why: readonly string[] };

/** Fields that say when something is told or taken, and nothing of what the state is. */
const FREE = ["outOfOrdernessMs", "allowedLatenessMs", "jumpMsMax", "idleAfterMs", "late"] as const;

/** Compares a definition with the one that state was kept under. */
export function whatChanges(before: WindowDefinition, after: WindowDefinition): DefinitionChange {
  const why = [...windowChange(before, after), ...aggregateChanges(before, after), ...paneChange(before, after)];
  if (why.length > 0) return { kind: "incompatible", why };
  const fields: string[] = FREE.filter((field) => before[field] !== after[field]);
  if (textOf(before.trigger) !== textOf(after.trigger)) fields.push("trigger");
  if (Object.keys(before.aggregates).join() !== Object.keys(after.aggregates).join()) fields.push("aggregates");
  return fields.length === 0 ? { kind: "same" } : { kind: "compatible", fields };
}

function windowChange({ window: before }: WindowDefinition, { window: after }: WindowDefinition): readonly string[] {
  if (textOf(before) === textOf(after)) return [];
  return [`The window was ${textOf(before)} and is ${textOf(after)}: what is in the kept windows belongs to others.`];
}

function aggregateChanges({ aggregates: before }: WindowDefinition, { aggregates: after }: WindowDefinition): readonly string[] {
  const why: string[] = [];
  for (const [name, spec] of Object.entries(after)) {
    const was = before[name];
    if (was === undefined) why.push(`The aggregate ${name} is new: kept windows do not have it.`);
    else if (identity(was) !== identity(spec)) why.push(`The aggregate ${name} was ${textOf(was)} and is ${textOf(spec)}.`);
  }
  for (const name of Object.keys(before)) if (!Object.hasOwn(after, name)) why.push(`The aggregate ${name} is gone; kept windows have it.`);
  return why;
}

/** Accumulating windows hold everything, discarding ones what came since the last pane. */
function paneChange({ trigger: before }: WindowDefinition, { trigger: after }: WindowDefinition): readonly string[] {
  if (before.panes === after.panes) return [];
  return [`Panes were ${before.panes} and are ${after.panes}: kept windows hold the other.`];
}

/** `"mean"` and `{ take: "mean" }` are the same. */
function identity(spec: AggregateSpec): string {
  return typeof spec === "string" ? textOf({ take: spec }) : textOf(spec);
}

/** One text whatever the order of names. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part) ? Object.fromEntries(inOrder(Object.entries(part))) : part,
  );
}

function inOrder(entries: readonly [string, unknown][]): readonly [string, unknown][] {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}
