import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { GetStatusResponse } from "../../packages/platform/src/api/index.ts";
import { signRequest } from "../../packages/platform/src/security/index.ts";
import { rawRequest } from "./answer.ts";
import { Connection, type TimedAnswer } from "./connection.ts";
import { cpuMsOf, privateMbOf, processTree, pssMbOf } from "./processes.ts";

const MAIN = fileURLToPath(new URL("../../packages/platform/bin/lambent.mjs", import.meta.url));
/** Processes that wait ready, as `lambent start` has them by default. */
export const POOL_READY = 2;
const REGION = "us-east-1";
/** A condition that does not come about in this time fails the bench. */
const CONDITION_MS_MAX = 60_000;
const LOOK_AGAIN_MS = 10;
/** CPU time is counted in ticks of 10 ms: no tick in this time means next to no work. */
const QUIET_MS = 40;

const RPC_SERVICES = {
  sqs: { prefix: "AmazonSQS", version: "1.0" },
  events: { prefix: "AWSEvents", version: "1.1" },
} as const;
export type RpcService = keyof typeof RPC_SERVICES;

/** A real server on a data folder of its own, started by the command people use. */
export class BenchServer {
  readonly port: number;
  readonly pid: number;
  /** From spawn to the ready line. */
  readonly readyMs: number;
  readonly #child: ChildProcess;
  readonly #url: string;
  readonly #key: { readonly accessKeyId: string; readonly secretAccessKey: string };
  readonly #remove: () => void;
  #management: Connection | undefined;

  private constructor(child: ChildProcess, url: string, readyMs: number, folder: string, remove: () => void) {
    this.#child = child;
    this.#url = url;
    this.port = Number(new URL(url).port);
    this.pid = child.pid ?? 0;
    this.readyMs = readyMs;
    this.#remove = remove;
    this.#key = JSON.parse(readFileSync(join(folder, "root-key"), "utf8")) as { accessKeyId: string; secretAccessKey: string };
  }

  /** Starts a server; a given `dataFolder` is kept, else one is made and removed. */
  static async start(options: { readonly dataFolder?: string; readonly args?: readonly string[] } = {}): Promise<BenchServer> {
    const folder = options.dataFolder ?? mkdtempSync(join(tmpdir(), "lambent-bench-"));
    const remove = (): void => {
      if (options.dataFolder === undefined) rmSync(folder, { recursive: true, force: true });
    };
    const args = [MAIN, "start", "--port", "0", "--data", folder, "--pool", String(POOL_READY), ...(options.args ?? [])];
    const began = performance.now();
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], env: cleanEnvironment() });
    const said: Buffer[] = [];
    child.stderr.on("data", (chunk: Buffer) => said.push(chunk));
    const ended = once(child, "close");
    void ended.then(([code]) => code !== 0 && process.stderr.write(Buffer.concat(said)));
    const url = await readyUrl(child);
    if (url === undefined) {
      await ended;
      throw new TypeError("the server ended before it was ready");
    }
    return new BenchServer(child, url, performance.now() - began, folder, remove);
  }

  /** Deploys the application in `folder`, as people do. */
  async deploy(folder: string): Promise<void> {
    const args = [MAIN, "deploy", folder, "--endpoint", this.#url];
    const environment = {
      ...cleanEnvironment(),
      AWS_ACCESS_KEY_ID: this.#key.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.#key.secretAccessKey,
    };
    await promisify(execFile)(process.execPath, args, { env: environment });
  }

  /** A whole signed request. Signatures live for 15 minutes: make it right before it is used. */
  signed(
    service: "lambda" | "lambent" | "scheduler" | "s3" | RpcService,
    method: string,
    path: string,
    body = "",
    more: Readonly<Record<string, string>> = {},
  ): Buffer {
    const headers = { host: `127.0.0.1:${this.port}`, ...more };
    const unsigned = { method, rawUrl: path, rawHeaders: Object.entries(headers).flat(), body: Buffer.from(body) };
    const signature = signRequest(unsigned, this.#key, { region: REGION, service, now: Date.now() });
    return rawRequest(method, path, { ...headers, ...signature }, body);
  }

  /** The head of an upload of `bytes` bytes that follow it, whose signature leaves the body out. */
  signedUploadHead(path: string, bytes: number): Buffer {
    const headers = { host: `127.0.0.1:${this.port}`, "content-length": String(bytes) };
    const unsigned = { method: "PUT", rawUrl: path, rawHeaders: Object.entries(headers).flat(), body: Buffer.alloc(0) };
    const options = { region: REGION, service: "s3", now: Date.now(), payloadHash: "UNSIGNED-PAYLOAD" };
    return rawRequest("PUT", path, { ...headers, ...signRequest(unsigned, this.#key, options) });
  }

  /** A call of a service whose operations are named in a header. */
  signedRpc(service: RpcService, operation: string, input: object): Buffer {
    const { version, prefix } = RPC_SERVICES[service];
    const headers = { "content-type": `application/x-amz-json-${version}`, "x-amz-target": `${prefix}.${operation}` };
    return this.signed(service, "POST", "/", JSON.stringify(input), headers);
  }

  signedInvoke(functionName: string, payload = "{}"): Buffer {
    return this.signed("lambda", "POST", `/2015-03-31/functions/${functionName}/invocations`, payload);
  }

  /** An Invoke whose caller waits for no answer: the server's says that it keeps the event. */
  signedEvent(functionName: string, payload: string): Buffer {
    const path = `/2015-03-31/functions/${functionName}/invocations`;
    return this.signed("lambda", "POST", path, payload, { "x-amz-invocation-type": "Event" });
  }

  /** Sends one signed request on the connection for management; throws unless the answer is 2xx. */
  async call(service: "lambda" | "lambent" | "scheduler" | "s3", method: string, path: string, body = ""): Promise<TimedAnswer> {
    this.#management ??= await Connection.open(this.port);
    const answer = await this.#management.send(this.signed(service, method, path, body));
    if (answer.status < 200 || answer.status > 299) throw new TypeError(`${method} ${path} answered ${answer.status}: ${answer.body}`);
    return answer;
  }

  /** The same for a call of a service whose operations are named in a header. */
  async callRpc(service: RpcService, operation: string, input: object): Promise<TimedAnswer> {
    this.#management ??= await Connection.open(this.port);
    const answer = await this.#management.send(this.signedRpc(service, operation, input));
    if (answer.status !== 200) throw new TypeError(`${operation} answered ${answer.status}: ${answer.body}`);
    return answer;
  }

  async status(): Promise<GetStatusResponse> {
    return JSON.parse((await this.call("lambent", "GET", "/_lambent/v1/status")).body) as GetStatusResponse;
  }

  /** Looks at the server's status until it is as wanted. */
  async until(what: string, isSo: (status: GetStatusResponse) => boolean): Promise<void> {
    const until = performance.now() + CONDITION_MS_MAX;
    while (!isSo(await this.status())) {
      if (performance.now() > until) throw new TypeError(`after ${CONDITION_MS_MAX} ms it was not so that ${what}`);
      await pause(LOOK_AGAIN_MS);
    }
  }

  async poolIsReady(): Promise<void> {
    await this.until("the pool is full", ({ PoolReady }) => PoolReady === POOL_READY);
  }

  /** The server and all it started used no CPU between two looks: what earlier calls left to do is done. */
  async isQuiet(): Promise<void> {
    const until = performance.now() + CONDITION_MS_MAX;
    for (let before = -1, now = this.#allCpuMs(); now !== before; now = this.#allCpuMs()) {
      if (performance.now() > until) throw new TypeError(`the server was still busy after ${CONDITION_MS_MAX} ms`);
      before = now;
      await pause(QUIET_MS);
    }
  }

  #allCpuMs(): number {
    const { server, instances } = this.cpuMs();
    return server + instances;
  }

  /** CPU time so far of the server's own process and of all it started. */
  cpuMs(): { readonly server: number; readonly instances: number } {
    const [server = 0, ...others] = processTree(this.pid);
    return { server: cpuMsOf(server), instances: others.reduce((sum, pid) => sum + cpuMsOf(pid), 0) };
  }

  /** Memory of the server's process and all it started, MB. */
  memory(): { readonly pssMb: number; readonly serverPssMb: number; readonly privateMb: number; readonly processes: number } {
    const all = processTree(this.pid);
    const sum = (of: (pid: number) => number): number => all.reduce((total, pid) => total + of(pid), 0);
    return { pssMb: sum(pssMbOf), serverPssMb: pssMbOf(this.pid), privateMb: sum(privateMbOf), processes: all.length };
  }

  async stop(): Promise<void> {
    this.#management?.close();
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const gone = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      await gone;
    }
    this.#remove();
    if (this.#child.exitCode !== 0) throw new TypeError(`the server ended with ${this.#child.exitCode ?? this.#child.signalCode}`);
  }
}

/** What a shell gives, without the developer's own AWS and Lambent settings. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|LAMBENT_|NODE_TEST_CONTEXT|NODE_OPTIONS)/.test(name));
  return Object.fromEntries(kept);
}

async function readyUrl(child: ChildProcess): Promise<string | undefined> {
  if (!child.stdout) throw new TypeError("the server has no standard output");
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /^lambent ready (\S+)$/.exec(line)?.[1];
    if (url === undefined) continue;
    child.stdout.resume();
    return url;
  }
  return undefined;
}
