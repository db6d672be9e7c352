import { createHash } from "node:crypto";
import { LambentError } from "../base/index.ts";
import type { Realm } from "../model/index.ts";
import type { CurrentFunction, UrlForm } from "./form.ts";
import type { Change, SettingsChange } from "./plan.ts";

/** What an application needs of the functions: joined to `functions/` where the platform is put together. */
export interface AppFunctions {
  /** Undefined when there is no such function. */
  current(realm: Realm, name: string): Promise<CurrentFunction | undefined>;
  /** Resolves when the function can be called. */
  create(realm: Realm, wanted: CurrentFunction, zip: Buffer): Promise<void>;
  updateSettings(realm: Realm, name: string, settings: SettingsChange): Promise<void>;
  updateCode(realm: Realm, name: string, zip: Buffer): Promise<void>;
  /** Creates or changes the address. Without authentication both permissions a public address needs come with it. */
  setUrl(realm: Realm, name: string, url: UrlForm & { readonly kind: "url" }): Promise<void>;
  removeUrl(realm: Realm, name: string): Promise<void>;
  remove(realm: Realm, name: string): Promise<void>;
}

/** Code archives by function name: zips, as they were uploaded. */
export type Archives = ReadonlyMap<string, Buffer>;

/**
 * Refuses, before anything is touched, archives that are missing or are not what the plan says they are.
 */
export function checkArchives(changes: readonly Change[], archives: Archives): void {
  for (const change of changes) {
    const expected =
      change.kind === "createFunction" ? change.wanted.codeSha256 : change.kind === "updateCode" ? change.codeSha256 : undefined;
    if (expected === undefined) continue;
    const zip = archives.get(change.name);
    if (!zip) throw new LambentError("InvalidParameter", `Code of function ${change.name} changed, and its archive is not in the request.`);
    const actual = createHash("sha256").update(zip).digest("base64");
    if (actual !== expected)
      throw new LambentError("InvalidParameter", `CodeSha256 of function ${change.name} is ${expected}; its archive has ${actual}.`);
  }
}

/**
 * Carries out `changes` from first to last and stops at the first that fails: each is a commit of its own, and
 * deploying again continues where this stopped, because the plan is made anew from what is there.
 */
export async function apply(functions: AppFunctions, realm: Realm, changes: readonly Change[], archives: Archives): Promise<void> {
  checkArchives(changes, archives);
  for (const change of changes) await applyOne(functions, realm, change, archives);
}

async function applyOne(functions: AppFunctions, realm: Realm, change: Change, archives: Archives): Promise<void> {
  switch (change.kind) {
    case "createFunction":
      return functions.create(realm, change.wanted, archives.get(change.name) ?? Buffer.alloc(0));
    case "updateCode":
      return functions.updateCode(realm, change.name, archives.get(change.name) ?? Buffer.alloc(0));
    case "updateSettings":
      return functions.updateSettings(realm, change.name, change.settings);
    case "setUrl":
      return functions.setUrl(realm, change.name, change.url);
    case "removeUrl":
      return functions.removeUrl(realm, change.name);
    case "removeFunction":
      return functions.remove(realm, change.name);
  }
}
