import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { after, before, test } from "node:test";
import { deferred, isLambentError, LambentError, ManualClock, systemClock } from "../../src/base/index.ts";
import { type DebuggerNews, type HeldInspection, Inspections, INSPECTIONS_MAX } from "../../src/runtime/index.ts";
import { functionVersion } from "../support/function-version.ts";
import { RuntimeWorld, valueOf } from "../support/runtime-world.ts";

let world: RuntimeWorld;
before(async () => {
  world = await RuntimeWorld.open({ pythonZygote: true, poolReadyMax: 1 });
});
after(() => world.close());

/** An instance as an inspection sees it, whose debugger is a server of this test that says one word. */
class FakeInstance {
  readonly gone: Promise<void>;
  readonly depart: () => void;
  readonly id: string;
  leaving = false;
  timeCounts = false;
  #connects: () => Promise<Socket>;

  constructor(id: string, connects: () => Promise<Socket>) {
    const { promise, resolve } = deferred<void>();
    this.gone = promise;
    this.depart = resolve;
    this.id = id;
    this.#connects = connects;
  }

  connect(): Promise<Socket> {
    return this.#connects();
  }

  countTime(): void {
    this.timeCounts = true;
  }
}

async function wordServer(word: string): Promise<{ dial(): Promise<Socket>; close(): void }> {
  const server = createServer((socket) => socket.end(word));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    async dial() {
      const socket = connect({ host: "127.0.0.1", port });
      await once(socket, "connect");
      return socket;
    },
    close: () => server.close(),
  };
}

/** What is heard at the other end of a debugger's connection until it closes. */
async function heardAt({ address }: HeldInspection): Promise<string> {
  const [host = "", port] = address.split(":");
  const socket = connect({ host, port: Number(port) });
  let heard = "";
  socket.on("data", (piece: Buffer) => (heard += piece.toString()));
  // Cut off or never taken, it is over: a listener that closes resets what it had not accepted.
  socket.on("error", () => socket.destroy());
  await new Promise<void>((resolve) => socket.once("close", () => resolve()));
  return heard;
}

const WAITING = "import time\ndef handler(event, context):\n    return time.sleep(60) if 'wait' in event else 1\n";
const INSPECTED = { version: functionVersion({ runtime: "nodejs22.x" }), port: 0 } as const;

test("a debugger is led to the newest instance that stays, and waits for one while there is none", async () => {
  const inspections = new Inspections(new ManualClock());
  const news: DebuggerNews[] = [];
  const held = await inspections.open({ ...INSPECTED, tell: (each) => news.push(each) });
  const inspection = inspections.of(INSPECTED.version);
  assert.ok(inspection);
  const servers = await Promise.all([wordServer("first"), wordServer("second")]);
  const [first, second] = servers.map((server, index) => new FakeInstance(`i${index}`, () => server.dial()));
  assert.ok(first && second);
  const early = heardAt(held);
  inspection.joined(first);
  inspection.opened(first, "inspector", 1);
  assert.equal(await early, "first");
  inspection.joined(second);
  assert.equal(await heardAt(held), "first", "one whose debugger is not open yet is nobody's");
  inspection.opened(second, "inspector", 1);
  assert.equal(await heardAt(held), "second");
  second.leaving = true;
  assert.equal(await heardAt(held), "first");
  const broken = new FakeInstance("i2", () => Promise.reject(new LambentError("InstanceLost", "it ended")));
  inspection.joined(broken);
  inspection.opened(broken, "inspector", 1);
  assert.equal(await heardAt(held), "first", "one that ended a moment ago is passed over");
  assert.deepEqual(
    news.map((each) => (each.kind === "attachable" ? each.instanceId : each.what)),
    ["i0", "i1", "i2"],
  );
  first.depart();
  await first.gone;
  const waiting = heardAt(held);
  held.end();
  assert.equal(await waiting, "");
  assert.deepEqual([first.timeCounts, second.timeCounts], [false, true], "time counts in those that live");
  const late = new FakeInstance("i3", () => Promise.reject(new LambentError("InstanceLost", "nobody asks")));
  inspection.joined(late);
  assert.equal(late.timeCounts, true, "also in one that starts as the debugging ends");
  assert.equal(inspections.of(INSPECTED.version), undefined);
  for (const server of servers) server.close();
});

test("a debugger for which no instance comes is let go", async () => {
  const clock = new ManualClock();
  const held = await new Inspections(clock).open({ ...INSPECTED, tell: () => undefined });
  const waiting = heardAt(held);
  while (clock.pendingCount === 0) await new Promise<void>((resolve) => setImmediate(resolve));
  await clock.advance(10_000);
  assert.equal(await waiting, "");
  held.end();
});

test("only $LATEST of what has a debugger is inspected, each function once, and no more than the bound (P7)", async () => {
  const inspections = new Inspections(new ManualClock());
  const changes: string[] = [];
  inspections.onChange((_realm, name) => changes.push(name));
  const open = (name: string, runtime = "python3.12"): Promise<HeldInspection> =>
    inspections.open({ version: functionVersion({ name, runtime }), port: 0, tell: () => undefined });
  const held = await Promise.all(Array.from({ length: INSPECTIONS_MAX - 1 }, (_, index) => open(`f${index}`)));
  await assert.rejects(open("f0"), (error) => isLambentError(error, "Conflict"));
  await assert.rejects(open("custom", "provided.al2023"), (error) => isLambentError(error, "InvalidParameter"));
  const twins = await Promise.allSettled([open("twin"), open("twin")]);
  assert.deepEqual(twins.map(({ status }) => status).toSorted(), ["fulfilled", "rejected"]);
  await assert.rejects(open("more"), (error) => isLambentError(error, "LimitExceeded"));
  assert.equal(inspections.of(functionVersion({ name: "f0", runtime: "python3.12", version: "1" })), undefined);
  for (const each of [...held, ...twins.flatMap((twin) => (twin.status === "fulfilled" ? [twin.value] : []))]) {
    each.end();
    each.end();
  }
  assert.equal(changes.length, 2 * INSPECTIONS_MAX, "each is said to begin and to end once");
});

test("an instance under a debugger takes one call at a time, and is no process of the pool", async () => {
  const version = world.version(
    { "index.mjs": 'export const handler = async () => process.execArgv.join(" ");' },
    { concurrencyPerInstance: 5 },
  );
  const { news, held, instance } = await inspected(version);
  assert.equal(instance.capacity, 1);
  assert.match(String(valueOf(await instance.invoke(world.call()))), /--inspect=127\.0\.0\.1:0/u);
  assert.deepEqual(news, [{ kind: "attachable", protocol: "inspector", instanceId: instance.id }]);
  held.end();
  instance.drain();
  await instance.gone;
});

test("the debugpy that a function brings along comes before the machine's", async () => {
  const debugpy = "def configure(**_):\n    pass\n\ndef listen(address):\n    return (address[0], 4321)\n";
  const files = {
    "app.py": "import debugpy, sys\ndef handler(event, context):\n    return [debugpy.listen(('',))[1], sys.argv[1:]]\n",
    "debugpy.py": debugpy,
  };
  const { news, held, instance } = await inspected(world.version(files, { runtime: "python3.11", handler: "app.handler" }));
  assert.deepEqual(valueOf(await instance.invoke(world.call())), [4321, []]);
  assert.deepEqual(news, [{ kind: "attachable", protocol: "debugpy", instanceId: instance.id }]);
  held.end();
  instance.drain();
  await instance.gone;
});

test("without debugpy a Python function runs as ever, and what installs it is said", async () => {
  const files = { "app.py": WAITING, "debugpy.py": "raise ImportError('not here')\n" };
  const { news, held, instance } = await inspected(world.version(files, { runtime: "python3.11", handler: "app.handler" }));
  assert.equal(valueOf(await instance.invoke(world.call())), 1);
  const [missing] = news;
  assert.match(
    missing?.kind === "missing" ? missing.what : "",
    /has no debugpy: add it to requirements\.txt, or run \S+ -m pip install debugpy$/u,
  );
  const report = await instance.invoke(world.call({ wait: true }, { deadline: systemClock.now() + 50 }));
  assert.equal(report.ending.kind, "timedOut", "its time counts");
  held.end();
  await instance.gone;
});

/** An instance started under a debugger, and what was said of it. */
async function inspected(version: ReturnType<typeof functionVersion>) {
  const news: DebuggerNews[] = [];
  const held = await world.inspections.open({ version, port: 0, tell: (each) => news.push(each) });
  const started = await world.host.start(version, "provisioned-concurrency");
  assert.equal(started.kind, "ready");
  return { news, held, instance: started.instance };
}
