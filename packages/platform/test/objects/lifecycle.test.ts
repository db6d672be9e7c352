import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { LifecycleRule, ObjectVersion, StoredObject } from "../../src/objects/index.ts";
import { expiryOf, isExpired, isNoncurrentExpired, isUploadOver, midnightBehind } from "../../src/objects/lifecycle.ts";
import { CALLER, large, ObjectsWorld, put } from "./world.ts";

const DAY_MS = 86_400_000;
const at = (text: string): number => Date.parse(text);
const rule = (more: Partial<LifecycleRule> = {}): LifecycleRule => ({ id: "r", enabled: true, filter: { prefix: "", tags: {} }, ...more });
const object = (more: Partial<StoredObject> = {}): StoredObject => ({
  ...{ kind: "object", versionId: "null", number: 1, modifiedAt: at("2014-01-15T10:30:00Z"), owner: "0", bytes: 10, etag: "" },
  ...{ body: { kind: "inline" }, headers: {}, metadata: {}, tags: {}, storageClass: "STANDARD" },
  ...more,
});
const marker: ObjectVersion = { kind: "deleteMarker", versionId: "v", number: 1, modifiedAt: at("2014-01-15T10:30:00Z"), owner: "0" };

describe("when something is due", () => {
  test("is the midnight behind so many days, UTC", () => {
    // The example of S3's user guide.
    assert.equal(midnightBehind(at("2014-01-15T10:30:00Z"), 3), at("2014-01-19T00:00:00Z"));
    assert.equal(midnightBehind(at("2014-01-15T00:00:00Z"), 1), at("2014-01-17T00:00:00Z"));
    const rules = [rule({ id: "late", expireAfterDays: 30 }), rule({ id: "soon", expireAfterDays: 3 })];
    assert.deepEqual(expiryOf(rules, "k", object()), { at: at("2014-01-19T00:00:00Z"), rule: "soon" });
    assert.equal(isExpired(rules, "k", object(), false, at("2014-01-18T23:59:59.999Z")), false);
    assert.equal(isExpired(rules, "k", object(), false, at("2014-01-19T00:00:00Z")), true);
    assert.equal(isExpired([rule({ expireAt: at("2014-02-01T00:00:00Z") })], "k", object(), false, at("2014-02-01T00:00:00Z")), true);
  });

  test("is never where the rule is off or for other objects", () => {
    const due = at("2020-01-01T00:00:00Z");
    const expires = (more: Partial<LifecycleRule>, key = "logs/1", of = object({ tags: { a: "1", b: "2" } })): boolean =>
      isExpired([rule({ expireAfterDays: 1, ...more })], key, of, false, due);
    assert.equal(expires({}), true);
    assert.equal(expires({ enabled: false }), false);
    const filter = { prefix: "logs/", tags: { a: "1" } };
    assert.equal(expires({ filter }), true);
    assert.equal(expires({ filter }, "log"), false);
    assert.equal(expires({ filter: { ...filter, tags: { a: "1", c: "" } } }), false);
    assert.equal(expires({ filter: { ...filter, tags: { toString: "1" } } }), false);
    assert.deepEqual(
      [9, 10].map((largerThan) => expires({ filter: { ...filter, largerThan } })),
      [true, false],
    );
    assert.deepEqual(
      [10, 11].map((smallerThan) => expires({ filter: { ...filter, smallerThan } })),
      [false, true],
    );
  });

  test("of a delete marker is only where it is the only version", () => {
    const now = at("2014-01-15T11:00:00Z");
    assert.equal(isExpired([rule({ removeLoneMarkers: true })], "k", marker, true, now), true);
    assert.equal(isExpired([rule({ removeLoneMarkers: true })], "k", marker, false, now), false);
    assert.equal(isExpired([rule({ expireAfterDays: 1 })], "k", marker, true, now), false);
    assert.equal(isExpired([rule({ expireAfterDays: 1 })], "k", marker, true, now + 3 * DAY_MS), true);
    assert.equal(isExpired([rule({ removeLoneMarkers: true, filter: { prefix: "", tags: { a: "1" } } })], "k", marker, true, now), false);
  });

  test("of noncurrent versions counts from when another one came, and leaves the newest", () => {
    const rules = [rule({ expireNoncurrentAfterDays: 1, noncurrentKept: 2 })];
    const since = at("2014-01-20T10:00:00Z");
    const now = at("2014-01-22T00:00:00Z");
    const verdicts = [0, 1, 2, 3].map((newer) => isNoncurrentExpired(rules, "k", object(), { since, newer }, now));
    assert.deepEqual(verdicts, [false, false, true, true]);
    assert.equal(isNoncurrentExpired(rules, "k", object(), { since, newer: 2 }, now - 1), false);
    assert.equal(isNoncurrentExpired([rule({ expireAfterDays: 1 })], "k", object(), { since, newer: 2 }, now), false);
  });

  test("of uploads counts from when they were begun", () => {
    const rules = [rule({ abortUploadsAfterDays: 2 })];
    assert.equal(isUploadOver(rules, "k", at("2014-01-15T10:30:00Z"), at("2014-01-17T23:59:59Z")), false);
    assert.equal(isUploadOver(rules, "k", at("2014-01-15T10:30:00Z"), at("2014-01-18T00:00:00Z")), true);
  });
});

describe("lifecycle rules", () => {
  /** Lets as many days go by, and the runs of the last one happen. */
  async function pass(world: ObjectsWorld, days: number): Promise<void> {
    world.clock.jumpWall(days * DAY_MS);
    await world.clock.advance(3_600_000);
    await world.buckets.lifecycleIdle();
    await world.settle();
  }

  async function withRules(world: ObjectsWorld, ...lifecycle: readonly LifecycleRule[]): Promise<void> {
    await world.buckets.update("photos", (record) => ({ ...record, lifecycle }));
    await world.buckets.resume();
    await world.buckets.lifecycleIdle();
  }

  test("remove what is due, and tell of it", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await put(bucket, "logs/1", large("x"));
    await put(bucket, "kept", large("x"));
    await withRules(world, rule({ expireAfterDays: 1, filter: { prefix: "logs/", tags: {} } }));
    await pass(world, 1);
    assert.equal((await bucket.list({ prefix: "", max: 10 })).objects.length, 2);
    world.told();
    await pass(world, 1);
    assert.deepEqual(
      (await bucket.list({ prefix: "", max: 10 })).objects.map(({ key }) => key),
      ["kept"],
    );
    assert.deepEqual(world.told(), ["LifecycleExpiration:Delete logs/1"]);
    await world.checkFiles(bucket.record);
    assert.deepEqual(world.problems, []);
  });

  test("in a bucket with versions put delete markers, then remove what is noncurrent, then lone markers; uploads are aborted", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make("photos", "enabled");
    await put(bucket, "k", large("1"));
    const { id } = await bucket.uploads.create("k", { headers: {}, metadata: {}, tags: {}, storageClass: "STANDARD" }, CALLER);
    await bucket.uploads.putPart("k", id, 1, { source: large("part") });
    await withRules(world, rule({ expireAfterDays: 1, removeLoneMarkers: true, expireNoncurrentAfterDays: 1, abortUploadsAfterDays: 5 }));
    world.told();
    await pass(world, 2);
    assert.deepEqual(world.told(), ["LifecycleExpiration:DeleteMarkerCreated k"]);
    await pass(world, 2);
    assert.deepEqual(world.told(), ["LifecycleExpiration:Delete k"]);
    await pass(world, 2);
    assert.deepEqual(world.told(), ["LifecycleExpiration:Delete k"]);
    assert.deepEqual([(await bucket.listVersions({ prefix: "", max: 10 })).versions, await world.files()], [[], []]);
    assert.equal(bucket.uploads.count, 0);
    assert.deepEqual(world.problems, []);
  });

  test("P7: let others have the thread while many of them are looked at", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    for (let number = 0; number < 100; number += 1) await put(bucket, `k${number}`, "x");
    const lifecycle = Array.from({ length: 1_000 }, (_, number) =>
      rule({ id: String(number), expireAfterDays: 1, filter: { prefix: "", tags: { a: "b" } } }),
    );
    await world.buckets.update("photos", (record) => ({ ...record, lifecycle }));
    let turns = 0;
    let isOver = false;
    const count = (): void => {
      turns += 1;
      if (!isOver) setImmediate(count);
    };
    await world.buckets.resume();
    setImmediate(count);
    await world.buckets.lifecycleIdle();
    isOver = true;
    assert.ok(turns >= 4, `100,000 rules were looked at in ${turns} turns`);
    assert.equal((await bucket.list({ prefix: "", max: 1_000 })).objects.length, 100);
  });

  test("look through a bucket once a day, and when they change", async (t) => {
    const world = await ObjectsWorld.open(t);
    await world.make();
    await withRules(world, rule({ expireAfterDays: 1 }));
    let reads = 0;
    world.faults = ({ kind }) => void (reads += kind === "read" ? 1 : 0);
    const readsIn = async (work: () => Promise<unknown>): Promise<boolean> => {
      reads = 0;
      await work();
      return reads > 0;
    };
    assert.equal(await readsIn(() => world.clock.advance(3_600_000)), false);
    await world.buckets.update("photos", (record) => ({ ...record, lifecycle: [rule({ expireAfterDays: 2 })] }));
    assert.equal(await readsIn(() => world.clock.advance(3_600_000)), true);
    assert.equal(await readsIn(() => pass(world, 1)), true);
  });
});
