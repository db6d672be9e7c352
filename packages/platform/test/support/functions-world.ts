import { join } from "node:path";
import type { TestContext } from "node:test";
import { ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import { type FunctionChange, type Functions, type FunctionsOptions, openFunctions } from "../../src/functions/index.ts";
import type { Realm } from "../../src/model/index.ts";
import { createCipher } from "../../src/security/index.ts";
import { type Blobs, type FaultPlan, MemoryDisk, openBlobs, openMemoryStore, type Store } from "../../src/storage/index.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { zipOf } from "./zips.ts";

export const REALM: Realm = { account: "000000000000", region: "us-east-1" };
export const ROLE_ARN = "arn:aws:iam::000000000000:role/lambda";

/** Functions over a store in memory and a folder of the test's own; both outlive a reopen. */
export class FunctionsWorld {
  readonly clock = new ManualClock();
  readonly folder: string;
  readonly disk = new MemoryDisk();
  readonly problems: unknown[] = [];
  readonly changes: FunctionChange[] = [];
  readonly blobs: Blobs;
  /** What goes wrong with the store from here on. */
  faults: FaultPlan = () => undefined;
  functions: Functions;
  store: Store;
  readonly #cipher = createCipher(Buffer.alloc(32, 7), systemSecureRandom);
  readonly #changed: Partial<FunctionsOptions>;

  private constructor(folder: string, blobs: Blobs, changed: Partial<FunctionsOptions>) {
    this.folder = folder;
    this.blobs = blobs;
    this.#changed = changed;
    this.store = openMemoryStore({ disk: this.disk, faults: (step) => this.faults(step) });
    this.functions = undefined as unknown as Functions;
  }

  static async open(test: TestContext, changed: Partial<FunctionsOptions> = {}): Promise<FunctionsWorld> {
    const folder = temporaryFolder(test);
    const world = new FunctionsWorld(folder, await openBlobs(join(folder, "blobs"), systemSecureRandom), changed);
    await world.#start();
    test.after(() => world.#stop());
    return world;
  }

  get codeFolder(): string {
    return join(this.folder, "code");
  }

  get treesFolder(): string {
    return join(this.folder, "trees");
  }

  /** Stops and starts again over what was stored. */
  async reopen(changed: Partial<FunctionsOptions> = {}): Promise<void> {
    await this.#stop();
    this.store = openMemoryStore({ disk: this.disk, faults: (step) => this.faults(step) });
    await this.#start(changed);
  }

  /** Starts again without an orderly stop, as after a kill. */
  async crash(): Promise<void> {
    await this.store.close();
    this.store = openMemoryStore({ disk: this.disk, faults: (step) => this.faults(step) });
    await this.#start();
  }

  /** A function that is ready to be called. */
  async made(
    name: string,
    files: Readonly<Record<string, string>> = { "index.mjs": `export const handler = () => "${name}";` },
  ): Promise<void> {
    await this.functions.lifecycle.create(REALM, { ...minimal(name), zip: await zipOf(files) });
    await this.functions.lifecycle.ready(REALM, name);
  }

  async #start(changed: Partial<FunctionsOptions> = {}): Promise<void> {
    this.functions = await openFunctions({
      store: this.store,
      blobs: this.blobs,
      cipher: this.#cipher,
      clock: this.clock,
      secureRandom: systemSecureRandom,
      codeFolder: this.codeFolder,
      treesFolder: this.treesFolder,
      treeKind: "links",
      onProblem: (error) => this.problems.push(error),
      bootId: "boot-1",
      ...this.#changed,
      ...changed,
    });
    this.functions.onChange((change) => this.changes.push(change));
  }

  async #stop(): Promise<void> {
    await this.functions.close();
    await this.store.close();
  }
}

/** What every new function says, besides its code. */
export function minimal(name: string) {
  return { name, runtime: "nodejs22.x", handler: "index.handler", roleArn: ROLE_ARN };
}
