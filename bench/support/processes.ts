import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";

/** What the kernel says of a process and all it started. Linux only, as what is measured. */

const PAGE_BYTES = 4_096;

/** Ids of `root` and everything below it. */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(statFields(Number(name))[1] ?? -1);
    children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const all = [root];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  return all;
}

/** User and system time of one process, in the kernel's ticks of 10 ms. */
export function cpuMsOf(pid: number): number {
  const fields = statFields(pid);
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
}

/** Proportional set size: pages that several processes share count for each by its share. */
export function pssMbOf(pid: number): number {
  return kilobytes(pid, "Pss") / 1_024;
}

/** Pages that only this process holds. */
export function privateMbOf(pid: number): number {
  return (kilobytes(pid, "Private_Clean") + kilobytes(pid, "Private_Dirty")) / 1_024;
}

/** Resident memory of one process now. Cheap enough to look at many times a second. */
export function residentMbOf(pid: number): number {
  return (Number(read(`/proc/${pid}/statm`).split(" ")[1] ?? 0) * PAGE_BYTES) / 2 ** 20;
}

/** From spawn to the end of a command that must succeed, milliseconds. */
export async function commandMs(program: string, args: readonly string[]): Promise<number> {
  const began = performance.now();
  const child = spawn(program, args, { stdio: "ignore" });
  const [code] = (await once(child, "exit")) as [number | null];
  const ms = performance.now() - began;
  if (code !== 0) throw new TypeError(`${program} ${args.join(" ")} ended with ${code}`);
  return ms;
}

function kilobytes(pid: number, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

/** The fields behind the process's name, which may hold anything: state, parent, … */
function statFields(pid: number): readonly string[] {
  const line = read(`/proc/${pid}/stat`);
  return line.slice(line.lastIndexOf(") ") + 2).split(" ");
}

/** A process may be gone before it is read. */
function read(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return "";
  }
}
