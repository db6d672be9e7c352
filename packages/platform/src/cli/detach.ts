import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../base/index.ts";
import type { CommandContext } from "./command.ts";
import { CommandFailure } from "./errors.ts";
import { isAlive, listRunRecords, runFolderPath } from "./run-folder.ts";

/** A start is a matter of seconds; a large store's recovery, of a minute. What takes longer is stuck. */
const READY_MS_MAX = 120_000;

/** What `lambent start` tells its parent. */
export interface ReadyMessage {
  readonly kind: "ready";
  readonly port: number;
}

/**
 * Starts the server as a process of its own and waits until it says that it is ready. Its output goes to a file in
 * the run-time folder; what it said until then is printed here.
 */
export async function detach(context: CommandContext): Promise<void> {
  const folder = runFolderPath(context.environment);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  removeOldLogs(folder);
  const draft = join(folder, `server-starting-${process.pid}.log`);
  const descriptor = openSync(draft, "w", 0o600);
  const [node = process.execPath, main = "", ...args] = process.argv;
  const child = spawn(node, [...process.execArgv, "--", main, ...args.filter((each) => each !== "-d" && each !== "--detach")], {
    detached: true,
    stdio: ["ignore", descriptor, descriptor, "ipc"],
  });
  closeSync(descriptor);
  const beginning = await awaitReady(child, READY_MS_MAX);
  const said = readFileSync(draft, "utf8").trimEnd();
  if (beginning.kind !== "ready") {
    rmSync(draft);
    throw failure(beginning, said);
  }
  const log = join(folder, `server-${beginning.port}.log`);
  renameSync(draft, log);
  child.unref();
  context.output.note(`  In the background as process ${child.pid ?? 0}; its output goes to ${log}; \`lambent stop\` ends it.`);
  context.output.line(said);
}

type Beginning = ReadyMessage | { readonly kind: "ended"; readonly code: number } | { readonly kind: "tooLate"; readonly afterMs: number };

/** How a child begins; one that is not ready after `msMax` is ended. */
export async function awaitReady(child: ChildProcess, msMax: number): Promise<Beginning> {
  const beginning = Promise.withResolvers<Beginning>();
  child.once("message", (message) => beginning.resolve(message as ReadyMessage));
  child.once("exit", (code) => beginning.resolve({ kind: "ended", code: code ?? 1 }));
  const timer = systemClock.schedule(msMax, () => {
    beginning.resolve({ kind: "tooLate", afterMs: msMax });
    child.kill("SIGKILL");
  });
  try {
    return await beginning.promise;
  } finally {
    timer.cancel();
  }
}

function failure(beginning: Exclude<Beginning, ReadyMessage>, said: string): CommandFailure {
  if (beginning.kind === "tooLate")
    return new CommandFailure(
      "failed",
      `The server was not ready after ${beginning.afterMs / 1_000} s, and was ended.${said ? ` It said: ${said.split("\n")[0]}` : ""}`,
      "Start it without -d to see where it stays.",
    );
  const [first = "", second] = said.split("\n");
  return new CommandFailure(
    "failed",
    first.replace(/^lambent: /u, "") || `The server ended with ${beginning.code}.`,
    second?.trim() ?? "Start it without -d to see all it says.",
  );
}

/** Logs of servers that are gone: who starts the next one is done with them. */
function removeOldLogs(folder: string): void {
  const ports = new Set(
    listRunRecords(folder)
      .filter(({ pid }) => isAlive(pid))
      .map(({ endpoint }) => new URL(endpoint).port),
  );
  for (const name of readdirSync(folder)) {
    const [, port, starting] = /^server-(?:(?:of-)?(\d+)|starting-(\d+))\.log$/u.exec(name) ?? [];
    if ((port !== undefined && !ports.has(port)) || (starting !== undefined && !isAlive(Number(starting))))
      rmSync(join(folder, name), { force: true });
  }
}
