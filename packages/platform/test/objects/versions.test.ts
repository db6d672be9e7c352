import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deferred } from "../../src/base/index.ts";
import type { Bucket } from "../../src/objects/index.ts";
import { CALLER, large, ObjectsWorld, put, textOf, upload } from "./world.ts";

const remove = (bucket: Bucket, key: string, versionId?: string) => bucket.delete(key, { caller: CALLER, versionId });

async function versionsOf(bucket: Bucket): Promise<string[]> {
  const { versions } = await bucket.listVersions({ prefix: "", max: 1_000 });
  return versions.map(
    ({ key, version, isLatest }) => `${key} ${version.kind === "object" ? version.bytes : "marker"}${isLatest ? " latest" : ""}`,
  );
}

describe("a bucket with versions", () => {
  test("keeps what is replaced, and finds each by its id", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make("photos", "enabled");
    const stored = [
      await put(bucket, "k", "1"),
      await put(bucket, "k", large("2")),
      await upload(bucket, "k", large("3")),
      await put(bucket, "k", ""),
    ];
    assert.equal(new Set(stored.map(({ versionId }) => versionId)).size, 4);
    const contents = ["1", large("2").toString(), large("3").toString(), ""];
    for (const [index, { versionId }] of stored.entries()) assert.equal(await textOf(bucket, "k", versionId), contents[index]);
    assert.equal(await textOf(bucket, "k"), "");
    await world.crash();
    await world.checkFiles(bucket.record);
    assert.equal((await world.files()).length, 2);
  });

  test("puts a delete marker where a key is deleted, also one that is not there", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make("photos", "enabled");
    const first = await put(bucket, "k", large("1"));
    const marked = await remove(bucket, "k");
    assert.equal(marked.deleteMarker, true);
    await assert.rejects(bucket.get("k"), {
      code: "NotFound",
      details: { what: "key", name: "k", deleteMarker: true, versionId: marked.versionId ?? "", modifiedAt: world.clock.now() },
    });
    await assert.rejects(bucket.get("k", marked.versionId), { code: "IsDeleteMarker" });
    assert.equal(await textOf(bucket, "k", first.versionId), large("1").toString());
    assert.equal((await remove(bucket, "none")).deleteMarker, true);
    assert.deepEqual(await versionsOf(bucket), ["k marker latest", "k 20000", "none marker latest"]);
    assert.deepEqual((await bucket.list({ prefix: "", max: 10 })).objects, []);
    assert.deepEqual(world.told(), [
      "ObjectCreated:Put k",
      "ObjectRemoved:DeleteMarkerCreated k",
      "ObjectRemoved:DeleteMarkerCreated none",
    ]);
    assert.deepEqual(await remove(bucket, "k", marked.versionId), { versionId: marked.versionId, deleteMarker: true });
    assert.equal(await textOf(bucket, "k"), large("1").toString());
    assert.deepEqual(world.told(), ["ObjectRemoved:Delete k"]);
  });

  test("removes one version for good; behind the current one comes the newest of the others", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make("photos", "enabled");
    const [one, two, three] = [await put(bucket, "k", large("1")), await put(bucket, "k", "2"), await upload(bucket, "k", large("3"))];
    assert.deepEqual(await remove(bucket, "k", three.versionId), { versionId: three.versionId, deleteMarker: false });
    assert.equal(await textOf(bucket, "k"), "2");
    await remove(bucket, "k", one.versionId);
    assert.deepEqual(await versionsOf(bucket), ["k 1 latest"]);
    await remove(bucket, "k", two.versionId);
    await assert.rejects(bucket.get("k"), { code: "NotFound" });
    assert.deepEqual(await remove(bucket, "k", two.versionId), { versionId: two.versionId, deleteMarker: false });
    await world.settle();
    assert.deepEqual(
      [await world.files(), [...(await world.rows(bucket.record)).keys()].filter((key) => /^[knbmo]\//u.test(key))],
      [[], []],
    );
  });

  test("knows a version by all of its id", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make("photos", "enabled");
    const { versionId } = await put(bucket, "k", "1");
    const other = `${versionId.slice(0, versionId.indexOf("."))}.AAAAAAAAAAAAAAAA`;
    await assert.rejects(bucket.get("k", other), { code: "NotFound" });
    await remove(bucket, "k", other);
    assert.equal(await textOf(bucket, "k"), "1");
    for (const bad of ["", "x", "0.AAAAAAAAAAAAAAAA", "zzzzzzzzzzzz.AAAAAAAAAAAAAAAA", `${versionId}x`])
      await assert.rejects(bucket.get("k", bad), { code: "InvalidParameter" }, bad);
  });

  test("has attributes of each version", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make("photos", "enabled");
    const { versionId } = await put(bucket, "k", "1");
    await put(bucket, "k", "2");
    await bucket.setTags("k", versionId, { old: "yes" }, CALLER);
    await bucket.setTags("k", undefined, { old: "no" }, CALLER);
    assert.deepEqual(
      [(await bucket.get("k")).object.tags, (await bucket.get("k", versionId)).object.tags],
      [{ old: "no" }, { old: "yes" }],
    );
    const { versionId: marker } = await remove(bucket, "k");
    await assert.rejects(bucket.setTags("k", marker, {}, CALLER), { code: "IsDeleteMarker" });
    await assert.rejects(bucket.setTags("k", undefined, {}, CALLER), { code: "NotFound" });
  });
});

describe("the version that is called null", () => {
  test("is what was there before there were versions", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await put(bucket, "k", large("old"));
    await world.setVersioning("enabled");
    const { versionId } = await put(bucket, "k", "new");
    assert.equal(await textOf(bucket, "k", "null"), large("old").toString());
    await remove(bucket, "k", versionId);
    assert.equal((await bucket.get("k")).object.versionId, "null");
    await remove(bucket, "k", "null");
    await world.settle();
    await world.checkFiles(bucket.record);
    assert.deepEqual(await versionsOf(bucket), []);
  });

  test("is one only: in a bucket whose versions are suspended the next one takes its place", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await put(bucket, "k", large("null 1"));
    await world.setVersioning("enabled");
    const { versionId } = await put(bucket, "k", large("own"));
    await world.setVersioning("suspended");
    assert.equal((await put(bucket, "k", "null 2")).versionId, "null");
    assert.deepEqual(await versionsOf(bucket), ["k 6 latest", "k 20000"]);
    await put(bucket, "k", "null 33");
    assert.deepEqual(await versionsOf(bucket), ["k 7 latest", "k 20000"]);
    assert.deepEqual(await remove(bucket, "k"), { versionId: "null", deleteMarker: true });
    assert.deepEqual(await versionsOf(bucket), ["k marker latest", "k 20000"]);
    await remove(bucket, "k", "null");
    assert.equal((await bucket.get("k")).object.versionId, versionId);
    await world.settle();
    await world.checkFiles(bucket.record);
    assert.equal((await world.files()).length, 1);
  });

  test("is whole when versions are switched on while an object is replaced: the row of its body was once forgotten there", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await upload(bucket, "k", large("old"));
    const goOn = deferred<void>();
    world.faults = ({ kind, cell }) =>
      kind === "read" && cell.includes("/objects/") ? { kind: "acknowledgeLate", until: goOn.promise } : undefined;
    const putting = put(bucket, "k", "new");
    // The body was taken in, and what is there is being read.
    await new Promise((resolve) => setImmediate(resolve));
    await world.setVersioning("enabled");
    world.faults = () => undefined;
    goOn.resolve();
    assert.equal((await putting).versionId, "null");
    const { versions } = await bucket.listVersions({ prefix: "", max: 10 });
    assert.equal(versions.length, 1);
    assert.equal(await textOf(bucket, "k"), "new");
    await remove(bucket, "k", "null");
    await world.settle();
    await world.checkFiles(bucket.record);
  });

  test("is the only one in a bucket that never had others, and reported nowhere", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await put(bucket, "k", "x");
    assert.equal(await textOf(bucket, "k", "null"), "x");
    assert.deepEqual(await remove(bucket, "k", "null"), { deleteMarker: false });
    assert.deepEqual(
      world.events.map((event) => event.versionId),
      [undefined, undefined],
    );
    await assert.rejects(
      world.buckets.update("photos", (record) => ({ ...record, versioning: "enabled" })).then(() => world.setVersioning("off")),
      {
        code: "InvalidParameter",
      },
    );
  });
});
