/** What a changed definition does to what a window has reckoned so far. Pure; what `deploy` says and what an update does are this one answer. */
import { isDeepStrictEqual } from "node:util";
import { whatChanges as whatWindowChanges } from "@lambent/sdk/windows";
import type { ManagedWindow } from "./definition.ts";

export type WindowChange =
  | { readonly kind: "same" }
  /** Where results go, or records that cannot be taken: what was reckoned does not depend on it. */
  | { readonly kind: "kept"; readonly fields: readonly string[] }
  /** What was reckoned so far goes on under the new definition. */
  | { readonly kind: "migrated"; readonly fields: readonly string[] }
  /** What was reckoned so far means nothing under the new one: it has to be dropped, and from where the window begins anew has to be said. */
  | { readonly kind: "restarted"; readonly why: readonly string[] };

/** Members of a definition that only say where things go. */
const OUTWARD = ["sinks", "lateSinks", "setAside"] as const;

/** What becomes of a window's state when `before` is replaced by `after`. */
export function whatChanges(before: ManagedWindow, after: ManagedWindow): WindowChange {
  const why = [...sourceChanges(before, after), ...anomalyChanges(before, after)];
  const window = whatWindowChanges(before.window, after.window);
  if (window.kind === "incompatible") why.push(...window.why);
  if (why.length > 0) return { kind: "restarted", why };
  const outward = [
    ...OUTWARD.filter((field) => !isDeepStrictEqual(before[field], after[field])),
    ...(isDeepStrictEqual(before.anomaly?.sinks, after.anomaly?.sinks) ? [] : ["anomaly.sinks"]),
  ];
  if (window.kind === "compatible") return { kind: "migrated", fields: [...window.fields, ...outward] };
  return outward.length === 0 ? { kind: "same" } : { kind: "kept", fields: outward };
}

function sourceChanges({ source: before }: ManagedWindow, { source: after }: ManagedWindow): string[] {
  // Where it began does not matter to one that has begun.
  return (["stream", "key", "value", "time"] as const)
    .filter((field) => !isDeepStrictEqual(before[field], after[field]))
    .map((field) => `source.${field} is another one: what was read so far was read otherwise`);
}

function anomalyChanges({ anomaly: before }: ManagedWindow, { anomaly: after }: ManagedWindow): string[] {
  // Without detectors nothing of them is lost; with new ones they begin to learn.
  if (!before || !after) return [];
  return (["of", "detector"] as const)
    .filter((field) => !isDeepStrictEqual(before[field], after[field]))
    .map((field) => `anomaly.${field} is another one: what its detectors learnt was of the other`);
}
