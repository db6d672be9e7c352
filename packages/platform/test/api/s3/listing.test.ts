/** Listings, as S3's operations page and encode them. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ListObjectsOutput } from "@aws-sdk/client-s3";
import { openS3, type S3World } from "./world.ts";

const KEYS = ["a", "b/1", "b/2", "b/c/3", "d e+f.txt", "g"];

async function withKeys(world: S3World, keys: readonly string[] = KEYS): Promise<void> {
  await world.make("photos");
  for (const key of keys) await world.put("photos", key, key);
}

const keysOf = (answer: Pick<ListObjectsOutput, "Contents">) => answer.Contents?.map(({ Key }) => Key);
const prefixesOf = (answer: Pick<ListObjectsOutput, "CommonPrefixes">) => answer.CommonPrefixes?.map(({ Prefix }) => Prefix);

describe("ListObjectsV2", () => {
  it("tells keys in their order, with what there is of each", async (test) => {
    const world = await openS3(test);
    await withKeys(world);
    const all = await world.call("ListObjectsV2", { Bucket: "photos" });
    assert.deepEqual(keysOf(all), KEYS);
    const { Name, Prefix, MaxKeys, KeyCount, IsTruncated, NextContinuationToken, EncodingType, Delimiter } = all;
    assert.deepEqual([Name, Prefix, MaxKeys, KeyCount, IsTruncated], ["photos", "", 1_000, 6, false]);
    assert.deepEqual([NextContinuationToken, EncodingType, Delimiter], [undefined, undefined, undefined]);
    const [first] = all.Contents ?? [];
    assert.deepEqual([first?.Size, first?.StorageClass, first?.ETag?.length, first?.Owner], [1, "STANDARD", 34, undefined]);
    const owned = await world.call("ListObjectsV2", { Bucket: "photos", FetchOwner: true, MaxKeys: 1 });
    assert.equal(owned.Contents?.[0]?.Owner?.ID?.length, 64);
  });

  it("tells by a delimiter what keys have in common, once", async (test) => {
    const world = await openS3(test);
    await withKeys(world);
    const top = await world.call("ListObjectsV2", { Bucket: "photos", Delimiter: "/" });
    assert.deepEqual([keysOf(top), prefixesOf(top), top.KeyCount], [["a", "d e+f.txt", "g"], ["b/"], 4]);
    const inside = await world.call("ListObjectsV2", { Bucket: "photos", Delimiter: "/", Prefix: "b/" });
    assert.deepEqual([keysOf(inside), prefixesOf(inside)], [["b/1", "b/2"], ["b/c/"]]);
    const all = await world.call("ListObjectsV2", { Bucket: "photos", Delimiter: "", Prefix: "b/" });
    assert.deepEqual([keysOf(all), all.Delimiter], [["b/1", "b/2", "b/c/3"], undefined]);
  });

  for (const MaxKeys of [1, 2, 3, 4, 6]) {
    for (const Delimiter of [undefined, "/"]) {
      it(`tells the same in pages of ${MaxKeys}, by ${Delimiter ?? "no delimiter"}`, async (test) => {
        const world = await openS3(test);
        await withKeys(world);
        const query = { Bucket: "photos", ...(Delimiter === undefined ? {} : { Delimiter }) };
        const whole = await world.call("ListObjectsV2", query);
        const keys: (string | undefined)[] = [];
        const prefixes: (string | undefined)[] = [];
        for (let token: string | undefined, pages = 0; pages < 10; pages += 1) {
          const page = await world.call("ListObjectsV2", {
            ...query,
            MaxKeys,
            ...(token === undefined ? {} : { ContinuationToken: token }),
          });
          assert.ok((page.KeyCount ?? 0) <= MaxKeys);
          assert.equal(page.ContinuationToken, token);
          keys.push(...(keysOf(page) ?? []));
          prefixes.push(...(prefixesOf(page) ?? []));
          token = page.NextContinuationToken;
          assert.equal(page.IsTruncated, token !== undefined);
          if (token === undefined) break;
        }
        assert.deepEqual([keys, prefixes], [keysOf(whole), prefixesOf(whole)]);
      });
    }
  }

  it("begins behind a key, and the token counts for more", async (test) => {
    const world = await openS3(test);
    await withKeys(world);
    const after = await world.call("ListObjectsV2", { Bucket: "photos", StartAfter: "b/2", MaxKeys: 1 });
    assert.deepEqual([keysOf(after), after.StartAfter], [["b/c/3"], "b/2"]);
    const next = { Bucket: "photos", StartAfter: "z", ContinuationToken: after.NextContinuationToken };
    assert.deepEqual(keysOf(await world.call("ListObjectsV2", next)), ["d e+f.txt", "g"]);
  });

  it("encodes names where it is asked to", async (test) => {
    const world = await openS3(test);
    await withKeys(world, ["ü &/a+b", "ü &/\u0001", "z"]);
    const encoded = await world.call("ListObjectsV2", {
      Bucket: "photos",
      EncodingType: "url",
      Prefix: "ü &/",
      StartAfter: "ü",
      Delimiter: "+",
    });
    assert.deepEqual(
      [keysOf(encoded), prefixesOf(encoded), encoded.Prefix, encoded.StartAfter, encoded.Delimiter, encoded.EncodingType],
      [["%C3%BC+%26/%01"], ["%C3%BC+%26/a%2B"], "%C3%BC+%26/", "%C3%BC", "%2B", "url"],
    );
  });

  it("of no keys has no more, and refuses what it cannot be asked", async (test) => {
    const world = await openS3(test);
    await withKeys(world);
    const none = await world.call("ListObjectsV2", { Bucket: "photos", MaxKeys: 0 });
    assert.deepEqual([none.KeyCount, none.IsTruncated, none.MaxKeys], [0, false, 0]);
    assert.equal((await world.call("ListObjectsV2", { Bucket: "photos", MaxKeys: 5_000 })).MaxKeys, 1_000);
    for (const more of [{ MaxKeys: -1 }, { ContinuationToken: "" }, { ContinuationToken: "nobodys" }, { EncodingType: "base64" as never }])
      assert.equal((await world.refusal("ListObjectsV2", { Bucket: "photos", ...more })).name, "InvalidArgument");
    assert.equal((await world.refusal("ListObjectsV2", { Bucket: "nobodys" })).name, "NoSuchBucket");
  });
});

describe("ListObjects", () => {
  it("tells where the next page begins where there is a delimiter, and always owners", async (test) => {
    const world = await openS3(test);
    await withKeys(world);
    const first = await world.call("ListObjects", { Bucket: "photos", Delimiter: "/", MaxKeys: 2 });
    assert.deepEqual(
      [keysOf(first), prefixesOf(first), first.IsTruncated, first.NextMarker, first.Marker],
      [["a"], ["b/"], true, "b/", ""],
    );
    assert.equal(first.Contents?.[0]?.Owner?.ID?.length, 64);
    const second = await world.call("ListObjects", { Bucket: "photos", Delimiter: "/", MaxKeys: 2, Marker: "b/", EncodingType: "url" });
    assert.deepEqual([keysOf(second), second.IsTruncated, second.NextMarker], [["d+e%2Bf.txt", "g"], false, undefined]);
    const plain = await world.call("ListObjects", { Bucket: "photos", MaxKeys: 2 });
    assert.deepEqual([keysOf(plain), plain.IsTruncated, plain.NextMarker], [["a", "b/1"], true, undefined]);
  });
});

describe("ListObjectVersions", () => {
  it("tells versions and delete markers, the newest first", async (test) => {
    const world = await openS3(test);
    await world.make("photos", "Enabled");
    const { VersionId: a1 } = await world.put("photos", "a", "1");
    const { VersionId: a2 } = await world.put("photos", "a", "22");
    const { VersionId: marker } = await world.call("DeleteObject", { Bucket: "photos", Key: "a" });
    const { VersionId: b1 } = await world.put("photos", "b", "3");
    const all = await world.call("ListObjectVersions", { Bucket: "photos" });
    assert.deepEqual(
      all.Versions?.map(({ Key, VersionId, IsLatest, Size }) => [Key, VersionId, IsLatest, Size]),
      [
        ["a", a2, false, 2],
        ["a", a1, false, 1],
        ["b", b1, true, 1],
      ],
    );
    assert.deepEqual(
      all.DeleteMarkers?.map(({ Key, VersionId, IsLatest }) => [Key, VersionId, IsLatest]),
      [["a", marker, true]],
    );
    assert.deepEqual([all.KeyMarker, all.VersionIdMarker, all.IsTruncated], ["", "", false]);
  });

  it("tells the same in pages", async (test) => {
    const world = await openS3(test);
    await world.make("photos", "Enabled");
    for (const key of ["a", "a", "b/1", "b/2", "c", "c", "c"]) await world.put("photos", key, key);
    const seen: (string | undefined)[] = [];
    let from: { KeyMarker?: string; VersionIdMarker?: string } = {};
    for (let pages = 0; pages < 10; pages += 1) {
      const page = await world.call("ListObjectVersions", { Bucket: "photos", Delimiter: "/", MaxKeys: 2, ...from });
      seen.push(...(page.Versions ?? []).map(({ Key }) => Key), ...(prefixesOf(page) ?? []));
      if (!page.IsTruncated) break;
      const { NextKeyMarker = "", NextVersionIdMarker } = page;
      from = { KeyMarker: NextKeyMarker, ...(NextVersionIdMarker === undefined ? {} : { VersionIdMarker: NextVersionIdMarker }) };
    }
    assert.deepEqual(
      seen.map(String).toSorted((left, right) => (left < right ? -1 : 1)),
      ["a", "a", "b/", "c", "c", "c"],
    );
  });

  it("refuses a version's marker without a key's", async (test) => {
    const world = await openS3(test);
    await world.make("photos");
    for (const more of [{ VersionIdMarker: "x" }, { KeyMarker: "a", VersionIdMarker: "" }, { KeyMarker: "a", VersionIdMarker: "no id" }])
      assert.equal((await world.refusal("ListObjectVersions", { Bucket: "photos", ...more })).name, "InvalidArgument");
  });
});
