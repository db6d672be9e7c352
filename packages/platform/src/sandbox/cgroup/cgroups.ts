import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { delay, type Clock } from "../../base/index.ts";
import { codeOf } from "../spawn.ts";
import { readText, type CgroupTree, type CpuLimit, type GroupUsage, type Limits } from "./tree.ts";
import { openVersion1 } from "./version1.ts";
import { openVersion2 } from "./version2.ts";

/**
 * Limits and meters of instances, over either version of the kernel's control groups.
 * Owns one subtree, `lambent/<server>`, and in it one group an instance; removes each with its instance.
 */
export interface Cgroups {
  readonly version: "v1" | "v2";
  /** Makes the groups of one instance and sets its limits. */
  make(id: string, limits: Limits): Cgroup;
  /** Ends what a crashed server of this data folder left, and removes its groups. */
  sweep(): Promise<void>;
  /** Removes the subtree itself. */
  close(): Promise<void>;
}

export interface Cgroup {
  /** Files into which a process with one thread writes `0` to move itself here. */
  readonly selfFiles: readonly string[];
  usage(): GroupUsage;
  outOfMemory(): boolean;
  /** Call when no process is left in it. */
  remove(): Promise<void>;
}

/** Processes and threads of one instance: AWS allows 1,024. A fork bomb stops here. */
export const INSTANCE_PIDS_MAX = 1_024;

/** AWS gives one CPU at this memory. */
const MEMORY_MB_PER_CPU = 1_769;

/**
 * The share of CPU that goes with an amount of memory. The weight follows AWS's proportion; the hard limit never goes
 * below one CPU, because a quota that is always on would leave the machine idle while a small function waits.
 */
export function cpuLimit(memoryMb: number): CpuLimit {
  const cpus = memoryMb / MEMORY_MB_PER_CPU;
  return { weightOfCpu: cpus, cpusMax: Math.max(1, cpus) };
}

/** Removing a group answers EBUSY until its last task is reaped: tries, and the wait before each further one. */
const REMOVE_TRIES_MAX = 40;
const REMOVE_RETRY_MS = 5;

/** The control groups this process may use; undefined when there are none, with the reason for the report. */
export function openCgroups(serverName: string, clock: Clock): Cgroups | { readonly missing: string } {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8");
  const tree = openVersion1(mounts, serverName) ?? openVersion2(mounts, serverName);
  return "missing" in tree ? tree : new TreeCgroups(tree, clock);
}

class TreeCgroups implements Cgroups {
  readonly version: "v1" | "v2";
  readonly #tree: CgroupTree;
  readonly #clock: Clock;

  constructor(tree: CgroupTree, clock: Clock) {
    this.version = tree.version;
    this.#tree = tree;
    this.#clock = clock;
  }

  make(id: string, limits: Limits): Cgroup {
    const tree = this.#tree;
    const folders = tree.folders.map((folder) => join(folder, id));
    for (const folder of folders) mkdirSync(folder);
    tree.limit(id, limits);
    return {
      selfFiles: folders.map((folder) => join(folder, tree.selfFile)),
      usage: () => tree.usage(id),
      outOfMemory: () => tree.outOfMemory(id),
      remove: async () => {
        await Promise.all(folders.map((folder) => this.#removeGroup(folder)));
      },
    };
  }

  async sweep(): Promise<void> {
    await Promise.all(this.#tree.folders.flatMap((folder) => groupsIn(folder).map((group) => this.#endAndRemove(group))));
  }

  async close(): Promise<void> {
    await this.sweep();
    for (const folder of this.#tree.folders) {
      // The folder above goes with the last server.
      await rmdir(folder)
        .then(() => rmdir(dirname(folder)))
        .catch(() => {});
    }
  }

  async #endAndRemove(group: string): Promise<void> {
    for (const pid of pidsIn(group)) {
      try {
        process.kill(pid, "SIGKILL");
      } catch {
        // Gone in between.
      }
    }
    await this.#removeGroup(group);
  }

  /** A group that stays busy to the last try is left for the next open. */
  async #removeGroup(group: string): Promise<void> {
    for (let tries = 1; tries <= REMOVE_TRIES_MAX; tries++) {
      const failure = await rmdir(group).then(() => undefined, codeOf);
      if (failure !== "EBUSY") return;
      await delay(this.#clock, REMOVE_RETRY_MS);
    }
  }
}

function groupsIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}

function pidsIn(group: string): number[] {
  const text = readText(join(group, "cgroup.procs"));
  return text.split("\n").filter(Boolean).map(Number);
}
