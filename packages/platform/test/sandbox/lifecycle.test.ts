import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { delay, isLambentError, ManualClock, systemClock, type Clock } from "../../src/base/index.ts";
import { openSandbox, UID_RANGE_DEFAULT, type ConfinedProcess, type LaunchSpec, type Sandbox } from "../../src/sandbox/index.ts";

/** What holds in every mode of the sandbox alike, whatever it confines. */

const PYTHON = "/usr/bin/python3";

interface Opened extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly folder: string;
  readonly slotsFolder: string;
}

async function open(wanted: "bubblewrap" | "process", clock: Clock = systemClock, sdkTree?: string): Promise<Opened> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "lambent-lifecycle-")));
  const slotsFolder = join(folder, "slots");
  const sandbox = await openSandbox({ wanted, slotsFolder, clock, uidRange: UID_RANGE_DEFAULT, sdkTree });
  const close = async (): Promise<void> => {
    await sandbox.close();
    rmSync(folder, { recursive: true });
  };
  return { sandbox, folder, slotsFolder, [Symbol.asyncDispose]: close };
}

function spec(id: string, script: string, more: Partial<LaunchSpec> = {}): LaunchSpec {
  return { id, command: ["/bin/sh", "-c", script], environment: {}, memoryMb: 128, tmpMb: 512, network: "lambent", mounts: [], ...more };
}

async function outputOf(running: ConfinedProcess): Promise<string> {
  let output = "";
  running.stdout.on("data", (piece: Buffer) => (output += piece.toString()));
  running.stderr.on("data", (piece: Buffer) => (output += piece.toString()));
  await Promise.all([running.exited, once(running.stdout, "close"), once(running.stderr, "close")]);
  return output.trim();
}

for (const wanted of ["process", "bubblewrap"] as const) {
  test(`${wanted}: code placed after the start is where the process looks for it`, async () => {
    await using opened = await open(wanted);
    const environment = (places: { paths: { task: string; opt: string } }) => ({ TASK: places.paths.task, OPT: places.paths.opt });
    const running = await opened.sandbox.launch(spec("placed", 'read go <&3; cat "$TASK/greeting" "$OPT/layer"', { environment }));
    for (const [name, file, content] of [
      ["tree", "greeting", "hello "],
      ["layers", "layer", "there"],
    ] as const) {
      mkdirSync(join(opened.folder, name));
      writeFileSync(join(opened.folder, name, file), content);
    }
    await running.place(join(opened.folder, "tree"), "task");
    await running.place(join(opened.folder, "layers"), "opt");
    running.channel.write("go\n");
    assert.equal(await outputOf(running), "hello there");
    assert.equal((await running.exited).code, 0);
  });

  test(`${wanted}: the channel is one duplex stream at descriptor 3`, async () => {
    await using opened = await open(wanted);
    const running = await opened.sandbox.launch(spec("channel", 'read word <&3; echo "got $word" >&3'));
    running.channel.write("frame\n");
    const [answer] = (await once(running.channel, "data")) as [Buffer];
    assert.equal(answer.toString(), "got frame\n");
    await running.exited;
  });

  test(`${wanted}: an exit code, a signal and the code of a missing program are told apart`, async () => {
    await using opened = await open(wanted);
    const exits = await opened.sandbox.launch(spec("exits", "exit 7"));
    const killed = await opened.sandbox.launch(spec("killed", "kill -SEGV $$"));
    const { code, signal, outOfMemory } = await exits.exited;
    assert.deepEqual({ code, signal, outOfMemory }, { code: 7, signal: undefined, outOfMemory: false });
    assert.equal((await killed.exited).signal, "SIGSEGV");
  });

  test(`${wanted}: stop asks first and kills when the grace is over`, async () => {
    const clock = new ManualClock();
    await using opened = await open(wanted, wanted === "process" ? clock : systemClock);
    const polite = await opened.sandbox.launch(spec("polite", "trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done"));
    await once(polite.stdout, "data");
    polite.stop(60_000);
    assert.deepEqual([await outputOf(polite), (await polite.exited).code], ["bye", 0]);
    const deaf = await opened.sandbox.launch(spec("deaf", "trap '' TERM; echo ready; while :; do sleep 0.05; done"));
    await once(deaf.stdout, "data");
    deaf.stop(50);
    deaf.stop(50);
    await clock.advance(50);
    assert.equal((await deaf.exited).signal, "SIGKILL");
  });

  test(`${wanted}: connections made before anyone serves the listener are served then`, async () => {
    await using opened = await open(wanted);
    const script =
      "import os,socket; s=socket.create_connection((os.environ['API'].split(':')[0],int(os.environ['API'].split(':')[1]))); os.write(3,b'in'); print(s.recv(9).decode())";
    const environment = (places: { listeners: { apiAddress: string } | undefined }) => ({ API: places.listeners?.apiAddress ?? "" });
    const running = await opened.sandbox.launch(spec("early", "", { command: [PYTHON, "-c", script], environment }));
    await once(running.channel, "data");
    running.listeners?.api.on("connection", (socket) => socket.end("served"));
    assert.equal(await outputOf(running), "served");
  });

  test(`${wanted}: network none has no listeners, network host has them on the host's loopback`, async () => {
    await using opened = await open(wanted);
    const none = await opened.sandbox.launch(spec("none", "exit 0", { network: "none" }));
    assert.equal(none.listeners, undefined);
    await none.exited;
    const host = await opened.sandbox.launch(spec("host", "readlink /proc/self/ns/net", { network: "host" }));
    assert.match(host.listeners?.apiAddress ?? "", /^127\.0\.0\.1:\d+$/);
    assert.equal(await outputOf(host), readlinkSync("/proc/self/ns/net"));
  });

  test(`${wanted}: a slot is gone with its instance, and what /tmp holds is counted where nothing bounds it`, async () => {
    await using opened = await open(wanted);
    const environment = (places: { paths: { tmp: string } }) => ({ PLACE: places.paths.tmp });
    const running = await opened.sandbox.launch(
      spec("slot", 'head -c 2000000 /dev/zero > "$PLACE/file"; echo done; read go <&3', { environment }),
    );
    await once(running.stdout, "data");
    const bytes = await running.tmpBytes?.();
    if (opened.sandbox.report.limits.tmp === "exact") assert.equal(bytes, undefined);
    else assert.ok(bytes !== undefined && bytes >= 2_000_000 && bytes < 4_000_000, `${bytes} bytes`);
    assert.ok(existsSync(join(opened.slotsFolder, "slot")));
    running.channel.end("go\n");
    await running.exited;
    assert.equal(existsSync(join(opened.slotsFolder, "slot")), false);
  });
}

test("a program that does not exist cannot be started, and leaves no slot", async () => {
  await using opened = await open("process");
  const launching = opened.sandbox.launch(spec("missing", "", { command: ["/no/such/program"] }));
  await assert.rejects(launching, (error) => isLambentError(error, "RuntimeUnavailable"));
  assert.deepEqual(readdirSync(opened.slotsFolder), []);
});

test("a refused environment leaves no slot, group or image in anyone's hands", async () => {
  await using opened = await open("bubblewrap");
  await assert.rejects(opened.sandbox.launch(spec("refused", "exit 0", { environment: { A: "\0" } })), (error) =>
    isLambentError(error, "InvalidParameter"),
  );
  assert.equal(existsSync(join(opened.slotsFolder, "refused")), false);
  // As root the porter lives on; a process of the refused launch would wait for its options for ever.
  const processes = (): number => process.getActiveResourcesInfo().filter((name) => name === "ProcessWrap").length;
  const kept = process.getuid?.() === 0 ? 1 : 0;
  // Ready images are made behind a launch by short programs of their own: those end.
  for (let look = 0; processes() > kept && look < 250; look++) await delay(systemClock, 20);
  assert.equal(processes(), kept);
  const again = await opened.sandbox.launch(spec("refused", "exit 0"));
  assert.equal((await again.exited).code, 0);
});

test("a confined process is batch work for the scheduler: waking it interrupts nobody", async () => {
  await using opened = await open("bubblewrap");
  const running = await opened.sandbox.launch(spec("policy", "cut -d ' ' -f 41 /proc/self/stat"));
  assert.equal(await outputOf(running), "3", "SCHED_BATCH");
});

test("a library preloaded by the function's environment is loaded by nothing but its program", async () => {
  await using opened = await open("bubblewrap");
  const running = await opened.sandbox.launch(spec("preload", "exit 0", { environment: { LD_PRELOAD: "/var/task/evil.so" } }));
  const complaints = (await outputOf(running)).split("\n").filter((line) => line.includes("evil.so"));
  // The loader names the program it complains for: `env` starts no further program but becomes it.
  assert.deepEqual(complaints.length, 1);
});

test("plain processes find the platform's AWS SDK from beside their code", async () => {
  const tree = mkdtempSync(join(tmpdir(), "lambent-sdk-"));
  mkdirSync(join(tree, "@aws-sdk/example"), { recursive: true });
  writeFileSync(join(tree, "@aws-sdk/example/index.js"), "module.exports = 'found';");
  await using opened = await open("process", systemClock, tree);
  const source = join(opened.folder, "code");
  mkdirSync(source);
  writeFileSync(join(source, "main.js"), "console.log(require('@aws-sdk/example'))");
  const script = 'read go <&3; exec "$NODE" "$TASK/main.js"';
  const environment = (places: { paths: { task: string } }) => ({ NODE: process.execPath, TASK: places.paths.task });
  const running = await opened.sandbox.launch(spec("sdk", script, { environment }));
  await running.place(source, "task");
  running.channel.write("go\n");
  assert.equal(await outputOf(running), "found");
  rmSync(tree, { recursive: true });
});

test("what cannot be confined is an error when asked for and a remark when not", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "lambent-without-"));
  const path = process.env["PATH"];
  process.env["PATH"] = folder;
  context.after(() => {
    process.env["PATH"] = path;
    rmSync(folder, { recursive: true });
  });
  const options = { slotsFolder: join(folder, "slots"), clock: systemClock, uidRange: UID_RANGE_DEFAULT, sdkTree: undefined };
  await assert.rejects(openSandbox({ ...options, wanted: "bubblewrap" }), (error) => isLambentError(error, "SandboxUnavailable"));
  const fallback = await openSandbox({ ...options, wanted: "auto" });
  assert.equal(fallback.report.confined, false);
  assert.match(fallback.report.remarks[0] ?? "", /NOT confined: bubblewrap is not installed/);
  await fallback.close();
});

test("usage counts an instance's processor time and memory", async () => {
  await using opened = await open("bubblewrap");
  const running = await opened.sandbox.launch(
    spec("busy", "", { command: [PYTHON, "-c", "x=bytearray(40<<20); sum(range(3000000)); import os; os.write(3,b'x'); os.read(3,1)"] }),
  );
  await once(running.channel, "data");
  const usage = running.usage();
  assert.ok(usage.cpuMs > 20 && usage.memoryPeakBytes > 40 * 1024 * 1024, JSON.stringify(usage));
  running.channel.end("x");
  await running.exited;
});
