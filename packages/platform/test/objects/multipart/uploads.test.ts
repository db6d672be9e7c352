import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { deferred } from "../../../src/base/index.ts";
import { ANSWER_KEPT_MS, PART_BYTES_MIN, partOf } from "../../../src/objects/multipart/index.ts";
import { CALLER, md5Of, named, NO_ATTRIBUTES, refusedAs, UploadsWorld } from "./world.ts";

test("an object is its parts in the order of their numbers, told once", async (t) => {
  const world = await UploadsWorld.open(t);
  const upload = await world.begin("films/one", { metadata: { genre: "noir" }, headers: { contentType: "video/mp4" } });
  const second = await world.put(upload, 7, "world");
  const first = await world.put(upload, 3, "hello ");
  assert.deepEqual([first.md5, first.bytes], [md5Of("hello "), 6]);
  const object = await world.complete(upload, [first, second]);
  assert.deepEqual([object.bytes, object.etag], [11, etagOf("hello ", "world")]);
  assert.deepEqual([object.metadata, object.headers.contentType, object.owner], [{ genre: "noir" }, "video/mp4", "000000000000"]);
  assert.equal(String(await world.content("films/one")), "hello world");
  assert.equal(String(await world.content("films/one", { start: 4, end: 8 })), "o wor");
  assert.deepEqual(
    world.events.map(({ name, key, bytes, etag }) => ({ name, key, bytes, etag })),
    [{ name: "ObjectCreated:CompleteMultipartUpload", key: "films/one", bytes: 11, etag: object.etag }],
  );
  await world.settle();
  assert.equal(String(await world.content("films/one")), "hello world");
  assert.equal((await world.files()).length, 2);
  assert.equal(world.uploads.count, 0);
});

test("an upload goes on after a restart", async (t) => {
  const world = await UploadsWorld.open(t);
  const upload = await world.begin("a", { checksum: { algorithm: "CRC32" } });
  const first = await world.put(upload, 1, "one,");
  await world.reopen();
  assert.equal(world.uploads.count, 1);
  assert.deepEqual(await world.uploads.get("a", upload.id), upload);
  const second = await world.put(upload, 2, "two");
  const { parts } = await world.uploads.listParts("a", upload.id, { max: 1_000 });
  assert.deepEqual(parts, [first, second]);
  await world.complete(upload, parts);
  assert.equal(String(await world.content("a")), "one,two");
});

test("a part that comes again replaces the one before it, whose file goes", async (t) => {
  const world = await UploadsWorld.open(t);
  const upload = await world.begin("a");
  const before = await world.put(upload, 1, "old");
  const after = await world.put(upload, 1, "new");
  assert.deepEqual(await world.loose(), [before.file]);
  await assert.rejects(world.complete(upload, [before]), refusedAs("InvalidPart"));
  await world.clock.advance(5_000);
  await world.cell.loose.close();
  assert.deepEqual(await world.files(), [after.file]);
  assert.deepEqual(await world.loose(), []);
  await world.complete(upload, [after]);
  assert.equal(String(await world.content("a")), "new");
});

test("parts that are not named go, and so do all parts of an upload that is aborted", async (t) => {
  const world = await UploadsWorld.open(t);
  const upload = await world.begin("a");
  const parts = await Promise.all([1, 2, 3].map((number) => world.put(upload, number, `part ${number};`)));
  const aborted = await world.begin("b");
  await world.put(aborted, 1, "never");
  await world.complete(upload, parts.slice(1, 2));
  await world.uploads.abort("b", aborted.id);
  await world.settle();
  assert.deepEqual(await world.files(), [parts[1]?.file]);
  assert.equal(String(await world.content("a")), "part 2;");
  await assert.rejects(world.uploads.get("b", aborted.id), refusedAs("NotFound"));
  await assert.rejects(world.uploads.abort("b", aborted.id), refusedAs("NotFound"));
  assert.deepEqual([...(await world.rows("q/")), ...(await world.rows("u/")), ...(await world.rows("c/left/"))], []);
});

test("many parts are cleared in steps behind the answer", async (t) => {
  const world = await UploadsWorld.open(t);
  const upload = await world.begin("a");
  const parts = [];
  for (let number = 1; number <= 250; number += 1) parts.push(await world.put(upload, number, `${number},`));
  const chosen = parts.filter(({ number }) => number % 3 !== 0);
  await world.complete(upload, chosen);
  assert.equal((await world.rows("c/left/")).length, 1);
  // Whoever changes the key comes behind it.
  await world.bucket.delete("b", { caller: CALLER });
  await world.cell.alone(() => Promise.resolve("stays"));
  assert.deepEqual([...(await world.rows("q/")), ...(await world.rows("c/left/"))], []);
  await world.checkFiles();
  await world.settle();
  assert.equal(String(await world.content("a")), chosen.map(({ number }) => `${number},`).join(""));
  assert.equal((await world.files()).length, chosen.length);
});

test("an object that is replaced or deleted leaves none of its parts", async (t) => {
  const world = await UploadsWorld.open(t);
  for (const content of ["first", "second"]) {
    const upload = await world.begin("a");
    await world.complete(upload, [await world.put(upload, 1, content), await world.put(upload, 2, "!")]);
  }
  assert.equal(String(await world.content("a")), "second!");
  await world.settle();
  assert.equal((await world.files()).length, 2);
  await world.bucket.delete("a", { caller: CALLER });
  await world.settle();
  assert.deepEqual(await world.files(), []);
});

test("completing follows the bucket's versions and the request's conditions", async (t) => {
  const world = await UploadsWorld.open(t, { versioning: "enabled" });
  const completeWith = async (content: string, conditions: { readonly ifMatch?: string; readonly ifNoneMatch?: "*" }) => {
    const upload = await world.begin("a");
    const parts = [named(await world.put(upload, 1, content))];
    return world.uploads.complete("a", upload.id, { parts }, { caller: CALLER, conditions });
  };
  const first = await completeWith("1", { ifNoneMatch: "*" });
  await assert.rejects(completeWith("2", { ifNoneMatch: "*" }), refusedAs("PreconditionFailed"));
  await assert.rejects(completeWith("2", { ifMatch: "another" }), refusedAs("PreconditionFailed"));
  const second = await completeWith("2", { ifMatch: first.etag });
  assert.notEqual(first.versionId, second.versionId);
  await world.settle();
  // What was refused is still under way.
  assert.equal(world.uploads.count, 2);
  const { versions } = await world.bucket.listVersions({ prefix: "", max: 10 });
  assert.deepEqual(
    versions.map(({ version }) => version.versionId),
    [second.versionId, first.versionId],
  );
  await world.checkFiles();
});

test("completing again is answered the same for a day, and by another list not at all", async (t) => {
  const world = await UploadsWorld.open(t);
  const upload = await world.begin("a");
  const [first, second] = [await world.put(upload, 1, "1"), await world.put(upload, 2, "2")];
  const object = await world.complete(upload, [first, second]);
  assert.deepEqual(await world.complete(upload, [first, second]), JSON.parse(JSON.stringify(object)));
  await assert.rejects(world.complete(upload, [first]), refusedAs("NotFound"));
  await assert.rejects(world.complete(upload, [{ number: 1, etag: "no" }]), refusedAs("NotFound"));
  await assert.rejects(world.complete({ ...upload, key: "b" }, [first, second]), refusedAs("NotFound"));
  await world.reopen();
  assert.equal((await world.complete(upload, [first, second])).versionId, object.versionId);
  assert.equal(world.events.length, 1);
  await world.clock.advance(ANSWER_KEPT_MS);
  await assert.rejects(world.complete(upload, [first, second]), refusedAs("NotFound"));
  const next = await world.begin("b");
  await world.complete(next, [await world.put(next, 1, "1")]);
  await world.settle();
  assert.deepEqual(
    (await world.rows("c/done/")).map(({ key }) => key),
    [`c/done/${next.id}`],
  );
});

test("two that complete at once are answered the same", async (t) => {
  const world = await UploadsWorld.open(t);
  const upload = await world.begin("a");
  const parts = [await world.put(upload, 1, "1")];
  const [first, second] = await Promise.all([world.complete(upload, parts), world.complete(upload, parts)]);
  assert.equal(first.versionId, second.versionId);
  assert.equal(world.events.length, 1);
});

test("a part that arrives behind the end of its upload is refused and leaves no file", async (t) => {
  for (const ending of ["complete", "abort"] as const) {
    const world = await UploadsWorld.open(t);
    const upload = await world.begin("a");
    const kept = await world.put(upload, 1, "kept");
    const gate = deferred<void>();
    const source = async function* (): AsyncGenerator<Uint8Array> {
      yield Buffer.from("la");
      await gate.promise;
      yield Buffer.from("te");
    };
    const late = world.uploads.putPart("a", upload.id, 1, { source: source() });
    late.catch(() => undefined);
    if (ending === "complete") await world.complete(upload, [kept]);
    else await world.uploads.abort("a", upload.id);
    gate.resolve();
    await assert.rejects(late, refusedAs("NotFound"));
    await world.checkFiles();
    await world.settle();
    assert.deepEqual(await world.files(), ending === "complete" ? [kept.file] : []);
  }
});

test("at the bound of uploads under way one more is refused until one ends", async (t) => {
  const world = await UploadsWorld.open(t, { uploadsMax: 3 });
  const [first, second] = await Promise.all(["a", "b", "c"].map((key) => world.begin(key)));
  assert.ok(first && second);
  await assert.rejects(world.begin("d"), refusedAs("LimitExceeded", /3 uploads/u));
  await world.uploads.abort("a", first.id);
  await world.begin("d");
  await world.complete(second, [await world.put(second, 1, "b")]);
  await world.settle();
  await world.begin("e");
  await assert.rejects(world.begin("f"), refusedAs("LimitExceeded"));
  await assert.rejects(world.begin("\0"), refusedAs("InvalidParameter"));
});

test("a part that is replaced while its upload completes is in the object or in the way of it, never half", async (t) => {
  const world = await UploadsWorld.open(t);
  for (const order of ["put first", "complete first"] as const) {
    const upload = await world.begin("a");
    const parts = [await world.put(upload, 1, "one,"), await world.put(upload, 2, "two")];
    const put = () => world.put(upload, 2, "TWO");
    const complete = () => world.complete(upload, parts);
    const outcomes = await Promise.allSettled(order === "put first" ? [put(), complete()] : [complete(), put()]);
    const codes = outcomes.map((outcome) => (outcome.status === "rejected" ? (outcome.reason as { code?: string }).code : "done"));
    // The part is stored before it takes its turn, so that completing comes first.
    assert.deepEqual(new Set(codes), new Set(["NotFound", "done"]));
    assert.equal(String(await world.content("a")), "one,two");
  }
  await world.settle();
  await world.checkFiles();
  assert.equal((await world.files()).length, 2);
});

test("a body that is not what it was said to be is no part", async (t) => {
  const world = await UploadsWorld.open(t);
  const upload = await world.begin("a", { checksum: { algorithm: "SHA256" } });
  const md5 = createHash("md5").update("other").digest("base64");
  await assert.rejects(world.put(upload, 1, "this", { md5 }), refusedAs("ChecksumMismatch"));
  await assert.rejects(world.put(upload, 1, "this", { length: 5 }), refusedAs("IncompleteBody"));
  await assert.rejects(
    world.put(upload, 1, "this", { checksum: { algorithm: "CRC32" } }),
    refusedAs("InvalidParameter", /expected .*sha256/u),
  );
  for (const number of [0, 10_001, 1.5]) await assert.rejects(world.put(upload, number, "this"), refusedAs("InvalidParameter"));
  await assert.rejects(world.put({ ...upload, id: "none" }, 1, "this"), refusedAs("NotFound"));
  await assert.rejects(world.put({ ...upload, key: "b" }, 1, "this"), refusedAs("NotFound"));
  await world.checkFiles();
  assert.deepEqual(await world.files(), []);
  const part = await world.put(upload, 1, "this");
  assert.deepEqual(part.checksum, { algorithm: "SHA256", value: createHash("sha256").update("this").digest("base64") });
});

test("a whole file is copied as a link, a range as bytes", async (t) => {
  const world = await UploadsWorld.open(t);
  const content = Buffer.alloc(20_000, "0123456789");
  await world.bucket.put("file", NO_ATTRIBUTES, { source: content }, { caller: CALLER });
  await world.bucket.put("inline", NO_ATTRIBUTES, { source: Buffer.from("inline") }, { caller: CALLER });
  const upload = await world.begin("a", { checksum: { algorithm: "CRC32C", type: "FULL_OBJECT" } });
  const copy = async (number: number, from: string, range?: { readonly start: number; readonly end: number }) =>
    world.uploads.copyPart("a", upload.id, number, { bucket: world.bucket, found: await world.bucket.get(from) }, range);
  const parts = [await copy(1, "file"), await copy(2, "file", { start: 5, end: 14 }), await copy(3, "inline")];
  assert.deepEqual(
    parts.map(({ md5 }) => md5),
    [md5Of(content), md5Of("5678901234"), md5Of("inline")],
  );
  await assert.rejects(copy(4, "file", { start: 5, end: 20_000 }), refusedAs("RangeNotSatisfiable"));
  await world.bucket.delete("file", { caller: CALLER });
  const object = await world.complete(upload, parts);
  await world.settle();
  const whole = Buffer.concat([content, Buffer.from("5678901234inline")]);
  assert.deepEqual(await world.content("a"), whole);
  // An object of parts is a source too, whole and in part.
  const next = await world.begin("b", { checksum: { algorithm: "CRC32C", type: "FULL_OBJECT" } });
  const found = await world.bucket.get("a");
  assert.deepEqual(partOf(found, 2), { range: { start: 20_000, end: 20_009 }, count: 3 });
  const again = await world.uploads.copyPart("b", next.id, 1, { bucket: world.bucket, found });
  assert.deepEqual(again.checksum?.value, object.checksum?.value);
  await world.complete(next, [again]);
  assert.deepEqual(await world.content("b"), whole);
  await world.settle();
  await world.checkFiles();
});

test("a source whose copy is refused before its first byte is let go", async (t) => {
  const world = await UploadsWorld.open(t);
  const source = await world.begin("source");
  await world.complete(source, [await world.put(source, 1, "first"), await world.put(source, 2, "second")]);
  const upload = await world.begin("a");
  const found = await world.bucket.get("source");
  world.faults = ({ kind }) => (kind === "commit" ? { kind: "busy" } : undefined);
  await assert.rejects(world.uploads.copyPart("a", upload.id, 1, { bucket: world.bucket, found }), refusedAs("StorageBusy"));
  world.faults = () => undefined;
  await world.bucket.delete("source", { caller: CALLER });
  await world.uploads.abort("a", upload.id);
  await world.settle();
  await world.checkFiles();
});

test("parts are listed by number, a page at a time", async (t) => {
  const world = await UploadsWorld.open(t);
  const upload = await world.begin("a");
  for (const number of [10_000, 2, 30]) await world.put(upload, number, "x");
  const pageOf = async (after: number, max: number) => {
    const { parts, next } = await world.uploads.listParts("a", upload.id, { after, max });
    return { numbers: parts.map(({ number }) => number), next };
  };
  assert.deepEqual(await pageOf(0, 2), { numbers: [2, 30], next: 30 });
  assert.deepEqual(await pageOf(30, 2), { numbers: [10_000], next: undefined });
  assert.deepEqual(await pageOf(0, 3), { numbers: [2, 30, 10_000], next: undefined });
  assert.deepEqual(await pageOf(0, 0), { numbers: [], next: undefined });
});

test("uploads are listed by key and then as they were begun", async (t) => {
  const world = await UploadsWorld.open(t);
  const keys = ["b", "a/1", "a", "a/2", "照片/一", "b", "c"];
  const begun: string[] = [];
  for (const key of keys) {
    begun.push((await world.begin(key)).id);
    await world.clock.advance(1);
  }
  const order = ["a", "a/1", "a/2", "b", "b", "c", "照片/一"];
  const all = await world.uploads.list({ prefix: "", max: 100 });
  assert.deepEqual(
    all.uploads.map(({ key }) => key),
    order,
  );
  assert.deepEqual(
    all.uploads.filter(({ key }) => key === "b").map(({ id }) => id),
    [begun[0], begun[5]],
  );
  for (const max of [1, 2, 3]) {
    for (const delimiter of [undefined, "/"]) {
      const seen: string[] = [];
      for (let next: { keyMarker?: string; uploadIdMarker?: string | undefined } | undefined = {}; next;) {
        const page = await world.uploads.list({ prefix: "", max, delimiter, ...next });
        assert.ok(page.uploads.length + page.commonPrefixes.length <= max);
        seen.push(...[...page.uploads.map(({ key }) => key), ...page.commonPrefixes].toSorted());
        next = page.next;
      }
      assert.deepEqual(seen, delimiter ? ["a", "a/", "b", "b", "c", "照片/"] : order);
    }
  }
  const behind = await world.uploads.list({ prefix: "", max: 100, keyMarker: "b" });
  assert.deepEqual(
    behind.uploads.map(({ key }) => key),
    ["c", "照片/一"],
  );
  const under = await world.uploads.list({ prefix: "a/", max: 100, keyMarker: "a/1" });
  assert.deepEqual(
    under.uploads.map(({ key }) => key),
    ["a/2"],
  );
});

test("a part that is not the last has at least 5 MiB where nothing else is said", async (t) => {
  const world = await UploadsWorld.open(t, { partBytesMin: PART_BYTES_MIN });
  const upload = await world.begin("a");
  const [large, small] = [await world.put(upload, 1, Buffer.alloc(PART_BYTES_MIN, 1)), await world.put(upload, 2, "small")];
  const last = await world.put(upload, 3, "last");
  await assert.rejects(world.complete(upload, [large, small, last]), refusedAs("PartTooSmall"));
  const object = await world.complete(upload, [large, last]);
  assert.equal(object.bytes, PART_BYTES_MIN + 4);
  assert.equal(String(await world.content("a", { start: PART_BYTES_MIN - 1, end: PART_BYTES_MIN + 3 })), "\u0001last");
});

const etagOf = (...contents: readonly string[]): string => {
  const all = createHash("md5");
  for (const content of contents) all.update(md5Of(content), "hex");
  return `${all.digest("hex")}-${contents.length}`;
};
