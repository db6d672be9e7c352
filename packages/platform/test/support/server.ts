/**
 * A real server for a whole test file: the command people use, a data folder of its own, functions confined where the
 * machine can. `stop` sees to it that nothing is left of it: no process, mount, loop device or cgroup.
 */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { systemClock } from "../../src/base/index.ts";

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** The banner and the first pool take well under a second; a loaded machine may need longer. */
const READY_MS_MAX = 60_000;
/** The kernel frees a loop device when its last mount, in whatever namespace, is gone. */
const DEVICES_FREE_MS_MAX = 10_000;

export interface RealServer {
  readonly url: string;
  readonly pid: number;
  /** Whether functions are confined here, as the server's banner says. */
  readonly confined: boolean;
  readonly key: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly account: string };
  /** Environment of a client's process: this server's endpoint and key, nothing of the developer's own AWS settings. */
  readonly clientEnvironment: Readonly<Record<string, string>>;
  /** Ends it as Ctrl-C does, and starts it again on the same folder and port. */
  restart(): Promise<void>;
  /** Ends it as a power cut does, and starts it again on the same folder and port. */
  restartAfterKill(): Promise<void>;
  /** Ends it, removes its folders, and fails when something of it is left. */
  stop(): Promise<void>;
}

/** `LAMBENT_TEST_SANDBOX=process` runs the tests with plain processes, as on a machine without bubblewrap. */
const SANDBOX = process.env["LAMBENT_TEST_SANDBOX"];

/** Starts a server on a free port; `asked` are further options of `start`. */
export async function startServer(...asked: readonly string[]): Promise<RealServer> {
  const args = SANDBOX === undefined ? asked : ["--sandbox", SANDBOX, ...asked];
  const folder = mkdtempSync(join(tmpdir(), "lambent-server-"));
  const data = join(folder, "data");
  const environment = cleanEnvironment(folder);
  const start = (port: string): Promise<Started> =>
    startOnce(["start", "--port", port, "--data", data, ...args], environment).catch((error: unknown) => {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    });
  let running = await start("0");
  if (!running.confined && !args.includes("--sandbox")) await insistOnConfinement(running);
  const { url } = running;
  const key = JSON.parse(readFileSync(join(data, "root-key"), "utf8")) as RealServer["key"];
  return {
    url,
    key,
    confined: running.confined,
    get pid() {
      return running.pid;
    },
    clientEnvironment: {
      ...environment,
      AWS_ENDPOINT_URL: url,
      AWS_REGION: "us-east-1",
      AWS_DEFAULT_REGION: "us-east-1",
      AWS_ACCESS_KEY_ID: key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey,
      AWS_CONFIG_FILE: "/dev/null",
      AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_PAGER: "",
    },
    async restart() {
      await endOnce(running, data);
      running = await start(new URL(url).port);
    },
    async restartAfterKill() {
      await running.kill();
      running = await start(new URL(url).port);
    },
    async stop() {
      await endOnce(running, data);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A machine where bubblewrap works confines functions; where it does not, the tests run with plain processes. */
async function insistOnConfinement(running: Started): Promise<void> {
  const tried = spawnSync("bwrap", ["--ro-bind", "/", "/", "--unshare-all", "true"], { stdio: "ignore" });
  if (tried.status !== 0) return;
  await running.end();
  assert.fail(`bubblewrap works here and functions are not confined:\n${running.printed()}`);
}

interface Started {
  readonly url: string;
  readonly pid: number;
  readonly confined: boolean;
  /** SIGTERM; the exit code. */
  end(): Promise<number | null>;
  /** SIGKILL. */
  kill(): Promise<void>;
  readonly printed: () => string;
}

/** The developer's own AWS and Lambent settings must not reach a test. */
function cleanEnvironment(folder: string): Record<string, string> {
  const inherited = Object.entries(process.env).filter(([name]) => !/^(AWS_|LAMBENT_|NODE_TEST_CONTEXT|NODE_OPTIONS)/u.test(name));
  return { ...(Object.fromEntries(inherited) as Record<string, string>), XDG_RUNTIME_DIR: folder };
}

async function startOnce(args: readonly string[], environment: NodeJS.ProcessEnv): Promise<Started> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  // A test file that ends without its `after` takes its server with it.
  const abandon = (): void => void child.kill("SIGTERM");
  process.once("exit", abandon);
  child.once("exit", () => process.off("exit", abandon));
  let printed = "";
  const url = await new Promise<string>((resolve, reject) => {
    const tooLong = setTimeout(function giveUp() {
      child.kill("SIGKILL");
      reject(new assert.AssertionError({ message: `the server was not ready in ${READY_MS_MAX} ms:\n${printed}` }));
    }, READY_MS_MAX);
    const hear = (text: string): void => {
      printed += text;
      const ready = /^lambent ready (http:\S+)$/mu.exec(printed)?.[1];
      if (ready === undefined) return;
      clearTimeout(tooLong);
      resolve(ready);
    };
    child.stdout.setEncoding("utf8").on("data", hear);
    child.stderr.setEncoding("utf8").on("data", hear);
    child.once("exit", (code) => {
      clearTimeout(tooLong);
      reject(new assert.AssertionError({ message: `the server ended with ${code} before it was ready:\n${printed}` }));
    });
  });
  return {
    url,
    pid: child.pid ?? 0,
    confined: /functions confined by/u.test(printed),
    printed: () => printed,
    async kill() {
      const ended = once(child, "close");
      child.kill("SIGKILL");
      await ended;
    },
    async end() {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
      const ended = once(child, "close") as Promise<[number | null]>;
      child.kill("SIGTERM");
      return (await ended)[0];
    },
  };
}

/** An orderly end, and nothing left behind. */
async function endOnce(running: Started, data: string): Promise<void> {
  const family = descendants(running.pid);
  const code = await running.end();
  assert.equal(code, 0, `the server ended with ${code}:\n${running.printed()}`);
  let left = remains(data, family);
  // A namespace that another server made meanwhile holds copies of the mounts until it has pivoted; the kernel then lets the devices go.
  const until = systemClock.monotonicMs() + DEVICES_FREE_MS_MAX;
  while (left.loopDevices.length > 0 && systemClock.monotonicMs() < until) {
    await new Promise<void>((resolve) => systemClock.schedule(50, resolve));
    left = { ...left, loopDevices: remains(data, family).loopDevices };
  }
  assert.deepEqual(left, { processes: [], mounts: [], loopDevices: [], groups: [] });
}

/** What is left of a server that has ended, by its own names: other servers' things do not count. */
function remains(data: string, family: readonly Identity[]) {
  const slots = join(data, "slots");
  const group = `s-${createHash("sha256").update(slots).digest("hex").slice(0, 12)}`;
  const loops = readdirSync("/sys/block").filter((name) => name.startsWith("loop"));
  const survivors = family.filter(({ pid, startedAt }) => identityOf(pid)?.startedAt === startedAt).map(({ pid }) => pid);
  const strays = pids().filter((pid) => mentions(pid, slots, group));
  return {
    processes: [...new Set([...survivors, ...strays])].map((pid) => `${pid} ${text(`/proc/${pid}/cmdline`).replaceAll("\0", " ")}`),
    mounts: text("/proc/self/mountinfo")
      .split("\n")
      .filter((line) => line.includes(data)),
    loopDevices: loops.filter((name) => text(`/sys/block/${name}/loop/backing_file`).startsWith(data)),
    groups: foldersNamed("/sys/fs/cgroup", group, 4),
  };
}

/** True for a process in one of the server's groups, or with one of its slots mounted: its own and those that ran away. */
function mentions(pid: number, slots: string, group: string): boolean {
  return text(`/proc/${pid}/cgroup`).includes(`/${group}`) || text(`/proc/${pid}/mountinfo`).includes(slots);
}

interface Identity {
  readonly pid: number;
  /** In the kernel's ticks: tells a process from a later one of the same id. */
  readonly startedAt: string;
  readonly parent: number;
}

function identityOf(pid: number): Identity | undefined {
  const fields = text(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ") ?? [];
  if (fields.length < 20 || fields[0] === "Z") return undefined;
  return { pid, parent: Number(fields[1]), startedAt: fields[19] ?? "" };
}

function descendants(root: number): Identity[] {
  const all = pids().flatMap((pid) => identityOf(pid) ?? []);
  const family = new Set([root]);
  // Parents have smaller ids only until ids wrap around: go over the list until nothing is added.
  for (let before = 0; before !== family.size;) {
    before = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all.filter(({ pid }) => family.has(pid));
}

function pids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/u.test(name))
    .map(Number);
}

function foldersNamed(folder: string, name: string, depth: number): string[] {
  if (depth === 0) return [];
  return folders(folder).flatMap((child) => {
    const path = join(folder, child);
    return child === name ? [path] : foldersNamed(path, name, depth - 1);
  });
}

function folders(path: string): string[] {
  try {
    return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
  } catch {
    return [];
  }
}

/** A file that may be gone, or not ours to read. */
function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
