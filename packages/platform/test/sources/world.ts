import assert from "node:assert/strict";
import { ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import type { Functions } from "../../src/functions/index.ts";
import type { InvokeOutcome, InvokeRequest } from "../../src/invoker/index.ts";
import { Ledger, type LedgerRecord } from "../../src/ledger/index.ts";
import type { FunctionVersion, Realm } from "../../src/model/index.ts";
import { DEFAULT_QUEUE_SETTINGS, openQueues, type Queues, type QueueSettings } from "../../src/queues/index.ts";
import { DEFAULT_MAPPING_SETTINGS, type Mapping, type MappingSettings, openSources, type Sources } from "../../src/sources/index.ts";
import { type FaultPlan, MemoryDisk, openMemoryStore, type Store } from "../../src/storage/index.ts";
import { LambentError } from "../../src/base/index.ts";

export const REALM: Realm = { account: "000000000000", region: "us-east-1" };
export const QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:orders";

/** What the function gets of one message. */
export interface Record {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  readonly attributes: Readonly<globalThis.Record<string, string>>;
}

export interface Call {
  readonly at: number;
  readonly request: InvokeRequest;
  readonly records: readonly Record[];
}

/** What the function does with a batch: answers after `durationMs`, or is not begun. */
export type Reaction = Running | { readonly kind: "throttled" } | { readonly kind: "unavailable" } | { readonly kind: "notReady" };

type Running =
  | { readonly kind: "handled"; readonly answer?: unknown; readonly durationMs?: number }
  | { readonly kind: "functionError"; readonly durationMs?: number }
  | { readonly kind: "timedOut"; readonly durationMs?: number };

/** Queues, mappings and ledger over a store in memory, a clock that stands, and a function that does as the test says. */
export class SourcesWorld {
  readonly clock = new ManualClock();
  readonly problems: unknown[] = [];
  readonly calls: Call[] = [];
  readonly disk = new MemoryDisk();
  react: (call: Call) => Reaction = () => ({ kind: "handled" });
  onEnd: (call: Call) => void = () => undefined;
  faults: FaultPlan = () => undefined;
  timeoutMs = 3_000;
  /** Calls the function may run at once. */
  concurrency = Number.POSITIVE_INFINITY;
  running = 0;
  runningMax = 0;
  queues!: Queues;
  sources!: Sources;
  ledger!: Ledger;
  #store: Store | undefined;
  #whenFree: (() => void)[] = [];
  /** Rises with every crash: what ran before it tells nobody that it ended. */
  #life = 0;

  static async open(): Promise<SourcesWorld> {
    const world = new SourcesWorld();
    await world.start();
    return world;
  }

  async start(): Promise<void> {
    const store = (this.#store = openMemoryStore({ disk: this.disk, faults: (step) => this.faults(step) }));
    const { clock } = this;
    const life = this.#life;
    const onProblem = (error: unknown): void => void this.problems.push(error);
    this.queues = await openQueues({ store, clock, secureRandom: systemSecureRandom, onProblem });
    this.ledger = new Ledger({ store, clock, cellKinds: ["queue"], live: (_cell, record) => record });
    const version = (): Partial<FunctionVersion> => ({ timeoutMs: this.timeoutMs });
    const reading = {
      get: (_realm: Realm, name: string) => {
        if (name === "missing") throw new LambentError("NotFound", `Function not found: ${name}`);
        return { version: version() };
      },
      details: () => ({ recursion: "Terminate" }),
    };
    const functions = { reading } as unknown as Pick<Functions, "reading">;
    this.sources = await openSources({
      store,
      clock,
      secureRandom: systemSecureRandom,
      queues: this.queues,
      functions,
      invoker: {
        invoke: (request) => this.#invoke(request, life),
        free: () => this.concurrency - this.running,
        onceFree: (listener) => void this.#whenFree.push(listener),
      },
      onProblem,
      mayRead: () => true,
    });
    this.sources.start();
    await this.queues.resume();
  }

  /** As after `kill -9`: what ran is gone, and what is stored is opened again. */
  async crash(): Promise<void> {
    await this.#store?.close();
    this.#life += 1;
    this.running = 0;
    await this.start();
  }

  async queue(name = "orders", changed: Partial<QueueSettings> = {}): Promise<void> {
    const kind = name.endsWith(".fifo") ? "fifo" : "standard";
    await this.queues.create(REALM, name, { ...DEFAULT_QUEUE_SETTINGS, kind, ...changed }, [], {});
  }

  async map(changed: Partial<MappingSettings> = {}, queueName = "orders", functionName = "worker"): Promise<Mapping> {
    const settings = { ...DEFAULT_MAPPING_SETTINGS, ...changed };
    const mapping = await this.sources.create(REALM, { functionName, qualifier: undefined, queueName, settings, enabled: true, tags: {} });
    await this.sources.settled();
    return mapping;
  }

  async send(
    bodies: readonly string[],
    extra: { readonly group?: string; readonly trace?: string } = {},
    queueName = "orders",
  ): Promise<string[]> {
    const queue = await this.queues.queue(REALM, queueName);
    const ids: string[] = [];
    for (let start = 0; start < bodies.length; start += 10) {
      const outcomes = await queue.send(
        bodies.slice(start, start + 10).map((body) => ({
          body,
          attributes: {},
          sender: "AIDA",
          group: extra.group,
          deduplication: extra.group === undefined ? undefined : systemSecureRandom.uuid(),
          ...(extra.trace === undefined ? {} : { traceHeader: { type: "String", value: extra.trace } }),
        })),
      );
      for (const outcome of outcomes) {
        assert.ok(outcome.kind === "sent", outcome.kind === "refused" ? outcome.error.message : "");
        ids.push(outcome.id);
      }
    }
    return ids;
  }

  /** Messages of a queue: waiting, in flight. */
  async left(queueName = "orders"): Promise<readonly [visible: number, leased: number]> {
    const { visible, leased } = (await this.queues.queue(REALM, queueName)).list.counts();
    return [visible, leased];
  }

  async record(id: string): Promise<LedgerRecord | undefined> {
    return (await this.ledger.find(REALM, id))?.record;
  }

  async #invoke(request: InvokeRequest, life: number): Promise<InvokeOutcome> {
    if (life !== this.#life) return new Promise<InvokeOutcome>(() => undefined);
    const { Records: records } = JSON.parse(request.payload.toString("utf8")) as { readonly Records: readonly Record[] };
    const call: Call = { at: this.clock.monotonicMs(), request, records };
    this.calls.push(call);
    const reaction = this.react(call);
    if (reaction.kind === "throttled") return { kind: "throttled", reason: "ReservedFunctionConcurrentInvocationLimitExceeded" };
    if (reaction.kind === "unavailable") return { kind: "unavailable", what: "no process for it" };
    if (reaction.kind === "notReady") throw new LambentError("FunctionNotReady", "It is being made ready.");
    if (this.running >= this.concurrency) return { kind: "throttled", reason: "ReservedFunctionConcurrentInvocationLimitExceeded" };
    this.running += 1;
    this.runningMax = Math.max(this.runningMax, this.running);
    const durationMs = reaction.durationMs ?? 0;
    if (durationMs > 0) await new Promise<void>((resolve) => this.clock.schedule(durationMs, resolve));
    if (life !== this.#life) return new Promise<InvokeOutcome>(() => undefined);
    this.running -= 1;
    this.onEnd(call);
    for (const listener of this.#whenFree.splice(0)) listener();
    return endedCall(reaction, durationMs, this.timeoutMs);
  }
}

function endedCall(reaction: Running, durationMs: number, timeoutMs: number): InvokeOutcome {
  const version = { version: "$LATEST", timeoutMs } as FunctionVersion;
  const payload = Buffer.from(
    JSON.stringify(reaction.kind === "handled" ? (reaction.answer ?? null) : { errorType: "Error", errorMessage: "no more paper" }),
  );
  const ending =
    reaction.kind === "handled"
      ? ({ kind: "handled", payload } as const)
      : reaction.kind === "timedOut"
        ? ({ kind: "timedOut" } as const)
        : ({ kind: "functionError", payload, phase: "invoke" } as const);
  const figures = { durationMs, initMs: 0, billedMs: Math.max(1, durationMs), maxMemoryMb: 64 };
  const usage = {
    requestId: "",
    account: "",
    region: "",
    functionName: "",
    version: "$LATEST",
    memoryMb: 128,
    startedAt: 0,
    ...figures,
    ending: ending.kind,
  };
  return { kind: "ended", ending, version, logTail: Buffer.alloc(0), usage, ...figures };
}
