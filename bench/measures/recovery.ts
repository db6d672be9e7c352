import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Sample } from "../support/pair.ts";

const CHILD = fileURLToPath(new URL("../support/recovering.ts", import.meta.url));
export const ITEMS = 1_000_000;
/** Commits on top of the backlog before the process is killed, so that there is something in the write-ahead log. */
const COMMITS_BEFORE_KILL = 200;

export interface Recovery {
  readonly killed: readonly Sample[];
  readonly closed: readonly Sample[];
  readonly raw: readonly Sample[];
  /** MB, of the process that opened the killed store. */
  readonly memory: readonly Sample[];
}

/** What the child says of one opening. */
interface Opening {
  readonly storeMs: number;
  readonly listMs: number;
  readonly leaseMs: number;
  readonly residentMb: number;
}

/**
 * Fills a store once and keeps it as it was closed, and as it was when its process was killed. Each opening is a fresh
 * process on a fresh copy, the order of the three turned around every round.
 */
export async function measureRecovery(rounds: number): Promise<Recovery> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-bench-"));
  try {
    const filled = join(folder, "filled.db");
    const killed = join(folder, "killed.db");
    await ended(start("fill", filled, ITEMS));
    copyStore(filled, killed);
    await killAfter(start("work", killed, 0), COMMITS_BEFORE_KILL);
    const samples = { killed: [] as Sample[], closed: [] as Sample[], raw: [] as Sample[], memory: [] as Sample[] };
    const variants = [
      async () => {
        const opening = await openCopy<Opening>("open", killed, folder);
        const walMb = statSync(`${killed}-wal`).size / 2 ** 20;
        samples.killed.push(sampleOf(opening, { "log MB": walMb }));
        samples.memory.push({ value: opening.residentMb });
      },
      async () => void samples.closed.push(sampleOf(await openCopy<Opening>("open", filled, folder), {})),
      async () => void samples.raw.push({ value: (await openCopy<{ readonly ms: number }>("raw", killed, folder)).ms }),
    ];
    for (let round = 0; round < rounds; round++) for (const variant of round % 2 === 0 ? variants : variants.toReversed()) await variant();
    return samples;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function sampleOf({ storeMs, listMs, leaseMs }: Opening, more: Readonly<Record<string, number>>): Sample {
  return { value: storeMs + listMs + leaseMs, details: { "store ms": storeMs, "list ms": listMs, "first lease ms": leaseMs, ...more } };
}

async function openCopy<T>(role: "open" | "raw", store: string, folder: string): Promise<T> {
  const copy = join(folder, "copy.db");
  for (const suffix of ["", "-wal", "-shm"]) rmSync(copy + suffix, { force: true });
  copyStore(store, copy);
  return JSON.parse(await ended(start(role, copy, 0))) as T;
}

/** Without the shared index: a process that opens alone makes it anew in any case. */
function copyStore(from: string, to: string): void {
  for (const suffix of ["", "-wal"]) if (existsSync(from + suffix)) copyFileSync(from + suffix, to + suffix);
}

function start(role: "fill" | "work" | "open" | "raw", store: string, items: number): ChildProcess {
  return spawn(process.execPath, [CHILD, role, store, String(items)], { stdio: ["ignore", "pipe", "inherit"] });
}

/** What it printed, once it ended well. */
async function ended(child: ChildProcess): Promise<string> {
  let printed = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (printed += text));
  const [code] = (await once(child, "close")) as [number | null];
  if (code !== 0) throw new Error(`a process of the bench ended with ${code}`);
  return printed;
}

async function killAfter(child: ChildProcess, lines: number): Promise<void> {
  let seen = 0;
  const gone = once(child, "close");
  if (child.stdout) for await (const _line of createInterface({ input: child.stdout })) if (++seen === lines) child.kill("SIGKILL");
  await gone;
}
