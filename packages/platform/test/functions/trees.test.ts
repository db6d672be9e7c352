import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import fc from "fast-check";
import { mergeManifests, type Manifest, type ManifestEntry } from "../../src/functions/code/manifest.ts";
import { SPARE_TREES_MAX } from "../../src/functions/index.ts";
import { FunctionsWorld, minimal, REALM } from "../support/functions-world.ts";
import { rawZip, zipOf } from "../support/zips.ts";

const versionOf = (world: FunctionsWorld, name: string) =>
  world.functions.find(REALM, name, undefined).versions[0]?.version ?? assert.fail("no version");
const inodeOf = (tree: string): number => statSync(join(tree, "index.mjs")).ino;
const spares = (world: FunctionsWorld): string[] => readdirSync(world.treesFolder);

describe("the tree of a function's code", () => {
  it("lies ready once the function is active, and again after it was taken", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    assert.equal(spares(world).length, 1);
    const taken = await world.functions.takeTree(versionOf(world, "hello"));
    assert.equal(readFileSync(join(taken, "index.mjs"), "utf8"), 'export const handler = () => "hello";');
    renameSync(taken, join(world.folder, "slot"));
    const next = await world.functions.takeTree(versionOf(world, "hello"));
    assert.notEqual(next, taken);
    assert.equal(inodeOf(next), inodeOf(join(world.folder, "slot")), "trees are links to one copy");
  });

  it("is replaced a moment after it was taken, when the function that took it has started", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    renameSync(await world.functions.takeTree(versionOf(world, "hello")), join(world.folder, "slot"));
    await world.clock.advance(199);
    assert.deepEqual(spares(world), []);
    await world.clock.advance(1);
    while (spares(world).length === 0) await new Promise((resolve) => setImmediate(resolve));
    await world.functions.lifecycle.remove(REALM, "hello", undefined);
    while (spares(world).length > 0) await new Promise((resolve) => setImmediate(resolve));
  });

  it("is a copy of its own where functions are not confined", async (test) => {
    const world = await FunctionsWorld.open(test, { treeKind: "copies" });
    await world.made("hello");
    const first = await world.functions.takeTree(versionOf(world, "hello"));
    writeFileSync(join(first, "index.mjs"), "changed by the function");
    const second = await world.functions.takeTree(versionOf(world, "hello"));
    assert.equal(readFileSync(join(second, "index.mjs"), "utf8"), 'export const handler = () => "hello";');
  });

  it("is each taker's own when many take at once", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const taken = await Promise.all(Array.from({ length: 40 }, () => world.functions.takeTree(versionOf(world, "hello"))));
    assert.equal(new Set(taken).size, 40);
    for (const tree of taken) assert.ok(existsSync(join(tree, "index.mjs")));
  });

  it("is made again from the zip when the unpacked code is gone", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    rmSync(world.codeFolder, { recursive: true });
    mkdirSync(world.codeFolder);
    await world.functions.takeTree(versionOf(world, "hello"));
    const again = await world.functions.takeTree(versionOf(world, "hello"));
    assert.ok(existsSync(join(again, "index.mjs")));
  });

  it("keeps executable bits and links", async (test) => {
    const world = await FunctionsWorld.open(test);
    const zip = rawZip([
      { name: "bin/run", content: "#!/bin/sh\n", mode: 0o100_755 },
      { name: "bootstrap", content: "bin/run", mode: 0o120_777 },
    ]);
    await world.functions.lifecycle.create(REALM, { ...minimal("custom"), runtime: "provided.al2023", zip });
    await world.functions.lifecycle.ready(REALM, "custom");
    const tree = await world.functions.takeTree(versionOf(world, "custom"));
    assert.equal(statSync(join(tree, "bootstrap")).mode & 0o777, 0o755);
  });
});

describe("the folder of trees", () => {
  it("holds at most SPARE_TREES_MAX spares", async (test) => {
    const world = await FunctionsWorld.open(test);
    await Promise.all(Array.from({ length: SPARE_TREES_MAX + 10 }, (_, index) => world.made(`f${index}`)));
    await world.reopen();
    await world.functions.warm();
    assert.ok(spares(world).length <= SPARE_TREES_MAX, `${spares(world).length} spares`);
    assert.ok(spares(world).length >= SPARE_TREES_MAX - 2, `${spares(world).length} spares`);
  });

  it("is emptied at open: nobody remembers who took what", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    mkdirSync(join(world.treesFolder, "left-behind"));
    await world.crash();
    assert.deepEqual(spares(world), []);
    await world.functions.warm();
    assert.equal(spares(world).length, 1);
  });

  it("loses the spares of a deleted function, and the shelf and the blobs its code", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const digest = Buffer.from(versionOf(world, "hello").code.sha256, "base64").toString("hex");
    assert.ok(await world.blobs.has(digest));
    await world.functions.lifecycle.remove(REALM, "hello", undefined);
    await world.functions.settled();
    assert.deepEqual([spares(world), readdirSync(world.codeFolder), await world.blobs.has(digest)], [[], ["boot"], false]);
  });
});

describe("unpacked code", () => {
  it("is trusted after a killed process and made anew after the machine started again", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    const unpacked = () => readdirSync(world.codeFolder).filter((name) => name !== "boot").length;
    await world.crash();
    assert.equal(unpacked(), 1);
    await world.reopen({ bootId: "boot-2" });
    assert.equal(unpacked(), 0);
    assert.ok(existsSync(join(await world.functions.takeTree(versionOf(world, "hello")), "index.mjs")));
  });

  it("that a crash left without an owner is swept at open, from the blobs too", async (test) => {
    const world = await FunctionsWorld.open(test);
    const { digest } = await world.blobs.put(await zipOf({ a: "b" }));
    mkdirSync(join(world.codeFolder, digest, "tree"), { recursive: true });
    mkdirSync(join(world.codeFolder, "incoming-1"));
    await world.crash();
    assert.deepEqual(readdirSync(world.codeFolder), ["boot"]);
    assert.equal(await world.blobs.has(digest), false);
  });

  it("is there whatever the order in which functions with the same code come and go at once", async (test) => {
    const world = await FunctionsWorld.open(test);
    const zip = await zipOf({ "index.mjs": "same" });
    for (let round = 0; round < 25; round++) {
      const [old, fresh] = [`f${round}`, `f${round + 1}`];
      if (round === 0) await world.made(old, { "index.mjs": "same" });
      await Promise.all([
        world.functions.lifecycle.remove(REALM, old, undefined),
        world.functions.lifecycle.create(REALM, { ...minimal(fresh), zip }),
      ]);
      await world.functions.settled();
      const { code } = versionOf(world, fresh);
      assert.ok((await world.functions.reading.zip(code)).equals(zip));
      assert.ok(existsSync(join(await world.functions.takeTree(versionOf(world, fresh)), "index.mjs")));
    }
    assert.deepEqual(world.problems, []);
  });

  it("stays while one of two functions with the same code is deleted", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("one", { "index.mjs": "same" });
    await world.made("two", { "index.mjs": "same" });
    await world.functions.lifecycle.remove(REALM, "one", undefined);
    await world.functions.settled();
    assert.ok(existsSync(join(await world.functions.takeTree(versionOf(world, "two")), "index.mjs")));
  });
});

describe("layers", () => {
  it("are laid over each other in their order, and stay with a function when their version is deleted", async (test) => {
    const world = await FunctionsWorld.open(test);
    const { layers, lifecycle } = world.functions;
    await layers.publish(REALM, { name: "base", zip: await zipOf({ "lib/a": "base", "lib/b": "base" }) });
    await layers.publish(REALM, { name: "over", zip: await zipOf({ "lib/b": "over", "lib/c": "over" }) });
    const layerArns = ["base", "over"].map((name) => `arn:aws:lambda:us-east-1:000000000000:layer:${name}:1`);
    await lifecycle.create(REALM, { ...minimal("layered"), zip: await zipOf({ "index.mjs": "" }), layerArns });
    await lifecycle.ready(REALM, "layered");
    await layers.remove(REALM, "base", 1);
    await world.functions.settled();
    await world.reopen();
    const opt = (await world.functions.takeLayers(versionOf(world, "layered"))) ?? assert.fail("no layers");
    assert.deepEqual(
      ["a", "b", "c"].map((name) => readFileSync(join(opt, "lib", name), "utf8")),
      ["base", "over", "over"],
    );
  });

  it("are no tree for a function without any", async (test) => {
    const world = await FunctionsWorld.open(test);
    await world.made("hello");
    assert.equal(await world.functions.takeLayers(versionOf(world, "hello")), undefined);
  });

  it("merge so that a path is the last layer's that names it, unless a later one has a file or link above it", () => {
    const path = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 3 });
    const tree = fc.uniqueArray(fc.tuple(path, fc.boolean()), { selector: ([parts]) => parts.join("/"), maxLength: 6 });
    fc.assert(
      fc.property(fc.array(tree, { minLength: 1, maxLength: 4 }), (trees) => {
        const manifests = trees.map(manifestOf);
        const merged = mergeManifests(manifests);
        const paths = new Set(manifests.flatMap((manifest) => manifest.entries.map((entry) => entry.path)));
        const expected = new Map([...paths].flatMap((path) => expectedAt(manifests, path)));
        const seen = merged.map(
          ({ entry, source }) => [entry.path, entry.kind === "directory" ? "directory" : `${entry.kind} of ${source}`] as const,
        );
        assert.equal(seen.length, new Set(seen.map(([path]) => path)).size, "no path twice");
        assert.deepEqual(new Map(seen), expected);
        const kinds = new Map<string, string>();
        for (const { entry } of merged) {
          const parent = entry.path.split("/").slice(0, -1).join("/");
          assert.ok(parent === "" || kinds.get(parent) === "directory", `${entry.path} comes behind its directory`);
          kinds.set(entry.path, entry.kind);
        }
      }),
      { seed: 20_260_102, numRuns: 400 },
    );
  });
});

/** The rule of the merge, said path by path. */
function expectedAt(manifests: readonly Manifest[], path: string): (readonly [string, string])[] {
  const last = manifests.findLastIndex((manifest) => manifest.entries.some((entry) => entry.path === path));
  const covered = manifests
    .slice(last + 1)
    .some((manifest) => manifest.entries.some((entry) => entry.kind !== "directory" && path.startsWith(`${entry.path}/`)));
  const kind = manifests[last]?.entries.find((entry) => entry.path === path)?.kind;
  return covered ? [] : [[path, kind === "directory" ? "directory" : `${kind} of ${last}`]];
}

/** A manifest of these paths, with the directories they imply; a path that another one needs as its directory is left out. */
function manifestOf(paths: readonly (readonly [readonly string[], boolean])[]): Manifest {
  const directories = new Set(paths.flatMap(([parts]) => parts.slice(0, -1).map((_, depth) => parts.slice(0, depth + 1).join("/"))));
  const leaves = paths.filter(([parts]) => !directories.has(parts.join("/")));
  const leafEntries = leaves.map(([parts, link]): ManifestEntry => {
    const path = parts.join("/");
    return link ? { kind: "link", path, target: "x" } : { kind: "file", path, bytes: 1, executable: false };
  });
  const directoryEntries = [...directories].toSorted().map((path): ManifestEntry => ({ kind: "directory", path }));
  return { entries: [...directoryEntries, ...leafEntries], unpackedBytes: 0 };
}
