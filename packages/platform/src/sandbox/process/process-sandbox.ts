import { join } from "node:path";
import type { Clock } from "../../base/index.ts";
import { InstanceProcess, type Anatomy, type StartedProcess } from "../instance-process.ts";
import { closeListeners } from "../network/listeners.ts";
import { dialHost } from "../network/dialer.ts";
import { openHostListeners } from "../network/host-listeners.ts";
import type {
  ConfinedProcess,
  Environment,
  InstanceListeners,
  InstancePaths,
  LaunchSpec,
  Places,
  Sandbox,
  SandboxReport,
  Zygote,
  ZygoteSpec,
} from "../sandbox.ts";
import { bytesBelow, makeSlot, removeSlot, type Slot } from "../slots.ts";
import { signal, startProcess } from "../spawn.ts";
import { ZygoteProcess } from "../zygote/zygote-process.ts";
import { processMeter } from "./process-meter.ts";

/**
 * Plain processes: for machines where confinement does not work, on loopback only unless asked.
 *
 * Owns a process group and a slot per instance. Keeps the interface (descriptor 3, listeners, code renamed into
 * place, exact environment) but confines nothing: no limits, no namespaces, the platform's own user. A process that
 * makes itself a session of its own outlives its instance. Mounts are not made: the caller uses host paths.
 */
export class ProcessSandbox implements Sandbox {
  readonly report: SandboxReport;
  readonly #slotsFolder: string;
  readonly #clock: Clock;
  readonly #living = new Set<ConfinedProcess>();
  readonly #zygotes = new Set<ZygoteProcess>();

  constructor(options: { readonly slotsFolder: string; readonly clock: Clock; readonly remarks: readonly string[] }) {
    this.#slotsFolder = options.slotsFolder;
    this.#clock = options.clock;
    this.report = {
      kind: "process",
      confined: false,
      ownUid: false,
      limits: { memory: false, cpu: false, pids: false, tmp: "accounted" },
      cgroup: "none",
      remarks: options.remarks,
    };
  }

  async launch(spec: LaunchSpec): Promise<ConfinedProcess> {
    await using failed = new AsyncDisposableStack();
    const { slot, listeners } = await this.#prepare(spec, failed);
    const environment = resolveEnvironment(spec.environment, { listeners, paths: hostPaths(slot) });
    const started = await startProcess({ command: spec.command, cwd: slot.varFolder, environment, moreStdio: [] });
    return this.#remember(this.#instance(slot, started, listeners, failed.move()));
  }

  async startZygote(spec: ZygoteSpec): Promise<Zygote> {
    const zygote = await ZygoteProcess.start(spec, undefined);
    this.#zygotes.add(zygote);
    void zygote.exited.then(() => this.#zygotes.delete(zygote));
    return { exited: zygote.exited, stop: () => zygote.stop(), fork: (forked) => this.#fork(zygote, forked) };
  }

  async close(): Promise<void> {
    const living = [...this.#living];
    for (const running of living) running.stop(0);
    await Promise.all(living.map((running) => running.exited));
    for (const zygote of this.#zygotes) zygote.stop();
    await Promise.all([...this.#zygotes].map((zygote) => zygote.exited));
  }

  async #fork(zygote: ZygoteProcess, spec: Omit<LaunchSpec, "command" | "mounts">): Promise<ConfinedProcess> {
    await using failed = new AsyncDisposableStack();
    const { slot, listeners } = await this.#prepare(spec, failed);
    const environment = resolveEnvironment(spec.environment, { listeners, paths: hostPaths(slot) });
    const forked = await zygote.fork({
      id: spec.id,
      varFolder: slot.varFolder,
      tmpFolder: slot.tmpFolder,
      root: slot.folder,
      uid: 0,
      cgroupFiles: [],
      network: null,
      hostNetwork: true,
      files: [],
      environment,
    });
    return this.#remember(this.#instance(slot, forked, listeners, failed.move()));
  }

  async #prepare(
    spec: Omit<LaunchSpec, "command" | "mounts">,
    stack: AsyncDisposableStack,
  ): Promise<{ slot: Slot; listeners: InstanceListeners | undefined }> {
    const slot = makeSlot(this.#slotsFolder, spec.id);
    stack.defer(() => removeSlot(slot));
    const listeners = spec.network === "none" ? undefined : await openHostListeners();
    if (listeners) stack.defer(() => closeListeners(listeners));
    return { slot, listeners };
  }

  #instance(
    slot: Slot,
    started: StartedProcess,
    listeners: InstanceListeners | undefined,
    resources: AsyncDisposableStack,
  ): InstanceProcess {
    const { pid, channel, stdout, stderr, ended } = started;
    const anatomy: Anatomy = {
      ...{ pid, channel, stdout, stderr, ended, listeners, paths: hostPaths(slot), slot },
      meter: processMeter(pid),
      connect: dialHost,
      tmpBytes: () => bytesBelow(slot.tmpFolder),
      terminate: () => signal(pid, "SIGTERM"),
      // The group outlives its leader while others are in it.
      kill: () => signal(-pid, "SIGKILL"),
      dispose: () => resources.disposeAsync(),
    };
    return new InstanceProcess(anatomy, this.#clock);
  }

  #remember(running: ConfinedProcess): ConfinedProcess {
    this.#living.add(running);
    void running.exited.then(() => this.#living.delete(running));
    return running;
  }
}

/** Paths of an instance that sees the host's files. */
export function hostPaths(slot: Slot): InstancePaths {
  return { task: join(slot.varFolder, "task"), opt: join(slot.varFolder, "opt"), tmp: slot.tmpFolder };
}

export function resolveEnvironment(environment: Environment, places: Places): Readonly<Record<string, string>> {
  return typeof environment === "function" ? environment(places) : environment;
}
