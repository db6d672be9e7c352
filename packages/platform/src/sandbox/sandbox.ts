import type { Server, Socket } from "node:net";
import type { Readable } from "node:stream";

/**
 * Confinement: one interface, two implementations (`bubblewrap/`, `process/`), one contract suite.
 * Owns processes, namespaces, cgroups, slots. Knows nothing of functions, frames or handlers (P3).
 */

/** What of the network an instance sees. */
export type NetworkMode =
  /** Its own loopback and nothing else. */
  | "none"
  /** Lambent's API on its own loopback, public HTTP(S) through the egress proxy. The default. */
  | "lambent"
  /** The host's network. Said in the banner. */
  | "host";

/** Ports, inside the instance, of what the platform serves there. */
export const INSTANCE_API_PORT = 4566;
export const INSTANCE_PROXY_PORT = 3128;
export const INSTANCE_RUNTIME_API_PORT = 9001;
export const INSTANCE_KAFKA_PORT = 9092;

export interface ReadOnlyMount {
  readonly source: string;
  readonly target: string;
}

/** What is known of an instance just before its process starts. */
export interface Places {
  readonly listeners: InstanceAddresses | undefined;
  readonly paths: InstancePaths;
}

/** Variables, or a function that makes them once the addresses and paths they name are known. */
export type Environment = Readonly<Record<string, string>> | ((places: Places) => Readonly<Record<string, string>>);

export interface LaunchSpec {
  /** Unique, `[a-z0-9-]`, at most 36 characters. */
  readonly id: string;
  readonly command: readonly [string, ...string[]];
  /** Exactly what the process sees; nothing is inherited. Bubblewrap and shells add `PWD`. */
  readonly environment: Environment;
  readonly memoryMb: number;
  readonly tmpMb: number;
  readonly network: NetworkMode;
  /** Bound read-only at `target`. Code is not among them: it is placed later. */
  readonly mounts: readonly ReadOnlyMount[];
}

/** Why and how a process ended, and what it used at most. */
export interface ProcessExit {
  readonly code: number | undefined;
  readonly signal: string | undefined;
  readonly outOfMemory: boolean;
  readonly memoryPeakBytes: number;
}

/**
 * Listeners that only this instance reaches (P3), accepted on by the platform. Mode `lambent`: inside its namespace.
 * Mode `host`, and wherever nothing is confined: on ephemeral ports of the host's loopback. Mode `none`: absent.
 * Connections made before a `connection` handler is attached wait for it.
 */
export interface InstanceListeners extends InstanceAddresses {
  readonly api: Server;
  readonly proxy: Server;
  /** For custom runtimes: the Runtime API. */
  readonly runtimeApi: Server;
  readonly kafka: Server;
}

/** How the process reaches its listeners: `127.0.0.1:4566` inside its namespace; an ephemeral port without one. */
export interface InstanceAddresses {
  readonly apiAddress: string;
  readonly proxyAddress: string;
  readonly runtimeApiAddress: string;
  readonly kafkaAddress: string;
}

/** Paths as the *process* sees them. */
export interface InstancePaths {
  /** `/var/task` when confined. */
  readonly task: string;
  /** `/opt` when confined. */
  readonly opt: string;
  /** `/tmp` when confined. */
  readonly tmp: string;
}

export interface ConfinedProcess {
  readonly id: string;
  /** The host's pid of the process that decides the sandbox's life. */
  readonly pid: number;
  /** Duplex stream to descriptor 3 of the process: frames go here. */
  readonly channel: Socket;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly listeners: InstanceListeners | undefined;
  readonly paths: InstancePaths;
  /** Resolves once the process and all it started are gone and its cgroup, slot and mounts are removed. */
  readonly exited: Promise<ProcessExit>;
  /** Renames the ready tree at `tree` (same file system as the slots) to the instance's code, or a layer tree to `/opt`. */
  place(tree: string, at: "task" | "opt"): Promise<void>;
  /**
   * A connection to `127.0.0.1:port` as the instance itself would make it: the way in for what listens inside, which
   * nothing outside reaches. Rejects with `InstanceLost` when nobody listens there.
   */
  connect(port: number): Promise<Socket>;
  /** Asks (SIGTERM to the main process) and, after `graceMs`, kills everything. Idempotent. */
  stop(graceMs: number): void;
  /** Counts the bytes now in `/tmp`, where nothing bounds it exactly; undefined where writing more than its size fails by itself. */
  readonly tmpBytes: (() => Promise<number>) | undefined;
  /** CPU and memory so far; zeros where the machine cannot tell. */
  usage(): { readonly cpuMs: number; readonly memoryBytes: number; readonly memoryPeakBytes: number };
}

/** A process that has imported what is slow to import and forks confined children of itself. */
export interface Zygote {
  /** Like `launch`, but the child is a fork: milliseconds. `environment` is set only inside the child. */
  fork(spec: Omit<LaunchSpec, "command" | "mounts">): Promise<ConfinedProcess>;
  readonly exited: Promise<ProcessExit>;
  stop(): void;
}

export interface ZygoteSpec {
  readonly id: string;
  /** The real interpreter, not a shim. */
  readonly python: string;
  /** Python file whose `main(channel_fd)` the child runs. */
  readonly bootstrap: string;
  /** Modules imported before the first fork. Missing ones are skipped. */
  readonly preload: readonly string[];
}

/** What this machine keeps and what not: shown in `lambent doctor`, the banner and docs/isolation.md. */
export interface SandboxReport {
  readonly kind: "bubblewrap" | "process";
  readonly confined: boolean;
  /** Own host uid per instance. */
  readonly ownUid: boolean;
  readonly limits: {
    readonly memory: boolean;
    readonly cpu: boolean;
    readonly pids: boolean;
    readonly tmp: "exact" | "accounted" | "none";
  };
  readonly cgroup: "v1" | "v2" | "none";
  /** One line each: what is missing and the command that mends it. */
  readonly remarks: readonly string[];
}

export interface Sandbox {
  readonly report: SandboxReport;
  launch(spec: LaunchSpec): Promise<ConfinedProcess>;
  startZygote(spec: ZygoteSpec): Promise<Zygote>;
  /** Kills what is left of this server's instances and removes their cgroups, mounts, slots. */
  close(): Promise<void>;
}
