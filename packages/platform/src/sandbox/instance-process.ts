import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { deferred, type Clock, type Timer } from "../base/index.ts";
import type { ConfinedProcess, InstanceListeners, InstancePaths, ProcessExit } from "./sandbox.ts";
import { placeTree, type Slot } from "./slots.ts";

/** How a main process ended, as the operating system says it. */
export interface Ending {
  readonly code: number | undefined;
  readonly signal: string | undefined;
}

/** What an instance used so far, read where the mode can read it. */
export interface Meter {
  usage(): { readonly cpuMs: number; readonly memoryBytes: number; readonly memoryPeakBytes: number };
  /** True when the kernel killed a process of the instance for its memory limit. */
  outOfMemory(): boolean;
}

/** The part of an instance that differs between the modes; `InstanceProcess` is what they share. */
export interface Anatomy {
  readonly pid: number;
  readonly channel: Socket;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly listeners: InstanceListeners | undefined;
  readonly paths: InstancePaths;
  readonly slot: Slot;
  readonly meter: Meter;
  /** A connection to a port of the instance's own loopback. */
  connect(port: number): Promise<Socket>;
  readonly tmpBytes: ConfinedProcess["tmpBytes"];
  readonly ended: Promise<Ending>;
  /** Asks the main process to end. */
  terminate(): void;
  /** Ends the main process and all it started. */
  kill(): void;
  /** Gives back slot, cgroup, mounts, namespace, uid, listeners. Runs once, after `ended`. */
  dispose(): Promise<void>;
}

/** A started process as whoever started it holds it. */
export type StartedProcess = Pick<Anatomy, "pid" | "channel" | "stdout" | "stderr" | "ended">;

type Phase =
  | { readonly kind: "running" }
  | { readonly kind: "stopping"; readonly killTimer: Timer | undefined }
  | { readonly kind: "gone" };

/** One instance's process, from its start until everything of it is removed. */
export class InstanceProcess implements ConfinedProcess {
  readonly exited: Promise<ProcessExit>;
  readonly #anatomy: Anatomy;
  readonly #clock: Clock;
  #phase: Phase = { kind: "running" };

  constructor(anatomy: Anatomy, clock: Clock) {
    this.#anatomy = anatomy;
    this.#clock = clock;
    // A process that dies while something is written to it is an ending, reported by `exited`, not an error here.
    for (const stream of [anatomy.channel, anatomy.stdout, anatomy.stderr]) stream.on("error", () => stream.destroy());
    this.exited = anatomy.ended.then((ending) => this.#finish(ending));
  }

  get id(): string {
    return this.#anatomy.slot.id;
  }

  get pid(): number {
    return this.#anatomy.pid;
  }

  get channel(): Socket {
    return this.#anatomy.channel;
  }

  get stdout(): Readable {
    return this.#anatomy.stdout;
  }

  get stderr(): Readable {
    return this.#anatomy.stderr;
  }

  get listeners(): InstanceListeners | undefined {
    return this.#anatomy.listeners;
  }

  get paths(): InstancePaths {
    return this.#anatomy.paths;
  }

  place(tree: string, at: "task" | "opt"): Promise<void> {
    return placeTree(this.#anatomy.slot, tree, at);
  }

  connect(port: number): Promise<Socket> {
    return this.#anatomy.connect(port);
  }

  get tmpBytes(): ConfinedProcess["tmpBytes"] {
    return this.#anatomy.tmpBytes;
  }

  usage(): ReturnType<Meter["usage"]> {
    return this.#anatomy.meter.usage();
  }

  stop(graceMs: number): void {
    if (this.#phase.kind === "gone") return;
    if (graceMs > 0 && this.#phase.kind === "running") {
      this.#phase = { kind: "stopping", killTimer: this.#clock.schedule(graceMs, () => this.#anatomy.kill()) };
      this.#anatomy.terminate();
      return;
    }
    if (graceMs > 0) return;
    this.#cancelTimer();
    this.#phase = { kind: "stopping", killTimer: undefined };
    this.#anatomy.kill();
  }

  #cancelTimer(): void {
    if (this.#phase.kind === "stopping") this.#phase.killTimer?.cancel();
  }

  async #finish(ending: Ending): Promise<ProcessExit> {
    this.#cancelTimer();
    this.#phase = { kind: "gone" };
    this.#anatomy.kill();
    const { memoryPeakBytes } = this.#anatomy.meter.usage();
    const outOfMemory = this.#anatomy.meter.outOfMemory();
    // What cannot be removed now is swept at the next open; the ending is reported in any case.
    await this.#anatomy.dispose().catch(() => {});
    return { ...ending, outOfMemory, memoryPeakBytes };
  }
}

/** A promise of the ending and the function that fulfils it, for processes reported by another process. */
export function endingPromise(): { readonly ended: Promise<Ending>; end(ending: Ending): void } {
  const { promise, resolve } = deferred<Ending>();
  return { ended: promise, end: resolve };
}
