/** Clients at work: a process each, and what it printed. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { LambentError, systemClock } from "../../src/base/index.ts";
import type { Client, Command, CommandOptions, DriverLine } from "./clients.ts";

/** Longest time one command, or one thing that is waited for, may take. */
const WAIT_MS_MAX = 30_000;

export type ReadRecord = Extract<DriverLine, { partition: number }>;

export class Driven {
  readonly records: ReadRecord[] = [];
  /** Partitions it has now. */
  assigned: readonly number[] = [];
  readonly #client: Client;
  readonly #child: ChildProcess;
  readonly #endsBy: NodeJS.Signals | undefined;
  readonly #closed: Promise<unknown>;
  #printed = "";
  #wake = Promise.withResolvers<void>();

  constructor(client: Client, command: Command, options: CommandOptions) {
    const { file, args, input, endsBy } = client.invoke(command, options);
    this.#client = client;
    this.#endsBy = endsBy;
    const child = spawn(file, [...args], { stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    this.#closed = once(child, "close");
    // A member that is killed leaves its input behind.
    child.stdin.on("error", () => undefined);
    if (input !== undefined) child.stdin.end(input);
    else if (command !== "member") child.stdin.end();
    for (const output of [child.stdout, child.stderr]) createInterface({ input: output }).on("line", (line) => this.#take(line));
    child.once("close", () => this.#wake.resolve());
  }

  /** Resolves once it ended well. */
  async ended(): Promise<void> {
    await this.#within("end", this.#closed);
    if (this.#child.exitCode !== 0 && this.#child.signalCode !== this.#endsBy) throw this.#trouble("ended badly");
  }

  /** Resolves once `holds`, which is asked after every line. */
  async until(what: string, holds: () => boolean): Promise<void> {
    const seen = async (): Promise<void> => {
      while (!holds()) {
        if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw this.#trouble(`ended before: ${what}`);
        await this.#wake.promise;
      }
    };
    await this.#within(what, seen());
  }

  /** `kill -9`. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#closed;
  }

  /** Tells a member to end, and waits for it. */
  async stop(): Promise<void> {
    if (this.#endsBy) this.#child.kill(this.#endsBy);
    else this.#child.stdin?.end();
    await this.ended();
  }

  /** For the end of a test that may have failed. */
  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  #take(line: string): void {
    this.#printed = `${this.#printed}${line}\n`.slice(-4_000);
    const read = this.#client.read(line);
    if (read && "partition" in read) this.records.push(read);
    if (read && "assigned" in read) this.assigned = read.assigned;
    if (read && "gained" in read) this.assigned = [...new Set([...this.assigned, ...read.gained])];
    if (read && "lost" in read) this.assigned = this.assigned.filter((partition) => !read.lost.includes(partition));
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  }

  async #within<T>(what: string, work: Promise<T>): Promise<T> {
    const late = Promise.withResolvers<never>();
    const timer = systemClock.schedule(WAIT_MS_MAX, () => late.reject(this.#trouble(`took more than ${WAIT_MS_MAX} ms: ${what}`)));
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      timer.cancel();
    }
  }

  #trouble(what: string): LambentError {
    const { name, version } = this.#client;
    const { exitCode, signalCode } = this.#child;
    const tail = this.#printed.slice(-1_500);
    return new LambentError(
      "IllegalState",
      `${name} ${version} ${what} (exit ${exitCode ?? signalCode ?? "none"}). It has ${this.assigned.join()}, read ${this.records.length} and printed: ${tail}`,
    );
  }
}
