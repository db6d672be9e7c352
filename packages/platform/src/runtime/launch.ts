import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { timeOrderedId, type Clock, type SecureRandom } from "../base/index.ts";
import type { ConfinedProcess, Environment, NetworkMode, ReadOnlyMount, Sandbox } from "../sandbox/index.ts";
import type { FramedPort } from "./framed-port.ts";

/** A process that speaks frames and has no function yet. */
export interface UnassignedProcess {
  readonly process: ConfinedProcess;
  readonly port: FramedPort;
}

/** What every way to start a process needs. */
export interface LaunchContext {
  readonly sandbox: Sandbox;
  readonly clock: Clock;
  readonly secureRandom: SecureRandom;
  readonly network: NetworkMode;
  readonly nodePath: string;
  /** The folder `node_modules` with the AWS SDK, or undefined without one. */
  readonly sdkTree: string | undefined;
}

/** A process that was launched but runs nothing of the function before its code is in place. */
export interface GatedProcess {
  readonly process: ConfinedProcess;
  /** Lets it run. */
  open(): void;
}

/** Where the bootstraps stand on the host: the folders `node/` and `python/` beside this file. */
export function bootstrapFolder(language: "node" | "python"): string {
  return fileURLToPath(new URL(`./${language}`, import.meta.url));
}

/** Where confined processes see the runtime's own files; `/opt` and `/var` belong to the function. */
export const INSIDE = { node: "/lambent/node", bootstrap: "/lambent/runtime", sdk: "/node_modules" } as const;

/** A folder as the process sees it: at `inside` when it is confined, else where it is. */
export function seenAt(
  sandbox: Sandbox,
  hostFolder: string,
  inside: string,
): { readonly path: string; readonly mounts: readonly ReadOnlyMount[] } {
  if (!sandbox.report.confined) return { path: hostFolder, mounts: [] };
  return { path: inside, mounts: [{ source: hostFolder, target: inside }] };
}

/** The folder with `node`, as the process sees it. */
export function nodeFolder(context: LaunchContext): ReturnType<typeof seenAt> {
  return seenAt(context.sandbox, dirname(context.nodePath), INSIDE.node);
}

/** A fresh instance id: 36 characters, time-ordered. */
export function instanceId(context: LaunchContext): string {
  return timeOrderedId(context.clock, context.secureRandom);
}

export interface LaunchRequest {
  readonly id: string;
  readonly command: Command;
  readonly environment: Environment;
  readonly memoryMb: number;
  readonly tmpMb: number;
  readonly mounts: readonly ReadOnlyMount[];
}

/** Whether a process is started with the debugger of its language open. */
export type Debugging = "on" | "off";

export type Command = readonly [string, ...string[]];

/** A runtime's program and what it needs to see. */
export interface ProgramLine {
  readonly command: Command;
  readonly mounts: readonly ReadOnlyMount[];
  /** Folders with its programs, first in PATH. */
  readonly programFolders: readonly string[];
}

/** Waits for one line on the channel, then becomes the command: a wrapper or `--require` may name files of the code. */
const GATE = 'IFS= read -r go <&3; exec "$@"';

/** Launches a command behind a gate, with its whole environment from the start. */
export async function launchGated(context: LaunchContext, request: LaunchRequest): Promise<GatedProcess> {
  const process = await context.sandbox.launch({
    ...request,
    command: ["/bin/sh", "-c", GATE, "sh", ...request.command],
    network: context.network,
  });
  return { process, open: () => void process.channel.write("\n") };
}
