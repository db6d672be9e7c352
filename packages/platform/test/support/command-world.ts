import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT_CODES } from "../../src/cli/exit-codes.ts";
import { beginLambent, type GoingCommand, runLambent } from "./lambent-process.ts";

/** A folder with a server in it that can be killed and started again. */
export class CommandWorld {
  readonly folder = mkdtempSync(join(tmpdir(), "lambent-test-"));
  readonly #environment = { PATH: process.env["PATH"], HOME: this.folder, XDG_RUNTIME_DIR: this.folder };
  readonly #options: readonly string[];
  #server: GoingCommand | undefined;
  #endpoint = "";

  /** `options` are further ones of `lambent start`. */
  constructor(...options: readonly string[]) {
    this.#options = options;
  }

  async stop(): Promise<void> {
    await this.#server?.interrupt();
    rmSync(this.folder, { recursive: true });
  }

  async start(): Promise<void> {
    const port = this.#endpoint === "" ? "0" : new URL(this.#endpoint).port;
    const server = beginLambent(["start", "--port", port, "--data", join(this.folder, "data"), ...this.#options], this.#environment);
    this.#server = server;
    await server.said(/^lambent ready (\S+)$/mu);
    this.#endpoint = /^lambent ready (\S+)$/mu.exec(server.printed())?.[1] ?? "";
  }

  async kill(): Promise<void> {
    await this.#server?.kill();
  }

  file(name: string, text: string): string {
    writeFileSync(join(this.folder, name), text);
    return join(this.folder, name);
  }

  begin(...args: readonly string[]): GoingCommand {
    return beginLambent(args, { ...this.#environment, LAMBENT_ENDPOINT: this.#endpoint });
  }

  async refused(exit: number, ...args: readonly string[]): Promise<string> {
    const ending = await runLambent(args, { ...this.#environment, LAMBENT_ENDPOINT: this.#endpoint });
    assert.equal(ending.exit, exit, ending.out);
    return ending.err;
  }

  async run(...args: readonly string[]): Promise<string> {
    return this.runWith("", ...args);
  }

  async runWith(input: string, ...args: readonly string[]): Promise<string> {
    const ending = await runLambent(args, { ...this.#environment, LAMBENT_ENDPOINT: this.#endpoint }, input);
    assert.equal(ending.exit, EXIT_CODES.done, ending.err);
    return ending.out;
  }
}
