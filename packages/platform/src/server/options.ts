import type { NetworkMode } from "../sandbox/index.ts";
import type { GivenRootKey, OpenedDestination } from "../security/index.ts";

/** What a server is started with. Everything is decided by the caller (`cli/`): no environment is read here. */
export interface ServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Undefined keeps everything in memory: nothing survives the process. */
  readonly dataFolder: string | undefined;
  readonly sandbox: "auto" | "bubblewrap" | "process";
  readonly network: NetworkMode;
  /** `well-known` also accepts `lambent`/`lambent` and `test`/`test`, on loopback only. */
  readonly auth: "root-key" | "well-known";
  /** Replaces the data folder's own key. */
  readonly rootKey: GivenRootKey | undefined;
  readonly region: string;
  /** Names beside loopback ones that the listener serves. */
  readonly allowHosts: readonly string[];
  /** What functions reach beside public addresses. */
  readonly opened: readonly OpenedDestination[];
  /** Node processes that wait ready; undefined = the runtime's own bound. */
  readonly poolReadyMax: number | undefined;
  /** An instance idle for this long is let go; undefined = the autoscaler's default. */
  readonly idleMs: number | undefined;
  /** What waits between attempts of asynchronous invocations are multiplied with; undefined = 1, as on AWS. */
  readonly retryTimeFactor: number | undefined;
  /** Folder `node_modules` of the AWS SDK that functions find; undefined without one. */
  readonly sdkTree: string | undefined;
  /** Folders where `python3` is looked for, as in PATH. */
  readonly searchPath: string;
  /** Kafka's listener; undefined without one. */
  readonly kafka: KafkaOptions | undefined;
}

export interface KafkaOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** Somebody named the port: without it there is no start. */
  readonly isAskedFor: boolean;
  /** Clients make topics by asking for them, where they do not forbid it themselves. */
  readonly autoCreate: boolean;
}

/** Where Kafka clients come in, or why they do not. */
export type KafkaReport =
  | { readonly kind: "listening"; /** `127.0.0.1:9092` */ readonly address: string }
  | { readonly kind: "portTaken"; readonly port: number }
  | { readonly kind: "off" };

/** A server that takes requests. */
export interface RunningServer {
  /** `http://127.0.0.1:4566`. */
  readonly url: string;
  readonly report: ServerReport;
  /** Takes nothing new, lets what runs end, closes the store. Resolves when nothing of it is left. */
  stop(): Promise<void>;
}

/** What the banner and `status` show. */
export interface ServerReport {
  readonly version: string;
  readonly durability: "fsync" | "replicated" | "memory";
  readonly dataFolder: string | undefined;
  readonly sandbox: {
    readonly kind: "bubblewrap" | "process";
    readonly confined: boolean;
    readonly network: NetworkMode;
    /** One line each: what is missing and the command that mends it. */
    readonly remarks: readonly string[];
  };
  readonly runtimes: ReadonlyMap<string, { readonly note: string | undefined }>;
  readonly kafka: KafkaReport;
  readonly region: string;
  readonly rootKey: { readonly accessKeyId: string; readonly secretAccessKey: string; readonly account: string };
}
