/** Random uploads, several things at once: an object is always the parts that were named, put one behind the other. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isLambentError } from "../../../src/base/index.ts";
import type { Upload, UploadedPart } from "../../../src/objects/multipart/index.ts";
import { CALLER, md5Of, named, UploadsWorld } from "./world.ts";

const KEYS = ["a", "b/c"];
const UPLOADS = 3;
const NUMBERS = 5;

type Action =
  | { readonly kind: "put"; readonly upload: number; readonly number: number; readonly bytes: number }
  | { readonly kind: "complete"; readonly upload: number; readonly leftOut: number }
  | { readonly kind: "abort"; readonly upload: number }
  | { readonly kind: "delete"; readonly key: number }
  | { readonly kind: "copy"; readonly upload: number; readonly number: number; readonly key: number };

const anUpload = fc.nat(UPLOADS - 1);
const aNumber = fc.integer({ min: 1, max: NUMBERS });
const anAction: fc.Arbitrary<Action> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("put" as const), upload: anUpload, number: aNumber, bytes: fc.nat(9) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("complete" as const), upload: anUpload, leftOut: fc.nat(NUMBERS) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("abort" as const), upload: anUpload }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("delete" as const), key: fc.nat(KEYS.length - 1) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("copy" as const), upload: anUpload, number: aNumber, key: fc.nat(KEYS.length - 1) }),
  },
);
const someRounds = fc.array(fc.record({ actions: fc.array(anAction, { maxLength: 6 }), reopens: fc.boolean() }), {
  minLength: 1,
  maxLength: 8,
});

/** An upload under way, and its parts as they were before the round. */
interface Begun {
  readonly upload: Upload;
  parts: readonly UploadedPart[];
}

test("an object is the parts that were named, whatever happens at once", async (t) => {
  const property = fc.asyncProperty(someRounds, async (rounds) => {
    const world = await UploadsWorld.open(t);
    const contents = new Map<string, string>();
    const stored = new Map<string, string>();
    const slots: (Begun | undefined)[] = [];
    let made = 0;
    for (const { actions, reopens } of rounds) {
      for (let slot = 0; slot < UPLOADS; slot += 1) {
        const begun = slots[slot] ?? { upload: await world.begin(KEYS[slot % KEYS.length] ?? "a"), parts: [] };
        begun.parts = (await world.uploads.listParts(begun.upload.key, begun.upload.id, { max: 100 })).parts;
        slots[slot] = begun;
      }
      /** What each key may hold behind the round; undefined is nothing. */
      const possible = new Map(KEYS.map((key) => [key, new Set([stored.get(key)])]));
      const ended = new Set<number>();
      const run = async (action: Action): Promise<void> => {
        const begun = slots["upload" in action ? action.upload : 0];
        assert.ok(begun);
        const { upload, parts } = begun;
        const key = "key" in action ? (KEYS[action.key] ?? "a") : upload.key;
        switch (action.kind) {
          case "put": {
            const content = `${++made}:${"x".repeat(action.bytes)};`;
            contents.set(md5Of(content), content);
            await world.put(upload, action.number, content);
            return;
          }
          case "copy": {
            const found = await world.bucket.get(key);
            const part = await world.uploads.copyPart(upload.key, upload.id, action.number, { bucket: world.bucket, found });
            assert.ok([...(possible.get(key) ?? [])].some((content) => content !== undefined && md5Of(content) === part.md5));
            for (const content of possible.get(key) ?? []) if (content !== undefined) contents.set(md5Of(content), content);
            return;
          }
          case "complete": {
            const chosen = parts.filter(({ number }) => number !== action.leftOut);
            const content = chosen.map(({ md5 }) => contents.get(md5) ?? assert.fail("a part that nobody uploaded")).join("");
            if (chosen.length > 0) possible.get(upload.key)?.add(content);
            await world.complete(upload, chosen.map(named));
            ended.add(action.upload);
            return;
          }
          case "abort":
            await world.uploads.abort(upload.key, upload.id);
            ended.add(action.upload);
            return;
          case "delete":
            possible.get(key)?.add(undefined);
            await world.bucket.delete(key, { caller: CALLER });
        }
      };
      const outcomes = await Promise.allSettled(actions.map(run));
      for (const outcome of outcomes)
        if (outcome.status === "rejected" && !isLambentError(outcome.reason, "NotFound", "InvalidPart", "InvalidParameter"))
          throw outcome.reason;
      await world.checkFiles();
      if (reopens) await world.settle();
      for (const slot of ended) slots[slot] = undefined;
      for (const key of KEYS) {
        const content = await world.content(key).then(String, () => undefined);
        assert.ok(possible.get(key)?.has(content), `${key} holds ${content}, not ${JSON.stringify([...(possible.get(key) ?? [])])}`);
        if (content === undefined) stored.delete(key);
        else stored.set(key, content);
      }
    }
    await world.settle();
    await world.checkFiles();
    assert.deepEqual(await world.files(), await world.referred());
    await world.cell.close();
  });
  await fc.assert(property, { seed: 20_261_121, numRuns: 40 });
});
