import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Bucket, ListedVersion, Versioning } from "../../src/objects/index.ts";
import { CALLER, large, ObjectsWorld, put, textOf, upload } from "./world.ts";

/** Keys that are beside each other, below each other, and in another order than JavaScript's. */
const KEYS = ["a", "a/", "a/b", "a/b/c", "a/\u{10FFFF}\u{10FFFF}", "a0", "b/x", "b//", "é/1", "\uFFFF", "\u{1F600}/z"];
const PREFIXES = ["", "a", "a/", "a/b", "b/", "é", "\u{1F600}"];
const DELIMITERS = [undefined, "/", "/b", "b"];

interface ModelVersion {
  readonly id: string;
  /** Undefined: a delete marker. */
  readonly content: string | undefined;
}

/** What S3 says of versions, as lists: the newest first. */
class Model {
  readonly keys = new Map<string, ModelVersion[]>();
  versioning: Versioning = "off";

  arrive(key: string, version: ModelVersion): void {
    const others = this.#of(key).filter(({ id }) => version.id !== "null" || id !== "null");
    this.keys.set(key, [version, ...others]);
  }

  remove(key: string, id: string): void {
    const left = this.#of(key).filter((version) => version.id !== id);
    if (left.length > 0) this.keys.set(key, left);
    else this.keys.delete(key);
  }

  /** The id of the version with this place; of one that is not there. */
  idAt(key: string, place: number): string {
    return this.#of(key)[place]?.id ?? "null";
  }

  sorted(prefix: string): [string, ModelVersion[]][] {
    return [...this.keys]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([left], [right]) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
  }

  #of(key: string): ModelVersion[] {
    return this.keys.get(key) ?? [];
  }
}

interface Real {
  readonly world: ObjectsWorld;
  bucket: Bucket;
}

type Command = fc.AsyncCommand<Model, Real>;

function command(name: string, run: (model: Model, real: Real) => Promise<unknown>): Command {
  return { check: () => true, run: async (model, real) => void (await run(model, real)), toString: () => name };
}

/** The key, or what keys below it have in common. */
function told(key: string, prefix: string, delimiter: string | undefined): string {
  const end = delimiter === undefined ? -1 : key.indexOf(delimiter, prefix.length);
  return end === -1 ? key : `${key.slice(0, end + (delimiter ?? "").length)}*`;
}

async function listAll(bucket: Bucket, prefix: string, delimiter: string | undefined, max: number): Promise<string[]> {
  const found: string[] = [];
  for (let after: string | undefined; ;) {
    const page = await bucket.list({ prefix, delimiter, after, max });
    const entries = [...page.objects.map(({ key }) => key), ...page.commonPrefixes.map((common) => `${common}*`)];
    assert.ok(entries.length <= max);
    found.push(
      ...entries.sort((left, right) => Buffer.compare(Buffer.from(left.replace(/\*$/u, "")), Buffer.from(right.replace(/\*$/u, "")))),
    );
    after = page.next;
    if (after === undefined) return found;
  }
}

async function listAllVersions(bucket: Bucket, prefix: string, delimiter: string | undefined, max: number): Promise<string[]> {
  const found: string[] = [];
  const line = ({ key, version, isLatest }: ListedVersion): string => `${key} ${version.versionId} ${version.kind} ${isLatest}`;
  for (let next: { readonly keyMarker?: string; readonly versionMarker?: string | undefined } = {}; ;) {
    const page = await bucket.listVersions({ prefix, delimiter, max, ...next });
    assert.ok(page.versions.length + page.commonPrefixes.length <= max);
    found.push(...page.versions.map(line), ...page.commonPrefixes.map((common) => `${common}*`));
    if (!page.next) return found.sort();
    next = page.next;
  }
}

const key = fc.constantFrom(...KEYS);
const query = fc.record({
  prefix: fc.constantFrom(...PREFIXES),
  delimiter: fc.constantFrom(...DELIMITERS),
  max: fc.integer({ min: 1, max: 5 }),
});

const commands = [
  fc.tuple(key, fc.constantFrom("row", "file", "parts"), fc.integer({ min: 0, max: 9 })).map(([on, form, mark]) =>
    command(`put ${on} as ${form} ${mark}`, async (model, { bucket }) => {
      const content = form === "row" ? Buffer.from(String(mark).repeat(mark)) : large(String(mark));
      const { versionId } = form === "parts" ? await upload(bucket, on, content) : await put(bucket, on, content);
      model.arrive(on, { id: versionId, content: content.toString() });
    }),
  ),
  key.map((on) =>
    command(`delete ${on}`, async (model, { bucket }) => {
      const { versionId, deleteMarker } = await bucket.delete(on, { caller: CALLER });
      assert.equal(deleteMarker, model.versioning !== "off");
      if (deleteMarker) model.arrive(on, { id: versionId ?? "", content: undefined });
      else model.remove(on, "null");
    }),
  ),
  fc.tuple(key, fc.integer({ min: 0, max: 3 })).map(([on, place]) =>
    command(`delete version ${place} of ${on}`, async (model, { bucket }) => {
      const versionId = model.idAt(on, place);
      await bucket.delete(on, { caller: CALLER, versionId });
      model.remove(on, versionId);
    }),
  ),
  fc.constantFrom<Versioning>("enabled", "suspended").map((versioning) =>
    command(`versioning ${versioning}`, async (model, { world }) => {
      await world.setVersioning(versioning);
      model.versioning = versioning;
    }),
  ),
  query.map(({ prefix, delimiter, max }) =>
    command(`list ${JSON.stringify({ prefix, delimiter, max })}`, async (model, { bucket }) => {
      const there = model.sorted(prefix).filter(([, [current]]) => current?.content !== undefined);
      const expected = [...new Set(there.map(([on]) => told(on, prefix, delimiter)))];
      assert.deepEqual(await listAll(bucket, prefix, delimiter, max), expected);
    }),
  ),
  query.map(({ prefix, delimiter, max }) =>
    command(`list versions ${JSON.stringify({ prefix, delimiter, max })}`, async (model, { bucket }) => {
      const lines = model.sorted(prefix).flatMap(([on, versions]) => {
        const common = told(on, prefix, delimiter);
        if (common !== on) return [common];
        return versions.map(({ id, content }, place) => `${on} ${id} ${content === undefined ? "deleteMarker" : "object"} ${place === 0}`);
      });
      assert.deepEqual(await listAllVersions(bucket, prefix, delimiter, max), [...new Set(lines)].sort());
    }),
  ),
  fc.constant(
    command("crash", async (_, real) => {
      await real.world.crash();
      real.bucket = await real.world.buckets.bucket("photos");
    }),
  ),
];

void test("a bucket is what a plain list of versions is: puts, deletions, listings with every prefix, delimiter and page, over crashes", async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 40 }), async (sequence) => {
      const world = await ObjectsWorld.open();
      try {
        const real: Real = { world, bucket: await world.make() };
        const model = new Model();
        await fc.asyncModelRun(() => ({ model, real }), sequence);
        for (const [on, versions] of model.keys)
          for (const { id, content } of versions) if (content !== undefined) assert.equal(await textOf(real.bucket, on, id), content);
        await world.settle();
        await world.checkFiles(real.bucket.record);
        assert.deepEqual(world.problems, []);
      } finally {
        await world.end();
      }
    }),
    { numRuns: 80 },
  );
});
