import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
import { LambentError } from "../base/index.ts";

/** A process that listens on a port. */
export interface PortHolder {
  readonly pid: number;
  readonly command: string;
}

const LISTENING = "0A";
/** Processes looked at; more are not expected on a machine a person works on (P7). */
const PROCESSES_MAX = 100_000;

/** Who listens on a TCP port of this machine; undefined where that cannot be told (another user's process, not Linux). */
export function portHolder(port: number): PortHolder | undefined {
  const inodes = new Set([...listeningInodes("/proc/net/tcp", port), ...listeningInodes("/proc/net/tcp6", port)]);
  if (inodes.size === 0) return undefined;
  const pids = namesIn("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .slice(0, PROCESSES_MAX);
  for (const pid of pids) {
    if (namesIn(`/proc/${pid}/fd`).some((descriptor) => inodes.has(socketInode(`/proc/${pid}/fd/${descriptor}`)))) {
      return { pid: Number(pid), command: textOf(`/proc/${pid}/comm`).trim() };
    }
  }
  return undefined;
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
