import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, messageOf } from "../spawn.ts";
import { keyedNumber, readText, type CgroupTree, type Limits } from "./tree.ts";

const CONTROLLERS = ["memory", "cpu", "pids"];
const ENABLE = CONTROLLERS.map((name) => `+${name}`).join(" ");
const PERIOD_US = 100_000;
/** `cpu.weight` of one CPU's worth of memory; the kernel's range is 1 to 10,000. */
const WEIGHT_PER_CPU = 100;

/** Version 2: one tree. The platform needs the controllers handed down to it: as root, or by systemd's `Delegate=yes`. */
export function openVersion2(mountInfo: string, serverName: string): CgroupTree | { readonly missing: string } {
  const mount = version2Mount(mountInfo);
  if (mount === undefined) return { missing: "the machine has no control groups" };
  const available = readText(join(mount, "cgroup.controllers")).trim().split(" ");
  const lacking = CONTROLLERS.filter((name) => !available.includes(name));
  if (lacking.length > 0) return { missing: `control groups v2 without the controllers ${lacking.join(", ")}` };
  let reason = "";
  for (const parent of [mount, join(mount, ownGroup())]) {
    try {
      return version2Tree(makeTree(parent, serverName));
    } catch (error) {
      reason = messageOf(error);
    }
  }
  return { missing: `control groups cannot be made (${reason})` };
}

/** Mount point of the unified tree. */
export function version2Mount(mountInfo: string): string | undefined {
  const line = mountInfo.split("\n").find((candidate) => candidate.includes(" - cgroup2 "));
  return line?.split(" ")[4];
}

/** This process's group, `/` in a container's own view. */
function ownGroup(): string {
  const line = readFileSync("/proc/self/cgroup", "utf8")
    .split("\n")
    .find((candidate) => candidate.startsWith("0::"));
  return line?.slice("0::".length) ?? "/";
}

function makeTree(parent: string, serverName: string): string {
  enableControllers(parent);
  const shared = join(parent, "lambent");
  mkdirSync(shared, { recursive: true });
  enableControllers(shared);
  const root = join(shared, serverName);
  mkdirSync(root, { recursive: true });
  enableControllers(root);
  return root;
}

/** A group with processes of its own cannot hand controllers down (EBUSY): the platform then moves itself into a leaf. */
function enableControllers(group: string): void {
  const file = join(group, "cgroup.subtree_control");
  try {
    writeFileSync(file, ENABLE);
  } catch (error) {
    if (codeOf(error) !== "EBUSY") throw error;
    const leaf = join(group, "lambent-platform");
    mkdirSync(leaf, { recursive: true });
    writeFileSync(join(leaf, "cgroup.procs"), String(process.pid));
    writeFileSync(file, ENABLE);
  }
}

function version2Tree(root: string): CgroupTree {
  const path = (name: string, file: string): string => join(root, name, file);
  const set = (name: string, file: string, value: string): void => writeFileSync(path(name, file), value);
  return {
    version: "v2",
    folders: [root],
    selfFile: "cgroup.procs",
    limit(name: string, limits: Limits) {
      set(name, "memory.max", String(limits.memoryMb * 1024 * 1024));
      set(name, "memory.swap.max", "0");
      // One process over the limit ends the instance: half an instance helps nobody.
      set(name, "memory.oom.group", "1");
      set(name, "cpu.weight", String(Math.min(10_000, Math.max(1, Math.round(limits.cpu.weightOfCpu * WEIGHT_PER_CPU)))));
      set(name, "cpu.max", `${Math.round(limits.cpu.cpusMax * PERIOD_US)} ${PERIOD_US}`);
      set(name, "pids.max", String(limits.pidsMax));
    },
    usage(name: string) {
      return {
        cpuMs: keyedNumber(readText(path(name, "cpu.stat")), "usage_usec") / 1_000,
        memoryBytes: Number(readText(path(name, "memory.current"))),
        memoryPeakBytes: Number(readText(path(name, "memory.peak"))),
      };
    },
    outOfMemory: (name: string) => keyedNumber(readText(path(name, "memory.events")), "oom_kill") > 0,
  };
}
