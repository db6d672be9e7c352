/** `lambent dev --inspect`: real debuggers attach to real instances of a real server. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { invariant } from "../../src/base/index.ts";
import { attachDebugpy, attachInspector, type DebuggerClient, inspectorUrl } from "../support/debuggers.ts";
import { type GoingCommand, startLambent } from "../support/lambent-process.ts";

/** The functions' timeout, and how long a debugger holds a call in the tests that outlive it. */
const TIMEOUT = "1s";
const HELD_SECONDS = 1.2;

const folder = mkdtempSync(join(tmpdir(), "lambent-inspect-"));
const lambent = await startLambent();
after(async () => {
  await lambent.stop();
  rmSync(folder, { recursive: true });
});

/** An application folder with one function. */
function application(name: string, file: string, code: string): string {
  const place = join(folder, name);
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, "lambent.yaml"), `app: ${name}\nfunctions:\n  ${name}:\n    code: ${file}\n    timeout: ${TIMEOUT}\n`);
  writeFileSync(join(place, file), code);
  return place;
}

const confined = (): boolean => lambent.printed().includes("confined by");

/** Where dev says a function's debugger is. */
async function debuggerOf(dev: GoingCommand, name: string, protocol: "inspector" | "debugpy"): Promise<string> {
  const line = new RegExp(`debugger of ${name}: ${protocol} at (127\\.0\\.0\\.1:\\d+)  \\(.*VS Code: attach`, "u");
  await dev.said(line);
  return line.exec(dev.printed())?.[1] ?? "";
}

interface Answer {
  readonly status: number;
  readonly value: unknown;
}

async function call(name: string): Promise<Answer> {
  const response = await fetch(`${lambent.url}/function-url/${name}/`);
  return { status: response.status, value: await response.json().catch(() => undefined) };
}

async function isOpen(address: string): Promise<boolean> {
  const [host = "", port] = address.split(":");
  const socket = connect({ host, port: Number(port) });
  const opened = once(socket, "connect").then(
    () => true,
    () => false,
  );
  return opened.finally(() => socket.destroy());
}

/** Addresses, as the kernel writes them, at which anything listens on this port. */
function listeningAt(address: string): string[] {
  const port = Number(address.split(":")[1]).toString(16).toUpperCase().padStart(4, "0");
  const lines = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => readFileSync(file, "utf8").split("\n"));
  return lines
    .map((line) => line.trim().split(/\s+/u))
    .flatMap(([, local = "", , state]) => (state === "0A" && local.endsWith(`:${port}`) ? [local.split(":")[0] ?? ""] : []));
}

async function attachNode(address: string): Promise<DebuggerClient> {
  const client = await attachInspector(address);
  await client.ask("Runtime.enable");
  await client.ask("Debugger.enable");
  return client;
}

const STOPPING = (answer: string): string =>
  `const held = "${answer}";\nexport const handler = async () => {\n  debugger;\n  return held;\n};\n`;

/** What `held` is in the frame a call is paused in, asked for in a way that takes `waitMs`. */
async function heldBy(client: DebuggerClient, paused: Readonly<Record<string, unknown>>, waitMs = 0): Promise<unknown> {
  const [frame] = paused["callFrames"] as { readonly callFrameId: string }[];
  invariant(frame, "a paused call has a frame");
  const wait = `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${waitMs})`;
  const answer = await client.ask("Debugger.evaluateOnCallFrame", {
    callFrameId: frame.callFrameId,
    expression: `${wait}; held`,
    returnByValue: true,
  });
  return (answer["result"] as { readonly value?: unknown }).value;
}

/** What the longest call took, as the REPORT lines say that dev shows. */
const longestMs = (dev: GoingCommand): number =>
  Math.max(...[...dev.printed().matchAll(/\tDuration: ([\d.]+) ms/gu)].map(([, ms]) => Number(ms)));

test("a Node function is paused in a debugger for longer than its timeout, goes on and answers 200", async () => {
  const place = application("node-held", "index.mjs", STOPPING("first"));
  const dev = lambent.begin("dev", place, "--inspect", "0");
  const address = await debuggerOf(dev, "node-held", "inspector");
  assert.ok((await inspectorUrl(address)).startsWith(`ws://${address}/`), "what Chrome finds leads back through the same port");
  const client = await attachNode(address);
  const answers = [call("node-held"), call("node-held")];
  for (const waitMs of [HELD_SECONDS * 1_000, 0]) {
    const paused = await client.event("Debugger.paused");
    assert.equal(await heldBy(client, paused, waitMs), "first");
    await client.ask("Debugger.resume");
  }
  assert.deepEqual(
    await Promise.all(answers),
    [
      { status: 200, value: "first" },
      { status: 200, value: "first" },
    ],
    "the second call waited for the one instance there is",
  );
  await dev.said(/REPORT [\s\S]*REPORT /u);
  assert.ok(longestMs(dev) > HELD_SECONDS * 1_000, dev.printed());

  writeFileSync(join(place, "index.mjs"), STOPPING("second"));
  await client.closed;
  const again = await attachNode(address);
  const answer = call("node-held");
  assert.equal(
    await heldBy(again, await again.event("Debugger.paused")),
    "second",
    "code that was just saved is debugged at the same port",
  );
  again.close();
  assert.deepEqual(await answer, { status: 200, value: "second" }, "a debugger that leaves lets the call go on");
  assert.equal(await dev.interrupt(), 0, dev.printed());
});

test("a breakpoint set by a debugger in a line of the code is reached", async () => {
  const code = "export const handler = async () => {\n  const sum = 20 + 22;\n  return sum;\n};\n";
  const dev = lambent.begin("dev", application("node-line", "index.mjs", code), "--inspect", "0");
  const client = await attachNode(await debuggerOf(dev, "node-line", "inspector"));
  await client.ask("Debugger.setBreakpointByUrl", { lineNumber: 2, urlRegex: ".*/task/index\\.mjs$" });
  const answer = call("node-line");
  const [frame] = (await client.event("Debugger.paused"))["callFrames"] as { readonly callFrameId: string }[];
  const seen = await client.ask("Debugger.evaluateOnCallFrame", { callFrameId: frame?.callFrameId, expression: "sum" });
  assert.deepEqual((seen["result"] as { value: unknown }).value, 42);
  await client.ask("Debugger.resume");
  assert.deepEqual(await answer, { status: 200, value: 42 });
  client.close();
  assert.equal(await dev.interrupt(), 0, dev.printed());
});

test("a Python function is paused in debugpy for longer than its timeout, goes on and answers 200", async () => {
  const code = "def handler(event, context):\n    held = 'python'\n    return held\n";
  const dev = lambent.begin("dev", application("python-held", "app.py", code), "--inspect", "0");
  const client = await attachDebugpy(await debuggerOf(dev, "python-held", "debugpy"));
  const capabilities = await client.ask("initialize", { adapterID: "test", pathFormat: "path", linesStartAt1: true });
  assert.equal(capabilities["supportsConfigurationDoneRequest"], true);
  const attached = client.ask("attach", { justMyCode: true });
  await client.event("initialized");
  const path = confined() ? "/var/task/app.py" : "app.py";
  await client.ask("setBreakpoints", { source: { path }, breakpoints: [{ line: 3 }] });
  await client.ask("configurationDone");
  await attached;
  const answer = call("python-held");
  const { threadId } = (await client.event("stopped")) as { readonly threadId: number };
  const { stackFrames } = (await client.ask("stackTrace", { threadId })) as {
    readonly stackFrames: readonly { id: number; name: string }[];
  };
  assert.equal(stackFrames[0]?.name, "handler");
  const wait = `__import__("time").sleep(${HELD_SECONDS}) or held`;
  const seen = await client.ask("evaluate", { expression: wait, frameId: stackFrames[0].id, context: "repl" });
  assert.equal(seen["result"], "'python'");
  await client.ask("continue", { threadId });
  assert.deepEqual(await answer, { status: 200, value: "python" });
  await dev.said(/REPORT /u);
  assert.ok(longestMs(dev) > HELD_SECONDS * 1_000, dev.printed());
  client.close();
  assert.equal(await dev.interrupt(), 0, dev.printed());
});

test("debuggers are let in on loopback alone, and no function reaches them", async () => {
  const place = application("node-loopback", "index.mjs", STOPPING("here"));
  const dev = lambent.begin("dev", place, "--inspect", "0");
  const address = await debuggerOf(dev, "node-loopback", "inspector");
  assert.deepEqual(listeningAt(address), ["0100007F"]);
  const neighbour = `export const handler = async () => fetch("http://${address}/json").then((answer) => answer.status, () => "refused");\n`;
  const other = join(folder, "neighbour.mjs");
  writeFileSync(other, neighbour);
  const { exit, err } = await lambent.run("deploy", other);
  assert.equal(exit, 0, err);
  // A plain process has no network of its own: there a function reaches what any program of the machine does.
  assert.deepEqual(await call("neighbour"), { status: 200, value: confined() ? "refused" : 200 });
  assert.equal(await dev.interrupt(), 0);
});

for (const [ending, end] of [
  ["Ctrl-C", (dev: GoingCommand) => dev.interrupt()],
  ["kill -9", (dev: GoingCommand) => dev.kill()],
] as const) {
  test(`when dev ends by ${ending} its port is closed, what a debugger held goes on, and the timeout holds again`, async () => {
    const name = ending === "Ctrl-C" ? "node-over" : "node-killed";
    const dev = lambent.begin("dev", application(name, "index.mjs", STOPPING("over")), "--inspect", "0");
    const address = await debuggerOf(dev, name, "inspector");
    const client = await attachNode(address);
    const held = call(name);
    await client.event("Debugger.paused");
    await end(dev);
    await client.closed;
    assert.deepEqual(await held, { status: 200, value: "over" });
    assert.equal(await isOpen(address), false);
    const endless = join(folder, "endless.mjs");
    writeFileSync(
      endless,
      "export const handler = async () => { if (process.execArgv.join().includes('inspect')) return 'inspected'; for (;;); };\n",
    );
    const deployed = await lambent.run("deploy", endless, "--name", name, "--timeout", "1");
    assert.equal(deployed.exit, 0, deployed.err);
    const tail = await lambent.run("invoke", name, "--tail");
    assert.match(tail.out + tail.err, /Task timed out after 1\.00 seconds/u);
  });
}

test("ports count up from the one that is given, and a function that is debugged already is said to be", async () => {
  const place = application("node-first", "index.mjs", "export const handler = async () => 1;\n");
  writeFileSync(
    join(place, "lambent.yaml"),
    "app: two\nfunctions:\n  node-first: { code: index.mjs }\n  node-second: { code: index.mjs }\n",
  );
  const base = 20_000 + (process.pid % 10_000) * 2;
  const dev = lambent.begin("dev", place, "--inspect", String(base));
  assert.equal(await debuggerOf(dev, "node-first", "inspector"), `127.0.0.1:${base}`);
  assert.equal(await debuggerOf(dev, "node-second", "inspector"), `127.0.0.1:${base + 1}`);
  const other = lambent.begin("dev", place, "--inspect", "0");
  await other.said(/no debugger of node-first: Function node-first is under a debugger already\.\n {2}Wait until/u);
  const taken = lambent.begin("dev", application("node-taken", "index.mjs", STOPPING("taken")), "--inspect", String(base));
  await taken.said(new RegExp(`no debugger of node-taken: Port ${base} of 127\\.0\\.0\\.1 is in use\\.`, "u"));
  for (const each of [dev, other, taken]) assert.equal(await each.interrupt(), 0);
});

test("a custom runtime has no debugger, is told so and runs as ever", async () => {
  const place = application("custom", "bootstrap", "#!/bin/sh\n");
  writeFileSync(join(place, "lambent.yaml"), "app: custom\nfunctions:\n  custom: { code: ., runtime: provided.al2023, handler: none }\n");
  const dev = lambent.begin("dev", place, "--inspect", "0");
  await dev.said(/no debugger of custom: Functions of the runtime provided\.al2023 have no debugger here/u);
  assert.equal(await dev.interrupt(), 0);
});

test("--inspect takes a port", async () => {
  const { exit, err } = await lambent.run("dev", folder, "--inspect", "70000");
  assert.equal(exit, 2);
  assert.match(err, /--inspect is "70000"; it has to be a whole number from 0 to 65535\./u);
});
