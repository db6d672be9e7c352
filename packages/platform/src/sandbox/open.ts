import { lstatSync, mkdirSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { LambentError, type Clock } from "../base/index.ts";
import { BubblewrapSandbox } from "./bubblewrap/bubblewrap-sandbox.ts";
import { inspectHost } from "./bubblewrap/host.ts";
import { closeInheritedDescriptors } from "./descriptors.ts";
import { ProcessSandbox } from "./process/process-sandbox.ts";
import type { Sandbox } from "./sandbox.ts";
import { leftoverSlots } from "./slots.ts";

export interface SandboxOptions {
  /** `auto` takes bubblewrap where it works and plain processes elsewhere; `bubblewrap` fails where it does not. */
  readonly wanted: "auto" | "bubblewrap" | "process";
  /** On the file system of the code trees, because code is renamed into it. Made when missing. */
  readonly slotsFolder: string;
  readonly clock: Clock;
  /** Host uids for instances, when the platform is root. Nothing else on the machine may use them. */
  readonly uidRange: { readonly first: number; readonly count: number };
  /** The folder `node_modules` of the pinned AWS SDK: plain processes resolve it from beside their slots. */
  readonly sdkTree: string | undefined;
}

/** Host uids of instances where the configuration names none: behind what Debian gives to people and system services. */
export const UID_RANGE_DEFAULT = { first: 61_200, count: 1_000 } as const;

/**
 * Opens the sandbox: confinement where it was seen to work, by running a process in it, else plain processes with the
 * reason as a remark. Removes first what a server of the same slots folder left behind by a crash.
 *
 * Fails with `SandboxUnavailable` when bubblewrap was asked for and does not work.
 */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  mkdirSync(options.slotsFolder, { recursive: true, mode: 0o755 });
  const slotsFolder = realpathSync(options.slotsFolder);
  const prepared = { ...options, slotsFolder };
  if (process.platform === "linux") closeInheritedDescriptors();
  const sandbox = await choose(prepared);
  linkSdk(slotsFolder, options.sdkTree);
  return sandbox;
}

async function choose(options: SandboxOptions): Promise<Sandbox> {
  const { slotsFolder, clock } = options;
  if (options.wanted === "process") {
    await removeLeftovers(slotsFolder);
    return new ProcessSandbox({ slotsFolder, clock, remarks: ["functions are not confined: plain processes were asked for"] });
  }
  const host = await inspectHost(options);
  await removeLeftovers(slotsFolder);
  let reason = "unusable" in host ? host.unusable : "";
  if (!("unusable" in host)) {
    const sandbox = new BubblewrapSandbox(host);
    const probed = await sandbox.probe();
    if (probed.kind === "works") return sandbox;
    await sandbox.close();
    reason = probed.why;
  }
  if (options.wanted === "bubblewrap") throw new LambentError("SandboxUnavailable", `Functions cannot be confined here: ${reason}.`);
  return new ProcessSandbox({ slotsFolder, clock, remarks: [`functions are NOT confined: ${reason}`] });
}

async function removeLeftovers(slotsFolder: string): Promise<void> {
  await Promise.all(leftoverSlots(slotsFolder).map((folder) => rm(folder, { recursive: true, force: true })));
}

/** `<slots>/node_modules`, found by Node when it looks upward from a slot's code. */
function linkSdk(slotsFolder: string, sdkTree: string | undefined): void {
  const link = join(slotsFolder, "node_modules");
  if (lstatSync(link, { throwIfNoEntry: false })) rmSync(link);
  if (sdkTree !== undefined) symlinkSync(sdkTree, link);
}
