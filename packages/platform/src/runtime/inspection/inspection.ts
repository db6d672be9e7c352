import type { Socket } from "node:net";
import { type Clock, deferred, type Deferred, LambentError } from "../../base/index.ts";

/** How a debugger speaks: V8's inspector over WebSocket, or the Debug Adapter Protocol of debugpy. */
export type DebuggerProtocol = "inspector" | "debugpy";

/** What whoever debugs is told. */
export type DebuggerNews =
  /** An instance runs with its debugger open. */
  | { readonly kind: "attachable"; readonly protocol: DebuggerProtocol; readonly instanceId: string }
  /** An instance runs and has none. */
  | { readonly kind: "missing"; readonly what: string };

/** What an inspection needs of an instance. */
export interface Inspected {
  readonly id: string;
  /** True once it is on its way out. */
  readonly leaving: boolean;
  readonly gone: Promise<unknown>;
  connect(port: number): Promise<Socket>;
  countTime(): void;
}

/** A debugger that attaches while no instance is there waits for the next one this long. */
const INSTANCE_WAIT_MS = 10_000;

type InspectionState =
  | {
      readonly kind: "open";
      /** Instances under this inspection; those whose debugger is open with its port inside, the newest last. */
      readonly instances: Map<Inspected, DebuggerDoor>;
      readonly waiting: Set<Deferred<Inspected>>;
    }
  | { readonly kind: "ended" };

type DebuggerDoor = { readonly kind: "closed" } | { readonly kind: "open"; readonly port: number };

/**
 * One function under a debugger: its instances, and which of them a debugger is led to. While it is open no time limit
 * acts in them; when it ends, all limits count from there.
 */
export class Inspection {
  readonly #clock: Clock;
  readonly #tell: (news: DebuggerNews) => void;
  #state: InspectionState = { kind: "open", instances: new Map(), waiting: new Set() };

  constructor(clock: Clock, tell: (news: DebuggerNews) => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  /** `instance` was started for this inspection, its time limits suspended. */
  joined(instance: Inspected): void {
    if (this.#state.kind === "ended") return instance.countTime();
    const { instances } = this.#state;
    instances.set(instance, { kind: "closed" });
    void instance.gone.then(() => instances.delete(instance));
  }

  /** The debugger of `instance` listens on `port` inside it. */
  opened(instance: Inspected, protocol: DebuggerProtocol, port: number): void {
    if (this.#state.kind === "ended" || !this.#state.instances.delete(instance)) return;
    const { instances, waiting } = this.#state;
    instances.set(instance, { kind: "open", port });
    this.#tell({ kind: "attachable", protocol, instanceId: instance.id });
    for (const waiter of waiting) waiter.resolve(instance);
    waiting.clear();
  }

  /** `instance` has no debugger: it is an ordinary one. */
  missing(instance: Inspected, what: string): void {
    if (this.#state.kind === "ended" || !this.#state.instances.delete(instance)) return;
    instance.countTime();
    this.#tell({ kind: "missing", what });
  }

  /** A connection to the debugger of the newest instance that stays; waits for one when there is none. Rejects with `InstanceLost`. */
  async dial(): Promise<Socket> {
    for (;;) {
      const instance = this.#newest() ?? (await this.#next());
      const door = this.#state.kind === "open" ? this.#state.instances.get(instance) : undefined;
      if (door?.kind !== "open") continue;
      const reached = await instance.connect(door.port).catch(() => undefined);
      if (reached) return reached;
      // It ended just now, and which comes next is heard soon: nobody is led to it again.
      if (this.#state.kind === "open" && this.#state.instances.has(instance)) this.#state.instances.set(instance, { kind: "closed" });
    }
  }

  end(): void {
    const state = this.#state;
    if (state.kind === "ended") return;
    this.#state = { kind: "ended" };
    for (const waiter of state.waiting) waiter.reject(new LambentError("InstanceLost", "The inspection ended."));
    for (const instance of state.instances.keys()) instance.countTime();
  }

  #newest(): Inspected | undefined {
    if (this.#state.kind === "ended") return undefined;
    return [...this.#state.instances].findLast(([instance, door]) => door.kind === "open" && !instance.leaving)?.[0];
  }

  async #next(): Promise<Inspected> {
    if (this.#state.kind === "ended") throw new LambentError("InstanceLost", "The inspection ended.");
    const { waiting } = this.#state;
    const waiter = deferred<Inspected>();
    waiting.add(waiter);
    const timer = this.#clock.schedule(INSTANCE_WAIT_MS, () => {
      waiting.delete(waiter);
      waiter.reject(new LambentError("InstanceLost", "No instance came."));
    });
    try {
      return await waiter.promise;
    } finally {
      timer.cancel();
    }
  }
}
