// Runs inside the user's process: waits on descriptor 3 for an assignment, becomes that function, takes its calls.
// No dependencies, nothing slow at start: processes wait in the pool with all of this loaded.
import { Module } from "node:module";
import * as frames from "./channel.mjs";
import { cloudEventHandler } from "./cloudevent.mjs";
import { patchConsole } from "./console.mjs";
import { errorForLog, errorPayload, RuntimeError } from "./errors.mjs";
import { fetchHandler } from "./fetch-style.mjs";
import { Invocations } from "./invocation.mjs";
import { loadHandler } from "./loader.mjs";
import { useProxyWhenNeeded } from "./proxy.mjs";
import { installGlobal } from "./streaming.mjs";
import { webHandler } from "./web.mjs";

/** Exit codes of AWS's runtime for what nobody caught. */
const EXIT_UNHANDLED_REJECTION = 128;
const EXIT_UNCAUGHT_EXCEPTION = 129;
const EXIT_PROTOCOL = 70;

let assignment;
let invocations;
let output;
let phase = "waiting";

const channel = frames.openChannel(3, onFrame, () => process.exit(0));
channel.sendText(
  frames.HELLO,
  0,
  0,
  JSON.stringify({
    version: frames.PROTOCOL_VERSION,
    features: ["streaming", "concurrency"],
    runtime: `nodejs${process.versions.node}`,
    debuggerPort: debuggerPort(),
  }),
);
installGlobal();
useProxyWhenNeeded();

/** Of a process that was started with Node's inspector open. */
function debuggerPort() {
  if (!process.execArgv.some((flag) => flag.startsWith("--inspect="))) return undefined;
  const url = process.getBuiltinModule("node:inspector").url();
  return url === undefined ? undefined : Number(new URL(url).port);
}

function onFrame(type, _flags, id, body) {
  if (type === frames.INVOKE) invocations.invoke(id, body);
  else if (type === frames.HELLO) {
    if (JSON.parse(body.toString()).version !== frames.PROTOCOL_VERSION) process.exit(EXIT_PROTOCOL);
  } else if (type === frames.ASSIGN) void assign(JSON.parse(body.toString()));
  else if (type === frames.STREAM_PAUSE || type === frames.STREAM_RESUME || type === frames.CANCEL) invocations?.control(type, id);
}

async function assign(given) {
  assignment = { ...given, memoryText: String(given.memoryMb) };
  phase = "initialising";
  if (given.environment) applyEnvironment(given.environment);
  invocations = new Invocations(channel, assignment);
  output = patchConsole(channel, () => invocations.current(), assignment);
  process.on("uncaughtException", (error) => die(error, "Uncaught Exception", EXIT_UNCAUGHT_EXCEPTION));
  process.on("unhandledRejection", (reason) => die(rejection(reason), "Unhandled Promise Rejection", EXIT_UNHANDLED_REJECTION));
  process.chdir(assignment.taskRoot);
  try {
    invocations.use(inStyle(await loadHandler(assignment.taskRoot, assignment.handler)), output);
  } catch (error) {
    die(error, "Uncaught Exception", EXIT_UNCAUGHT_EXCEPTION);
    return;
  }
  if (phase !== "initialising") return;
  phase = "serving";
  output.flush(undefined);
  channel.sendText(frames.READY, 0, 0, "{}");
}

/** Only what differs is written: a write of TZ makes Node read the time zones again. */
function applyEnvironment(environment) {
  for (const name of Object.keys(process.env)) if (!Object.hasOwn(environment, name)) delete process.env[name];
  for (const [name, value] of Object.entries(environment)) if (process.env[name] !== value) process.env[name] = value;
  if (environment.NODE_PATH) Module._initPaths();
}

function inStyle(handler) {
  switch (assignment.style) {
    case "web":
    case "functions-framework":
      return webHandler(handler, (task) => invocations.whenIdle(task));
    case "fetch":
      return fetchHandler(handler);
    case "cloudevent":
      return cloudEventHandler(handler);
    default:
      return handler;
  }
}

function rejection(reason) {
  const text = Error.isError(reason) ? `${reason.name}: ${reason.message}` : String(reason);
  const error = new RuntimeError("Runtime.UnhandledPromiseRejection", text);
  if (Error.isError(reason)) error.stack = `Runtime.UnhandledPromiseRejection: ${reason.stack}`;
  return error;
}

/** What nobody caught ends the process, as in AWS: first the line, then the answer of every running call, then the exit. */
function die(error, title, exitCode) {
  if (phase === "dying") return;
  const initialising = phase === "initialising";
  phase = "dying";
  output.line("ERROR", invocations.current(), assignment.logFormat === "JSON" ? error : `${title} \t${JSON.stringify(errorForLog(error))}`);
  output.flush(undefined);
  if (initialising) channel.sendText(frames.INIT_FAILED, 0, 0, JSON.stringify(errorPayload(error)));
  else invocations.failAll(error);
  channel.flush(() => process.exit(exitCode));
}
