import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { Server } from "node:net";
import { join } from "node:path";
import { deferred, invariant, LambentError, type Deferred } from "../../base/index.ts";
import {
  INSTANCE_API_PORT,
  INSTANCE_KAFKA_PORT,
  INSTANCE_PROXY_PORT,
  INSTANCE_RUNTIME_API_PORT,
  type InstanceAddresses,
  type InstanceListeners,
} from "../sandbox.ts";
import { adoptListener, closeListeners } from "./listeners.ts";

/** Namespaces kept ready, so that a start waits for none. */
export const NAMESPACES_READY_MAX = 2;

export const INSTANCE_PORTS = [INSTANCE_API_PORT, INSTANCE_PROXY_PORT, INSTANCE_RUNTIME_API_PORT, INSTANCE_KAFKA_PORT] as const;

/** How an instance reaches the platform inside its own namespace. */
export const NAMESPACE_ADDRESSES: InstanceAddresses = {
  apiAddress: `127.0.0.1:${INSTANCE_API_PORT}`,
  proxyAddress: `127.0.0.1:${INSTANCE_PROXY_PORT}`,
  runtimeApiAddress: `127.0.0.1:${INSTANCE_RUNTIME_API_PORT}`,
  kafkaAddress: `127.0.0.1:${INSTANCE_KAFKA_PORT}`,
};

/** A network namespace of one instance and the platform's listeners inside it. */
export interface InstanceNetwork {
  readonly listeners: InstanceListeners;
  /** Names the namespace for `nsenter` and `setns`. */
  readonly namespacePath: string;
  /** The namespace ends with its last process. */
  release(): void;
}

/** The platform's side of the porter (`python/porter.py`): a pool of ready namespaces. */
export class Porter {
  readonly #child: ChildProcess;
  readonly #making = new Map<number, { readonly made: Deferred<InstanceNetwork>; readonly servers: Map<number, Server> }>();
  #ready: Promise<InstanceNetwork>[] = [];
  #nextId = 1;
  #closed = false;

  constructor(python: string) {
    const script = join(import.meta.dirname, "..", "python", "porter.py");
    this.#child = spawn(python, ["-I", "-S", "-B", script], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      // Not reached by a Ctrl-C in the terminal: it ends when its channel closes.
      detached: true,
    });
    this.#child.on("message", (message, handle) => this.#received(message, handle));
    this.#child.on("error", () => this.#failAll());
    this.#child.once("exit", () => this.#failAll());
    this.#refill();
  }

  /** False once the porter is gone; a new one is made then. */
  get alive(): boolean {
    return !this.#closed;
  }

  async take(): Promise<InstanceNetwork> {
    const taken = this.#ready.shift() ?? this.#make();
    this.#refill();
    return taken;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    const ready = this.#ready.splice(0);
    for (const network of await Promise.allSettled(ready)) {
      if (network.status === "fulfilled") closeListeners(network.value.listeners);
    }
    const exited = once(this.#child, "exit");
    this.#closed = true;
    if (this.#child.connected) this.#child.disconnect();
    await exited;
  }

  #refill(): void {
    while (!this.#closed && this.#ready.length < NAMESPACES_READY_MAX) {
      const made = this.#make();
      // Whoever takes it sees the failure; until then it is nobody's.
      made.catch(() => {});
      this.#ready.push(made);
    }
  }

  #make(): Promise<InstanceNetwork> {
    const id = this.#nextId++;
    const made = deferred<InstanceNetwork>();
    this.#making.set(id, { made, servers: new Map() });
    if (this.#closed || !this.#child.connected) this.#failAll();
    else this.#child.send({ make: id, ports: INSTANCE_PORTS });
    return made.promise;
  }

  #received(message: unknown, handle: unknown): void {
    if (!isPortMessage(message) || !(handle instanceof Server)) return;
    const making = this.#making.get(message.id);
    if (!making) return void handle.close();
    making.servers.set(message.port, adoptListener(handle));
    if (making.servers.size < INSTANCE_PORTS.length) return;
    this.#making.delete(message.id);
    const { ns } = message;
    making.made.resolve({
      listeners: namespaceListeners(making.servers),
      namespacePath: `/proc/${this.#child.pid}/fd/${ns}`,
      release: () => void (this.#child.connected && this.#child.send({ release: ns })),
    });
  }

  #failAll(): void {
    this.#closed = true;
    this.#ready = [];
    for (const { made, servers } of this.#making.values()) {
      for (const server of servers.values()) server.close();
      made.reject(new LambentError("RuntimeUnavailable", "The process that makes network namespaces is gone."));
    }
    this.#making.clear();
  }
}

function isPortMessage(message: unknown): message is { id: number; port: number; ns: number } {
  if (typeof message !== "object" || message === null) return false;
  return (
    "id" in message &&
    typeof message.id === "number" &&
    "port" in message &&
    typeof message.port === "number" &&
    "ns" in message &&
    typeof message.ns === "number"
  );
}

/** The listeners by their fixed ports, as the instance reaches them inside its own namespace. */
export function namespaceListeners(servers: ReadonlyMap<number, Server>): InstanceListeners {
  const [api, proxy, runtimeApi, kafka] = INSTANCE_PORTS.map((port) => servers.get(port));
  invariant(api && proxy && runtimeApi && kafka, "a listener came for every port");
  return {
    api,
    proxy,
    runtimeApi,
    kafka,
    ...NAMESPACE_ADDRESSES,
  };
}
