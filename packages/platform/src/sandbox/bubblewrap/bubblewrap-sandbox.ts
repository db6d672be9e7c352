import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { chown, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { invariant } from "../../base/index.ts";
import { cpuLimit, INSTANCE_PIDS_MAX, type Cgroup } from "../cgroup/cgroups.ts";
import { InstanceProcess, type Meter, type StartedProcess } from "../instance-process.ts";
import { closeListeners } from "../network/listeners.ts";
import { Dialer, dialHost } from "../network/dialer.ts";
import { openHostListeners } from "../network/host-listeners.ts";
import { INSTANCE_PORTS, NAMESPACE_ADDRESSES, namespaceListeners, Porter, type InstanceNetwork } from "../network/porter.ts";
import { processMeter } from "../process/process-meter.ts";
import { resolveEnvironment } from "../process/process-sandbox.ts";
import type {
  ConfinedProcess,
  InstanceListeners,
  InstancePaths,
  LaunchSpec,
  Sandbox,
  SandboxReport,
  Zygote,
  ZygoteSpec,
} from "../sandbox.ts";
import { bytesBelow, makeSlot, removeSlot, type Slot } from "../slots.ts";
import { signal, startProcess, type Started } from "../spawn.ts";
import type { TmpImage, TmpImages } from "../tmp/tmp-images.ts";
import { freshZygote } from "../zygote/fresh-zygote.ts";
import { ZygoteProcess } from "../zygote/zygote-process.ts";
import {
  ARGUMENTS_FD,
  BLOCK_FD,
  bubblewrapOptions,
  commandLine,
  encodeOptions,
  ETC_RESOLVER,
  ETC_SHARED,
  INFO_FD,
  LAUNCHER_IPC_FD,
  mountPointsInVar,
  SECCOMP_FD,
  type Layout,
} from "./arguments.ts";
import type { Host } from "./host.ts";
import { probe, type Probed } from "./probe.ts";
import { endingInside, feed, firstPid, launchedListeners, mainPid, orEndedFirst } from "./start.ts";

/** Where the launcher of an ordinary user's sandbox lies inside. */
const LAUNCHER_FOLDER = "/lambent/launch";

const CONFINED_PATHS: InstancePaths = { task: "/var/task", opt: "/opt", tmp: "/tmp" };

/** What a launch and a fork have in common. */
type InstanceSpec = Omit<LaunchSpec, "command" | "mounts">;

/** What an instance holds outside its process; all of it is given back through the stack. */
interface Prepared {
  readonly slot: Slot;
  readonly uid: number | undefined;
  readonly tmp: PreparedTmp;
  readonly cgroup: Cgroup | undefined;
  readonly network: PreparedNetwork;
}

/** `image` where there are any, else a plain folder, whose size is only counted. */
type TmpKind = "image" | "folder";

interface PreparedTmp extends Pick<TmpImage, "folder"> {
  readonly countBytes: ConfinedProcess["tmpBytes"];
}

type PreparedNetwork =
  | { readonly kind: "own" }
  | { readonly kind: "joined"; readonly joined: InstanceNetwork }
  /** Listeners come from the launcher, after the start. */
  | { readonly kind: "launched" }
  | { readonly kind: "host"; readonly listeners: InstanceListeners };

/**
 * Instances confined by bubblewrap: namespaces, read-only root, system-call filter, and as root an own uid, control
 * groups and a bounded `/tmp` (P3). Owns what it makes of these until the instance is gone. Does not decide who may
 * be reached over the network: it hands listeners up, and whoever serves them decides.
 */
export class BubblewrapSandbox implements Sandbox {
  readonly #host: Host;
  #report: SandboxReport;
  /** Undefined where `/tmp` is not bounded by images. */
  #tmpImages: TmpImages | undefined;
  readonly #living = new Set<ConfinedProcess>();
  readonly #zygotes = new Set<ZygoteProcess>();
  #porter: Porter | undefined;

  constructor(host: Host) {
    this.#host = host;
    this.#tmpImages = host.privileges.kind === "root" ? host.privileges.tmpImages : undefined;
    this.#report = reportOf(host, this.#tmpImages, []);
  }

  get report(): SandboxReport {
    return this.#report;
  }

  /** Sees by doing whether confinement works here, and beside it whether images for `/tmp` do: without these their size is accounted. */
  async probe(): Promise<Probed> {
    const [probed, troubleWithImages] = await Promise.all([probe((spec) => this.#launch(spec, "folder")), this.#tmpImages?.prove()]);
    if (troubleWithImages !== undefined) {
      await this.#tmpImages?.close();
      this.#tmpImages = undefined;
      this.#report = reportOf(this.#host, undefined, [`the size of /tmp is accounted, not exact: ${troubleWithImages}`]);
    }
    return probed;
  }

  launch(spec: LaunchSpec): Promise<ConfinedProcess> {
    return this.#launch(spec, "image");
  }

  async #launch(spec: LaunchSpec, tmp: TmpKind): Promise<ConfinedProcess> {
    await using failed = new AsyncDisposableStack();
    const prepared = await this.#prepare(spec, tmp, failed);
    const layout = this.#layout(spec, prepared);
    const started = await this.#start(layout, prepared);
    failed.defer(async () => {
      signal(started.pid, "SIGKILL");
      await started.ended;
    });
    const pid = await orEndedFirst(firstPid(started.child, INFO_FD), started);
    failed.defer(() => signal(pid, "SIGKILL"));
    const launched = prepared.network.kind === "launched" ? launchedListeners(started.child) : undefined;
    // Held until now: a process that ends at once must not be taken for one that never started.
    feed(started.child, BLOCK_FD, Buffer.from("x"));
    const listeners = launched ? namespaceListeners(await orEndedFirst(launched, started)) : listenersOf(prepared.network);
    if (launched && listeners) failed.defer(() => closeListeners(listeners));
    return this.#remember(this.#instance(prepared, started, pid, listeners, failed.move()));
  }

  async startZygote(spec: ZygoteSpec): Promise<Zygote> {
    if (this.#host.privileges.kind === "user") return await freshZygote(spec, (launched) => this.launch(launched));
    const zygote = await ZygoteProcess.start(spec, { seccomp: this.#host.seccomp });
    this.#zygotes.add(zygote);
    void zygote.exited.then(() => this.#zygotes.delete(zygote));
    return { exited: zygote.exited, stop: () => zygote.stop(), fork: (forked) => this.#fork(zygote, forked) };
  }

  async #fork(zygote: ZygoteProcess, spec: InstanceSpec): Promise<ConfinedProcess> {
    await using failed = new AsyncDisposableStack();
    const prepared = await this.#prepare(spec, "image", failed);
    invariant(prepared.uid !== undefined, "a zygote forks only where the platform is root");
    const { slot, cgroup, network, uid } = prepared;
    const forked = await zygote.fork({
      id: spec.id,
      varFolder: slot.varFolder,
      tmpFolder: prepared.tmp.folder,
      root: join(slot.folder, "root"),
      uid,
      cgroupFiles: cgroup?.selfFiles ?? [],
      network: network.kind === "joined" ? network.joined.namespacePath : null,
      hostNetwork: network.kind === "host",
      files: sharedFiles(join(slot.folder, "etc"), network.kind === "host"),
      environment: resolveEnvironment(spec.environment, { listeners: addressesOf(network), paths: CONFINED_PATHS }),
    });
    return this.#remember(this.#instance(prepared, forked, forked.pid, listenersOf(network), failed.move()));
  }

  async close(): Promise<void> {
    const living = [...this.#living];
    for (const running of living) running.stop(0);
    await Promise.all(living.map((running) => running.exited));
    await this.#porter?.close();
    for (const zygote of this.#zygotes) zygote.stop();
    await Promise.all([...this.#zygotes].map((zygote) => zygote.exited));
    const { privileges } = this.#host;
    if (privileges.kind === "user") return;
    await this.#tmpImages?.close();
    await privileges.cgroups?.close();
  }

  /** Makes what must be there before the process; each thing's removal is on the stack as soon as it exists. */
  async #prepare(spec: InstanceSpec, kind: TmpKind, stack: AsyncDisposableStack): Promise<Prepared> {
    const { privileges, slotsFolder } = this.#host;
    const slot = makeSlot(slotsFolder, spec.id);
    stack.defer(() => removeSlot(slot));
    if (privileges.kind === "user") {
      writeUserFiles(slot, privileges.uid);
      return { slot, uid: undefined, tmp: plainTmp(slot), cgroup: undefined, network: await this.#network(spec, stack) };
    }
    const uid = privileges.uids.take();
    stack.defer(() => privileges.uids.give(uid));
    writeUserFiles(slot, uid);
    const cgroup = privileges.cgroups?.make(spec.id, { memoryMb: spec.memoryMb, cpu: cpuLimit(spec.memoryMb), pidsMax: INSTANCE_PIDS_MAX });
    if (cgroup) stack.defer(() => cgroup.remove());
    // Both to their ends, also when one fails: what the other got must be on the stack before that is unwound.
    const [network, tmp] = await Promise.allSettled([this.#network(spec, stack), this.#tmp(spec, kind, { slot, uid, stack })]);
    if (network.status === "rejected") throw network.reason;
    if (tmp.status === "rejected") throw tmp.reason;
    return { slot, uid, tmp: tmp.value, cgroup, network: network.value };
  }

  /** An image where there are loop devices, else a plain folder, whose size is only counted. */
  async #tmp(
    spec: InstanceSpec,
    kind: TmpKind,
    { slot, uid, stack }: { readonly slot: Slot; readonly uid: number; readonly stack: AsyncDisposableStack },
  ): Promise<PreparedTmp> {
    const image = kind === "image" ? await this.#tmpImages?.take(spec.tmpMb, uid) : undefined;
    if (image) {
      stack.defer(() => image.release());
      return { folder: image.folder, countBytes: undefined };
    }
    await chown(slot.tmpFolder, uid, uid);
    return plainTmp(slot);
  }

  async #network(spec: InstanceSpec, stack: AsyncDisposableStack): Promise<PreparedNetwork> {
    if (spec.network === "none") return { kind: "own" };
    if (spec.network === "host") {
      const listeners = await openHostListeners();
      stack.defer(() => closeListeners(listeners));
      return { kind: "host", listeners };
    }
    if (this.#host.privileges.kind === "user") return { kind: "launched" };
    if (!this.#porter?.alive) this.#porter = new Porter(this.#host.python);
    const joined = await this.#porter.take();
    stack.defer(() => {
      closeListeners(joined.listeners);
      joined.release();
    });
    return { kind: "joined", joined };
  }

  #layout(spec: LaunchSpec, prepared: Prepared): Layout {
    const { seccomp, disableUserNamespaces, privileges, python } = this.#host;
    const launched = prepared.network.kind === "launched";
    const launcher = [python, "-I", "-S", "-B", `${LAUNCHER_FOLDER}/launcher.py`, String(LAUNCHER_IPC_FD), INSTANCE_PORTS.join(",")];
    const launcherMount = { source: join(import.meta.dirname, "..", "python"), target: LAUNCHER_FOLDER };
    return {
      hostName: "lambent",
      uid: prepared.uid,
      network: prepared.network.kind === "launched" ? "own" : prepared.network.kind,
      seccomp: seccomp !== undefined,
      disableUserNamespaces: privileges.kind === "user" && disableUserNamespaces,
      varFolder: prepared.slot.varFolder,
      tmpFolder: prepared.tmp.folder,
      etcFolder: join(prepared.slot.folder, "etc"),
      mounts: launched ? [...spec.mounts, launcherMount] : spec.mounts,
      environment: resolveEnvironment(spec.environment, { listeners: addressesOf(prepared.network), paths: CONFINED_PATHS }),
      launcher: launched ? launcher : [],
      command: spec.command,
    };
  }

  async #start(layout: Layout, prepared: Prepared): Promise<Started> {
    // Before there is a process that would wait for them: a refused environment throws here.
    const options = encodeOptions(bubblewrapOptions(layout));
    for (const folder of mountPointsInVar(layout)) await mkdir(folder, { recursive: true, mode: 0o755 });
    const [program, ...rest] = commandLine(layout);
    invariant(program !== undefined, "a command line names a program");
    const joined = prepared.network.kind === "joined" ? ["nsenter", `--net=${prepared.network.joined.namespacePath}`, "--"] : [];
    // As batch work a function that is woken does not interrupt the platform, which is writing the next calls (decisions/0015).
    const [first = program, ...others] = [...joinGroups(prepared.cgroup), ...this.#host.asBatch, ...joined, program, ...rest];
    const started = await startProcess({
      command: [first, ...others],
      cwd: "/",
      // Nothing of the function's reaches these programs: they run outside, as the platform's user.
      environment: { PATH: "/usr/bin:/bin:/usr/sbin:/sbin" },
      moreStdio: prepared.network.kind === "launched" ? ["pipe", "pipe", "pipe", "pipe", "ipc"] : ["pipe", "pipe", "pipe", "pipe"],
    });
    feed(started.child, ARGUMENTS_FD, options);
    feed(started.child, SECCOMP_FD, this.#host.seccomp ?? Buffer.alloc(0));
    return started;
  }

  #instance(
    prepared: Prepared,
    started: StartedProcess,
    pid: number,
    listeners: InstanceListeners | undefined,
    resources: AsyncDisposableStack,
  ): InstanceProcess {
    const dialer = prepared.network.kind === "host" ? undefined : new Dialer(this.#host.python, pid);
    if (dialer) resources.defer(() => dialer.close());
    let over = false;
    const ended = started.ended.then((ending) => {
      over = true;
      return endingInside(ending);
    });
    const kill = (): void => {
      // Behind its end the number may already be another process's.
      if (!over) signal(pid, "SIGKILL");
    };
    return new InstanceProcess(
      {
        pid,
        channel: started.channel,
        stdout: started.stdout,
        stderr: started.stderr,
        listeners,
        paths: CONFINED_PATHS,
        slot: prepared.slot,
        meter: prepared.cgroup ?? lazyMeter(pid),
        connect: (port) => (dialer ? dialer.dial(port) : dialHost(port)),
        tmpBytes: prepared.tmp.countBytes,
        ended,
        terminate: () => {
          if (!over) signal(terminatedPid(pid), "SIGTERM");
        },
        kill,
        dispose: () => resources.disposeAsync(),
      },
      this.#host.clock,
    );
  }

  #remember(running: ConfinedProcess): ConfinedProcess {
    this.#living.add(running);
    void running.exited.then(() => this.#living.delete(running));
    return running;
  }
}

function reportOf({ privileges, remarks }: Host, tmpImages: TmpImages | undefined, moreRemarks: readonly string[]): SandboxReport {
  const cgroups = privileges.kind === "root" ? privileges.cgroups : undefined;
  const limited = cgroups !== undefined;
  return {
    kind: "bubblewrap",
    confined: true,
    ownUid: privileges.kind === "root",
    limits: { memory: limited, cpu: limited, pids: limited, tmp: tmpImages ? "exact" : "accounted" },
    cgroup: cgroups?.version ?? "none",
    remarks: [...remarks, ...moreRemarks],
  };
}

function listenersOf(network: PreparedNetwork): InstanceListeners | undefined {
  switch (network.kind) {
    case "joined":
      return network.joined.listeners;
    case "host":
      return network.listeners;
    case "own":
    case "launched":
      return undefined;
  }
}

function addressesOf(network: PreparedNetwork): typeof NAMESPACE_ADDRESSES | undefined {
  return network.kind === "launched" ? NAMESPACE_ADDRESSES : listenersOf(network);
}

/** Of the host's `/etc`, those that exist: the zygote's child binds them by itself. */
function sharedFiles(etcFolder: string, withResolver: boolean): (readonly [string, string])[] {
  const names = withResolver ? [...ETC_SHARED, ...ETC_RESOLVER] : ETC_SHARED;
  const shared = names.map((name) => [`/etc/${name}`, `/etc/${name}`] as const).filter(([source]) => existsSync(source));
  return [...shared, [join(etcFolder, "passwd"), "/etc/passwd"], [join(etcFolder, "group"), "/etc/group"]];
}

/**
 * A shell that moves itself into the instance's control groups and becomes the rest of the line: moving oneself takes
 * no lock of the whole machine, and what is started is charged from its first page on.
 */
function joinGroups(cgroup: Cgroup | undefined): readonly string[] {
  if (!cgroup) return [];
  const moves = cgroup.selfFiles.map((_, index) => `echo 0 > "$${index + 1}"`);
  return ["/bin/sh", "-e", "-c", `${moves.join("; ")}; shift ${moves.length}; exec "$@"`, "lambent", ...cgroup.selfFiles];
}

function plainTmp(slot: Slot): PreparedTmp {
  return { folder: slot.tmpFolder, countBytes: () => bytesBelow(slot.tmpFolder) };
}

/** So that programs which ask who they are find a name. */
function writeUserFiles(slot: Slot, uid: number): void {
  const folder = join(slot.folder, "etc");
  mkdirSync(folder, { mode: 0o755 });
  writeFileSync(join(folder, "passwd"), `root:x:0:0:root:/:/bin/sh\nlambent:x:${uid}:${uid}:function:/tmp:/bin/sh\n`, { mode: 0o644 });
  writeFileSync(join(folder, "group"), `root:x:0:\nlambent:x:${uid}:\n`, { mode: 0o644 });
}

/** The main process, behind bubblewrap's first one; a fork of the zygote is its own first process. */
const terminatedPid = (first: number): number => mainPid(first) ?? first;

/** Without control groups: the main process alone, which exists only a moment after the first one. */
function lazyMeter(first: number): Meter {
  let meter: Meter | undefined;
  return {
    usage() {
      const main = meter ? undefined : mainPid(first);
      if (main !== undefined) meter = processMeter(main);
      return meter?.usage() ?? { cpuMs: 0, memoryBytes: 0, memoryPeakBytes: 0 };
    },
    outOfMemory: () => false,
  };
}
