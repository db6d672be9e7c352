/** Managed windows that an application wants: compared with what is there, and applied. */
import type { Realm } from "../model/index.ts";
import type { FieldChange } from "./difference.ts";
import type { EventRules } from "./event-plan.ts";
import { refuseMany, refuseTwice } from "./event-wiring.ts";
import { triggerOfKey } from "./trigger-key.ts";

/** Managed windows of one application (P7). */
const APP_WINDOWS_MAX = 100;

export interface WantedWindow {
  readonly name: string;
  /** JSON: what the document has under its name. */
  readonly declaration: string;
  /** From where it begins anew, should what it has reckoned mean nothing under a new definition; undefined: such a change is refused. */
  readonly restart: string | undefined;
}

export interface WindowWiring {
  readonly windows: readonly WantedWindow[];
}

/** What a declaration would do to the window of its name. */
export type WindowDifference =
  | { readonly kind: "create" }
  | { readonly kind: "same" }
  | { readonly kind: "update"; readonly fields: readonly FieldChange[] };

/** What an application needs of managed windows: joined to `windows/` where the platform is put together. */
export interface AppWindows {
  hasWindow(realm: Realm, name: string): Promise<boolean>;
  /** Throws `InvalidParameter` for a declaration that is none, and `RestartNeeded` for a change that needs one which the document does not allow. */
  compareWindow(realm: Realm, window: WantedWindow): Promise<WindowDifference>;
  /** Makes the window, and the stream that it reads where that is missing. */
  createWindow(realm: Realm, window: WantedWindow): Promise<void>;
  updateWindow(realm: Realm, window: WantedWindow): Promise<void>;
  removeWindow(realm: Realm, name: string): Promise<void>;
}

export type WindowChange =
  | { readonly kind: "createWindow"; readonly windowName: string; readonly window: WantedWindow }
  | { readonly kind: "updateWindow"; readonly windowName: string; readonly window: WantedWindow; readonly fields: readonly FieldChange[] }
  | { readonly kind: "removeWindow"; readonly windowName: string };

export type WindowRules = Pick<EventRules, "owned" | "onlyUntouched">;

/** By which an application remembers a window: it is no function's, and no function has an empty name. */
export function windowKey(name: string): string {
  return ` window ${name}`;
}

/** What has to happen with windows once functions are there. */
export async function planWindows(port: AppWindows, realm: Realm, wanted: WindowWiring, rules: WindowRules): Promise<WindowChange[]> {
  const changes: WindowChange[] = [];
  for (const window of wanted.windows) {
    const { name } = window;
    const difference = await port.compareWindow(realm, window);
    const isTakenAway = rules.onlyUntouched && rules.owned.has(windowKey(name));
    if (difference.kind === "create" && !isTakenAway) changes.push({ kind: "createWindow", windowName: name, window });
    if (difference.kind === "update" && !rules.onlyUntouched)
      changes.push({ kind: "updateWindow", windowName: name, window, fields: difference.fields });
  }
  return changes;
}

/** Windows this application brought and no longer names. */
export async function planWindowRemovals(
  port: AppWindows,
  realm: Realm,
  wanted: WindowWiring,
  rules: WindowRules,
): Promise<WindowChange[]> {
  const named = new Set(windowKeys(wanted));
  const changes: WindowChange[] = [];
  for (const key of [...rules.owned].toSorted()) {
    const trigger = triggerOfKey(key);
    if (trigger.kind === "window" && !named.has(key) && (await port.hasWindow(realm, trigger.windowName)))
      changes.push({ kind: "removeWindow", windowName: trigger.windowName });
  }
  return changes;
}

/** Carries out `changes` and stops at the first that fails. */
export async function applyWindows(port: AppWindows, realm: Realm, changes: readonly WindowChange[]): Promise<void> {
  for (const change of changes)
    switch (change.kind) {
      case "createWindow":
        await port.createWindow(realm, change.window);
        break;
      case "updateWindow":
        await port.updateWindow(realm, change.window);
        break;
      case "removeWindow":
        await port.removeWindow(realm, change.windowName);
    }
}

/** All windows of a document, as an application remembers them. */
export function windowKeys({ windows }: WindowWiring): string[] {
  return windows.map(({ name }) => windowKey(name));
}

/** Of changes, the windows that were made. */
export function createdWindowKeys(changes: readonly WindowChange[]): string[] {
  return changes.flatMap(({ kind, windowName }) => (kind === "createWindow" ? [windowKey(windowName)] : []));
}

/** Refuses too many, and what is named twice. */
export function checkWindows({ windows }: WindowWiring): void {
  refuseMany(windows, APP_WINDOWS_MAX, "windows");
  refuseTwice(windows.map(({ name }) => `Window ${name}`));
}
