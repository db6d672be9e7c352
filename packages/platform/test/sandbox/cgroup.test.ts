import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { cpuLimit } from "../../src/sandbox/cgroup/cgroups.ts";
import { version1Mounts } from "../../src/sandbox/cgroup/version1.ts";
import { openVersion2, version2Mount } from "../../src/sandbox/cgroup/version2.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const MOUNTS = `24 1 0:22 / /sys rw - sysfs sysfs rw
30 24 0:26 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct
32 24 0:28 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw
`;

test("version 1: controllers are found where they are mounted, also two in one hierarchy", () => {
  const mounts = version1Mounts(MOUNTS);
  assert.equal(mounts.get("memory"), "/sys/fs/cgroup/memory");
  assert.equal(mounts.get("cpuacct"), "/sys/fs/cgroup/cpu,cpuacct");
  assert.equal(mounts.has("pids"), false);
});

test("version 2: its mount is told from version 1's", () => {
  assert.equal(version2Mount(MOUNTS), "/sys/fs/cgroup/unified");
  assert.equal(version2Mount("30 24 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"), undefined);
});

test("version 2: a tree without the memory controller is not used, and the reason names it", (context) => {
  const mount = temporaryFolder(context);
  writeFileSync(join(mount, "cgroup.controllers"), "hugetlb pids\n");
  const opened = openVersion2(`32 24 0:28 / ${mount} rw - cgroup2 cgroup2 rw\n`, "s-test");
  assert.match("missing" in opened ? opened.missing : "", /without the controllers memory, cpu/);
});

/** The kernel's side is not run here (these machines have version 1): this holds only what is written where. */
test("version 2: limits are written to its files and counters read from them", (context) => {
  const mount = temporaryFolder(context);
  writeFileSync(join(mount, "cgroup.controllers"), "cpuset cpu io memory pids\n");
  const tree = openVersion2(`32 24 0:28 / ${mount} rw - cgroup2 cgroup2 rw\n`, "s-test");
  assert.ok(!("missing" in tree));
  const folder = join(mount, "lambent/s-test/one");
  mkdirSync(folder);
  tree.limit("one", { memoryMb: 128, cpu: cpuLimit(128), pidsMax: 1_024 });
  const written = (file: string): string => readFileSync(join(folder, file), "utf8");
  assert.deepEqual(["memory.max", "memory.swap.max", "memory.oom.group", "cpu.weight", "cpu.max", "pids.max"].map(written), [
    "134217728",
    "0",
    "1",
    "7",
    "100000 100000",
    "1024",
  ]);
  assert.equal(readFileSync(join(mount, "lambent/cgroup.subtree_control"), "utf8"), "+memory +cpu +pids");
  writeFileSync(join(folder, "cpu.stat"), "usage_usec 2500\nuser_usec 2000\n");
  writeFileSync(join(folder, "memory.current"), "4096\n");
  writeFileSync(join(folder, "memory.peak"), "8192\n");
  writeFileSync(join(folder, "memory.events"), "oom 1\noom_kill 1\n");
  assert.deepEqual(tree.usage("one"), { cpuMs: 2.5, memoryBytes: 4_096, memoryPeakBytes: 8_192 });
  assert.equal(tree.outOfMemory("one"), true);
});

test("CPU follows memory as on AWS, and a small function may still use one whole idle CPU", () => {
  assert.deepEqual(cpuLimit(1_769), { weightOfCpu: 1, cpusMax: 1 });
  assert.equal(cpuLimit(128).cpusMax, 1);
  assert.ok(Math.abs(cpuLimit(3_538).cpusMax - 2) < 1e-9);
  assert.ok(cpuLimit(128).weightOfCpu < cpuLimit(256).weightOfCpu);
});
