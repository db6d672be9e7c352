import { spawn, type ChildProcess } from "node:child_process";
import { Socket } from "node:net";
import { join } from "node:path";
import { deferred, invariant, LambentError, type Deferred } from "../../base/index.ts";
import { endingPromise, type Ending } from "../instance-process.ts";
import type { ProcessExit, ZygoteSpec } from "../sandbox.ts";
import { endingOf } from "../spawn.ts";

/** What the zygote's child needs to confine itself (`python/confine.py`); `var` and `tmp` also without confinement. */
export interface ForkRequest {
  readonly id: string;
  readonly varFolder: string;
  readonly tmpFolder: string;
  /** A folder that does not exist yet; it becomes the root's mount point. */
  readonly root: string;
  readonly uid: number;
  readonly cgroupFiles: readonly string[];
  /** Path of the network namespace to join; null: a new empty one, or the host's. */
  readonly network: string | null;
  readonly hostNetwork: boolean;
  /** Files and folders of the host and where they appear. */
  readonly files: readonly (readonly [string, string])[];
  readonly environment: Readonly<Record<string, string>>;
}

/** A fork as the platform holds it. */
export interface Forked {
  readonly pid: number;
  readonly channel: Socket;
  readonly stdout: Socket;
  readonly stderr: Socket;
  readonly ended: Promise<Ending>;
}

const STREAMS = ["channel", "stdout", "stderr"] as const;
type StreamName = (typeof STREAMS)[number];

interface Forking {
  readonly made: Deferred<Forked>;
  readonly streams: Map<StreamName, Socket>;
  readonly ending: ReturnType<typeof endingPromise>;
}

/** The platform's side of `python/zygote.py`. Knows nothing of slots and groups: it is told, and tells endings. */
export class ZygoteProcess {
  readonly exited: Promise<ProcessExit>;
  readonly #child: ChildProcess;
  readonly #started = deferred<void>();
  readonly #forks = new Map<string, Forking>();

  private constructor(spec: ZygoteSpec, confinement: { readonly seccomp: Buffer | undefined } | undefined) {
    const script = join(import.meta.dirname, "..", "python", "zygote.py");
    this.#child = spawn(spec.python, ["-I", "-B", "-X", "utf8", script], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      // Not reached by a Ctrl-C in the terminal: it ends when its channel closes.
      detached: true,
    });
    this.#child.on("message", (message, handle) => this.#received(message, handle));
    this.#child.on("error", () => this.#lost());
    this.exited = endingOf(this.#child).then((ending) => {
      this.#lost();
      return { ...ending, outOfMemory: false, memoryPeakBytes: 0 };
    });
    if (this.#child.connected) {
      const seccomp = confinement?.seccomp?.toString("hex") ?? null;
      this.#child.send({ bootstrap: spec.bootstrap, preload: spec.preload, seccomp, confined: confinement !== undefined });
    }
  }

  /** Resolves when the modules are imported. Without `confinement` its forks are plain processes. */
  static async start(spec: ZygoteSpec, confinement: { readonly seccomp: Buffer | undefined } | undefined): Promise<ZygoteProcess> {
    const zygote = new ZygoteProcess(spec, confinement);
    await zygote.#started.promise;
    return zygote;
  }

  fork(request: ForkRequest): Promise<Forked> {
    invariant(!this.#forks.has(request.id), `instance ${request.id} is forked once`);
    const made = deferred<Forked>();
    if (!this.#child.connected) return Promise.reject(zygoteGone());
    this.#forks.set(request.id, { made, streams: new Map(), ending: endingPromise() });
    this.#child.send({ fork: request });
    return made.promise;
  }

  /** Its confined forks end with it. */
  stop(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  #received(message: unknown, handle: unknown): void {
    if (typeof message !== "object" || message === null) return;
    const fields = message as Readonly<Record<string, unknown>>;
    if (fields["ready"] === true) return this.#started.resolve();
    const id = fields["id"] ?? fields["forked"] ?? fields["refused"] ?? fields["exit"];
    const forking = typeof id === "string" ? this.#forks.get(id) : undefined;
    if (!forking || typeof id !== "string") return;
    if (handle instanceof Socket) this.#receivedStream(forking, fields["stream"], handle);
    else if ("forked" in fields) this.#receivedFork(forking, fields["pid"]);
    else if ("refused" in fields) this.#refused(id, forking, String(fields["what"]));
    else if ("exit" in fields) this.#ended(id, forking, fields);
  }

  #receivedStream(forking: Forking, name: unknown, socket: Socket): void {
    const stream = STREAMS.find((candidate) => candidate === name);
    if (stream === undefined) return void socket.destroy();
    forking.streams.set(stream, socket);
  }

  #receivedFork(forking: Forking, pid: unknown): void {
    const [channel, stdout, stderr] = STREAMS.map((name) => forking.streams.get(name));
    invariant(channel && stdout && stderr && typeof pid === "number", "a fork comes with its three streams");
    forking.made.resolve({ pid, channel, stdout, stderr, ended: forking.ending.ended });
  }

  #refused(id: string, forking: Forking, what: string): void {
    this.#forks.delete(id);
    forking.made.reject(new LambentError("RuntimeUnavailable", `The Python zygote cannot fork: ${what}.`));
  }

  #ended(id: string, forking: Forking, fields: Readonly<Record<string, unknown>>): void {
    this.#forks.delete(id);
    const { code, signal } = fields;
    forking.ending.end({ code: typeof code === "number" ? code : undefined, signal: typeof signal === "string" ? signal : undefined });
  }

  #lost(): void {
    this.#started.reject(zygoteGone());
    for (const { made, ending } of this.#forks.values()) {
      made.reject(zygoteGone());
      ending.end({ code: undefined, signal: "SIGKILL" });
    }
    this.#forks.clear();
  }
}

function zygoteGone(): LambentError {
  return new LambentError("RuntimeUnavailable", "The Python zygote is gone.");
}
