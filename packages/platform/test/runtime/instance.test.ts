import assert from "node:assert/strict";
import { PassThrough } from "node:stream";
import { Socket } from "node:net";
import { test } from "node:test";
import { deferred, LambentError, ManualClock } from "../../src/base/index.ts";
import { type Call, type LogLine, type ResponseStream, Signals } from "../../src/model/index.ts";
import { AssignedInstance, type InstanceParts } from "../../src/runtime/instance.ts";
import { LOG_BYTES_PER_SECOND_MAX, LogIntake } from "../../src/runtime/log-intake.ts";
import type { Port } from "../../src/runtime/port.ts";
import { STREAM_OVERRUN_BYTES_MAX, STREAMED_BYTES_MAX } from "../../src/runtime/running-call.ts";
import { INIT_TIMEOUT_MS } from "../../src/runtime/runtime.ts";
import type { ConfinedProcess, ProcessExit } from "../../src/sandbox/index.ts";
import { functionVersion } from "../support/function-version.ts";

/** An instance on a manual clock whose process is this test. */
class World {
  readonly clock = new ManualClock();
  readonly sent: string[] = [];
  readonly stops: number[] = [];
  readonly lines: LogLine[] = [];
  readonly stdout = new PassThrough();
  readonly instance: AssignedInstance;
  readonly port: Port;
  readonly #exit = deferred<ProcessExit>();
  readonly #ended = deferred<void>();

  constructor(concurrencyPerInstance = 4, timeLimits: InstanceParts["timeLimits"] = "counted") {
    const signals = new Signals();
    signals.on("log", (line) => this.lines.push(line));
    const stderr = new PassThrough();
    const process: ConfinedProcess = {
      id: "00000000-0000-7000-8000-000000000000",
      pid: 1,
      channel: new Socket(),
      stdout: this.stdout,
      stderr,
      listeners: undefined,
      paths: { task: "/var/task", opt: "/opt", tmp: "/tmp" },
      exited: this.#exit.promise,
      place: () => Promise.resolve(),
      connect: () => Promise.reject(new LambentError("InstanceLost", "nobody listens")),
      stop: (graceMs) => void this.stops.push(graceMs),
      tmpBytes: undefined,
      usage: () => ({ cpuMs: 5, memoryBytes: 0, memoryPeakBytes: 40 * 1_024 * 1_024 }),
    };
    void this.#exit.promise.then(() => [this.stdout, stderr].forEach((pipe) => pipe.destroy()));
    this.instance = new AssignedInstance({
      version: functionVersion({ concurrencyPerInstance }),
      process,
      clock: this.clock,
      signals,
      timeLimits,
      close: () => this.sent.push("close"),
    });
    this.port = {
      ended: this.#ended.promise,
      call: (id) => void this.sent.push(`call ${id}`),
      cancel: (id) => void this.sent.push(`cancel ${id}`),
      setPaused: (id, paused) => void this.sent.push(`${paused ? "pause" : "resume"} ${id}`),
      close: () => void this.sent.push("closed"),
    };
  }

  /** Past init. */
  static async ready(concurrencyPerInstance?: number, timeLimits?: InstanceParts["timeLimits"]): Promise<World> {
    const world = new World(concurrencyPerInstance, timeLimits);
    const started = world.instance.start(world.port, () => {});
    world.instance.ready();
    assert.equal((await started).kind, "ready");
    return world;
  }

  exit(changed: Partial<ProcessExit> = {}): void {
    this.#ended.resolve();
    this.#exit.resolve({ code: 0, signal: undefined, outOfMemory: false, memoryPeakBytes: 0, ...changed });
  }

  call(afterMs: number, stream?: ResponseStream): Call {
    return {
      requestId: "r",
      payload: Buffer.from("{}"),
      deadline: this.clock.now() + afterMs,
      functionArn: "arn",
      traceId: "",
      clientContext: undefined,
      stream,
    };
  }
}

const handled = { ending: { kind: "handled", payload: Buffer.from("1") }, durationMs: 2, exiting: false } as const;

test("each call ends at its own deadline, whatever the order they came in", async () => {
  const world = await World.ready();
  const ends: string[] = [];
  for (const [name, ms] of [
    ["late", 300],
    ["early", 100],
    ["middle", 200],
    ["answered", 150],
  ] as const) {
    void world.instance.invoke(world.call(ms)).then((report) => ends.push(`${name} ${report.ending.kind} ${report.durationMs}`));
  }
  await world.clock.advance(50);
  world.instance.answered(4, handled);
  await world.clock.advance(49);
  assert.deepEqual(ends, ["answered handled 2"]);
  await world.clock.advance(1);
  assert.deepEqual(ends.at(-1), "early timedOut 100");
  assert.deepEqual([world.instance.admitting, world.stops], [false, []]);
  await world.clock.advance(200);
  assert.deepEqual(ends.slice(2), ["middle timedOut 200", "late timedOut 300"]);
  assert.deepEqual(world.stops, [0]);
  world.exit({ code: undefined, signal: "SIGKILL" });
  assert.deepEqual(await world.instance.gone, { kind: "killed", signal: "SIGKILL" });
  assert.equal(world.clock.pendingCount, 0, "no timer outlives the instance");
});

test("P10: a wall clock that is set moves no deadline", async () => {
  for (const jumpMs of [-3_600_000, 3_600_000]) {
    const world = await World.ready();
    const ends: string[] = [];
    for (const ms of [100, 200]) void world.instance.invoke(world.call(ms)).then((report) => ends.push(`${ms} ${report.ending.kind}`));
    await world.clock.advance(50);
    world.clock.jumpWall(jumpMs);
    await world.clock.advance(49);
    assert.deepEqual(ends, []);
    await world.clock.advance(1);
    assert.deepEqual(ends, ["100 timedOut"]);
    await world.clock.advance(100);
    assert.deepEqual(ends, ["100 timedOut", "200 timedOut"]);
  }
});

test("a process that says it ends and does not is ended: it must not live on beside the fleet", async () => {
  const world = await World.ready();
  const call = world.instance.invoke(world.call(10_000));
  world.instance.answered(1, { ...handled, exiting: true });
  assert.equal((await call).ending.kind, "handled");
  assert.deepEqual([world.instance.admitting, world.stops], [false, []]);
  await world.clock.advance(2_000);
  assert.deepEqual(world.stops, [0]);
  world.exit({ signal: "SIGKILL" });
  await world.instance.gone;
  assert.equal(world.clock.pendingCount, 0);
});

test("init that takes too long is Sandbox.Timedout", async () => {
  const world = new World();
  const started = world.instance.start(world.port, () => {});
  await world.clock.advance(INIT_TIMEOUT_MS);
  assert.deepEqual(world.stops, [0]);
  world.exit({ signal: "SIGKILL" });
  const ending = await started;
  assert.ok(ending.kind === "initFailed");
  assert.deepEqual(JSON.parse(ending.payload.toString()), {
    errorType: "Sandbox.Timedout",
    errorMessage: "Error: Task timed out after 10.00 seconds",
  });
  assert.equal(ending.memoryPeakMb, 40);
});

test("under a debugger neither init nor a call has a limit; once time counts again each has its whole time left", async () => {
  const starting = new World(1, "suspended");
  const started = starting.instance.start(starting.port, () => {});
  await starting.clock.advance(100 * INIT_TIMEOUT_MS);
  starting.instance.countTime();
  await starting.clock.advance(INIT_TIMEOUT_MS - 1);
  assert.deepEqual(starting.stops, []);
  await starting.clock.advance(1);
  assert.deepEqual(starting.stops, [0]);
  starting.exit();
  const ending = await started;
  assert.match(ending.kind === "initFailed" ? ending.payload.toString() : "", /Sandbox\.Timedout/u);

  const world = await World.ready(1, "suspended");
  const kinds: string[] = [];
  const call = (ms: number): void => void world.instance.invoke(world.call(ms)).then((report) => kinds.push(report.ending.kind));
  call(1_000);
  await world.clock.advance(3_600_000);
  world.instance.answered(1, handled);
  await world.clock.advance(0);
  assert.deepEqual(kinds, ["handled"]);
  call(1_000);
  await world.clock.advance(3_600_000);
  world.instance.countTime();
  await world.clock.advance(999);
  assert.deepEqual(kinds, ["handled"]);
  await world.clock.advance(1);
  assert.deepEqual(kinds, ["handled", "timedOut"]);
  world.exit();
  await world.instance.gone;
  assert.equal(world.clock.pendingCount, 0, "no timer outlives the instance");
});

test("a channel that closes is followed by the exit that explains it, or taken for a breach", async () => {
  const explained = await World.ready();
  const first = explained.instance.invoke(explained.call(10_000));
  explained.instance.closed("gone");
  explained.exit({ outOfMemory: true, signal: "SIGKILL" });
  assert.deepEqual((await first).ending, { kind: "instanceLost", departure: { kind: "outOfMemory" } });
  assert.equal(explained.clock.pendingCount, 0);
  const living = await World.ready();
  const second = living.instance.invoke(living.call(10_000));
  living.instance.closed("closed by the handler");
  await living.clock.advance(2_000);
  assert.deepEqual(living.stops, [0]);
  living.exit({ signal: "SIGKILL" });
  assert.deepEqual((await second).ending, { kind: "instanceLost", departure: { kind: "protocolBroken", what: "closed by the handler" } });
});

test("an answer to a call nobody made, and to one that ended, is ignored", async () => {
  const world = await World.ready();
  const running = world.instance.invoke(world.call(1_000));
  world.instance.answered(77, handled);
  world.instance.answered(1, handled);
  world.instance.answered(1, handled);
  assert.equal((await running).ending.kind, "handled");
  assert.equal(world.instance.admitting, true);
});

test("a stream that goes on although paused breaks the protocol; one that stops is resumed", async () => {
  const world = await World.ready();
  const gate = deferred<void>();
  const running = world.instance.invoke(world.call(1_000, { begin: () => {}, write: () => false, drained: () => gate.promise }));
  world.instance.streamChunk(1, Buffer.alloc(10));
  assert.equal(world.sent.at(-1), "pause 1");
  world.instance.streamChunk(1, Buffer.alloc(STREAM_OVERRUN_BYTES_MAX));
  assert.deepEqual(world.stops, []);
  gate.resolve();
  await gate.promise;
  await Promise.resolve();
  assert.equal(world.sent.at(-1), "resume 1");
  world.instance.streamChunk(1, Buffer.alloc(10));
  world.instance.streamChunk(1, Buffer.alloc(STREAM_OVERRUN_BYTES_MAX + 1));
  assert.deepEqual(world.stops, [0]);
  world.exit({ signal: "SIGKILL" });
  const { ending } = await running;
  assert.ok(ending.kind === "instanceLost" && ending.departure.kind === "protocolBroken");
});

test("a stream over its bound ends the call and the rest of it is refused", async () => {
  const world = await World.ready();
  const running = world.instance.invoke(world.call(1_000, { begin: () => {}, write: () => true, drained: () => Promise.resolve() }));
  const chunk = Buffer.alloc(1_024 * 1_024);
  for (let bytes = 0; bytes <= STREAMED_BYTES_MAX; bytes += chunk.length) world.instance.streamChunk(1, chunk);
  const { ending } = await running;
  assert.ok(ending.kind === "functionError" && /209715200/.test(ending.payload.toString()));
  assert.equal(world.sent.at(-1), "cancel 1");
});

test("frames of log over the rate are dropped and counted, pipes are held back", async () => {
  const clock = new ManualClock();
  const taken: string[] = [];
  const intake = new LogIntake(clock, (_callId, text) => taken.push(text));
  const line = "x".repeat(1_024 * 1_024);
  for (let n = 0; n < 10; n++) intake.line(1, line);
  assert.equal(taken.length, LOG_BYTES_PER_SECOND_MAX / line.length);
  await clock.advance(1_000);
  intake.line(1, "after");
  assert.deepEqual(taken.slice(-2), ["6 log lines dropped: more than 4194304 bytes a second", "after"]);
  const pipe = new PassThrough();
  const ended = intake.readPipe(pipe, () => 0);
  intake.line(1, "y".repeat(LOG_BYTES_PER_SECOND_MAX - 5));
  pipe.write("held\n");
  await new Promise((resolve) => setImmediate(resolve));
  pipe.write("longer than the credit\n");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(pipe.isPaused(), true);
  await clock.advance(250);
  assert.equal(pipe.isPaused(), false);
  pipe.end("without end");
  await ended;
  assert.deepEqual(taken.slice(-3), ["held", "longer than the credit", "without end"]);
});
