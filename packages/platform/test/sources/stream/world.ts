import { delay, isLambentError, ManualClock, seededRandom, systemSecureRandom } from "../../../src/base/index.ts";
import type { Functions } from "../../../src/functions/index.ts";
import type { InvokeOutcome, InvokeRequest } from "../../../src/invoker/index.ts";
import { Ledger, type LedgerRecord } from "../../../src/ledger/index.ts";
import type { FunctionVersion, Realm } from "../../../src/model/index.ts";
import type { Outbox } from "../../../src/outbox/index.ts";
import { openQueues } from "../../../src/queues/index.ts";
import {
  DEFAULT_STREAM_MAPPING_SETTINGS,
  type ExternalParts,
  type Mapping,
  MAPPING_SHARD_CELL_KIND,
  openSources,
  type Sources,
  type StreamMappingSettings,
  type WantedStart,
  type WantedStream,
} from "../../../src/sources/index.ts";
import { openStreams, type Streams } from "../../../src/streams/index.ts";
import { type FaultPlan, MemoryDisk, openMemoryStore, type Store } from "../../../src/storage/index.ts";

export const REALM: Realm = { account: "000000000000", region: "us-east-1" };
export const QUEUE_ARN = "arn:aws:sqs:us-east-1:000000000000:failed";
export const STREAM_ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/clicks";
const ROLE_ARN = "arn:aws:iam::000000000000:role/worker";

export interface Call {
  readonly at: number;
  readonly request: InvokeRequest;
  readonly event: unknown;
}

/** What the function does with a call: answers after `durationMs`, or is not begun. */
export type Reaction =
  | { readonly kind: "handled"; readonly answer?: unknown; readonly durationMs?: number }
  | { readonly kind: "functionError"; readonly durationMs?: number }
  | { readonly kind: "throttled" };

export interface Told {
  readonly target: string;
  readonly body: Record<string, unknown>;
  readonly options: object;
}

export const KINESIS: WantedStream = { kind: "stream", stream: "clicks", form: "kinesis", start: { kind: "trimHorizon" } };
export const JSON_VALUES: WantedStream = { kind: "stream", stream: "clicks", form: "json", start: { kind: "trimHorizon" } };

/** Streams, mappings and ledger over a store in memory, a clock that stands, and a function that does as the test says. */
export class StreamWorld {
  readonly clock = new ManualClock();
  readonly problems: unknown[] = [];
  readonly calls: Call[] = [];
  /** What on-failure destinations were told. */
  readonly told: Told[] = [];
  readonly disk = new MemoryDisk();
  react: (call: Call) => Reaction = () => ({ kind: "handled" });
  onEnd: (call: Call, ending: "ran" | "lost") => void = () => undefined;
  faults: FaultPlan = () => undefined;
  /** Variables of the server's environment. */
  readonly environment: Record<string, string> = {};
  /** Who may be reached. */
  reach: ExternalParts["egress"]["resolveAll"] = async (address) => [{ address, family: 4 }];
  concurrency = Number.POSITIVE_INFINITY;
  running = 0;
  streams!: Streams;
  sources!: Sources;
  ledger!: Ledger;
  #store: Store | undefined;
  #whenFree: (() => void)[] = [];
  /** Rises with every crash: what ran before it tells nobody that it ended. */
  #life = 0;

  static async open(): Promise<StreamWorld> {
    const world = new StreamWorld();
    await world.start();
    return world;
  }

  async start(): Promise<void> {
    const store = (this.#store = openMemoryStore({ disk: this.disk, faults: (step) => this.faults(step) }));
    const { clock } = this;
    const life = this.#life;
    const onProblem = (error: unknown): void => void this.problems.push(error);
    const random = seededRandom(1);
    const common = { store, clock, secureRandom: systemSecureRandom, random, onProblem };
    this.streams = await openStreams(common);
    this.ledger = new Ledger({ store, clock, cellKinds: [MAPPING_SHARD_CELL_KIND], live: (_cell, record) => record });
    const version = { timeoutMs: 3_000, roleArn: ROLE_ARN } as FunctionVersion;
    const reading = { get: () => ({ version }), details: () => ({ recursion: "Terminate" }) };
    this.sources = await openSources({
      ...common,
      queues: await openQueues(common),
      functions: { reading } as unknown as Pick<Functions, "reading">,
      invoker: {
        invoke: (request) => this.#invoke(request, life),
        free: () => this.concurrency - this.running,
        onceFree: (listener) => void this.#whenFree.push(listener),
      },
      mayRead: () => true,
      streams: {
        streams: async () => this.streams,
        random,
        retryTimeFactor: 1,
        onOpened: (_cell, _realm, outbox) => void this.#deliver(outbox),
        kafkaAddress: () => "localhost:9092",
        mayRead: () => true,
        external: { egress: { resolveAll: (host, port) => this.reach(host, port) }, environment: (variable) => this.environment[variable] },
      },
    });
    this.sources.start();
  }

  /** As after `kill -9`: what ran is gone, and what is stored is opened again. */
  async crash(): Promise<void> {
    await this.#store?.close();
    this.#life += 1;
    this.running = 0;
    await this.start();
  }

  async stream(shards = 1, settings: { readonly retentionMs?: number } = {}): Promise<void> {
    await this.streams.create(REALM, "clicks", { shards, madeBy: "kinesis", settings });
  }

  async map(changed: Partial<StreamMappingSettings> = {}, stream: WantedStream = KINESIS, start?: WantedStart): Promise<Mapping> {
    const settings = { ...DEFAULT_STREAM_MAPPING_SETTINGS, ...changed };
    const wanted = start ? { ...stream, start } : stream;
    const about = { functionName: "worker", qualifier: undefined, enabled: true, tags: {} };
    const mapping = await this.sources.create(REALM, { ...about, stream: wanted, settings });
    await this.sources.settled();
    return mapping;
  }

  /** Puts values with their keys: `k:v`, or a value without a key. */
  async put(values: readonly string[], shard = 0): Promise<void> {
    const partition = await this.streams.partition(REALM, "clicks", shard);
    await partition.append(
      values.map((each) => {
        const [, key, value = each] = /^(\w+):(.*)$/s.exec(each) ?? [];
        return { key: key === undefined ? undefined : Buffer.from(key), value: Buffer.from(value) };
      }),
    );
  }

  /** Records of the ledger, the oldest first. */
  async records(): Promise<LedgerRecord[]> {
    const found = await this.ledger.list(REALM, {
      limit: 1_000,
      source: "stream",
      target: "arn:aws:lambda:us-east-1:000000000000:function:worker",
    });
    return found.toSorted((left, right) => (left.offsets?.first ?? 0) - (right.offsets?.first ?? 0));
  }

  /** Takes what leaves a cell, at once. */
  async #deliver(outbox: Outbox): Promise<void> {
    for (;;) {
      const taken = await untilFree(this.clock, () => outbox.take(10)).catch(() => undefined);
      if (!taken) return;
      for (const each of taken) {
        const { target, payload, options } = each.parcel;
        this.told.push({ target, body: JSON.parse(payload.toString("utf8")) as Record<string, unknown>, options });
        const done = { kind: "taken", recorded: false, durationMs: 1 } as const;
        await untilFree(this.clock, () => outbox.settle(each, done, this.clock.now())).catch(() => undefined);
      }
    }
  }

  async #invoke(request: InvokeRequest, life: number): Promise<InvokeOutcome> {
    if (life !== this.#life) return new Promise<InvokeOutcome>(() => undefined);
    const call: Call = { at: this.clock.monotonicMs(), request, event: JSON.parse(request.payload.toString("utf8")) as unknown };
    if (this.running >= this.concurrency) return { kind: "throttled", reason: "ReservedFunctionConcurrentInvocationLimitExceeded" };
    this.calls.push(call);
    const reaction = this.react(call);
    if (reaction.kind === "throttled") return { kind: "throttled", reason: "ReservedFunctionConcurrentInvocationLimitExceeded" };
    this.running += 1;
    const durationMs = reaction.durationMs ?? 0;
    if (durationMs > 0) await new Promise<void>((resolve) => this.clock.schedule(durationMs, resolve));
    if (life !== this.#life) {
      this.onEnd(call, "lost");
      return new Promise<InvokeOutcome>(() => undefined);
    }
    this.running -= 1;
    this.onEnd(call, "ran");
    for (const listener of this.#whenFree.splice(0)) listener();
    return endedCall(reaction, durationMs);
  }
}

/** Asks a storage that is busy again, as a courier does. */
async function untilFree<T>(clock: ManualClock, work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isLambentError(error, "StorageBusy")) throw error;
      await delay(clock, 250);
    }
  }
}

/** The values of an event, of whatever form, as texts. */
export function valuesOf(event: unknown): string[] {
  if (Array.isArray(event)) return (event as readonly unknown[]).map((value) => JSON.stringify(value));
  const { Records = [], records } = event as {
    readonly Records?: readonly { readonly kinesis: { readonly data: string } }[];
    readonly records?: Readonly<Record<string, readonly { readonly value?: string }[]>>;
  };
  const encoded = records
    ? Object.values(records).flatMap((each) => each.map(({ value = "" }) => value))
    : Records.map((each) => each.kinesis.data);
  return encoded.map((each) => Buffer.from(each, "base64").toString("utf8"));
}

/** Sequence numbers of Kinesis' records, in their order. */
export function sequencesOf(event: unknown): string[] {
  const { Records } = event as { readonly Records: readonly { readonly kinesis: { readonly sequenceNumber: string } }[] };
  return Records.map(({ kinesis }) => kinesis.sequenceNumber);
}

function endedCall(reaction: Exclude<Reaction, { readonly kind: "throttled" }>, durationMs: number): InvokeOutcome {
  const version = { version: "$LATEST", timeoutMs: 3_000 } as FunctionVersion;
  const answer = reaction.kind === "handled" ? (reaction.answer ?? null) : { errorType: "Error", errorMessage: "no more paper" };
  const payload = Buffer.from(JSON.stringify(answer));
  const ending =
    reaction.kind === "handled" ? ({ kind: "handled", payload } as const) : ({ kind: "functionError", payload, phase: "invoke" } as const);
  const figures = { durationMs, initMs: 0, billedMs: Math.max(1, durationMs), maxMemoryMb: 64 };
  const about = { requestId: "", account: "", region: "", functionName: "", version: "$LATEST", memoryMb: 128, startedAt: 0 };
  return { kind: "ended", ending, version, logTail: Buffer.alloc(0), usage: { ...about, ...figures, ending: ending.kind }, ...figures };
}
