import assert from "node:assert/strict";
import type { Readable } from "node:stream";
import { describe, test, type TestContext } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import type { BodyFiles } from "../../src/storage/index.ts";

/** Opens bodies on one place; opening again finds what was written. */
export interface BodiesPlace {
  open(): Promise<BodyFiles>;
}

/** What all bodies of objects keep, on a disk and in the memory of a simulation. */
export function bodiesContract(kind: string, place: (test: TestContext) => BodiesPlace): void {
  void describe(`contract of bodies: ${kind}`, () => {
    const on = (name: string, body: (bodies: BodyFiles, at: BodiesPlace) => Promise<void>): void => {
      void test(name, async (t) => {
        const at = place(t);
        await body(await at.open(), at);
      });
    };
    writingContract(on);
    namingContract(on);
    removingContract(on);
  });
}

type On = (name: string, body: (bodies: BodyFiles, at: BodiesPlace) => Promise<void>) => void;

function writingContract(on: On): void {
  on("what was written is read, whole or a range of it, also by whoever opens next", async (bodies, at) => {
    await bodies.write("bucket", "file-1", [Buffer.from("01234"), Buffer.from("56789")]);
    await bodies.write("bucket", "empty", []);
    for (const each of [bodies, await at.open()]) {
      assert.equal(await textOf(await each.read("bucket", "file-1")), "0123456789");
      assert.equal(await textOf(await each.read("bucket", "file-1", { start: 2, end: 4 })), "234");
      assert.equal(await textOf(await each.read("bucket", "empty")), "");
      assert.equal(await each.read("bucket", "file-2"), undefined);
      assert.equal(await each.read("other", "file-1"), undefined);
    }
  });

  on("a source that fails leaves no file", async (bodies) => {
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("half");
      throw new RangeError("it broke off");
    }
    await assert.rejects(bodies.write("bucket", "file-1", source()), RangeError);
    assert.equal(await bodies.read("bucket", "file-1"), undefined);
    assert.deepEqual(await Array.fromAsync(bodies.list()), []);
  });

  on("names lead nowhere else", async (bodies) => {
    for (const [owner, file] of [
      ["..", "file"],
      ["bucket", "a/b"],
      ["bucket", ""],
    ] as const)
      await assert.rejects(bodies.read(owner, file), /names no file/u);
  });
}

function namingContract(on: On): void {
  on("another name stays when the first one goes", async (bodies) => {
    await bodies.write("bucket", "file-1", [Buffer.from("text")]);
    await bodies.link({ owner: "bucket", file: "file-1" }, { owner: "other", file: "file-2" });
    await bodies.remove("bucket", "file-1");
    assert.equal(await bodies.read("bucket", "file-1"), undefined);
    assert.equal(await textOf(await bodies.read("other", "file-2")), "text");
    await assert.rejects(bodies.link({ owner: "bucket", file: "file-1" }, { owner: "other", file: "file-3" }), (error) =>
      isLambentError(error, "NotFound"),
    );
  });

  on("all are listed, with their owners", async (bodies) => {
    for (const owner of ["bucket", "other"]) await bodies.write(owner, "file-1", [Buffer.from("text")]);
    const listed = await Array.fromAsync(bodies.list());
    assert.deepEqual(
      new Map(listed.map(({ path, body }) => [path, body])),
      new Map([
        ["bucket/fi/file-1", { owner: "bucket", file: "file-1" }],
        ["other/fi/file-1", { owner: "other", file: "file-1" }],
      ]),
    );
  });
}

function removingContract(on: On): void {
  on("removing twice, or what never was, is nothing; all of an owner's go together", async (bodies) => {
    for (const file of ["file-1", "file-2"]) await bodies.write("bucket", file, [Buffer.from("text")]);
    await bodies.write("other", "file-1", [Buffer.from("text")]);
    for (const file of ["file-1", "file-1", "file-3"]) await bodies.remove("bucket", file);
    assert.equal(await bodies.read("bucket", "file-1"), undefined);
    await bodies.removeOwner("bucket");
    await bodies.removeOwner("bucket");
    assert.equal(await bodies.read("bucket", "file-2"), undefined);
    assert.equal(await textOf(await bodies.read("other", "file-1")), "text");
  });

  on("a removal does not disturb who reads, and while removals are held nobody", async (bodies) => {
    for (const file of ["file-1", "file-2"]) await bodies.write("bucket", file, [Buffer.from(file)]);
    const stream = await bodies.read("bucket", "file-1");
    await bodies.remove("bucket", "file-1");
    assert.equal(await textOf(stream), "file-1");
    const release = bodies.holdRemovals();
    await bodies.remove("bucket", "file-2");
    assert.equal(await textOf(await bodies.read("bucket", "file-2")), "file-2");
    await release();
    assert.equal(await bodies.read("bucket", "file-2"), undefined);
  });
}

async function textOf(stream: Readable | undefined): Promise<string | undefined> {
  return stream && Buffer.concat(await stream.toArray()).toString();
}
