/** What every long rig does alike: its time box, its voice, its server. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/base/index.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** Time when a rig is started by hand without a box. */
const DEFAULT_MS = 60_000;
/** Part of the box that is kept for stopping and for the last look. */
const CLOSING_PART = 0.1;

export interface Box {
  readonly elapsedMs: () => number;
  readonly hasTime: () => boolean;
  /** At most every ten seconds: how far it came. */
  progress(text: string): void;
}

/** Runs `body` within LAMBENT_RIG_MS and prints what it returns; a fault it throws ends the rig with 1. */
export async function rig(body: (box: Box) => Promise<string>): Promise<void> {
  const began = systemClock.monotonicMs();
  const boxMs = Number(process.env["LAMBENT_RIG_MS"] ?? DEFAULT_MS);
  const elapsedMs = (): number => systemClock.monotonicMs() - began;
  let said = 0;
  const box: Box = {
    elapsedMs,
    hasTime: () => elapsedMs() < boxMs * (1 - CLOSING_PART),
    progress(text) {
      if (elapsedMs() - said < 10_000) return;
      said = elapsedMs();
      process.stdout.write(`  ${Math.round(said / 1_000)} s: ${text}\n`);
    },
  };
  try {
    process.stdout.write(`  held: ${await body(box)} (${Math.round(elapsedMs() / 1_000)} s)\n`);
  } catch (error) {
    process.stdout.write(
      `  fault after ${Math.round(elapsedMs() / 1_000)} s: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}

/** A server that may be killed and started again on the same folder. */
export class RigServer {
  readonly folder: string;
  readonly #args: readonly string[];
  #child: ChildProcess | undefined;
  url = "";
  /** Where clients of Kafka come in; empty where they do not. */
  kafka = "";
  key = { accessKeyId: "", secretAccessKey: "", account: "" };

  private constructor(folder: string, args: readonly string[]) {
    this.folder = folder;
    this.#args = args;
  }

  static async start(...args: readonly string[]): Promise<RigServer> {
    const server = new RigServer(mkdtempSync(join(tmpdir(), "lambent-rig-")), args);
    await server.start();
    return server;
  }

  /** One whose data folder is `folder/data`, with more in its environment. */
  static async startIn(folder: string, environment: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<RigServer> {
    const server = new RigServer(folder, args);
    await server.start(environment);
    return server;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  get data(): string {
    return join(this.folder, "data");
  }

  async start(environment: Readonly<Record<string, string>> = {}): Promise<void> {
    const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
    const child = spawn(process.execPath, [MAIN, "start", "--port", "0", "--data", this.data, ...this.#args], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { PATH, HOME, NODE_COMPILE_CACHE, XDG_RUNTIME_DIR: this.folder, ...environment },
    });
    this.#child = child;
    for await (const line of createInterface({ input: child.stdout })) {
      this.kafka = /^ +Kafka +(\S+)$/.exec(line)?.[1] ?? this.kafka;
      const url = /^lambent ready (\S+)$/.exec(line)?.[1];
      if (url === undefined) continue;
      child.stdout.resume();
      this.url = url;
      this.key = JSON.parse(readFileSync(join(this.data, "root-key"), "utf8")) as RigServer["key"];
      return;
    }
    throw new TypeError("the server ended before it was ready");
  }

  /** As a power cut of the process: nothing is flushed, nobody is told. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Ends it in order and removes its folder. */
  async stop(): Promise<void> {
    await this.#end("SIGTERM");
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #end(signal: "SIGKILL" | "SIGTERM"): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }
}

/** Process ids that have one of the server's slots mounted, or are in one of its groups; without those of `family`. */
export function strays(data: string, group: string, family: ReadonlySet<number>): number[] {
  const mentions = (pid: number): boolean =>
    text(`/proc/${pid}/cgroup`).includes(`/${group}`) || text(`/proc/${pid}/mountinfo`).includes(`${data}/slots`);
  const here = text("/proc/self/mountinfo").includes(`${data}/slots`);
  return pids().filter((pid) => !family.has(pid) && (here ? text(`/proc/${pid}/cgroup`).includes(`/${group}`) : mentions(pid)));
}

/** A process and everything it started. */
export function familyOf(root: number): ReadonlySet<number> {
  const parents = new Map(pids().map((pid) => [pid, Number(text(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")[1] ?? -1)]));
  const family = new Set([root]);
  for (let before = 0; before !== family.size;) {
    before = family.size;
    for (const [pid, parent] of parents) if (family.has(parent)) family.add(pid);
  }
  return family;
}

/** Proportional set size of a process and all it started, MB. */
export function pssMbOf(root: number): number {
  let kilobytes = 0;
  for (const pid of familyOf(root)) kilobytes += Number(/^Pss:\s+(\d+) kB$/m.exec(text(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
  return kilobytes / 1_024;
}

function pids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function text(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
