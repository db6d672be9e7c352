/** The listener the clients come to. */
import { type ChildProcess, spawn } from "node:child_process";
import assert from "node:assert/strict";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

export class ClientsServer {
  readonly broker: string;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #errors = "";
  /** Questions are answered in their order. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, broker: string) {
    this.#child = child;
    this.#lines = lines;
    this.broker = broker;
    child.stderr?.setEncoding("utf8").on("data", (text: string) => (this.#errors += text));
  }

  static async start(): Promise<ClientsServer> {
    const program = join(import.meta.dirname, "..", "support", "kafka-server.ts");
    const child = spawn(process.execPath, [program], { stdio: ["pipe", "pipe", "pipe"] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value = "{}" } = (await lines.next()) as { value?: string };
    return new ClientsServer(child, lines, (JSON.parse(value) as { broker: string }).broker);
  }

  /** How the batches of a topic are compressed. */
  codecsOf(topic: string): Promise<readonly string[]> {
    const asked = this.#last.then(async () => {
      this.#child.stdin?.write(`${topic}\n`);
      const { value = "{}" } = (await this.#lines.next()) as { value?: string };
      return (JSON.parse(value) as { codecs: readonly string[] }).codecs;
    });
    this.#last = asked.catch(() => undefined);
    return asked;
  }

  /** Fails when the server reported a defect. */
  async close(): Promise<void> {
    this.#child.stdin?.end();
    if (this.#child.exitCode === null) await once(this.#child, "close");
    assert.equal(this.#errors, "");
    assert.equal(this.#child.exitCode, 0);
  }
}
