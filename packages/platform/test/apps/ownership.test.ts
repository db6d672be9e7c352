/** Which application may change and remove which function. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  type AppFunctions,
  type AppWiring,
  type CurrentFunction,
  type Deployment,
  NO_URL,
  openApps,
  type Trigger,
} from "../../src/apps/index.ts";
import { isLambentError, LambentError } from "../../src/base/index.ts";
import { openMemoryStore } from "../../src/storage/index.ts";

const realm = { account: "000000000000", region: "us-east-1" };
const zip = Buffer.from("code");
const codeSha256 = createHash("sha256").update(zip).digest("base64");

/** Applications over functions that are a map, and creating one of which can fail. */
class World {
  readonly functions = new Map<string, CurrentFunction>();
  readonly triggers = new Map<string, Trigger>();
  failing: string | undefined;

  readonly #functions: AppFunctions = {
    current: async (_realm, name) => this.functions.get(name),
    create: async (_realm, wanted) => {
      if (wanted.name === this.failing) throw new LambentError("InvalidCode", "no zip");
      this.functions.set(wanted.name, wanted);
    },
    updateSettings: async (_realm, name, { options }) =>
      this.#change(name, (before) => ({ ...before, options: { ...before.options, ...options } })),
    updateCode: async (_realm, name) => this.#change(name, (before) => ({ ...before, codeSha256 })),
    setUrl: async (_realm, name, url) => this.#change(name, (before) => ({ ...before, url })),
    removeUrl: async (_realm, name) => this.#change(name, (before) => ({ ...before, url: NO_URL })),
    remove: async (_realm, name) => void this.functions.delete(name),
  };
  readonly #wiring: AppWiring = {
    currentQueue: () => undefined,
    createQueue: async () => undefined,
    updateQueue: async () => undefined,
    currentTrigger: (_realm, functionName, queueName) => this.triggers.get(`${functionName} ${queueName}`),
    createTrigger: async (_realm, functionName, queueName, options) =>
      void this.triggers.set(`${functionName} ${queueName}`, { functionName, queueName, options }),
    updateTrigger: async () => undefined,
    removeTrigger: async (_realm, functionName, queueName) => void this.triggers.delete(`${functionName} ${queueName}`),
  };
  readonly #apps = openApps({ store: openMemoryStore(), functions: this.#functions, wiring: this.#wiring });

  #change(name: string, how: (before: CurrentFunction) => CurrentFunction): void {
    const before = this.functions.get(name);
    assert.ok(before);
    this.functions.set(name, how(before));
  }

  deploy(app: string | undefined, names: readonly string[], more: Partial<Deployment> = {}) {
    const functions = names.map((name) => ({ name, runtime: "nodejs22.x", handler: "a.handler", codeSha256, options: {}, url: undefined }));
    const deployment: Deployment = {
      app,
      functions,
      queues: [],
      triggers: [],
      onlyUntouched: false,
      adopt: false,
      origin: undefined,
      ...more,
    };
    return this.#apps.deploy(realm, deployment, new Map(names.map((name) => [name, zip])));
  }

  names(): string[] {
    return [...this.functions.keys()].toSorted();
  }
}

const notOwned = (pattern: RegExp) => (error: unknown) => isLambentError(error, "NotOwned") && pattern.test(error.message);

void test("an application refuses a function that came by itself, and never removes it", async () => {
  const world = new World();
  await world.deploy(undefined, ["hello"]);
  await assert.rejects(
    world.deploy("shop", ["hello", "cart"]),
    notOwned(/application shop did not bring .*hello belongs to no application\.$/iu),
  );
  assert.deepEqual(world.names(), ["hello"], "nothing is made before it is refused");
  await world.deploy("shop", ["cart"]);
  await world.deploy("shop", ["pay"]);
  assert.deepEqual(world.names(), ["hello", "pay"]);
});

void test("a function of another application is refused naming that; adopted, it is the other's no more", async () => {
  const world = new World();
  await world.deploy("one", ["shared", "first"]);
  await assert.rejects(world.deploy("two", ["shared"]), notOwned(/shared belongs to application one\.$/u));
  await world.deploy("two", ["shared"], { adopt: true });
  await world.deploy("two", ["shared"]);
  await assert.rejects(world.deploy("one", ["shared", "first"]), notOwned(/shared belongs to application two\.$/u));
  await world.deploy("one", ["first"]);
  assert.deepEqual(world.names(), ["first", "shared"]);
  await world.deploy("two", ["other"]);
  assert.deepEqual(world.names(), ["first", "other"], "what was adopted is removed like what was brought");
});

void test("single functions may be deployed over an application's: they are asked for by name", async () => {
  const world = new World();
  await world.deploy("one", ["a"]);
  await world.deploy(undefined, ["a"]);
  await world.deploy("one", ["b"]);
  assert.deepEqual(world.names(), ["b"]);
});

void test("a deployment that stopped half-way is repeated, and owns what it made and nothing it did not", async () => {
  const world = new World();
  world.failing = "second";
  await assert.rejects(world.deploy("app", ["first", "second"]));
  assert.deepEqual(world.names(), ["first"]);
  world.failing = undefined;
  await world.deploy(undefined, ["second"]);
  await assert.rejects(world.deploy("app", ["first", "second"]), notOwned(/function second belongs to no application\.$/u));
  await world.deploy("app", ["first", "third"]);
  await world.deploy("app", ["third"]);
  assert.deepEqual(world.names(), ["second", "third"]);
});

void test("two documents whose names are their folders' do not meet as one application", async () => {
  const world = new World();
  await world.deploy("api", ["orders"], { origin: "/ada/api" });
  await world.deploy("api", ["orders", "carts"], { origin: "/ada/api" });
  await assert.rejects(
    world.deploy("api", ["users"], { origin: "/bob/api" }),
    notOwned(/There is an application api already, deployed from \/ada\/api; \/bob\/api has .*`app:`/u),
  );
  assert.deepEqual(world.names(), ["carts", "orders"]);
  await world.deploy("api", ["orders"]);
  assert.deepEqual(world.names(), ["orders"], "a document that names itself is that application wherever it lies");
  await assert.rejects(world.deploy("api", ["users"], { origin: "/ada/api" }), notOwned(/deployed by a document that names itself so/u));
});

void test("a trigger that was there before the application is described by it, and not removed with it", async () => {
  const world = new World();
  const options = { batchSize: 10, windowMs: 0, concurrencyMax: undefined, filters: [], reportsFailures: false, enabled: true };
  const trigger = (queueName: string): Trigger => ({ functionName: "a", queueName, options });
  await world.deploy("app", ["a"]);
  world.triggers.set("a by-hand", trigger("by-hand"));
  await world.deploy("app", ["a"], { triggers: [trigger("by-hand"), trigger("own")] });
  await world.deploy("app", ["a"]);
  assert.deepEqual([...world.triggers.keys()], ["a by-hand"]);
});
