import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { invariant, LambentError } from "../base/index.ts";
import type { Ending } from "./instance-process.ts";

/** A started child with the streams every instance has. */
export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly channel: Socket;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly ended: Promise<Ending>;
}

export interface SpawnRequest {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Descriptors behind stdin (closed), stdout, stderr and 3, the frame channel. */
  readonly moreStdio: readonly ("pipe" | "ipc")[];
}

/**
 * Starts a process with nothing inherited, in a session of its own: a Ctrl-C in the platform's terminal is the platform's
 * alone, which lets the calls that run finish. Throws `RuntimeUnavailable` when the program cannot be executed.
 */
export async function startProcess(request: SpawnRequest): Promise<Started> {
  const [program, ...rest] = request.command;
  const stdio: StdioOptions = ["ignore", "pipe", "pipe", "pipe", ...request.moreStdio];
  const child = spawn(program, rest, { cwd: request.cwd, env: { ...request.environment }, detached: true, stdio });
  const ended = endingOf(child);
  await once(child, "spawn").catch((error: unknown) => {
    throw new LambentError("RuntimeUnavailable", `${program} cannot be started: ${messageOf(error)}`);
  });
  const { pid, stdout, stderr } = child;
  const channel = child.stdio[3];
  invariant(pid !== undefined && stdout && stderr && channel instanceof Socket, "a spawned child has its pipes");
  return { child, pid, channel, stdout, stderr, ended };
}

/** Resolves when the child was reaped. */
export function endingOf(child: ChildProcess): Promise<Ending> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code: code ?? undefined, signal: signal ?? undefined }));
  });
}

/** Sends a signal to a process, or with a negative pid to its group; one that is gone already is not an error. */
export function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (codeOf(error) !== "ESRCH") throw error;
  }
}

/** `ENOENT` and its like, when `error` comes from a system call. */
export function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
