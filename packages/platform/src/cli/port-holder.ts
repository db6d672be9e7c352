import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { basename } from "node:path";
import { LambentError } from "../base/index.ts";
import { DEFAULT_ENDPOINT } from "./connection.ts";
import { CommandFailure } from "./errors.ts";
import { listRunRecords, runFolderPath } from "./run-folder.ts";

/** A process that listens on a port. */
export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

const LISTENING = "0A";
/** Processes looked at; more are not expected on a machine a person works on (P7). */
const PROCESSES_MAX = 100_000;
/** Of its command line: enough to know it by. */
const COMMAND_CHARACTERS_MAX = 80;

/** Who listens on a TCP port of this machine; undefined where that cannot be told (another user's process, not Linux). */
export function portHolder(port: number): PortHolder | undefined {
  const inodes = new Set([...listeningInodes("/proc/net/tcp", port), ...listeningInodes("/proc/net/tcp6", port)]);
  if (inodes.size === 0) return undefined;
  const pids = namesIn("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .slice(0, PROCESSES_MAX);
  for (const pid of pids) {
    if (namesIn(`/proc/${pid}/fd`).some((descriptor) => inodes.has(socketInode(`/proc/${pid}/fd/${descriptor}`)))) {
      return { pid: Number(pid), command: commandOf(pid) };
    }
  }
  return undefined;
}

/** Program and first arguments, or the short name of a process that shows none. */
function commandOf(pid: string): string {
  const [program = "", ...args] = textOf(`/proc/${pid}/cmdline`)
    .split("\0")
    .filter((word) => word !== "");
  const words = [basename(program), ...args].join(" ");
  if (words === "") return textOf(`/proc/${pid}/comm`).trim();
  return words.length > COMMAND_CHARACTERS_MAX ? `${words.slice(0, COMMAND_CHARACTERS_MAX)}…` : words;
}

/** What to tell who wanted a port that is taken: who holds it, and for a Lambent how it is ended. */
export function takenPort(port: number, environment: NodeJS.ProcessEnv, option = "--port"): CommandFailure {
  const holder = portHolder(port);
  const record = holder && listRunRecords(runFolderPath(environment)).find(({ pid }) => pid === holder.pid);
  if (record)
    return new CommandFailure(
      "failed",
      `Port ${port} is held by process ${record.pid}, a Lambent with ${record.dataFolder ? `its data in ${record.dataFolder}` : "all in memory"}.`,
      `\`lambent stop${record.endpoint === DEFAULT_ENDPOINT ? "" : ` --endpoint ${record.endpoint}`}\` ends it; ${option} 0 picks a free one for a second.`,
    );
  const by = holder ? `held by process ${holder.pid} (${holder.command})` : "in use by a process that this user cannot see";
  return new CommandFailure("failed", `Port ${port} is ${by}.`, `Stop its holder, or choose another ${option}; 0 picks a free one.`);
}

/** Throws `PortTaken` when nobody can listen there, before anything else of a server is started. Other troubles are the listener's to tell. */
export function refuseTakenPort(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? reject(new LambentError("PortTaken", `Port ${port} of ${host} is in use.`)) : resolve(),
    );
    probe.listen({ host, port }, () => probe.close(() => resolve()));
  });
}

function listeningInodes(table: string, port: number): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = textOf(table)
    .split("\n")
    .slice(1)
    .map((row) => row.trim().split(/\s+/u));
  return rows.flatMap((cells) => (cells[1]?.endsWith(wanted) && cells[3] === LISTENING && cells[9] ? [cells[9]] : []));
}

function socketInode(path: string): string {
  try {
    return /^socket:\[(\d+)\]$/u.exec(readlinkSync(path))?.[1] ?? "";
  } catch {
    return "";
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
