/** Functions on a real server, made and called by AWS's own client. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  UpdateFunctionCodeCommand,
  UpdateFunctionConfigurationCommand,
} from "@aws-sdk/client-lambda";
import { delay, systemClock } from "../../src/base/index.ts";
import type { RealServer } from "../support/server.ts";
import { zipOf } from "../support/zips.ts";

process.env["AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED"] = "true";

export const ROLE_ARN = "arn:aws:iam::000000000000:role/hostile";

/** Between two looks at something that gives no event. */
const LOOK_MS = 20;

export interface Called {
  /** Undefined when the handler answered. */
  readonly error: { readonly type: string; readonly message: string } | undefined;
  readonly value: unknown;
  readonly ms: number;
}

export class Functions {
  readonly client: LambdaClient;

  constructor(server: Pick<RealServer, "url" | "key">) {
    this.client = new LambdaClient({ endpoint: server.url, region: "us-east-1", credentials: server.key, maxAttempts: 1 });
  }

  /** Makes a function of one file and waits until it can be called. */
  async create(
    name: string,
    runtime: "nodejs22.x" | "python3.11" | "provided.al2023",
    code: string,
    changed: Partial<CreateFunctionCommandInput> = {},
  ): Promise<void> {
    const file = { "nodejs22.x": "index.mjs", "python3.11": "index.py", "provided.al2023": "bootstrap" }[runtime];
    const zip = await zipOf({ [file]: code }, 0o100_755);
    await this.client.send(
      new CreateFunctionCommand({
        FunctionName: name,
        Runtime: runtime,
        Handler: "index.handler",
        Role: ROLE_ARN,
        Code: { ZipFile: zip },
        ...changed,
      }),
    );
    await this.settled(name);
  }

  /** Gives the function other code, and waits until calls get it. */
  async redeploy(name: string, file: string, code: string): Promise<void> {
    await this.client.send(new UpdateFunctionCodeCommand({ FunctionName: name, ZipFile: await zipOf({ [file]: code }) }));
    await this.settled(name);
  }

  async configure(name: string, changed: { readonly Description?: string; readonly Timeout?: number }): Promise<void> {
    await this.client.send(new UpdateFunctionConfigurationCommand({ FunctionName: name, ...changed }));
    await this.settled(name);
  }

  async settled(name: string): Promise<void> {
    await until(`${name} is ready`, 30_000, async () => {
      const { State, LastUpdateStatus } = await this.client.send(new GetFunctionConfigurationCommand({ FunctionName: name }));
      return State === "Active" && LastUpdateStatus === "Successful";
    });
  }

  async call(name: string, event: unknown = {}): Promise<Called> {
    const began = systemClock.monotonicMs();
    const { FunctionError, Payload } = await this.client.send(
      new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)) }),
    );
    const ms = systemClock.monotonicMs() - began;
    const value: unknown = JSON.parse(Buffer.from(Payload ?? []).toString());
    if (FunctionError === undefined) return { error: undefined, value, ms };
    const { errorType, errorMessage } = value as { errorType: string; errorMessage: string };
    return { error: { type: errorType, message: errorMessage }, value, ms };
  }

  close(): void {
    this.client.destroy();
  }
}

/** Waits for a condition that gives no event. */
export async function until(
  what: string,
  msMax: number,
  holds: () => Promise<boolean> | boolean,
  seen: () => unknown = () => "",
): Promise<void> {
  const deadline = systemClock.monotonicMs() + msMax;
  const alive = setInterval(() => undefined, 1_000);
  try {
    while (!(await holds())) {
      if (systemClock.monotonicMs() > deadline) assert.fail(`not within ${msMax} ms: ${what} ${JSON.stringify(seen())}`);
      await delay(systemClock, LOOK_MS);
    }
  } finally {
    clearInterval(alive);
  }
}

/** A call every few milliseconds, one at a time, and how long each took. */
export class Trickle {
  readonly #call: () => Promise<Called>;
  #samples: number[] = [];
  #stopped = false;
  readonly #ended: Promise<void>;

  constructor(call: () => Promise<Called>) {
    this.#call = call;
    this.#ended = this.#run();
  }

  /** 99th percentile of what was measured since the last question, in milliseconds. */
  p99(): { readonly ms: number; readonly calls: number } {
    const sorted = this.#samples.toSorted((a, b) => a - b);
    this.#samples = [];
    return { ms: sorted[Math.floor(sorted.length * 0.99)] ?? 0, calls: sorted.length };
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const { error, ms } = await this.#call();
      assert.equal(error, undefined, "the neighbour's calls never fail");
      this.#samples.push(ms);
      await delay(systemClock, 5);
    }
  }
}

/** What a server holds on the machine now. Its pool of waiting processes is part of it. */
export interface Holdings {
  readonly slots: number;
  readonly groups: number;
  readonly mounts: number;
  readonly processes: number;
}

export function holdingsOf(pid: number): Holdings {
  const slots = join(dataFolderOf(pid), "slots");
  const name = `s-${createHash("sha256").update(slots).digest("hex").slice(0, 12)}`;
  return {
    slots: entries(slots),
    groups: entries(`/sys/fs/cgroup/memory/lambent/${name}`),
    mounts: text(`/proc/${pid}/mountinfo`)
      .split("\n")
      .filter((line) => line.includes(slots)).length,
    processes: text(`/proc/${pid}/task/${pid}/children`).trim().split(" ").filter(Boolean).length,
  };
}

export function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

export function residentMbOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(text(`/proc/${pid}/status`))?.[1] ?? Number.NaN) / 1_024;
}

/** The folder that the server was started with. */
export function dataFolderOf(pid: number): string {
  const words = text(`/proc/${pid}/cmdline`).split("\0");
  return words[words.indexOf("--data") + 1] ?? assert.fail("the server has no data folder");
}

function entries(folder: string): number {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).length;
  } catch {
    return 0;
  }
}

function text(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
