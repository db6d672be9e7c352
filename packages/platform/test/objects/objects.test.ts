import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, test } from "node:test";
import { deferred, isLambentError, LambentError } from "../../src/base/index.ts";
import { bytesOf, CALLER, inChunks, large, ObjectsWorld, put, textOf, upload } from "./world.ts";

const md5 = (content: Buffer | string): Buffer => createHash("md5").update(content).digest();

describe("P1: an object that was stored", () => {
  test("is there after a crash, whole, whatever its size", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const sizes = [0, 1, 16_384, 16_385, 300_000];
    for (const size of sizes) {
      const content = large("x", size);
      const stored = await put(bucket, `as one/${size}`, content, { length: size });
      assert.deepEqual([stored.etag, stored.bytes, stored.versionId], [md5(content).toString("hex"), size, "null"]);
      assert.equal((await put(bucket, `in chunks/${size}`, inChunks(content))).etag, stored.etag);
    }
    await world.crash();
    const again = await world.buckets.bucket("photos");
    for (const size of sizes)
      for (const form of ["as one", "in chunks"])
        assert.ok((await bytesOf(again, await again.get(`${form}/${size}`))).equals(large("x", size)));
    assert.equal((await world.files()).length, 4);
    await world.checkFiles(again.record);
  });

  test("has what was said of it", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const headers = { contentType: "image/png", expires: "tomorrow" };
    const attributes = { headers, metadata: { who: "é" }, tags: { a: "1" }, encryption: { algorithm: "AES256" }, acl: { grants: [] } };
    const stored = await put(bucket, "a b/ü+.png", "x", { attributes, checksum: { algorithm: "CRC32" } });
    const { object, isCurrent } = await bucket.get("a b/ü+.png");
    assert.deepEqual(object, stored);
    assert.deepEqual(
      [object.headers, object.tags, object.acl, object.owner, isCurrent],
      [headers, { a: "1" }, { grants: [] }, "000000000000", true],
    );
    assert.deepEqual(object.checksum, { algorithm: "CRC32", value: "jNwWgw==", type: "FULL_OBJECT" });
  });

  test("is read in ranges, from a row, a file and parts", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const content = Buffer.from(Array.from({ length: 20_000 }, (_, index) => index % 251));
    await put(bucket, "row", content.subarray(0, 10_000));
    await put(bucket, "file", content);
    await upload(bucket, "parts", content);
    for (const key of ["row", "file", "parts"]) {
      const found = await bucket.get(key);
      for (const [start, end] of [
        [0, 0],
        [5, 99],
        [9_990, 9_999],
        [0, 9_999],
      ] as const)
        assert.ok((await bytesOf(bucket, found, { start, end })).equals(content.subarray(start, end + 1)), `${key} ${start}-${end}`);
      const behind = { start: 0, end: found.object.bytes };
      await assert.rejects(bucket.open(found, behind), { code: "RangeNotSatisfiable" });
    }
  });

  test("takes one look at the store to find, and one commit to store", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await put(bucket, "k", "before");
    const steps: string[] = [];
    world.faults = ({ kind }) => void steps.push(kind);
    await put(bucket, "k", "v");
    assert.deepEqual(steps, ["read", "commit"]);
    await textOf(bucket, "k");
    assert.deepEqual(steps, ["read", "commit", "read"]);
  });
});

describe("a body that is not what was said", () => {
  const wrong = [
    ["IncompleteBody", { length: 20_001 }],
    ["IncompleteBody", { length: 19_999 }],
    ["ChecksumMismatch", { md5: md5("other").toString("base64") }],
    ["InvalidParameter", { md5: "no digest" }],
    ["ChecksumMismatch", { signedSha256: "00".repeat(32) }],
    ["ChecksumMismatch", { checksum: { algorithm: "CRC32", value: "AAAAAA==" } }],
    ["ChecksumMismatch", { checksum: { algorithm: "CRC32C" }, trailingChecksum: () => "AAAAAA==" }],
    ["RequestTooLarge", { length: 6 * 1024 ** 3 }],
  ] as const;

  test("is refused, and nothing of it is stored", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await put(bucket, "k", "before");
    for (const [code, more] of wrong) {
      await assert.rejects(put(bucket, "k", inChunks(large("x")), more), { code }, JSON.stringify(more));
      const small = "length" in more && more.length < 30_000 ? { length: more.length - 19_997 } : more;
      await assert.rejects(put(bucket, "k", "abc", small), { code }, JSON.stringify(small));
    }
    assert.equal(await textOf(bucket, "k"), "before");
    await world.checkFiles(bucket.record);
  });

  test("is taken where every digest is right", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const content = large("x");
    const sha256 = createHash("sha256").update(content).digest();
    const said = { length: 20_000, md5: md5(content).toString("base64"), signedSha256: sha256.toString("hex") };
    const checksum = { algorithm: "SHA256", value: sha256.toString("base64") } as const;
    const stored = await put(bucket, "k", inChunks(content), { ...said, checksum });
    assert.deepEqual(stored.checksum, { ...checksum, type: "FULL_OBJECT" });
  });

  test("leaves nothing when its sender vanishes", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    async function* vanishing(): AsyncGenerator<Uint8Array> {
      yield* inChunks(large("x", 50_000));
      throw Object.assign(new TypeError("socket hang up"), { code: "ECONNRESET" });
    }
    await assert.rejects(put(bucket, "k", vanishing()), { code: "ECONNRESET" });
    await assert.rejects(bucket.get("k"), { code: "NotFound" });
    await world.checkFiles(bucket.record);
  });

  test("leaves nothing when the storage is busy, or the disk is full", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await put(bucket, "k", large("a"));
    // The first commit says that there will be a file, the second one stores the object.
    for (const refused of [1, 2]) {
      let commits = 0;
      world.faults = ({ kind }) => (kind === "commit" && ++commits === refused ? { kind: "busy" } : undefined);
      await assert.rejects(put(bucket, "k", large("b")), { code: "StorageBusy" });
      await world.checkFiles(bucket.record);
    }
    world.faults = () => undefined;
    const full = Object.assign(new Error("no space"), { code: "StorageFull" });
    world.onFiles = (step) => {
      if (step === "write") throw full;
    };
    await assert.rejects(put(bucket, "k", large("b")), full);
    world.onFiles = () => undefined;
    await world.checkFiles(bucket.record);
    assert.equal(await textOf(bucket, "k"), large("a").toString());
  });
});

describe("keys", () => {
  test("are 1 to 1,024 bytes of well-formed text without NUL; dots and slashes mean nothing", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    for (const [key, what] of [
      ["", "argument"],
      ["a\0b", "uri"],
      ["\uD800", "uri"],
      ["é".repeat(513), "keyTooLong"],
      ["x".repeat(1_025), "keyTooLong"],
    ] as const)
      await assert.rejects(
        put(bucket, key, "x"),
        (error) => isLambentError(error, "InvalidParameter") && error.details["what"] === what,
        JSON.stringify(key.slice(0, 9)),
      );
    for (const key of ["../a", "a//b/", "é".repeat(512), "x".repeat(1_024), "/", "~"]) {
      await put(bucket, key, key);
      assert.equal((await bytesOf(bucket, await bucket.get(key))).toString(), key);
    }
  });
});

describe("changes of one key", () => {
  test("wait for each other and for nothing else", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const { cell } = bucket;
    const held = deferred<void>();
    const first = cell.inTurn("a", () => held.promise);
    const order: string[] = [];
    const second = put(bucket, "a", "2").then(() => order.push("a"));
    await put(bucket, "b", "1").then(() => order.push("b"));
    held.resolve();
    await Promise.all([first, second]);
    assert.deepEqual(order, ["b", "a"]);
  });

  test("P7: are refused where too many wait", async (t) => {
    const world = await ObjectsWorld.open(t);
    const { cell } = await world.make();
    const held = deferred<void>();
    const waiting = Array.from({ length: 1_001 }, () => cell.inTurn("a", () => held.promise));
    await assert.rejects(
      cell.inTurn("a", () => Promise.resolve()),
      { code: "StorageBusy" },
    );
    held.resolve();
    await Promise.all(waiting);
    await cell.inTurn("a", () => Promise.resolve());
  });

  test("each have a sequencer above the one before, over deletions, crashes and a clock that goes back", async (t) => {
    const world = await ObjectsWorld.open(t);
    let bucket = await world.make();
    for (let round = 0; round < 4; round++) {
      await put(bucket, "k", "x");
      await bucket.setTags("k", undefined, { a: "1" }, CALLER);
      await bucket.delete("k", { caller: CALLER });
      world.clock.jumpWall(-3_600_000);
      await world.crash();
      bucket = await world.buckets.bucket("photos");
    }
    const sequencers = world.events.map(({ sequencer }) => sequencer);
    assert.equal(new Set(sequencers).size, 12);
    assert.deepEqual(sequencers, [...sequencers].sort());
  });
});

describe("conditions", () => {
  test("decide on what is there when their turn comes", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const { etag } = await put(bucket, "k", "1", { conditions: { ifNoneMatch: "*" } });
    const failed = { code: "PreconditionFailed" };
    await assert.rejects(put(bucket, "k", "2", { conditions: { ifNoneMatch: "*" } }), failed);
    await assert.rejects(put(bucket, "k", large("2"), { conditions: { ifMatch: "0".repeat(32) } }), failed);
    await assert.rejects(put(bucket, "none", "2", { conditions: { ifMatch: etag } }), { code: "NotFound" });
    await put(bucket, "k", "2", { conditions: { ifMatch: etag } });
    await put(bucket, "k", "3", { conditions: { ifMatch: "*" } });
    await assert.rejects(bucket.delete("k", { caller: CALLER, conditions: { ifMatch: etag } }), failed);
    assert.equal(await textOf(bucket, "k"), "3");
    const racing = await Promise.allSettled(
      Array.from({ length: 10 }, (_, index) => put(bucket, "new", String(index), { conditions: { ifNoneMatch: "*" } })),
    );
    assert.equal(racing.filter(({ status }) => status === "fulfilled").length, 1);
    await world.checkFiles(bucket.record);
  });
});

describe("an object that is replaced or removed while it is read", () => {
  test("is read to its end as it was, from a file and from parts", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const content = large("old", 900_000);
    await put(bucket, "file", content);
    await upload(bucket, "parts", content);
    for (const key of ["file", "parts"]) {
      const stream = await bucket.open(await bucket.get(key));
      assert.ok(!Buffer.isBuffer(stream));
      await put(bucket, key, "new");
      await world.settle();
      assert.ok(Buffer.concat(await stream.toArray()).equals(content), key);
    }
    await world.settle();
    assert.deepEqual(await world.files(), []);
    await world.checkFiles(bucket.record);
  });

  test("can still be opened for a while; then it is not found", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    for (const store of [put, upload]) {
      await store(bucket, "k", large("old"));
      const found = await bucket.get("k");
      await put(bucket, "k", large("new"));
      assert.ok((await bytesOf(bucket, found)).equals(large("old")));
      await world.settle();
      await assert.rejects(bucket.open(found), { code: "NotFound" });
    }
  });

  test("is damaged, and said to be, where its file is missing though its row is there", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await put(bucket, "k", large("x"));
    const found = await bucket.get("k");
    for (const file of await world.files()) await world.bodies.remove(bucket.record.id, file);
    await assert.rejects(bucket.open(found), { code: "StorageCorrupt" });
  });
});

describe("what is told", () => {
  test("is in the commit of the change", async (t) => {
    const world = await ObjectsWorld.open(t);
    world.delivers = true;
    const bucket = await world.make();
    let commits = 0;
    world.faults = ({ kind }) => void (commits += kind === "commit" ? 1 : 0);
    await put(bucket, "k", "x");
    assert.deepEqual([commits, bucket.cell.outbox.open], [1, 1]);
    await bucket.setTags("k", undefined, { a: "1" }, CALLER);
    await bucket.setTags("k", undefined, {}, CALLER);
    await bucket.setAcl("k", undefined, { owner: "me" }, CALLER);
    await bucket.copyFrom(
      { bucket, found: await bucket.get("k") },
      "copy",
      { headers: {}, metadata: {}, tags: {}, storageClass: "STANDARD" },
      { caller: CALLER },
    );
    await bucket.delete("k", { caller: CALLER });
    await bucket.delete("k", { caller: CALLER });
    assert.deepEqual(world.told(), [
      "ObjectCreated:Put k",
      "ObjectTagging:Put k",
      "ObjectTagging:Delete k",
      "ObjectAcl:Put k",
      "ObjectCreated:Copy copy",
      "ObjectRemoved:Delete k",
    ]);
    await world.crash();
    await world.buckets.resume();
    assert.equal((await world.buckets.bucket("photos")).cell.outbox.open, 6);
  });
});

describe("copies", () => {
  const attributes = { headers: { contentType: "text/plain" }, metadata: {}, tags: { b: "2" }, storageClass: "STANDARD" };

  test("have the same bytes on the disk, and outlive what they were copied from", async (t) => {
    const world = await ObjectsWorld.open(t);
    const source = await world.make("source-bucket");
    const target = await world.make("target-bucket");
    await put(source, "row", "small", { checksum: { algorithm: "SHA1" } });
    await put(source, "file", large("f"));
    await upload(source, "parts", large("p"));
    for (const key of ["row", "file", "parts"]) {
      const found = await source.get(key);
      const copy = await target.copyFrom({ bucket: source, found }, `copy/${key}`, attributes, { caller: CALLER });
      assert.deepEqual([copy.etag, copy.bytes, copy.checksum], [found.object.etag, found.object.bytes, found.object.checksum]);
      assert.deepEqual([copy.headers, copy.tags], [attributes.headers, attributes.tags]);
      await source.delete(key, { caller: CALLER });
    }
    await world.settle();
    assert.deepEqual([await textOf(target, "copy/row"), await textOf(target, "copy/file")], ["small", large("f").toString()]);
    assert.equal(await textOf(target, "copy/parts"), large("p").toString());
    await world.checkFiles(source.record, target.record);
  });

  test("onto the same key change what is said of it", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await put(bucket, "k", large("x"));
    await bucket.copyFrom({ bucket, found: await bucket.get("k") }, "k", attributes, { caller: CALLER });
    await world.settle();
    assert.equal(await textOf(bucket, "k"), large("x").toString());
    assert.equal((await bucket.get("k")).object.headers.contentType, "text/plain");
    await world.checkFiles(bucket.record);
  });

  test("are not made of what is gone, and leave nothing when they are refused", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await put(bucket, "k", large("x"));
    const found = await bucket.get("k");
    const refused = bucket.copyFrom({ bucket, found }, "k", attributes, { caller: CALLER, conditions: { ifNoneMatch: "*" } });
    await assert.rejects(refused, { code: "PreconditionFailed" });
    await bucket.delete("k", { caller: CALLER });
    await world.settle();
    await assert.rejects(bucket.copyFrom({ bucket, found }, "copy", attributes, { caller: CALLER }), { code: "NotFound" });
    await world.checkFiles(bucket.record);
  });
});

describe("attributes", () => {
  test("are refused beyond S3's bounds", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    const tags = Object.fromEntries(Array.from({ length: 11 }, (_, index) => [`t${index}`, ""]));
    for (const bad of [{ tags }, { tags: { "aws:x": "" } }, { tags: { "": "" } }, { metadata: { a: "x".repeat(2_048) } }])
      await assert.rejects(put(bucket, "k", "x", { attributes: bad }), { code: "InvalidParameter" });
    await put(bucket, "k", "x", { attributes: { metadata: { a: "x".repeat(2_047) } } });
    // What is kept of an object is counted in the bytes that a commit has.
    const acl = { owner: "é".repeat(40_000) };
    await assert.rejects(put(bucket, "k", "x", { attributes: { acl } }), { code: "InvalidParameter" });
    await assert.rejects(bucket.setTags("k", undefined, tags, CALLER), { code: "InvalidParameter" });
  });
});

test("a file that the disk does not let go of for a moment goes a little later", async (t) => {
  const world = await ObjectsWorld.open(t);
  const bucket = await world.make();
  await put(bucket, "film", large("film", 20_000));
  let refused = 0;
  world.onFiles = (step) => {
    if (step !== "remove" || refused++ > 0) return;
    throw new LambentError("StorageStopped", "too many open files");
  };
  await bucket.delete("film", { caller: CALLER });
  await world.clock.advance(2_000);
  await bucket.cell.loose.settled();
  assert.equal((await world.files()).length, 1);
  await world.clock.advance(2_000);
  await bucket.cell.loose.settled();
  await world.checkFiles(bucket.record);
  assert.equal(refused, 2);
});
