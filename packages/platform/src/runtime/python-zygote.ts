import { join } from "node:path";
import type { MonotonicMs } from "../base/index.ts";
import type { ConfinedProcess, Zygote } from "../sandbox/index.ts";
import { startEnvironment } from "./environment.ts";
import { bootstrapFolder, instanceId, type LaunchContext } from "./launch.ts";
import type { PythonInterpreter } from "./python-interpreters.ts";
import { backOffMs } from "./pool-size.ts";

/** What is slow to import and many functions use; those the machine lacks are skipped. */
const PRELOAD = [
  "json",
  "logging",
  "threading",
  "datetime",
  "decimal",
  "urllib.request",
  "ssl",
  "boto3",
  "botocore.session",
  "botocore.httpsession",
];

type ZygoteState =
  | { readonly kind: "none" }
  | { readonly kind: "starting"; readonly zygote: Promise<Zygote | undefined> }
  | { readonly kind: "running"; readonly zygote: Zygote }
  /** Starts failed in a row; until `retryAt` processes are started without it. */
  | { readonly kind: "failed"; readonly failures: number; readonly retryAt: MonotonicMs }
  | { readonly kind: "closed" };

/** The zygote of one interpreter: started at first use, restarted with back-off when it dies. */
export class PythonZygote {
  readonly #context: LaunchContext;
  readonly #interpreter: PythonInterpreter;
  #state: ZygoteState = { kind: "none" };
  #failures = 0;

  constructor(context: LaunchContext, interpreter: PythonInterpreter) {
    this.#context = context;
    this.#interpreter = interpreter;
  }

  /** Starts it ahead of the first function. */
  async warm(): Promise<void> {
    await this.#running();
  }

  /** A fork of the zygote, or undefined when there is none now: then the caller starts the interpreter itself. */
  async fork(memoryMb: number, tmpMb: number): Promise<ConfinedProcess | undefined> {
    const zygote = await this.#running();
    if (!zygote) return undefined;
    const forked = await zygote
      .fork({
        id: instanceId(this.#context),
        environment: (places) => startEnvironment(places, [join(this.#interpreter.prefix, "bin")]),
        memoryMb,
        tmpMb,
        network: this.#context.network,
      })
      .catch(() => undefined);
    if (forked) this.#failures = 0;
    return forked;
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: "closed" };
    const zygote = state.kind === "running" ? state.zygote : state.kind === "starting" ? await state.zygote : undefined;
    zygote?.stop();
    await zygote?.exited;
  }

  #running(): Promise<Zygote | undefined> {
    const state = this.#state;
    switch (state.kind) {
      case "running":
        return Promise.resolve(state.zygote);
      case "starting":
        return state.zygote;
      case "closed":
        return Promise.resolve(undefined);
      case "failed":
        if (this.#context.clock.monotonicMs() < state.retryAt) return Promise.resolve(undefined);
        return this.#start();
      case "none":
        return this.#start();
    }
  }

  #start(): Promise<Zygote | undefined> {
    const started = this.#launch().then(
      (zygote) => this.#onStarted(zygote),
      () => this.#onFailed(),
    );
    this.#state = { kind: "starting", zygote: started };
    return started;
  }

  async #launch(): Promise<Zygote> {
    return await this.#context.sandbox.startZygote({
      id: instanceId(this.#context),
      python: this.#interpreter.path,
      bootstrap: join(bootstrapFolder("python"), "bootstrap.py"),
      preload: PRELOAD,
    });
  }

  #onStarted(zygote: Zygote): Zygote {
    if (this.#state.kind === "starting") this.#state = { kind: "running", zygote };
    void zygote.exited.then(() => this.#onFailed());
    return zygote;
  }

  #onFailed(): undefined {
    if (this.#state.kind === "closed") return undefined;
    this.#failures += 1;
    this.#state = { kind: "failed", failures: this.#failures, retryAt: this.#context.clock.monotonicMs() + backOffMs(this.#failures) };
    return undefined;
  }
}
