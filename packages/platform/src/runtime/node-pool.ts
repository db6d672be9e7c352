import { basename, join } from "node:path";
import type { Timer } from "../base/index.ts";
import { startEnvironment } from "./environment.ts";
import { FramedPort } from "./framed-port.ts";
import {
  bootstrapFolder,
  type Debugging,
  INSIDE,
  instanceId,
  type LaunchContext,
  nodeFolder,
  type ProgramLine,
  seenAt,
  type UnassignedProcess,
} from "./launch.ts";
import { decidePool, heapLimitMb, POOL_MEMORY_MB, type PoolObservation } from "./pool-size.ts";

/**
 * Node processes that wait, started and confined, for a function (mechanisms: a start takes tens of milliseconds, an
 * assignment a few). Only the 128 MB class waits; `decidePool` says how many.
 */
export class NodePool {
  readonly #context: LaunchContext;
  readonly #readyMax: number;
  readonly #tmpMb: number;
  readonly #ready: UnassignedProcess[] = [];
  readonly #starting = new Set<Promise<void>>();
  #failures = 0;
  #failedAt = -Infinity;
  #takenAt = -Infinity;
  #refill: { readonly kind: "waiting"; readonly timer: Timer } | { readonly kind: "quiet" } | { readonly kind: "closed" } = {
    kind: "quiet",
  };

  constructor(context: LaunchContext, options: { readonly readyMax: number; readonly tmpMb: number }) {
    this.#context = context;
    this.#readyMax = options.readyMax;
    this.#tmpMb = options.tmpMb;
  }

  get ready(): number {
    return this.#ready.length;
  }

  /** Starts what is missing. Also called after every change. */
  fill(): void {
    if (this.#refill.kind === "closed") return;
    if (this.#refill.kind === "waiting") this.#refill.timer.cancel();
    const now = this.#context.clock.monotonicMs();
    const { count, nextAt } = decidePool(this.#observe(), now);
    for (let started = 0; started < count; started++) this.#startOne();
    this.#refill =
      nextAt === undefined ? { kind: "quiet" } : { kind: "waiting", timer: this.#context.clock.schedule(nextAt - now, () => this.fill()) };
  }

  /** A process of the memory class: a waiting one, else a new one. Rejects with `RuntimeUnavailable`. */
  async take(memoryMb: number, tmpMb: number): Promise<UnassignedProcess> {
    const fits = memoryMb === POOL_MEMORY_MB && tmpMb === this.#tmpMb;
    const waiting = fits ? this.#ready.shift() : undefined;
    if (fits) {
      this.#takenAt = this.#context.clock.monotonicMs();
      this.fill();
    }
    return waiting ?? (await this.#launch(memoryMb, tmpMb));
  }

  /** Resolves once all that waited, or was on its way, is gone. */
  async close(): Promise<void> {
    if (this.#refill.kind === "waiting") this.#refill.timer.cancel();
    this.#refill = { kind: "closed" };
    await Promise.all(this.#starting);
    await Promise.all(this.#ready.splice(0).map(end));
  }

  #observe(): PoolObservation {
    return {
      ready: this.#ready.length,
      starting: this.#starting.size,
      readyMax: this.#readyMax,
      failures: this.#failures,
      failedAt: this.#failedAt,
      takenAt: this.#takenAt,
    };
  }

  #startOne(): void {
    const start = this.#launch(POOL_MEMORY_MB, this.#tmpMb)
      .then((unassigned) => this.#greet(unassigned))
      .catch(() => this.#fail())
      .then(() => {
        this.#starting.delete(start);
        this.fill();
      });
    this.#starting.add(start);
  }

  async #greet(unassigned: UnassignedProcess): Promise<void> {
    const wrong = await unassigned.port.greeted;
    if (wrong !== undefined) {
      await end(unassigned);
      this.#fail();
      return;
    }
    this.#failures = 0;
    this.#ready.push(unassigned);
    void unassigned.process.exited.then(() => this.#forget(unassigned));
  }

  #fail(): void {
    this.#failures += 1;
    this.#failedAt = this.#context.clock.monotonicMs();
  }

  /** A process that ended while it waited is replaced, with the back-off of a start that failed. */
  #forget(unassigned: UnassignedProcess): void {
    const at = this.#ready.indexOf(unassigned);
    if (at < 0) return;
    this.#ready.splice(at, 1);
    this.#fail();
    this.fill();
  }

  async #launch(memoryMb: number, tmpMb: number): Promise<UnassignedProcess> {
    const { command, mounts, programFolders } = nodeCommand(this.#context, memoryMb);
    const process = await this.#context.sandbox.launch({
      id: instanceId(this.#context),
      command,
      environment: (places) => startEnvironment(places, programFolders),
      memoryMb,
      tmpMb,
      network: this.#context.network,
      mounts,
    });
    return { process, port: new FramedPort(process.channel) };
  }
}

async function end({ process, port }: UnassignedProcess): Promise<void> {
  port.close();
  process.stop(0);
  await process.exited;
}

/**
 * Opens V8's inspector before anything is loaded, on a port of the process's own choice, which HELLO tells. Clients learn
 * the address from who started the debugging, not from the function's log.
 */
const INSPECTED = ["--inspect=127.0.0.1:0", "--inspect-publish-uid=http"];

/** The program line of a Node process and the folders it needs to see. */
export function nodeCommand(context: LaunchContext, memoryMb: number, debugging: Debugging = "off"): ProgramLine {
  const node = nodeFolder(context);
  const bootstrap = seenAt(context.sandbox, bootstrapFolder("node"), INSIDE.bootstrap);
  const sdk = context.sdkTree !== undefined && context.sandbox.report.confined ? [{ source: context.sdkTree, target: INSIDE.sdk }] : [];
  const command: ProgramLine["command"] = [
    join(node.path, basename(context.nodePath)),
    `--max-old-space-size=${heapLimitMb(memoryMb)}`,
    "--max-semi-space-size=2",
    ...(debugging === "on" ? INSPECTED : []),
    join(bootstrap.path, "bootstrap.mjs"),
  ];
  return { command, mounts: [...node.mounts, ...bootstrap.mounts, ...sdk], programFolders: [node.path] };
}
