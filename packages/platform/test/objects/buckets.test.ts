import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { deferred, isLambentError } from "../../src/base/index.ts";
import { cellOf, NO_ATTRIBUTES } from "../../src/objects/index.ts";
import { CALLER, large, ObjectsWorld, put, QUEUE_ARN, REALM, textOf } from "./world.ts";

const OTHER_REALM = { account: "111111111111", region: "eu-west-1" };

describe("names of buckets", () => {
  test("are S3's", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bad = [
      "ab",
      "x".repeat(64),
      "Photos",
      "a_b",
      "-ab",
      "ab-",
      ".ab",
      "a..b",
      "192.168.5.4",
      "xn--a",
      "sthree-a",
      "a-s3alias",
      "a--ol-s3",
      "a.mrap",
      "ab/c",
    ];
    for (const name of bad) await assert.rejects(world.buckets.create(REALM, name), { code: "InvalidBucketName" }, name);
    for (const name of ["abc", "x".repeat(63), "a.b-c", "1ab", "192.168.5.4a"]) await world.buckets.create(REALM, name);
  });

  test("are unique over all accounts and regions", async (t) => {
    const world = await ObjectsWorld.open(t);
    await world.make();
    const refused = (owned: boolean) => (error: unknown) => isLambentError(error, "AlreadyExists") && error.details["owned"] === owned;
    await assert.rejects(world.buckets.create(REALM, "photos"), refused(true));
    await assert.rejects(world.buckets.create({ ...REALM, region: "eu-west-1" }, "photos"), refused(true));
    await assert.rejects(world.buckets.create(OTHER_REALM, "photos"), refused(false));
    const racing = await Promise.allSettled([1, 2, 3].map(() => world.buckets.create(OTHER_REALM, "race")));
    assert.equal(racing.filter(({ status }) => status === "fulfilled").length, 1);
    assert.deepEqual(
      world.buckets.list(OTHER_REALM.account).map(({ name }) => name),
      ["race"],
    );
    await world.crash();
    assert.deepEqual([world.buckets.get("photos").realm, world.buckets.get("race").realm], [REALM, OTHER_REALM]);
    await assert.rejects(world.buckets.bucket("none"), { code: "NotFound", details: { what: "bucket", name: "none" } });
  });

  test("P7: are at most 1,000 of one account", async (t) => {
    const world = await ObjectsWorld.open(t);
    for (let index = 0; index < 1_000; index++) await world.buckets.create(REALM, `bucket-${index}`);
    await assert.rejects(world.buckets.create(REALM, "one-more"), { code: "LimitExceeded" });
    await world.buckets.create(OTHER_REALM, "one-more");
  });
});

describe("what is kept of a bucket", () => {
  test("changes one behind the other, and is there after a crash", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const names = ["a", "b", "c"];
    await Promise.all(
      names.map((name) => world.buckets.update("photos", (record) => ({ ...record, tags: { ...record.tags, [name]: "1" } }))),
    );
    assert.deepEqual(Object.keys(bucket.record.tags), names);
    await world.crash();
    assert.deepEqual(Object.keys(world.buckets.get("photos").tags), names);
  });

  test("is refused where it is too much, and then stays as it was", async (t) => {
    const world = await ObjectsWorld.open(t);
    await world.make();
    const before = world.buckets.get("photos");
    const tags = Object.fromEntries(Array.from({ length: 51 }, (_, index) => [`t${index}`, ""]));
    const rules = Array.from({ length: 101 }, (_, index) => ({ id: `${index}`, target: QUEUE_ARN, events: [], prefix: "", suffix: "" }));
    for (const change of [{ tags }, { notifications: { rules, toBus: false } }, { policy: "x".repeat(1024 * 1024) }])
      await assert.rejects(
        world.buckets.update("photos", (record) => ({ ...record, ...change })),
        { code: "InvalidParameter" },
      );
    assert.equal(world.buckets.get("photos"), before);
  });

  test("tells targets of notifications that they are some, once", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const rule = { id: "1", target: QUEUE_ARN, events: ["s3:ObjectCreated:*"], prefix: "", suffix: "" };
    await world.buckets.setNotifications("photos", { rules: [rule], toBus: false }, CALLER);
    assert.deepEqual([world.tested, bucket.cell.outbox.open], [[rule], 1]);
    await world.buckets.setNotifications("photos", { rules: [{ ...rule, prefix: "a" }], toBus: true }, CALLER);
    assert.equal(world.tested.length, 1);
    assert.equal(bucket.record.notifications.toBus, true);
  });
});

describe("deleting a bucket", () => {
  const deleteAndSettle = async (world: ObjectsWorld): Promise<void> => {
    await world.buckets.delete("photos");
    await world.buckets.released();
  };

  test("is refused while it has an object, a version or an upload", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make("photos", "enabled");
    const notEmpty = { code: "BucketNotEmpty" };
    const { id } = await bucket.uploads.create("k", NO_ATTRIBUTES, CALLER);
    await assert.rejects(world.buckets.delete("photos"), notEmpty);
    await bucket.uploads.abort("k", id);
    const { versionId } = await put(bucket, "k", "x");
    await assert.rejects(world.buckets.delete("photos"), notEmpty);
    const marked = await bucket.delete("k", { caller: CALLER });
    await assert.rejects(world.buckets.delete("photos"), notEmpty);
    await bucket.delete("k", { caller: CALLER, versionId });
    await bucket.delete("k", { caller: CALLER, versionId: marked.versionId });
    await deleteAndSettle(world);
    await assert.rejects(world.buckets.delete("photos"), { code: "NotFound" });
  });

  test("leaves neither rows nor a folder, and the name to others", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const { record } = bucket;
    await put(bucket, "k", large("x"));
    await bucket.delete("k", { caller: CALLER });
    assert.ok(existsSync(join(world.folder, record.id)));
    await deleteAndSettle(world);
    assert.deepEqual([(await world.rows(record)).size, existsSync(join(world.folder, record.id))], [0, false]);
    await world.buckets.create(OTHER_REALM, "photos");
    const other = await world.buckets.bucket("photos");
    await assert.rejects(other.get("k"), { code: "NotFound" });
    assert.throws(() => bucket.record, { code: "NotFound" });
    await assert.rejects(put(bucket, "k", "x"), { code: "NotFound" });
  });

  test("waits for bodies on their way, which are refused", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const { record } = bucket;
    const begun = deferred<void>();
    const goOn = deferred<void>();
    async function* slow(): AsyncGenerator<Uint8Array> {
      yield large("x", 100_000);
      begun.resolve();
      await goOn.promise;
      yield large("y", 100_000);
    }
    const putting = put(bucket, "k", slow());
    putting.catch(() => undefined);
    await begun.promise;
    await world.buckets.delete("photos");
    goOn.resolve();
    await assert.rejects(putting, { code: "NotFound" });
    await world.buckets.released();
    assert.deepEqual([await world.files(), (await world.rows(record)).size], [[], 0]);
  });

  test("P7: keeps changes of other buckets from waiting while it is opened", async (t) => {
    const world = await ObjectsWorld.open(t);
    const { record } = await world.make();
    await world.crash();
    const read = deferred<void>();
    world.faults = ({ kind, cell }) =>
      kind === "read" && cell === cellOf(record) ? { kind: "acknowledgeLate", until: read.promise } : undefined;
    const deleting = world.buckets.delete("photos");
    await world.make("others");
    assert.ok(world.buckets.find("photos"));
    read.resolve();
    await deleting;
    assert.equal(world.buckets.find("photos"), undefined);
  });

  test("delivers what it had accepted, also behind a crash", async (t) => {
    const world = await ObjectsWorld.open(t);
    world.delivers = true;
    const bucket = await world.make();
    const { record } = bucket;
    const cell = cellOf(record);
    await put(bucket, "k", large("x"));
    await bucket.delete("k", { caller: CALLER });
    await deleteAndSettle(world);
    assert.equal(world.outboxes.get(cell)?.open, 2);
    await world.crash();
    world.outboxes.clear();
    await world.buckets.resume();
    assert.equal(world.outboxes.get(cell)?.open, 2);
    const taken = (await world.outboxes.get(cell)?.take(10)) ?? [];
    for (const each of taken) await world.outboxes.get(cell)?.settle(each, { kind: "taken", recorded: true, durationMs: 1 }, 0);
    await world.crash();
    await world.buckets.resume();
    assert.equal((await world.rows(record)).size, 0);
    assert.deepEqual(world.problems, []);
  });

  test("races with puts: either it is refused or they are", async (t) => {
    const world = await ObjectsWorld.open(t);
    await world.make();
    const bucket = await world.buckets.bucket("photos");
    const [deleted, ...puts] = await Promise.allSettled([
      world.buckets.delete("photos"),
      ...Array.from({ length: 20 }, (_, index) => put(bucket, `k${index}`, index % 2 ? "x" : large("x"))),
    ]);
    await world.buckets.released();
    const stored = puts.filter(({ status }) => status === "fulfilled").length;
    assert.equal(stored, deleted.status === "fulfilled" ? 0 : 20);
    if (deleted.status === "rejected") assert.equal(await textOf(bucket, "k1"), "x");
  });
});
