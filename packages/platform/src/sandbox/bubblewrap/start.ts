import type { ChildProcess } from "node:child_process";
import { Server } from "node:net";
import { readFileSync } from "node:fs";
import type { Readable, Writable } from "node:stream";
import { deferred, invariant, LambentError } from "../../base/index.ts";
import type { Ending } from "../instance-process.ts";
import { adoptListener } from "../network/listeners.ts";
import { INSTANCE_PORTS } from "../network/porter.ts";
import type { Started } from "../spawn.ts";

/** What bubblewrap says of a failed start, kept for the message. */
const START_COMPLAINT_BYTES_MAX = 4_096;
/** bubblewrap's info is one small JSON object. */
const INFO_BYTES_MAX = 4_096;

/** The pipe at `descriptor` of a child, towards it and from it. */
export function pipeOf(child: ChildProcess, descriptor: number): Readable & Writable {
  const stream = child.stdio[descriptor];
  invariant(stream && "read" in stream && "write" in stream, `descriptor ${descriptor} of the child is a pipe`);
  // A child that ends early makes writes fail; its ending says why.
  stream.on("error", () => {});
  return stream as Readable & Writable;
}

/** Writes everything and closes, as bubblewrap expects of what it reads. */
export function feed(child: ChildProcess, descriptor: number, bytes: Uint8Array): void {
  pipeOf(child, descriptor).end(bytes);
}

/** The host's pid of the sandbox's first process, from bubblewrap's info: it arrives in pieces. */
export function firstPid(child: ChildProcess, descriptor: number): Promise<number> {
  const found = deferred<number>();
  let text = "";
  pipeOf(child, descriptor).on("data", (piece: Buffer) => {
    text += piece.toString();
    const pid = /"child-pid":\s*(\d+)/.exec(text)?.[1];
    if (pid !== undefined && text.includes("}")) found.resolve(Number(pid));
    else if (text.length > INFO_BYTES_MAX) found.reject(new LambentError("RuntimeUnavailable", "bubblewrap gave no process id."));
  });
  return found.promise;
}

/** The listeners that the launcher inside hands up, one a port; whatever else comes is ignored. */
export function launchedListeners(child: ChildProcess): Promise<ReadonlyMap<number, Server>> {
  const complete = deferred<ReadonlyMap<number, Server>>();
  const servers = new Map<number, Server>();
  child.on("message", (message: unknown, handle: unknown) => {
    if (!(handle instanceof Server)) return;
    const port = typeof message === "object" && message !== null && "port" in message ? message.port : undefined;
    const expected = INSTANCE_PORTS.find((candidate) => candidate === port);
    if (expected === undefined || servers.has(expected)) return void handle.close();
    servers.set(expected, adoptListener(handle));
    if (servers.size === INSTANCE_PORTS.length) complete.resolve(servers);
  });
  return complete.promise;
}

/** `wanted`, or the failure of a process that ended before it came about. */
export async function orEndedFirst<T>(wanted: Promise<T>, started: Started): Promise<T> {
  wanted.catch(() => {});
  const first = await Promise.race([wanted.then((value) => ({ value })), started.ended.then((ending) => ({ ending }))]);
  if ("value" in first) return first.value;
  const complaint = await firstBytes(started.stderr);
  const { code, signal } = first.ending;
  throw new LambentError("RuntimeUnavailable", `The confined process did not start: ${complaint || `it ended with ${signal ?? code}`}.`);
}

async function firstBytes(stream: Readable): Promise<string> {
  let text = "";
  for await (const piece of stream) {
    text += String(piece);
    if (text.length >= START_COMPLAINT_BYTES_MAX) break;
  }
  return text.slice(0, START_COMPLAINT_BYTES_MAX).trim();
}

/** Signals that bubblewrap, like a shell, reports as 128 + number: an exit code of the same value looks alike. */
const SIGNALS: ReadonlyMap<number, string> = new Map([
  [128 + 4, "SIGILL"],
  [128 + 6, "SIGABRT"],
  [128 + 7, "SIGBUS"],
  [128 + 8, "SIGFPE"],
  [128 + 9, "SIGKILL"],
  [128 + 11, "SIGSEGV"],
  [128 + 15, "SIGTERM"],
  [128 + 31, "SIGSYS"],
]);

export function endingInside(ending: Ending): Ending {
  const name = ending.code === undefined ? undefined : SIGNALS.get(ending.code);
  return name === undefined ? ending : { code: undefined, signal: name };
}

/** The main process: the only child of the sandbox's first one, which bubblewrap keeps for reaping. */
export function mainPid(first: number): number | undefined {
  try {
    const children = readFileSync(`/proc/${first}/task/${first}/children`, "utf8").trim().split(" ");
    return children[0] ? Number(children[0]) : undefined;
  } catch {
    return undefined;
  }
}
