import { ManualClock, seededRandom } from "../../src/base/index.ts";
import { Autoscaler, DEFAULT_SETTINGS } from "../../src/autoscaler/index.ts";
import type { FunctionChange, FunctionDirectory } from "../../src/functions/index.ts";
import { Invoker, type InvokeOutcome } from "../../src/invoker/index.ts";
import { type FunctionVersion, type LogLine, Signals, type UsageRecord } from "../../src/model/index.ts";
import { Router } from "../../src/router/index.ts";
import { type FakeBehaviour, FakeRuntime } from "./fake-runtime.ts";

/** Limits of the one account of a test. */
export interface Limits {
  readonly reserved?: number;
  readonly unreserved?: number;
  readonly provisioned?: number;
  readonly idleMs?: number;
  readonly startsMax?: number;
}

/** Everything on the way of a call, on a manual clock over the fake runtime. */
export class CallWorld {
  readonly clock = new ManualClock();
  readonly signals = new Signals();
  readonly usage: UsageRecord[] = [];
  readonly log: LogLine[] = [];
  readonly defects: unknown[] = [];
  readonly runtime: FakeRuntime;
  readonly autoscaler: Autoscaler;
  readonly router: Router;
  readonly invoker: Invoker;
  version: FunctionVersion;
  /** Whether a debugger may hold the version's instances; tell the router with `renew`. */
  inspected = false;
  #requests = 0;

  constructor(version: FunctionVersion, limits: Limits = {}, behaviour: Partial<FakeBehaviour> = {}) {
    this.version = version;
    const unreserved = limits.unreserved ?? 1_000;
    this.runtime = new FakeRuntime(this.clock, behaviour);
    this.autoscaler = new Autoscaler({
      clock: this.clock,
      runtime: this.runtime,
      inspected: () => this.inspected,
      limits: () => ({ concurrencyMax: limits.reserved ?? unreserved, provisioned: limits.provisioned ?? 0 }),
      memoryFreeMb: () => undefined,
      reportDefect: (error) => this.defects.push(error),
      settings: {
        ...DEFAULT_SETTINGS,
        ...(limits.idleMs ? { idleMs: limits.idleMs } : {}),
        ...(limits.startsMax ? { startsMax: limits.startsMax } : {}),
      },
    });
    this.router = new Router({ autoscaler: this.autoscaler, clock: this.clock, random: seededRandom(1) });
    this.invoker = new Invoker({
      directory: this.#directory(limits.reserved, unreserved),
      router: this.router,
      signals: this.signals,
      clock: this.clock,
    });
    this.signals.on("usage", (record) => this.usage.push(record));
    this.signals.on("log", (line) => this.log.push(line));
  }

  /** One call with `payload`, which the fake handler returns. */
  call(payload = "{}"): Promise<InvokeOutcome> {
    this.#requests += 1;
    return this.invoker.invoke({
      realm: this.version.realm,
      functionName: this.version.name,
      qualifier: undefined,
      payload: Buffer.from(payload),
      requestId: `request-${this.#requests}`,
      traceId: undefined,
      clientContext: undefined,
      stream: undefined,
      wantsTail: true,
    });
  }

  #directory(reserved: number | undefined, unreserved: number): FunctionDirectory {
    return {
      find: () => ({
        versions: [{ version: this.version, weight: 1 }],
        functionArn: `arn:aws:lambda:us-east-1:000000000000:function:${this.version.name}`,
      }),
      reservedConcurrency: () => reserved,
      accountConcurrency: () => ({ total: 1_000, unreserved }),
      provisionedConcurrency: () => 0,
      keepCode: () => () => undefined,
      onChange: (_listener: (change: FunctionChange) => void) => undefined,
    };
  }
}
