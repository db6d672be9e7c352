import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { connect, Socket } from "node:net";
import { join } from "node:path";
import { deferred, LambentError, type Deferred } from "../../base/index.ts";

/** Connections into one instance that may be on their way at once; more are refused (P7). */
export const DIALS_MAX = 64;

type DialerState =
  | { readonly kind: "idle" }
  | { readonly kind: "running"; readonly child: ChildProcess; readonly dials: Map<number, Deferred<Socket>> }
  | { readonly kind: "closed" };

/**
 * Connections to the loopback of one instance that has a network namespace of its own, made by a helper inside that
 * namespace (`python/dialer.py`). The helper is started by the first connection and ends with the instance.
 */
export class Dialer {
  readonly #python: string;
  readonly #pid: number;
  #state: DialerState = { kind: "idle" };
  #nextId = 1;

  constructor(python: string, pid: number) {
    this.#python = python;
    this.#pid = pid;
  }

  dial(port: number): Promise<Socket> {
    const state = this.#running();
    if (state.kind !== "running") return Promise.reject(unreachable(port, "the instance is gone"));
    if (state.dials.size >= DIALS_MAX) return Promise.reject(unreachable(port, `${DIALS_MAX} connections are being made already`));
    const id = this.#nextId++;
    const dial = deferred<Socket>();
    state.dials.set(id, dial);
    state.child.send({ dial: id, port });
    return dial.promise;
  }

  async close(): Promise<void> {
    const state = this.#state;
    this.#state = { kind: "closed" };
    if (state.kind !== "running") return;
    const exited = once(state.child, "exit");
    if (state.child.connected) state.child.disconnect();
    await exited;
  }

  #running(): DialerState {
    if (this.#state.kind !== "idle") return this.#state;
    const script = join(import.meta.dirname, "..", "python", "dialer.py");
    const child = spawn(this.#python, ["-I", "-S", "-B", script, String(this.#pid)], {
      cwd: "/",
      env: { PATH: "/usr/bin:/bin" },
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      // Not reached by a Ctrl-C in the terminal: it ends when its channel closes.
      detached: true,
    });
    const dials = new Map<number, Deferred<Socket>>();
    child.on("message", (message, handle) => settle(dials, message, handle));
    const over = (): void => {
      if (this.#state.kind === "running" && this.#state.child === child) this.#state = { kind: "idle" };
      for (const dial of dials.values()) dial.reject(new LambentError("InstanceLost", "The way into the instance's network is gone."));
      dials.clear();
    };
    child.once("error", over);
    child.once("exit", over);
    this.#state = { kind: "running", child, dials };
    return this.#state;
  }
}

/** A connection on the host's own loopback, for an instance without a network namespace. */
export async function dialHost(port: number): Promise<Socket> {
  const socket = connect({ host: "127.0.0.1", port, noDelay: true });
  try {
    await once(socket, "connect");
    return socket;
  } catch (error) {
    throw unreachable(port, error instanceof Error ? error.message : String(error));
  }
}

function settle(dials: Map<number, Deferred<Socket>>, message: unknown, handle: unknown): void {
  const socket = handle instanceof Socket ? handle : undefined;
  const answer = isAnswer(message) ? message : undefined;
  const dial = answer && dials.get(answer.id);
  if (!answer || !dial) return void socket?.destroy();
  dials.delete(answer.id);
  if (socket) dial.resolve(socket.setNoDelay(true));
  else dial.reject(new LambentError("InstanceLost", `Nothing answers inside the instance: ${answer.failed ?? "no connection came"}.`));
}

function isAnswer(message: unknown): message is { readonly id: number; readonly failed?: string } {
  return typeof message === "object" && message !== null && "id" in message && typeof message.id === "number";
}

function unreachable(port: number, why: string): LambentError {
  return new LambentError("InstanceLost", `Port ${port} inside the instance cannot be reached: ${why}.`);
}
