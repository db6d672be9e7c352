/** Which application may change and remove which function. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import {
  type AppFunctions,
  type AppWiring,
  type CurrentFunction,
  type CurrentStreamTrigger,
  type Deployment,
  NO_URL,
  openApps,
  type RuleTrigger,
  type ScheduleTrigger,
  STREAM_TRIGGER_DEFAULTS,
  type StreamTrigger,
  type Trigger,
  type UploadTrigger,
} from "../../src/apps/index.ts";
import { ruleKey, scheduleKey } from "../../src/apps/event-form.ts";
import { streamTriggerKey } from "../../src/apps/stream-form.ts";
import { uploadKey } from "../../src/apps/upload-form.ts";
import { isLambentError, LambentError } from "../../src/base/index.ts";
import { openMemoryStore } from "../../src/storage/index.ts";

const realm = { account: "000000000000", region: "us-east-1" };
const zip = Buffer.from("code");
const codeSha256 = createHash("sha256").update(zip).digest("base64");

/** Applications over functions that are a map, and creating one of which can fail. */
class World {
  readonly functions = new Map<string, CurrentFunction>();
  readonly triggers = new Map<string, Trigger>();
  readonly buses = new Set<string>();
  readonly rules = new Map<string, RuleTrigger>();
  readonly schedules = new Map<string, ScheduleTrigger>();
  readonly buckets = new Set<string>();
  readonly windows = new Map<string, string>();
  readonly streamTriggers = new Map<string, CurrentStreamTrigger>();
  readonly uploads = new Map<string, UploadTrigger>();
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
    hasBucket: (_realm, name) => this.buckets.has(name),
    createBucket: async (_realm, { name }) => void this.buckets.add(name),
    currentUpload: (_realm, names) => {
      const upload = this.uploads.get(uploadKey(names));
      return upload && { ...upload, permitted: true };
    },
    putUploads: async (_realm, _bucketName, uploads) => {
      for (const upload of uploads) this.uploads.set(uploadKey(upload), upload);
    },
    removeUpload: async (_realm, names) => void this.uploads.delete(uploadKey(names)),
    currentStream: async () => undefined,
    createStream: async (_realm, { name }) => ({ name, options: { partitions: 1, retentionMs: 1 } }),
    updateStream: async () => undefined,
    currentStreamTrigger: (_realm, names) => this.streamTriggers.get(streamTriggerKey(names)),
    listStreamTriggers: () => [...this.streamTriggers.values()],
    checkStreamTrigger: () => undefined,
    putStreamTrigger: async (_realm, trigger) =>
      void this.streamTriggers.set(streamTriggerKey(trigger), {
        ...trigger,
        from: trigger.from ?? "latest",
        uuid: "u",
        state: "Enabled",
        result: undefined,
      }),
    removeStreamTrigger: async (_realm, names) => void this.streamTriggers.delete(streamTriggerKey(names)),
    hasWindow: async (_realm, name) => this.windows.has(name),
    compareWindow: async (_realm, { name, declaration }) => {
      const known = this.windows.get(name);
      if (known === undefined) return { kind: "create" };
      return known === declaration ? { kind: "same" } : { kind: "update", fields: [{ field: "definition", from: known, to: declaration }] };
    },
    createWindow: async (_realm, { name, declaration }) => void this.windows.set(name, declaration),
    updateWindow: async (_realm, { name, declaration }) => void this.windows.set(name, declaration),
    removeWindow: async (_realm, name) => void this.windows.delete(name),
    currentBus: (_realm, name) => (this.buses.has(name) ? { name, description: undefined } : undefined),
    createBus: async (_realm, { name }) => void this.buses.add(name),
    updateBus: async () => undefined,
    currentRule: (_realm, names) => {
      const rule = this.rules.get(ruleKey(names));
      return rule && { ...rule, permitted: true };
    },
    putRule: async (_realm, rule) => void this.rules.set(ruleKey(rule), rule),
    removeRule: async (_realm, names) => void this.rules.delete(ruleKey(names)),
    currentSchedule: async (_realm, functionName, scheduleName) => {
      const schedule = this.schedules.get(scheduleKey({ functionName, scheduleName }));
      return schedule && { ...schedule, roleArn: "arn:aws:iam::000000000000:role/lambent-function" };
    },
    createSchedule: async (_realm, schedule) => {
      if (schedule.scheduleName === this.failing) throw new LambentError("InvalidParameter", "no schedule");
      this.schedules.set(scheduleKey(schedule), schedule);
    },
    updateSchedule: async (_realm, schedule) => void this.schedules.set(scheduleKey(schedule), schedule),
    removeSchedule: async (_realm, scheduleName) => {
      for (const [key, each] of this.schedules) if (each.scheduleName === scheduleName) this.schedules.delete(key);
    },
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
      buses: [],
      rules: [],
      schedules: [],
      buckets: [],
      uploads: [],
      streams: [],
      streamTriggers: [],
      windows: [],
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

void test("rules and schedules that were there stay when the document that describes them lets go; those it brought or adopted are removed", async () => {
  const world = new World();
  const rule = (ruleName: string): RuleTrigger => ({
    ...{ functionName: "a", busName: "shop", ruleName },
    options: { pattern: "{}", format: "aws", enabled: true },
  });
  const schedule = (scheduleName: string): ScheduleTrigger => ({
    ...{ functionName: "a", scheduleName },
    options: { expression: "rate(1 hour)", zone: "UTC", input: undefined, enabled: true },
  });
  await world.deploy("app", ["a"]);
  world.rules.set(ruleKey(rule("by-hand")), rule("by-hand"));
  world.schedules.set(scheduleKey(schedule("by-hand")), schedule("by-hand"));
  const both = { rules: [rule("by-hand"), rule("own")], schedules: [schedule("by-hand"), schedule("own")] };
  await world.deploy("app", ["a"], both);
  assert.deepEqual([...world.buses], ["shop"], "a bus that only a rule names is made");
  await world.deploy("app", ["a"]);
  assert.deepEqual([...world.rules.keys(), ...world.schedules.keys()], ["a rule shop by-hand", "a schedule by-hand"]);
  await world.deploy("app", ["a"], { ...both, adopt: true });
  await world.deploy("app", ["a"]);
  assert.deepEqual([...world.rules.keys(), ...world.schedules.keys()], []);
});

void test("a deployment that stopped between two triggers owns the one it made", async () => {
  const world = new World();
  const rule: RuleTrigger = {
    ...{ functionName: "a", busName: "default", ruleName: "made" },
    options: { pattern: "{}", format: "aws", enabled: true },
  };
  const schedule: ScheduleTrigger = {
    ...{ functionName: "a", scheduleName: "refused" },
    options: { expression: "rate(1 hour)", zone: "UTC", input: undefined, enabled: true },
  };
  world.failing = "refused";
  await assert.rejects(world.deploy("app", ["a"], { rules: [rule], schedules: [schedule] }), /no schedule/u);
  assert.deepEqual([...world.rules.keys()], ["a rule default made"]);
  await world.deploy("app", ["a"], { rules: [rule] });
  await world.deploy("app", ["a"]);
  assert.deepEqual([...world.rules.keys()], []);
});

void test("rules of buckets that were there stay when the document lets go; those it brought are removed, and buckets are not", async () => {
  const world = new World();
  const upload = (uploadName: string, prefix: string): UploadTrigger => ({
    ...{ functionName: "a", bucketName: "photos", uploadName },
    options: { event: "s3:ObjectCreated:*", prefix, suffix: "" },
  });
  await world.deploy("app", ["a"]);
  world.uploads.set(uploadKey(upload("by-hand", "x/")), upload("by-hand", "x/"));
  await world.deploy("app", ["a"], { buckets: [{ name: "archive" }], uploads: [upload("by-hand", "x/"), upload("own", "y/")] });
  assert.deepEqual([...world.buckets], ["archive", "photos"], "a bucket that only a trigger names is made");
  await world.deploy("app", ["a"]);
  assert.deepEqual([...world.uploads.keys()], ["a upload photos by-hand"]);
  assert.deepEqual([...world.buckets], ["archive", "photos"]);
});

void test("triggers by streams that were there stay when the document lets go; those it brought are removed", async () => {
  const world = new World();
  const names = (streamName: string) => ({ functionName: "a", streamName, form: "kafka" as const });
  const trigger = (streamName: string): StreamTrigger => ({
    ...{ ...names(streamName), source: "kafka", from: undefined },
    options: STREAM_TRIGGER_DEFAULTS,
  });
  world.streamTriggers.set(streamTriggerKey(names("by-hand")), {
    ...{ ...trigger("by-hand"), from: "latest" },
    ...{ uuid: "u", state: "Enabled", result: undefined },
  });
  await world.deploy("app", ["a"], { streamTriggers: [trigger("by-hand"), trigger("own")] });
  assert.deepEqual([...world.streamTriggers.keys()], ["a stream by-hand kafka", "a stream own kafka"]);
  await world.deploy("app", ["a"]);
  assert.deepEqual([...world.streamTriggers.keys()], ["a stream by-hand kafka"]);
});

void test("windows come with an application and go when it lets them go; those that were there stay", async () => {
  const world = new World();
  const window = (name: string, declaration = "{}") => ({ name, declaration, restart: undefined });
  world.windows.set("by-hand", "{}");
  const { wiring } = await world.deploy("app", ["a"], { windows: [window("by-hand"), window("own")] });
  assert.deepEqual(
    wiring.map(({ kind }) => kind),
    ["createWindow"],
  );
  const changed = await world.deploy("app", ["a"], { windows: [window("by-hand"), window("own", '{"start":"latest"}')] });
  assert.deepEqual(
    changed.wiring.map(({ kind }) => kind),
    ["updateWindow"],
  );
  assert.equal(world.windows.get("own"), '{"start":"latest"}');
  const untouched = await world.deploy("app", ["a"], { windows: [window("by-hand"), window("own")], onlyUntouched: true });
  assert.deepEqual(untouched.wiring, []);
  await world.deploy("app", ["a"]);
  assert.deepEqual([...world.windows.keys()], ["by-hand"]);
});
