import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { invariant, isLambentError, systemClock } from "../../src/base/index.ts";
import {
  openSandbox,
  UID_RANGE_DEFAULT,
  type ConfinedProcess,
  type Places,
  type ProcessExit,
  type Sandbox,
} from "../../src/sandbox/index.ts";
import type { Mode, PropertyId, Verdict } from "./expectations.ts";

/**
 * Runs every property of the sandbox's contract in one mode, by real attacks in real instances, and says which held.
 * It is run in a process of its own, so that the same suite serves root and an ordinary user.
 */

type Attack = Readonly<Record<string, unknown>> & { readonly name: string };

interface Finding {
  readonly succeeded: boolean;
  readonly seen: unknown;
}

const SECRET = "correct-horse-battery-staple";
const ATTACKS = join(import.meta.dirname, "attacks.py");
const PYTHON = "/usr/bin/python3";

interface Sizes {
  readonly memoryMb?: number;
  readonly tmpMb?: number;
}

class World {
  readonly sandbox: Sandbox;
  readonly folder: string;
  readonly #start: (id: string, attack: Attack, sizes: Sizes) => Promise<ConfinedProcess>;
  /** Connections answered and streams of instances; their ends are waited for before leaks are counted. */
  readonly #opened: (Socket | Readable)[] = [];
  #count = 0;

  constructor(sandbox: Sandbox, folder: string, start: World["start"]) {
    this.sandbox = sandbox;
    this.folder = folder;
    this.#start = start;
  }

  start(id: string, attack: Attack, sizes: Sizes): Promise<ConfinedProcess> {
    return this.#start(id, attack, sizes);
  }

  /** Answers a connection with one word and closes it. */
  greet(socket: Socket, word: string): void {
    this.#opened.push(socket);
    socket.on("error", () => socket.destroy());
    socket.resume().end(word);
  }

  async quiet(): Promise<void> {
    await Promise.all(this.#opened.filter((stream) => !stream.closed).map((stream) => once(stream.resume(), "close")));
  }

  /** Starts an attack and waits for its first line; undefined when it ended without one. */
  async begin(
    attack: Attack,
    sizes: Sizes = {},
  ): Promise<{ running: ConfinedProcess; finding: Finding | undefined; complaint: () => string }> {
    const running = await this.#start(`a${++this.#count}`, attack, sizes);
    this.#opened.push(running.channel, running.stdout, running.stderr);
    let complaint = "";
    running.stderr.on("data", (piece: Buffer) => (complaint += piece.toString()));
    running.listeners?.api.on("connection", (socket) => this.greet(socket, running.id));
    const lines = createInterface({ input: running.stdout });
    const line = await Promise.race([once(lines, "line"), once(lines, "close")]);
    const text: unknown = line[0];
    return { running, finding: typeof text === "string" ? (JSON.parse(text) as Finding) : undefined, complaint: () => complaint };
  }

  /** Runs an attack to its end. */
  async run(attack: Attack, sizes: Sizes = {}): Promise<{ finding: Finding | undefined; exit: ProcessExit }> {
    const { running, finding, complaint } = await this.begin(attack, sizes);
    const exit = await running.exited;
    invariant(finding !== undefined || attack.name === "memory", `attack ${attack.name} said nothing: ${complaint()}`);
    return { finding, exit };
  }

  async holds(attack: Attack, sizes: Sizes = {}): Promise<boolean> {
    return (await this.run(attack, sizes)).finding?.succeeded === false;
  }
}

/** Verdicts by property, and how many instances ran for them. */
export async function runContract(mode: Mode): Promise<Record<PropertyId, Verdict>> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "lambent-sandbox-")));
  const slotsFolder = join(folder, "slots");
  const options = {
    wanted: mode === "process" ? "process" : "bubblewrap",
    slotsFolder,
    clock: systemClock,
    uidRange: UID_RANGE_DEFAULT,
    sdkTree: undefined,
  } as const;
  // Once for what the runtime itself opens at first use and keeps.
  await (await openSandbox(options)).close();
  const before = traces(slotsFolder);
  const sandbox = await openSandbox(options);
  const world = new World(sandbox, folder, await starter(mode, sandbox));
  const held = { ...(await neighbours(world)), ...(await alone(world)), ...(await limits(world)) };
  const atWork = traces(slotsFolder);
  invariant(sandbox.report.cgroup === "none" || atWork.groups > 0, "the control groups are looked for where they are");
  invariant(sandbox.report.limits.tmp !== "exact" || atWork.loopDevices > 0, "loop devices are looked for where they are");
  await sandbox.close();
  await world.quiet();
  const after = traces(slotsFolder);
  const nothingLeaks = JSON.stringify(after) === JSON.stringify(before);
  invariant(nothingLeaks, `left behind: ${JSON.stringify({ before, after })}`);
  await rm(folder, { recursive: true });
  const all: Record<PropertyId, boolean> = { ...held, nothingLeaks };
  return Object.fromEntries(Object.entries(all).map(([id, is]) => [id, is ? "held" : "not held"])) as Record<PropertyId, Verdict>;
}

async function starter(mode: Mode, sandbox: Sandbox): Promise<World["start"]> {
  const bootstrap = mode === "process" ? ATTACKS : `/lambent/attacks/${basename(ATTACKS)}`;
  const specOf = (id: string, attack: Attack, sizes: Sizes) => ({
    id,
    environment: (places: Places) => ({
      ATTACK: JSON.stringify(attack),
      ATTACK_TMP: places.paths.tmp,
      ATTACK_API: places.listeners?.apiAddress ?? "",
      ATTACK_ID: id,
    }),
    memoryMb: sizes.memoryMb ?? 128,
    tmpMb: sizes.tmpMb ?? 512,
    network: "lambent" as const,
  });
  if (mode === "fork") {
    const zygote = await sandbox.startZygote({ id: "zygote", python: PYTHON, bootstrap: ATTACKS, preload: ["json"] });
    return (id, attack, sizes) => zygote.fork(specOf(id, attack, sizes));
  }
  const mounts = [{ source: dirname(ATTACKS), target: "/lambent/attacks" }];
  return (id, attack, sizes) => sandbox.launch({ ...specOf(id, attack, sizes), command: [PYTHON, bootstrap], mounts });
}

/** Properties that need another instance, the platform, or the host to be attacked. */
async function neighbours(world: World): Promise<Pick<Record<PropertyId, boolean>, Neighbour>> {
  const victim = await world.begin({ name: "wait", secret: SECRET });
  const { running } = victim;
  const slot = join(world.folder, "slots", running.id);
  const tree = join(world.folder, "tree");
  mkdirSync(tree);
  writeFileSync(join(tree, "code.py"), SECRET);
  await running.place(tree, "task");
  const host = await hostTargets(world);
  const main = mainOf(running.pid);
  const others = {
    ownFiles: await world.holds({ name: "other_files", secret: SECRET, paths: [join(slot, "var/task/code.py"), "/var/task/code.py"] }),
    ownEnvironment: await world.holds({ name: "other_environment", secret: SECRET }),
    ownMemory: await world.holds({ name: "other_memory", pid: main }),
    noHostProcesses: await world.holds({ name: "host_processes", pidNamespace: readlinkSync("/proc/self/ns/pid") }),
    noSignals: await world.holds({ name: "signal_others", pid: main, platform: process.pid }),
    noDataFolder: await world.holds({ name: "data_folder", file: host.file, socket: host.socket }),
    noAbstractSockets: await world.holds({ name: "abstract_socket", abstract: host.abstract }),
    noHostLoopback: await world.holds({ name: "host_loopback", port: host.port }),
    noMetadataAddress: await world.holds({ name: "metadata_address", netNamespace: readlinkSync("/proc/self/ns/net") }),
    noOtherListener: await world.holds({ name: "other_listener", address: running.listeners?.apiAddress, owner: running.id }),
    ownPorts: await ownPorts(world),
    ownUid: await ownUid(world, main),
    notRoot: hostUid(main) !== 0 && (await world.holds({ name: "become_root" })),
  };
  for (const server of host.servers) server.close();
  running.stop(0);
  await running.exited;
  return others;
}

type Neighbour =
  | "ownFiles"
  | "ownEnvironment"
  | "ownMemory"
  | "noHostProcesses"
  | "noSignals"
  | "noDataFolder"
  | "noAbstractSockets"
  | "noHostLoopback"
  | "noMetadataAddress"
  | "noOtherListener"
  | "ownPorts"
  | "ownUid"
  | "notRoot";

/** The platform's way in must work in every mode; held is that the host's own loopback is none. */
async function ownPorts(world: World): Promise<boolean> {
  const { running, finding } = await world.begin({ name: "listen_alone" });
  const port = Number(finding?.seen);
  invariant((await wordOf(await running.connect(port))) === "inside", "the platform reaches what the instance listens on");
  await running.connect(1).then(
    () => invariant(false, "a connection to a port nobody listens on fails"),
    (error: unknown) => invariant(isLambentError(error, "InstanceLost"), "and says so"),
  );
  const reached = await new Promise<boolean>((resolve) => {
    const socket = connect({ host: "127.0.0.1", port }, () => resolve(true));
    socket.on("error", () => resolve(false)).resume();
    socket.once("close", () => socket.destroy());
  });
  running.stop(0);
  await running.exited;
  return !reached;
}

async function wordOf(socket: Socket): Promise<string> {
  let word = "";
  for await (const piece of socket) word += String(piece);
  return word;
}

async function ownUid(world: World, victimPid: number): Promise<boolean> {
  const { running } = await world.begin({ name: "wait" });
  const uid = hostUid(mainOf(running.pid));
  running.stop(0);
  await running.exited;
  return uid !== hostUid(victimPid) && uid !== process.getuid?.();
}

/** Properties of one instance by itself. */
async function alone(world: World): Promise<Pick<Record<PropertyId, boolean>, Alone>> {
  const own = await world.begin({ name: "tmp_writable" });
  await own.running.exited;
  return {
    readOnlyRoot: own.finding?.succeeded === true && (await world.holds({ name: "read_only" })),
    noDevices: await world.holds({ name: "devices" }),
    noNewPrivileges: await world.holds({ name: "privileges" }),
    noNamespaces: await world.holds({ name: "namespaces" }),
    noMounts: await world.holds({ name: "mounting" }),
    noKernelInterfaces: await world.holds({ name: "kernel_interfaces" }),
    noMachineSockets: await world.holds({ name: "machine_sockets" }),
    noDescriptors: await world.holds({ name: "descriptors" }),
    exactEnvironment: await world.holds({ name: "environment" }),
    ownListener: await reachesOwnListener(world),
  };
}

type Alone =
  | "readOnlyRoot"
  | "noDevices"
  | "noNewPrivileges"
  | "noNamespaces"
  | "noMounts"
  | "noKernelInterfaces"
  | "noMachineSockets"
  | "noDescriptors"
  | "exactEnvironment"
  | "ownListener";

/** The attack finds address and id in its own environment. */
async function reachesOwnListener(world: World): Promise<boolean> {
  const { finding } = await world.run({ name: "own_listener" });
  return finding?.succeeded === true;
}

async function limits(
  world: World,
): Promise<Pick<Record<PropertyId, boolean>, "memoryLimit" | "processLimit" | "tmpBound" | "stopEndsAll">> {
  const eater = await world.run({ name: "memory", bytes: 200 * 1024 * 1024 });
  return {
    memoryLimit: eater.finding === undefined && eater.exit.outOfMemory && eater.exit.memoryPeakBytes > 100 * 1024 * 1024,
    processLimit: await world.holds({ name: "processes", tries: 1_100 }, { memoryMb: 2_048 }),
    tmpBound: await world.holds({ name: "fill_tmp", bytes: 24 * 1024 * 1024 }, { tmpMb: 16 }),
    stopEndsAll: await stopEndsAll(world),
  };
}

async function stopEndsAll(world: World): Promise<boolean> {
  const name = `lmb-${process.pid}`;
  const { running } = await world.begin({ name: "outlive", daemon: name });
  running.stop(20);
  await running.exited;
  const left = pids().filter((pid) => commandName(pid) === name);
  for (const pid of left) process.kill(pid, "SIGKILL");
  // A survivor holds the pipes until it is gone.
  await Promise.all(
    [running.channel, running.stdout, running.stderr].filter((stream) => !stream.closed).map((stream) => once(stream.resume(), "close")),
  );
  return left.length === 0;
}

interface HostTargets {
  readonly file: string;
  readonly socket: string;
  readonly abstract: string;
  readonly port: number;
  readonly servers: readonly Server[];
}

async function hostTargets(world: World): Promise<HostTargets> {
  const file = join(world.folder, "root-key");
  writeFileSync(file, SECRET, { mode: 0o644 });
  const socket = join(world.folder, "api.sock");
  const abstract = `lambent-contract-${process.pid}`;
  const make = (): Server => createServer((client) => world.greet(client, "host"));
  const servers = [make(), make(), make()] as const;
  servers[0].listen(socket);
  servers[1].listen(`\0${abstract}`);
  servers[2].listen(0, "127.0.0.1");
  await Promise.all(servers.map((server) => once(server, "listening")));
  const address = servers[2].address() as AddressInfo;
  return { file, socket, abstract, port: address.port, servers };
}

/** Behind bubblewrap's first process stands the instance's own. */
function mainOf(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
  return Number(children[0] || pid);
}

function hostUid(pid: number): number {
  return Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
}

function pids(): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function commandName(pid: number): string {
  return text(`/proc/${pid}/comm`).trim();
}

/** What this server could leave on the machine, by its own names: other programs' comings and goings do not count. */
function traces(slotsFolder: string): Readonly<Record<"children" | "mounts" | "loopDevices" | "groups" | "slots" | "descriptors", number>> {
  const server = `s-${createHash("sha256").update(slotsFolder).digest("hex").slice(0, 12)}`;
  const loops = readdirSync("/sys/block").filter((name) => name.startsWith("loop"));
  return {
    children: text(`/proc/${process.pid}/task/${process.pid}/children`).trim().split(" ").filter(Boolean).length,
    mounts: text("/proc/self/mountinfo")
      .split("\n")
      .filter((line) => line.includes(slotsFolder)).length,
    loopDevices: loops.filter((name) => text(`/sys/block/${name}/loop/backing_file`).startsWith(slotsFolder)).length,
    groups: ["memory", "cpu", "cpuacct", "pids"].filter((name) => existsSync(`/sys/fs/cgroup/${name}/lambent/${server}`)).length,
    slots: readdirSync(slotsFolder).length,
    descriptors: readdirSync("/proc/self/fd").length,
  };
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
