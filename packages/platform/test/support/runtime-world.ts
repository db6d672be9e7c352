import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock, systemSecureRandom } from "../../src/base/index.ts";
import { type Call, type FunctionVersion, type InstanceEndpoint, type LogLine, Signals } from "../../src/model/index.ts";
import {
  type CallReport,
  findPythons,
  Inspections,
  type Instance,
  openRuntimeHost,
  type PythonInterpreter,
  type RuntimeHost,
  type StartEnding,
} from "../../src/runtime/index.ts";
import { openSandbox, type Sandbox, UID_RANGE_DEFAULT } from "../../src/sandbox/index.ts";
import { functionVersion } from "./function-version.ts";

/** The code of a function: file name → text. A `bootstrap` is made executable. */
export type Files = Readonly<Record<string, string>>;

export interface WorldOptions {
  readonly poolReadyMax?: number;
  readonly pythonZygote?: boolean;
  readonly sandbox?: "process" | "bubblewrap";
  /** This machine's by default. */
  readonly pythons?: readonly PythonInterpreter[];
}

/** A runtime host over real processes; code comes from the test. */
export class RuntimeWorld {
  readonly host: RuntimeHost;
  readonly inspections: Inspections;
  readonly lines: LogLine[] = [];
  readonly #folder: string;
  readonly #files: Map<string, Files>;
  readonly #close: () => Promise<void>;
  readonly confined: boolean;
  readonly limitsMemory: boolean;
  #requests = 0;

  private constructor(
    host: RuntimeHost,
    inspections: Inspections,
    signals: Signals,
    folder: string,
    files: Map<string, Files>,
    sandbox: Sandbox,
  ) {
    this.host = host;
    this.inspections = inspections;
    this.confined = sandbox.report.confined;
    this.limitsMemory = sandbox.report.limits.memory;
    this.#folder = folder;
    this.#files = files;
    this.#close = () => sandbox.close();
    signals.on("log", (line) => this.lines.push(line));
  }

  static async open(options: WorldOptions = {}): Promise<RuntimeWorld> {
    const folder = mkdtempSync(join(tmpdir(), "lambent-runtime-"));
    chmodSync(folder, 0o755);
    const sandbox = await openSandbox({
      wanted: options.sandbox ?? "process",
      slotsFolder: join(folder, "slots"),
      clock: systemClock,
      uidRange: UID_RANGE_DEFAULT,
      sdkTree: undefined,
    });
    const files = new Map<string, Files>();
    const signals = new Signals();
    const inspections = new Inspections(systemClock);
    const host = openRuntimeHost({
      sandbox,
      codeProvider: {
        takeTree: async (version) => writeTree(folder, files.get(version.name) ?? {}),
        takeLayers: async (version) =>
          files.has(`${version.name}:layer`) ? writeTree(folder, files.get(`${version.name}:layer`) ?? {}) : undefined,
      },
      credentialIssuer: {
        issue: (version) => ({ accessKeyId: `ASIA${version.name}`, secretAccessKey: "secret", sessionToken: `token-of-${version.name}` }),
      },
      instanceEndpoint: echoEndpoint,
      signals,
      inspections,
      clock: systemClock,
      secureRandom: systemSecureRandom,
      network: "lambent",
      nodePath: process.execPath,
      nodeVersion: process.versions.node,
      pythons: options.pythons ?? (await machinePythons()),
      sdkTree: undefined,
      poolReadyMax: options.poolReadyMax ?? 0,
      pythonZygote: options.pythonZygote ?? false,
    });
    return new RuntimeWorld(host, inspections, signals, folder, files, sandbox);
  }

  /** A version whose code is `files`. */
  version(files: Files, changed: Partial<FunctionVersion> = {}, layer?: Files): FunctionVersion {
    this.#requests += 1;
    const version = functionVersion({ name: `f${this.#requests}`, ...changed });
    this.#files.set(version.name, files);
    if (layer) this.#files.set(`${version.name}:layer`, layer);
    return version;
  }

  start(files: Files, changed: Partial<FunctionVersion> = {}, layer?: Files): Promise<StartEnding> {
    return this.host.start(this.version(files, changed, layer), "on-demand");
  }

  /** An instance that must become ready. */
  async instance(files: Files, changed: Partial<FunctionVersion> = {}, layer?: Files): Promise<Instance> {
    const started = await this.start(files, changed, layer);
    if (started.kind !== "ready") assert.fail(`not ready: ${started.kind === "initFailed" ? started.payload.toString() : started.what}`);
    return started.instance;
  }

  call(event: unknown = {}, changed: Partial<Call> = {}): Call {
    this.#requests += 1;
    return {
      requestId: `request-${this.#requests}`,
      payload: Buffer.from(JSON.stringify(event)),
      deadline: systemClock.now() + 5_000,
      functionArn: "arn:aws:lambda:us-east-1:000000000000:function:hello",
      traceId: `Root=1-${this.#requests}`,
      clientContext: undefined,
      stream: undefined,
      ...changed,
    };
  }

  /** Lines outside any call, then those of calls, as text. */
  texts(instance: Instance): string[] {
    return this.lines.filter((line) => line.instanceId === instance.id).map((line) => line.text);
  }

  async close(): Promise<void> {
    await this.host.close();
    await this.#close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The value a handler answered. */
export function valueOf(report: CallReport): unknown {
  if (report.ending.kind !== "handled") assert.fail(`ended as ${describe(report)}`);
  return JSON.parse(report.ending.payload.toString());
}

export interface ErrorShape {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
  readonly stackTrace?: readonly string[];
}

/** The error a function, or its init, ended with. */
export function errorOf(ended: CallReport | StartEnding): ErrorShape {
  if ("ending" in ended) {
    if (ended.ending.kind !== "functionError") assert.fail(`ended as ${describe(ended)}`);
    return JSON.parse(ended.ending.payload.toString()) as ErrorShape;
  }
  if (ended.kind !== "initFailed") assert.fail(`started as ${ended.kind}${ended.kind === "unavailable" ? `: ${ended.what}` : ""}`);
  return JSON.parse(ended.payload.toString()) as ErrorShape;
}

function describe({ ending }: CallReport): string {
  return "payload" in ending ? `${ending.kind} ${ending.payload.toString()}` : JSON.stringify(ending);
}

let pythons: Promise<readonly PythonInterpreter[]> | undefined;

/** This machine's Pythons, asked for once. */
export function machinePythons(): Promise<readonly PythonInterpreter[]> {
  pythons ??= findPythons(process.env["PATH"] ?? "", undefined);
  return pythons;
}

let trees = 0;

function writeTree(folder: string, files: Files): string {
  trees += 1;
  const tree = join(folder, `tree-${trees}`);
  mkdirSync(tree);
  for (const [name, text] of Object.entries(files)) {
    const path = join(tree, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { mode: name === "bootstrap" || name.endsWith(".sh") ? 0o755 : 0o644 });
  }
  return tree;
}

/** Answers every request with the instance's function's name: enough to see who a listener believes is calling. */
const echoEndpoint: InstanceEndpoint = {
  serveApi: (listener, caller) => {
    const http: Server = createServer((_request, response) => response.end(caller.version.name));
    listener.on("connection", (socket) => http.emit("connection", socket));
    return { close: () => http.closeAllConnections() };
  },
  serveProxy: (listener) => {
    const http: Server = createServer((request, response) => response.end(`proxied ${request.url}`));
    http.on("connect", (request, socket) => socket.end(`HTTP/1.1 407 Refused ${request.url}\r\n\r\n`));
    listener.on("connection", (socket) => http.emit("connection", socket));
    return { close: () => http.closeAllConnections() };
  },
  serveKafka: (listener, caller) => {
    listener.on("connection", (socket) => socket.end(caller.version.name));
    return { close: () => {} };
  },
};
