import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deferred, invariant, LambentError } from "../../src/base/index.ts";

/** A real server in a process of its own, and the real command beside it. */
export interface LambentProcess {
  readonly url: string;
  readonly pid: number;
  /** Everything the server printed so far. */
  printed(): string;
  run(...args: readonly string[]): Promise<CommandEnding>;
  /** A command that goes on until it is told to end: `dev`, `logs -f`. */
  begin(...args: readonly string[]): GoingCommand;
  /** The environment in which `run` and `begin` find the server. */
  readonly environment: NodeJS.ProcessEnv;
  /** Calls a function with the command; a call that fails is a failed test. */
  invoke(name: string, event: object): Promise<Record<string, unknown>>;
  /** What `lambent env` exports. */
  awsEnvironment(): Promise<Record<string, string>>;
  /** SIGTERM by default; resolves with the exit code once it is gone and its folders are removed. */
  stop(signal?: "SIGTERM" | "SIGINT"): Promise<number | null>;
}

/** A command that runs beside the test. */
export interface GoingCommand {
  /** What it printed so far, on both streams. */
  printed(): string;
  /** Resolves once `pattern` is among what it printed; throws when it ends without. */
  said(pattern: RegExp): Promise<void>;
  /** Ctrl-C; resolves with the exit code. */
  interrupt(): Promise<number | null>;
  /** `kill -9`, which it hears nothing of. */
  kill(): Promise<number | null>;
  /** Its exit code, once it ended by itself. */
  readonly ended: Promise<number | null>;
}

export interface CommandEnding {
  readonly exit: number | null;
  readonly out: string;
  readonly err: string;
}

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** Runs the command once in `environment`. */
export function runLambent(args: readonly string[], environment: NodeJS.ProcessEnv, input = ""): Promise<CommandEnding> {
  return runProgram(process.execPath, ["--", MAIN, ...args], environment, input);
}

/** Runs any program once. */
export async function runProgram(
  program: string,
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  input = "",
): Promise<CommandEnding> {
  const child = spawn(program, args, { env: environment, stdio: ["pipe", "pipe", "pipe"] });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (err += text));
  child.stdin.on("error", () => undefined).end(input);
  const [exit] = (await once(child, "close")) as [number | null];
  return { exit, out, err };
}

/** Starts a command without waiting for its end. */
export function beginLambent(args: readonly string[], environment: NodeJS.ProcessEnv): GoingCommand {
  const child = spawn(process.execPath, ["--", MAIN, ...args], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
  let printed = "";
  let ended = false;
  let heard = deferred<void>();
  const hear = (text: string): void => {
    printed += text;
    heard.resolve();
  };
  child.stdout.setEncoding("utf8").on("data", hear);
  child.stderr.setEncoding("utf8").on("data", hear);
  const closed = once(child, "close").then(([code]) => code as number | null);
  void closed.then(() => {
    ended = true;
    heard.resolve();
  });
  return {
    printed: () => printed,
    async said(pattern) {
      while (!pattern.test(printed)) {
        invariant(!ended, `the command ended without saying ${pattern}:\n${printed}`);
        await heard.promise;
        heard = deferred<void>();
      }
    },
    interrupt() {
      child.kill("SIGINT");
      return closed;
    },
    kill() {
      child.kill("SIGKILL");
      return closed;
    },
    ended: closed,
  };
}

/** Starts a server in memory on a free port, with a run-time folder of its own, and waits until it is ready. */
export function startLambent(...options: readonly string[]): Promise<LambentProcess> {
  return launch(options, false);
}

/** The same as the leader of a process group, as in a terminal: `interrupt` is Ctrl-C there, when npm started it. */
export async function startLambentInTerminal(): Promise<LambentProcess & { interrupt(): Promise<number | null> }> {
  const lambent = await launch([], true);
  return {
    ...lambent,
    interrupt() {
      // Once from the terminal to every process of the group, once more to the server from npm, which got it too.
      process.kill(-lambent.pid, "SIGINT");
      return lambent.stop("SIGINT");
    },
  };
}

async function launch(options: readonly string[], ownGroup: boolean): Promise<LambentProcess> {
  const folder = mkdtempSync(join(tmpdir(), "lambent-run-"));
  const {
    AWS_ACCESS_KEY_ID: _id,
    AWS_SECRET_ACCESS_KEY: _secret,
    AWS_SESSION_TOKEN: _token,
    AWS_ENDPOINT_URL: _url,
    ...inherited
  } = process.env;
  const environment = { ...inherited, XDG_RUNTIME_DIR: folder, XDG_CACHE_HOME: folder };
  const child = spawn(process.execPath, [MAIN, "start", "--port", "0", ...(options.includes("--data") ? [] : ["--memory"]), ...options], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    detached: ownGroup,
  });
  let printed = "";
  const url = await new Promise<string>((resolve, reject) => {
    const hear = (text: string): void => {
      printed += text;
      const ready = /^lambent ready (http:\S+)$/mu.exec(printed);
      if (ready?.[1]) resolve(ready[1]);
    };
    child.stdout.setEncoding("utf8").on("data", hear);
    child.stderr.setEncoding("utf8").on("data", hear);
    child.once("exit", (code) =>
      reject(new LambentError("InternalError", `the server ended with ${code} before it was ready:\n${printed}`)),
    );
  }).catch((error: unknown) => {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  const here = { ...environment, LAMBENT_ENDPOINT: url };
  const run = (...args: readonly string[]): Promise<CommandEnding> => runLambent(args, here);
  return {
    url,
    pid: child.pid ?? 0,
    printed: () => printed,
    run,
    begin: (...args) => beginLambent(args, here),
    environment: here,
    async invoke(name, event) {
      const { exit, out, err } = await run("invoke", name, "--event", JSON.stringify(event));
      invariant(exit === 0, `invoking ${name} ended with ${exit}: ${err}`);
      return JSON.parse(out) as Record<string, unknown>;
    },
    awsEnvironment: async () => JSON.parse((await run("env", "--json")).out) as Record<string, string>,
    async stop(signal = "SIGTERM") {
      const ended = once(child, "close") as Promise<[number | null]>;
      child.kill(signal);
      const [code] = await ended;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}
