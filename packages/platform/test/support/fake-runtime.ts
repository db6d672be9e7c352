import type { Clock } from "../../src/base/index.ts";
import type { Call, CallEnding, Departure, FunctionVersion } from "../../src/model/index.ts";
import type { CallReport, Initialization, Instance, StartEnding } from "../../src/runtime/index.ts";

/** What the fake does with a start or a call; drawn by the test. */
export interface FakeBehaviour {
  readonly startMs: (version: FunctionVersion) => number;
  readonly startEnding: (version: FunctionVersion) => "ready" | "initFailed" | "unavailable";
  readonly callMs: (call: Call) => number;
  readonly callEnding: (call: Call) => CallEnding;
}

export const STEADY: FakeBehaviour = {
  startMs: () => 50,
  startEnding: () => "ready",
  callMs: () => 10,
  callEnding: (call) => ({ kind: "handled", payload: call.payload }),
};

/** A runtime of timers: the named exception to "fakes stand at the wire", for timelines and the simulation. */
export class FakeRuntime {
  readonly instances: FakeInstance[] = [];
  starts = 0;
  readonly #clock: Clock;
  readonly #behaviour: FakeBehaviour;

  constructor(clock: Clock, behaviour: Partial<FakeBehaviour> = {}) {
    this.#clock = clock;
    this.#behaviour = { ...STEADY, ...behaviour };
  }

  /** Instances that are neither drained nor lost. */
  get alive(): FakeInstance[] {
    return this.instances.filter((instance) => instance.alive);
  }

  start(version: FunctionVersion, initialization: Initialization): Promise<StartEnding> {
    this.starts += 1;
    const id = `instance-${this.starts}`;
    const initMs = this.#behaviour.startMs(version);
    const kind = this.#behaviour.startEnding(version);
    return new Promise((resolve) => {
      this.#clock.schedule(initMs, () => {
        if (kind === "unavailable") return resolve({ kind, what: "no process can be started" });
        if (kind === "initFailed") {
          return resolve({
            kind,
            instanceId: id,
            payload: Buffer.from('{"errorType":"Error"}'),
            initMs,
            logTail: Buffer.alloc(0),
            memoryPeakMb: 40,
          });
        }
        const instance = new FakeInstance({ id, version, initMs, initialization }, this.#clock, this.#behaviour);
        this.instances.push(instance);
        resolve({ kind, instance });
      });
    });
  }
}

export class FakeInstance implements Instance {
  readonly id: string;
  readonly version: FunctionVersion;
  readonly capacity: number;
  readonly initMs: number;
  readonly initialization: Initialization;
  readonly gone: Promise<Departure>;
  running = 0;
  /** The most calls it ever ran at once. */
  runningMost = 0;
  alive = true;
  admitting = true;
  readonly #clock: Clock;
  readonly #behaviour: FakeBehaviour;
  readonly #calls = new Set<(ending: CallEnding) => void>();
  #depart: (why: Departure) => void = () => undefined;

  constructor(started: Pick<FakeInstance, "id" | "version" | "initMs" | "initialization">, clock: Clock, behaviour: FakeBehaviour) {
    this.id = started.id;
    this.version = started.version;
    this.capacity = started.version.concurrencyPerInstance;
    this.initMs = started.initMs;
    this.initialization = started.initialization;
    this.#clock = clock;
    this.#behaviour = behaviour;
    this.gone = new Promise((resolve) => (this.#depart = resolve));
  }

  cpuMs(): number {
    return 0;
  }

  invoke(call: Call): Promise<CallReport> {
    this.running += 1;
    this.runningMost = Math.max(this.runningMost, this.running);
    const began = this.#clock.monotonicMs();
    return new Promise((resolve) => {
      const end = (ending: CallEnding): void => {
        if (!this.#calls.delete(end)) return;
        this.running -= 1;
        resolve({ ending, durationMs: this.#clock.monotonicMs() - began, logTail: Buffer.alloc(0), memoryPeakMb: 50 });
        if (!this.admitting && this.running === 0) this.#leave({ kind: "drained" });
      };
      this.#calls.add(end);
      this.#clock.schedule(this.#behaviour.callMs(call), () => end(this.#behaviour.callEnding(call)));
    });
  }

  drain(): void {
    this.admitting = false;
    if (this.running === 0) this.#leave({ kind: "drained" });
  }

  /** As a timeout in an instance with several calls: the oldest is answered, no new one is taken, the others run on. */
  cut(): void {
    this.admitting = false;
    for (const end of this.#calls) return end({ kind: "timedOut" });
  }

  /** Ends as a crash would: every running call is lost. */
  crash(): void {
    this.admitting = false;
    const departure: Departure = { kind: "killed", signal: "SIGKILL" };
    this.#leave(departure);
    for (const end of [...this.#calls]) end({ kind: "instanceLost", departure });
  }

  #leave(why: Departure): void {
    if (!this.alive) return;
    this.alive = false;
    this.#depart(why);
  }
}
