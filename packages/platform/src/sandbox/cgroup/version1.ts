import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "../spawn.ts";
import { keyedNumber, readText, type CgroupTree, type Limits } from "./tree.ts";

/** Controllers an instance is put into. `cpuacct` counts what `cpu` limits, often in the same hierarchy. */
const CONTROLLERS = ["memory", "cpu", "cpuacct", "pids"] as const;
type Controller = (typeof CONTROLLERS)[number];

const PERIOD_US = 100_000;
const SHARES_PER_CPU = 1_024;
const SHARES_MIN = 2;

/** Version 1: one hierarchy a controller, each with a folder `lambent/<server>`. Undefined when the machine has none. */
export function openVersion1(mountInfo: string, serverName: string): CgroupTree | { readonly missing: string } | undefined {
  const mounted = version1Mounts(mountInfo);
  if (!mounted.has("memory")) return undefined;
  const roots: Partial<Record<Controller, string>> = {};
  for (const controller of CONTROLLERS) {
    const mount = mounted.get(controller);
    if (mount === undefined) return { missing: `control groups v1 without the controller ${controller}` };
    roots[controller] = join(mount, "lambent", serverName);
  }
  try {
    for (const root of Object.values(roots)) mkdirSync(root, { recursive: true });
  } catch (error) {
    return { missing: `control groups cannot be made (${messageOf(error)})` };
  }
  return version1Tree(roots as Record<Controller, string>);
}

/** Controller → mount point, from `/proc/self/mountinfo`: `… <mount point> … - cgroup <source> rw,memory`. */
export function version1Mounts(mountInfo: string): Map<string, string> {
  const mounts = new Map<string, string>();
  for (const line of mountInfo.split("\n")) {
    const [place, kind] = line.split(" - ");
    const [type, , options] = kind?.split(" ") ?? [];
    const point = place?.split(" ")[4];
    if (type !== "cgroup" || point === undefined || options === undefined) continue;
    for (const option of options.split(",")) mounts.set(option, point);
  }
  return mounts;
}

function version1Tree(roots: Record<Controller, string>): CgroupTree {
  const path = (controller: Controller, name: string, file: string): string => join(roots[controller], name, file);
  const set = (controller: Controller, name: string, file: string, value: number): void =>
    writeFileSync(path(controller, name, file), String(Math.round(value)));
  return {
    version: "v1",
    folders: [...new Set(Object.values(roots))],
    // Moving one's own single thread needs no lock of the whole machine; `cgroup.procs` does, and waits milliseconds for it.
    selfFile: "tasks",
    limit(name: string, limits: Limits) {
      const memoryBytes = limits.memoryMb * 1024 * 1024;
      set("memory", name, "memory.limit_in_bytes", memoryBytes);
      // After the memory limit, which it may not be below; absent where swap is not accounted.
      if (existsSync(path("memory", name, "memory.memsw.limit_in_bytes"))) set("memory", name, "memory.memsw.limit_in_bytes", memoryBytes);
      set("cpu", name, "cpu.shares", Math.max(SHARES_MIN, limits.cpu.weightOfCpu * SHARES_PER_CPU));
      set("cpu", name, "cpu.cfs_period_us", PERIOD_US);
      set("cpu", name, "cpu.cfs_quota_us", limits.cpu.cpusMax * PERIOD_US);
      set("pids", name, "pids.max", limits.pidsMax);
    },
    usage(name: string) {
      return {
        cpuMs: Number(readText(path("cpuacct", name, "cpuacct.usage"))) / 1e6,
        memoryBytes: Number(readText(path("memory", name, "memory.usage_in_bytes"))),
        memoryPeakBytes: Number(readText(path("memory", name, "memory.max_usage_in_bytes"))),
      };
    },
    outOfMemory: (name: string) => keyedNumber(readText(path("memory", name, "memory.oom_control")), "oom_kill") > 0,
  };
}
