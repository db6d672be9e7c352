import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Bucket, Listing } from "../../src/objects/index.ts";
import { encodeVersion } from "../../src/objects/rows.ts";
import { MemoryCell } from "../../src/storage/memory/memory-cell.ts";
import { listObjects } from "../../src/objects/listing.ts";
import type { ObjectVersion } from "../../src/objects/version.ts";
import { CALLER, ObjectsWorld, put } from "./world.ts";

const keysOf = ({ objects }: Listing): string[] => objects.map(({ key }) => key);

async function putAll(bucket: Bucket, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => put(bucket, key, "x")));
}

describe("listing", () => {
  test("is in the order of UTF-8 bytes, a page at a time, behind a key that need not be there", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await putAll(bucket, ["\u{1F600}", "\uFFFF", "b", "a/1", "a"]);
    const all = ["a", "a/1", "b", "\uFFFF", "\u{1F600}"];
    assert.deepEqual(keysOf(await bucket.list({ prefix: "", max: 1_000 })), all);
    const page = await bucket.list({ prefix: "", after: "aa", max: 2 });
    assert.deepEqual([keysOf(page), page.next], [["b", "\uFFFF"], "\uFFFF"]);
    const last = await bucket.list({ prefix: "", after: page.next, max: 1 });
    assert.deepEqual([keysOf(last), last.next], [["\u{1F600}"], undefined]);
    assert.deepEqual(await bucket.list({ prefix: "", max: 0 }), { objects: [], commonPrefixes: [] });
  });

  test("groups by a delimiter; behind a common prefix it goes on behind all of its keys", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await putAll(bucket, ["a/", "a/1", "a/\u{10FFFF}\u{10FFFF}\u{10FFFF}", "a0", "b/1", "c"]);
    const query = { prefix: "", delimiter: "/" };
    const all = await bucket.list({ ...query, max: 10 });
    assert.deepEqual([keysOf(all), all.commonPrefixes, all.next], [["a0", "c"], ["a/", "b/"], undefined]);
    const first = await bucket.list({ ...query, max: 1 });
    assert.deepEqual([first.commonPrefixes, first.next], [["a/"], "a/"]);
    assert.deepEqual(keysOf(await bucket.list({ ...query, after: first.next, max: 1 })), ["a0"]);
    assert.deepEqual(keysOf(await bucket.list({ prefix: "a/", delimiter: "/", max: 10 })), [
      "a/",
      "a/1",
      "a/\u{10FFFF}\u{10FFFF}\u{10FFFF}",
    ]);
  });

  test("passes over what keys have in common with one look, not by walking", async () => {
    const read: number[] = [];
    const version = encodeVersion(anObject());
    const rows = Array.from({ length: 50 }, (_, folder) =>
      Array.from({ length: 400 }, (_, file) => ({
        key: `k/f${String(folder).padStart(2, "0")}/${String(file).padStart(3, "0")}`,
        value: version,
      })),
    ).flat();
    const page = await listObjects(
      async ({ after = "", limit }) => {
        const from = rows.findIndex(({ key }) => Buffer.compare(Buffer.from(key), Buffer.from(after)) > 0);
        const found = from === -1 ? [] : rows.slice(from, from + limit);
        read.push(found.length);
        return found;
      },
      { prefix: "", delimiter: "/", max: 1_000 },
    );
    assert.equal(page.commonPrefixes.length, 50);
    const sum = read.reduce((total, count) => total + count, 0);
    assert.ok(sum < 1_000, `${sum} of 20,000 rows were read`);
  });

  test("reads no more rows than a page tells, and one to know that there are more", async () => {
    const version = encodeVersion(anObject());
    const rows = Array.from({ length: 3_000 }, (_, file) => ({ key: `k/${String(file).padStart(4, "0")}`, value: version }));
    for (const [query, most] of [
      [{}, 2],
      [{ delimiter: "/" }, 4],
    ] as const) {
      const read: number[] = [];
      const page = await listObjects(
        async ({ after = "", limit }) => {
          const found = rows.filter(({ key }) => key > after).slice(0, limit);
          read.push(found.length);
          return found;
        },
        { prefix: "", max: 1_000, ...query },
      );
      assert.deepEqual([page.objects.length, page.next], [1_000, "0999"]);
      assert.equal(
        read.reduce((total, count) => total + count, 0),
        1_001,
      );
      assert.ok(read.length <= most, `${read.length} reads`);
    }
  });

  test("tells folders of many keys as any other way of looking would, also where what comes first in them is deleted", async () => {
    const object = encodeVersion(anObject());
    const marker = encodeVersion({ kind: "deleteMarker", versionId: "v", number: 1, modifiedAt: 0, owner: "0" });
    const cell = new MemoryCell();
    const expected: string[] = [];
    for (let folder = 0; folder < 120; folder++) {
      const name = `f${String(folder).padStart(3, "0")}`;
      // Every third begins with deleted keys, every fifteenth has no others; between some of them stands a key.
      const deleted = folder % 15 === 0 ? 120 : folder % 3 === 0 ? folder : 0;
      const rows = Array.from({ length: 120 }, (_, file): [string, Buffer] => [
        `${name}/${String(file).padStart(3, "0")}`,
        file < deleted ? marker : object,
      ]);
      if (deleted < 120) expected.push(`${name}/`);
      if (folder % 7 === 0) rows.push([`${name}0`, object]);
      if (folder % 7 === 0) expected.push(`${name}0`);
      cell.apply(rows.map(([key, value]) => ({ kind: "put", cell: "c", key: `k/${key}`, value })));
    }
    const page = await listObjects(async (range) => cell.list(range), { prefix: "", delimiter: "/", max: 1_000 });
    assert.deepEqual([...page.commonPrefixes, ...keysOf(page)].sort(), expected.sort());
    assert.equal(page.next, undefined);
  });

  test("P7: looks at a bounded number of rows for a page, and goes on behind them", async () => {
    const marker = encodeVersion({ kind: "deleteMarker", versionId: "v", number: 1, modifiedAt: 0, owner: "0" });
    const count = 50_000;
    const nameOf = (index: number): string => `k/${String(index).padStart(6, "0")}`;
    let looks = 0;
    const readRows = async ({ after = "k/", limit }: { readonly after?: string; readonly limit: number }) => {
      looks += 1;
      const from = after === "k/" ? 0 : Number(after.slice(2)) + 1;
      return Array.from({ length: Math.min(limit, count + 1 - from) }, (_, index) => ({
        key: nameOf(from + index),
        value: from + index === count ? encodeVersion(anObject()) : marker,
      }));
    };
    const found: string[] = [];
    let pages = 0;
    for (let after: string | undefined; ;) {
      looks = 0;
      const page: Listing = await listObjects(readRows, { prefix: "", max: 100, ...(after === undefined ? {} : { after }) });
      assert.ok(looks < 30, `${looks} looks for one page`);
      pages += 1;
      found.push(...keysOf(page));
      after = page.next;
      if (after === undefined) break;
    }
    assert.deepEqual([found, pages], [["050000"], 3]);
  });

  test("of versions goes on behind a version, also one that is called null", async (t) => {
    const world = await ObjectsWorld.open(t);
    const bucket = await world.make();
    await put(bucket, "k", "null");
    await world.setVersioning("enabled");
    await put(bucket, "k", "1");
    await bucket.delete("k", { caller: CALLER });
    await put(bucket, "l", "2");
    const seen: string[] = [];
    let next: { readonly keyMarker?: string; readonly versionMarker?: string | undefined } = {};
    for (let pages = 0; pages < 4; pages++) {
      const page = await bucket.listVersions({ prefix: "", max: 1, ...next });
      seen.push(
        ...page.versions.map(({ key, version, isLatest }) => `${key} ${version.kind === "object" ? version.bytes : "marker"} ${isLatest}`),
      );
      next = page.next ?? {};
    }
    assert.deepEqual([seen, next], [["k marker true", "k 1 false", "k 4 false", "l 1 true"], {}]);
    assert.equal((await bucket.listVersions({ prefix: "", max: 9, keyMarker: "k" })).versions.length, 1);
    assert.equal((await bucket.listVersions({ prefix: "", max: 9, keyMarker: "k", versionMarker: "null" })).versions.length, 1);
    await assert.rejects(bucket.listVersions({ prefix: "", max: 9, keyMarker: "k", versionMarker: "no id" }), { code: "InvalidParameter" });
  });
});

function anObject(): ObjectVersion {
  return {
    ...{ kind: "object", versionId: "null", number: 1, modifiedAt: 0, owner: "0", bytes: 0, etag: "", body: { kind: "inline" } },
    ...{ headers: {}, metadata: {}, tags: {}, storageClass: "STANDARD" },
  };
}
