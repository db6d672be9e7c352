import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../packages/platform/src/cli/main.ts", import.meta.url));

/** A real server on a data folder of its own, started by the command people use. */
export interface BenchServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  readonly pid: number;
  readonly dataFolder: string;
  readonly key: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** From spawn to the ready line. */
  readonly readyMs: number;
  /** Runs a command line against this server and returns what it printed. */
  lambent(...args: readonly string[]): string;
  /** CPU time of the server and all it started, milliseconds. */
  cpuMs(): number;
  /** Proportional set size of the server's processes, instances included, MB. */
  pssMb(): number;
  stop(): Promise<void>;
}

/** Starts a server; `dataFolder` is kept when given, else made and removed. */
export async function startBenchServer(
  options: { readonly dataFolder?: string; readonly args?: readonly string[] } = {},
): Promise<BenchServer> {
  const folder = options.dataFolder ?? mkdtempSync(join(tmpdir(), "lambent-bench-"));
  const began = performance.now();
  const child = spawn(process.execPath, [MAIN, "start", "--port", "0", "--data", folder, ...(options.args ?? [])], {
    stdio: ["ignore", "pipe", "inherit"],
    env: environment(),
  });
  const url = await readyUrl(child);
  const readyMs = performance.now() - began;
  const { hostname, port } = new URL(url);
  const pid = child.pid ?? 0;
  const key = JSON.parse(readFileSync(join(folder, "root-key"), "utf8")) as BenchServer["key"];
  return {
    url,
    host: hostname,
    port: Number(port),
    pid,
    dataFolder: folder,
    key,
    readyMs,
    lambent: (...args) => execFileSync(process.execPath, [MAIN, ...args, "--endpoint", url], { encoding: "utf8", env: environment() }),
    cpuMs: () => processTree(pid).reduce((sum, each) => sum + cpuMsOf(each), 0),
    pssMb: () => processTree(pid).reduce((sum, each) => sum + pssMbOf(each), 0),
    async stop() {
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
      if (options.dataFolder === undefined) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function environment(): NodeJS.ProcessEnv {
  return {
    PATH: process.env["PATH"],
    HOME: process.env["HOME"],
    XDG_RUNTIME_DIR: process.env["XDG_RUNTIME_DIR"],
    NODE_COMPILE_CACHE: process.env["NODE_COMPILE_CACHE"],
  };
}

async function readyUrl(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new TypeError("the server has no standard output");
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^lambent ready (\S+)$/.exec(line)?.[1];
    if (url !== undefined) {
      child.stdout.resume();
      return url;
    }
  }
  throw new TypeError("the server ended before it was ready");
}

function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(read(`/proc/${name}/stat`).split(") ")[1]?.split(" ")[1] ?? -1);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const all = [root];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  return all;
}

/** User and system time, in the kernel's ticks of 10 ms. */
function cpuMsOf(pid: number): number {
  const fields = read(`/proc/${pid}/stat`).split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
}

function pssMbOf(pid: number): number {
  return Number(/^Pss:\s+(\d+) kB$/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0) / 1_024;
}

function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
