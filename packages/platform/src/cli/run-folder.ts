import { lstatSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { LambentError } from "../base/index.ts";

/**
 * The user's run-time folder: one file per running server, with the key that its commands sign with.
 * Readable by its owner alone (0600 in a 0700 folder); a folder somebody else could write is not used.
 */

export interface RunRecord {
  readonly endpoint: string;
  readonly pid: number;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Undefined with `--memory`. */
  readonly dataFolder: string | undefined;
}

/** `$XDG_RUNTIME_DIR/lambent`, else `/tmp/lambent-<uid>`. */
export function runFolderPath(environment: NodeJS.ProcessEnv): string {
  const runtime = environment["XDG_RUNTIME_DIR"];
  return runtime ? join(runtime, "lambent") : `/tmp/lambent-${process.getuid?.() ?? 0}`;
}

/** Leaves `record` for its endpoint: written beside and renamed, so that nobody reads half of it. */
export function leaveRunRecord(folder: string, record: RunRecord): string {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  refuseForeignFolder(folder);
  const path = recordPath(folder, record.endpoint);
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, `${JSON.stringify(record)}\n`, { mode: 0o600 });
  renameSync(beside, path);
  return path;
}

/** The record left for `endpoint`, if any; refuses a folder that is not this user's alone. */
export function readRunRecord(folder: string, endpoint: string): RunRecord | undefined {
  const path = recordPath(folder, endpoint);
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  refuseForeignFolder(folder);
  return parseRecord(text);
}

/** Every record of this user, also of servers that ended without removing theirs. */
export function listRunRecords(folder: string): RunRecord[] {
  const names = lstatSync(folder, { throwIfNoEntry: false }) ? readdirSync(folder).filter((name) => name.endsWith(".json")) : [];
  if (names.length > 0) refuseForeignFolder(folder);
  return names.flatMap((name) => parseRecord(readIfThere(join(folder, name)) ?? "") ?? []);
}

/** Removes what process `pid` left for `endpoint`; another may have taken the address over meanwhile. */
export function removeRunRecord(folder: string, endpoint: string, pid: number): void {
  if (readRunRecord(folder, endpoint)?.pid === pid) rmSync(recordPath(folder, endpoint), { force: true });
}

/** True while a process of that id lives. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The file of an endpoint. Loopback's names are one place: a server on 127.0.0.1 is found by `localhost` too. */
export function recordPath(folder: string, endpoint: string): string {
  const url = new URL(endpoint);
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const loopback = /^(localhost|127(\.\d+){3}|\[::1\]|0\.0\.0\.0)$/u.test(url.hostname);
  return join(folder, `${loopback ? "loopback" : url.hostname.replaceAll(/[^a-z0-9.-]/giu, "_")}-${port}.json`);
}

function refuseForeignFolder(folder: string): void {
  const found = lstatSync(folder);
  const own = found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid());
  if (own && (found.mode & 0o077) === 0) return;
  const why = own ? `its mode is ${(found.mode & 0o777).toString(8)}, not 700` : "it is not a folder of this user";
  throw new LambentError("DataFolderUnusable", `The run-time folder ${folder} is not used: ${why}.`);
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new LambentError("DataFolderUnusable", `${path} cannot be read: ${(error as Error).message}`);
  }
}

function parseRecord(text: string): RunRecord | undefined {
  try {
    const value = JSON.parse(text) as Partial<RunRecord>;
    const complete = typeof value.endpoint === "string" && typeof value.pid === "number" && typeof value.accessKeyId === "string";
    return complete && typeof value.secretAccessKey === "string" ? (value as RunRecord) : undefined;
  } catch {
    return undefined;
  }
}
