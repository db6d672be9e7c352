import { deferred, LambentError, ManualClock, systemSecureRandom } from "../../../src/base/index.ts";
import { Delivery, type DeliveryPermission, functionTarget, queueTarget, Targets } from "../../../src/delivery/index.ts";
import { type AsynchronousSettings, type FunctionChange, functionArn } from "../../../src/functions/index.ts";
import { asyncCell, AsyncInvoker, type AsyncRequest, type InvokeOutcome, type InvokeRequest } from "../../../src/invoker/index.ts";
import { Ledger, type LedgerRecord } from "../../../src/ledger/index.ts";
import { startMetering, type Metering } from "../../../src/metering/index.ts";
import { type CallEnding, Signals } from "../../../src/model/index.ts";
import { openQueues, type Queues } from "../../../src/queues/index.ts";
import { type FaultPlan, MemoryDisk, openMemoryStore, type Store } from "../../../src/storage/index.ts";
import { functionVersion } from "../../support/function-version.ts";

export const REALM = { account: "000000000000", region: "us-east-1" };
export const NO_FLOW: AsynchronousSettings["flow"] = {
  concurrency: undefined,
  rate: undefined,
  debounce: undefined,
  priority: undefined,
  idempotency: undefined,
};
const SETTINGS: AsynchronousSettings = {
  recursion: "Terminate",
  deadLetterArn: undefined,
  reservedConcurrency: undefined,
  eventInvoke: undefined,
  flow: NO_FLOW,
};

/** One call as the function under test saw it. */
export interface SeenCall {
  readonly at: number;
  readonly name: string;
  readonly id: string;
  readonly event: unknown;
  readonly traceHeader: string | undefined;
}

export type Reaction = CallEnding | { readonly kind: "throttled" } | { readonly kind: "unavailable" };

export const ok = (answer: unknown = null): Reaction => ({ kind: "handled", payload: Buffer.from(JSON.stringify(answer)) });
export const failed = (message = "no"): Reaction => ({
  kind: "functionError",
  phase: "invoke",
  payload: Buffer.from(JSON.stringify({ errorType: "Error", errorMessage: message })),
});

interface FunctionState {
  id: string;
  settings: Partial<AsynchronousSettings>;
}

/** Asynchronous invocation as the server joins it, over functions that react as the test says, on a manual clock and a disk that outlives crashes. */
export class AsyncWorld {
  readonly clock = new ManualClock();
  readonly disk = new MemoryDisk();
  readonly calls: SeenCall[] = [];
  readonly troubles: unknown[] = [];
  readonly functions = new Map<string, FunctionState>([["hello", { id: "id-1", settings: {} }]]);
  faults: FaultPlan = () => undefined;
  reaction: (call: SeenCall) => Reaction = () => ok();
  callMs: (call: SeenCall) => number = () => 10;
  authorize: (permission: DeliveryPermission) => void = () => undefined;
  capacity = 1_000;
  timeFactor = 1;
  running = 0;
  runningMost = 0;
  store!: Store;
  invoker!: AsyncInvoker;
  ledger!: Ledger;
  queues!: Queues;
  metering!: Metering;
  #delivery!: Delivery;
  #life = 0;
  #waiting: (() => void)[] = [];
  readonly #listeners: ((change: FunctionChange) => void)[] = [];

  static async open(changed: Partial<Pick<AsyncWorld, "reaction" | "callMs" | "capacity" | "timeFactor">> = {}): Promise<AsyncWorld> {
    const world = Object.assign(new AsyncWorld(), changed);
    await world.#start();
    return world;
  }

  /** Ends as a crash does, and starts on what was committed. Calls under way are not heard of any more. */
  async crash(): Promise<void> {
    this.#life += 1;
    this.running = 0;
    this.#waiting = [];
    await this.store.close();
    await this.#start();
    await this.invoker.resume();
    await this.settle();
  }

  async stop(): Promise<void> {
    await this.#delivery.close();
    const closing = this.invoker.close(new Promise((resolve) => this.clock.schedule(10_000, resolve)));
    await this.clock.advance(10_000);
    await closing;
  }

  /** Sets what is set for a function, and tells. */
  set(settings: Partial<AsynchronousSettings>, name = "hello"): void {
    const known = this.functions.get(name);
    this.functions.set(name, { id: known?.id ?? `id-of-${name}`, settings: { ...known?.settings, ...settings } });
    this.changed();
  }

  eventInvoke(changed: Partial<NonNullable<AsynchronousSettings["eventInvoke"]>>): void {
    const nothing = { maximumRetryAttempts: undefined, maximumEventAgeSeconds: undefined, onSuccess: undefined, onFailure: undefined };
    this.set({ eventInvoke: { ...nothing, modifiedAt: 0, ...changed } });
  }

  flow(changed: Partial<AsynchronousSettings["flow"]>): void {
    this.set({ flow: { ...NO_FLOW, ...changed } });
  }

  changed(): void {
    for (const listener of this.#listeners) listener({ kind: "limits", realm: REALM, name: "hello" });
  }

  async accept(event: unknown = {}, more: Partial<AsyncRequest> = {}): Promise<string> {
    const payload = Buffer.from(JSON.stringify(event));
    return this.invoker.accept({ realm: REALM, functionName: "hello", qualifier: undefined, payload, ...more });
  }

  /** Lets everything that waits for no time happen. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 12; turn++) await this.clock.advance(0);
  }

  async record(id: string): Promise<LedgerRecord> {
    await this.settle();
    const found = await this.ledger.find(REALM, id);
    if (!found) throw new LambentError("NotFound", `no record of ${id}`);
    return found.record;
  }

  async outcome(id: string): Promise<string> {
    const { state } = await this.record(id);
    if (state.kind !== "ended") return state.kind;
    const { outcome } = state;
    return "reason" in outcome ? `${outcome.kind}: ${outcome.reason}` : outcome.kind;
  }

  /** Moments of the calls since the first, in ms. */
  get moments(): number[] {
    return this.calls.map(({ at }) => at - (this.calls[0]?.at ?? 0));
  }

  get cell(): string {
    return asyncCell(REALM, "hello", this.functions.get("hello")?.id ?? "");
  }

  #targets(): Targets {
    const authorize = (permission: DeliveryPermission): void => this.authorize(permission);
    const functions = functionTarget({
      authorize,
      functionPolicy: () => undefined,
      requireFunction: () => undefined,
      functions: () => this.invoker,
    });
    return new Targets([queueTarget({ queues: this.queues, authorize }), functions], this.clock);
  }

  async #start(): Promise<void> {
    const { clock } = this;
    const store = (this.store = openMemoryStore({ disk: this.disk, faults: (step) => this.faults(step) }));
    const onTrouble = (error: unknown): void => void this.troubles.push(error);
    this.metering = await startMetering({ store, signals: new Signals(), clock });
    this.queues = await openQueues({ store, clock, secureRandom: systemSecureRandom, onProblem: onTrouble });
    this.#listeners.length = 0;
    const delivery = (this.#delivery = new Delivery({
      clock,
      targets: this.#targets(),
      outbox: (cell) => this.invoker.outbox(cell),
      onTrouble,
    }));
    this.invoker = new AsyncInvoker({
      store,
      clock,
      secureRandom: systemSecureRandom,
      functions: this.#directory(),
      calls: this.#calls(),
      metering: this.metering,
      timeFactor: this.timeFactor,
      onOutgoing: (cell) => delivery.wake(cell),
      onTrouble,
    });
    this.ledger = new Ledger({ store, clock, cellKinds: ["async"], live: (cell, record) => this.invoker.live(cell, record) });
  }

  #directory(): ConstructorParameters<typeof AsyncInvoker>[0]["functions"] {
    const settings = (name: string): AsynchronousSettings | undefined => {
      const known = this.functions.get(name);
      return known && { ...SETTINGS, ...known.settings };
    };
    return {
      find: (realm, name) => {
        if (!this.functions.has(name)) throw new LambentError("NotFound", `Function not found: ${name}`);
        return { versions: [], functionArn: functionArn(realm, name) };
      },
      onChange: (listener) => void this.#listeners.push(listener),
      asynchronous: {
        functionId: (_realm, name) => this.functions.get(name)?.id,
        settings: (_realm, name) => settings(name),
        realms: () => [REALM],
      },
    };
  }

  #calls(): ConstructorParameters<typeof AsyncInvoker>[0]["calls"] {
    const reserved = (): number => this.functions.get("hello")?.settings.reservedConcurrency ?? this.capacity;
    return {
      free: () => reserved() - this.running,
      onceFree: (listener) => void this.#waiting.push(listener),
      invoke: (request) => this.#invoke(request),
    };
  }

  #invoke(request: InvokeRequest): Promise<InvokeOutcome> {
    const { clock } = this;
    const life = this.#life;
    const call: SeenCall = {
      at: clock.now(),
      name: request.functionName,
      id: request.requestId,
      event: JSON.parse(request.payload.toString()) as unknown,
      traceHeader: request.traceId,
    };
    const reaction = this.reaction(call);
    if (reaction.kind === "throttled") return Promise.resolve({ kind: "throttled", reason: "ConcurrentInvocationLimitExceeded" });
    if (reaction.kind === "unavailable") return Promise.resolve({ kind: "unavailable", what: "no process" });
    this.calls.push(call);
    this.running += 1;
    this.runningMost = Math.max(this.runningMost, this.running);
    const answer = deferred<InvokeOutcome>();
    const durationMs = this.callMs(call);
    clock.schedule(durationMs, () => {
      if (life !== this.#life) return;
      this.running -= 1;
      answer.resolve(this.#ended(request, reaction, call.at, durationMs));
      for (const listener of this.#waiting.splice(0)) listener();
    });
    return answer.promise;
  }

  #ended(request: InvokeRequest, ending: CallEnding, startedAt: number, durationMs: number): InvokeOutcome {
    const version = functionVersion({ name: request.functionName });
    const used = { durationMs, initMs: 0, billedMs: durationMs, maxMemoryMb: 50 };
    const { requestId, functionName } = request;
    const usage = { requestId, ...REALM, functionName, version: "$LATEST", memoryMb: 128, startedAt, ...used, ending: ending.kind };
    return { kind: "ended", ending, version, logTail: Buffer.alloc(0), usage, ...used };
  }
}
