import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { ManualClock, systemSecureRandom } from "../../src/base/index.ts";
import { Layers } from "../../src/functions/manage/layers.ts";
import { Versions } from "../../src/functions/manage/versions.ts";
import type { Numbered } from "../../src/functions/numbering.ts";
import type { FunctionRecord, Write } from "../../src/functions/records.ts";
import { openRegistry, type Registry } from "../../src/functions/registry.ts";
import { NUMBERED_NAMES_MAX } from "../../src/functions/rules/limits.ts";
import { createCipher } from "../../src/security/index.ts";
import { MemoryDisk, OPS_PER_COMMIT_MAX, openMemoryStore, READ_ROWS_MAX, type Store } from "../../src/storage/index.ts";
import { functionVersion } from "../support/function-version.ts";
import { REALM } from "../support/functions-world.ts";

const CELL = "000000000000.us-east-1/registry/functions/0";
const CODE = { sha256: "code", zipBytes: 1, unpackedBytes: 1 };
/** Layers as they are made without any code: only their numbers are looked at here. */
const KEEPER = { hold: (_zip: unknown, use: (code: typeof CODE) => unknown) => use(CODE) } as unknown as ConstructorParameters<
  typeof Layers
>[1];

class World {
  readonly clock = new ManualClock(0);
  readonly #disk = new MemoryDisk();
  store!: Store;
  registry!: Registry;

  static async open(test: TestContext): Promise<World> {
    const world = new World();
    await world.start();
    test.after(() => world.store.close());
    return world;
  }

  async start(): Promise<void> {
    this.store = openMemoryStore({ disk: this.#disk });
    const cipher = createCipher(Buffer.alloc(32, 5), systemSecureRandom);
    this.registry = await openRegistry({ store: this.store, cipher, clock: this.clock, secureRandom: systemSecureRandom });
  }

  async restart(): Promise<void> {
    await this.store.close();
    await this.start();
  }

  async write(writes: readonly Write[]): Promise<void> {
    await this.registry.change(REALM, () => ({ writes, result: undefined }));
  }

  async create(name: string): Promise<void> {
    const record: FunctionRecord = {
      id: systemSecureRandom.uuid(),
      createdAt: 0,
      latest: { version: functionVersion({ name }), state: { kind: "active" } },
      update: { kind: "successful" },
      tags: {},
      reservedConcurrency: undefined,
      recursion: "Terminate",
    };
    await this.write([{ kind: "function", name, value: record }]);
  }

  async publish(name: string): Promise<string> {
    const { version } = await new Versions(this.registry).publish(REALM, name, {});
    return version.version;
  }

  /** Remembers `count` names that are deleted; the first of them was numbered longest ago. */
  async fill(of: Numbered, count: number): Promise<void> {
    for (let from = 0; from < count; from += OPS_PER_COMMIT_MAX) {
      const length = Math.min(OPS_PER_COMMIT_MAX, count - from);
      const numbers = Array.from({ length }, (_, index) => from + index);
      await this.write(numbers.map((at): Write => ({ kind: "numbering", of, name: `gone-${at}`, value: { highest: 7, at: 100 + at } })));
    }
  }

  async remembered(): Promise<string[]> {
    const keys: string[] = [];
    for (let after = "numbering/"; ; after = keys.at(-1) ?? "") {
      const rows = await this.store.list(CELL, { prefix: "numbering/", limit: READ_ROWS_MAX, after });
      if (rows.length === 0) return keys;
      keys.push(...rows.map((row) => row.key));
    }
  }
}

describe("version numbers", () => {
  it("go on where a deleted function or layer left off, also after a restart", async (test) => {
    const world = await World.open(test);
    await world.create("a");
    assert.equal(await world.publish("a"), "1");
    await world.write([{ kind: "function", name: "a", value: undefined }]);
    await world.restart();
    await world.create("a");
    assert.equal(await world.publish("a"), "2");
    const layers = new Layers(world.registry, KEEPER);
    const layer = { name: "l", zip: Buffer.alloc(0) };
    assert.equal((await layers.publish(REALM, layer)).version, 1);
    await layers.remove(REALM, "l", 1);
    assert.equal((await layers.publish(REALM, layer)).version, 2);
  });

  it("P7: are remembered for so many names; the deleted one numbered longest ago is forgotten, never one that is alive", async (test) => {
    const world = await World.open(test);
    await world.create("oldest-but-alive");
    assert.equal(await world.publish("oldest-but-alive"), "1");
    await world.fill("function", NUMBERED_NAMES_MAX - 1);
    await world.restart();
    world.clock.jumpWall(1_000_000_000);
    await world.create("new");
    assert.equal(await world.publish("new"), "1");
    const remembered = await world.remembered();
    assert.equal(remembered.length, NUMBERED_NAMES_MAX);
    const names = new Set(remembered);
    assert.deepEqual(
      ["oldest-but-alive", "new", "gone-0", "gone-1"].map((name) => names.has(`numbering/function/${name}`)),
      [true, true, false, true],
    );
    await world.create("gone-1");
    assert.equal(await world.publish("gone-1"), "8", "what is remembered goes on");
    await world.create("gone-0");
    assert.equal(await world.publish("gone-0"), "1", "what is forgotten begins again");
    assert.equal((await world.remembered()).length, NUMBERED_NAMES_MAX);
  });

  it("written before names could be forgotten are read as ever", async (test) => {
    const world = await World.open(test);
    await world.store.commit(CELL, "any", [{ kind: "put", cell: CELL, key: "numbering/function/a", value: Buffer.from("41") }]);
    await world.restart();
    await world.create("a");
    assert.equal(await world.publish("a"), "42");
  });
});
