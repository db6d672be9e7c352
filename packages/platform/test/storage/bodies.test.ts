import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { type link, open } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { deferred, isLambentError } from "../../src/base/index.ts";
import { type BodyFiles, openBodyFiles, type SystemCalls } from "../../src/storage/index.ts";
import { syncFolder } from "../../src/storage/sync-folder.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const WRITER = fileURLToPath(new URL("./write-body.ts", import.meta.url));
const failed = (code: "StorageFull" | "StorageStopped" | "NotFound") => (error: unknown) => isLambentError(error, code);
const systemError = (code: string, syscall: string): Error => Object.assign(new Error(`${code}: made up, ${syscall}`), { code, syscall });

interface World {
  readonly folder: string;
  readonly bodies: BodyFiles;
  write(file: string, text: string, owner?: string): Promise<void>;
  text(file: string, owner?: string): Promise<string | undefined>;
}

async function openWorld(t: TestContext, calls: Partial<SystemCalls> = {}): Promise<World> {
  const folder = join(temporaryFolder(t), "objects");
  const bodies = await openBodyFiles(folder, calls);
  return {
    folder,
    bodies,
    write: (file, text, owner = "bucket") => bodies.write(owner, file, [Buffer.from(text)]),
    text: async (file, owner = "bucket") => textOf(await bodies.read(owner, file)),
  };
}

async function textOf(stream: Readable | undefined): Promise<string | undefined> {
  return stream && Buffer.concat(await stream.toArray()).toString();
}

/** Calls of an open file. */
interface FileCalls {
  writev(chunks: readonly NodeJS.ArrayBufferView[]): Promise<{ readonly bytesWritten: number }>;
  datasync(): Promise<void>;
}

/** Opens files whose calls are what `change` makes of them. */
function opening(change: (calls: FileCalls) => Partial<FileCalls>): typeof open {
  return async (...parameters) => {
    const file = await open(...parameters);
    const calls: FileCalls = { writev: file.writev.bind(file), datasync: file.datasync.bind(file) };
    return Object.assign(file, change(calls));
  };
}

void describe("P1: a body's file", () => {
  void it("is kept under its name, read whole or a range of it, private, and found again by the next process", async (t) => {
    const { folder, bodies, write, text } = await openWorld(t);
    await write("file-1", "0123456789");
    await write("file-1", "another owner's", "other");
    assert.equal(await text("file-1"), "0123456789");
    assert.equal(await textOf(await bodies.read("bucket", "file-1", { start: 2, end: 4 })), "234");
    assert.equal(await textOf(await bodies.read("bucket", "file-1", { start: 9, end: 9 })), "9");
    assert.equal(await text("file-2"), undefined);
    assert.equal(await text("file-1", "nobody"), undefined);
    assert.equal(statSync(join(folder, "bucket/fi/file-1")).mode & 0o777, 0o600);
    for (const path of ["", "bucket", "bucket/fi"]) assert.equal(statSync(join(folder, path)).mode & 0o777, 0o700);
    assert.equal(await textOf(await (await openBodyFiles(folder)).read("other", "file-1")), "another owner's");
    await write("empty", "");
    assert.equal(await text("empty"), "");
  });

  void it("has its bytes on the disk before its name, and its name before anybody is told", async (t) => {
    const steps: string[] = [];
    const { folder, write } = await openWorld(t, {
      open: opening((calls) => ({
        datasync() {
          steps.push(`data, ${existsSync(path) ? "named" : "without name"}`);
          return calls.datasync();
        },
      })),
      async syncFolder(of) {
        steps.push(`${of.slice(folder.length)}/, ${existsSync(path) ? "named" : "without name"}`);
        await syncFolder(of);
      },
    });
    const path = join(folder, "bucket/fi/file-1");
    await write("file-1", "text");
    steps.push("told");
    await write("file-2", "text");
    assert.deepEqual(steps, [
      "data, without name",
      "/, without name",
      "/bucket/, without name",
      "/bucket/fi/, named",
      "told",
      "data, named",
      "/bucket/fi/, named",
    ]);
  });

  void it("of a process that was killed before it had a name is gone at the next opening, and whole if it had one", async (t) => {
    for (const [failpoint, left] of [
      ["body.written", undefined],
      ["body.named", "whole"],
    ] as const) {
      const folder = join(temporaryFolder(t), "objects");
      const environment = { ...process.env, LAMBENT_FAILPOINT: `${failpoint}:1` };
      const ended = spawnSync(process.execPath, [WRITER, folder], { env: environment, encoding: "utf8" });
      assert.deepEqual([ended.signal, ended.stdout], ["SIGKILL", ""]);
      assert.deepEqual(readdirSync(join(folder, ".incoming")), left === undefined ? ["bucket.file"] : []);
      const bodies = await openBodyFiles(folder);
      assert.deepEqual(readdirSync(join(folder, ".incoming")), []);
      assert.equal(await textOf(await bodies.read("bucket", "file")), left);
    }
  });

  void it("holds what its source gave, however that is cut and however little the system takes at once", async (t) => {
    const { bodies } = await openWorld(t, {
      open: opening((calls) => ({
        writev([first, ...others]) {
          // Of each third length, a part of what was given.
          if (first === undefined || first.byteLength % 3 > 0) return calls.writev(first ? [first, ...others] : []);
          return calls.writev([new Uint8Array(first.buffer, first.byteOffset, Math.ceil(first.byteLength / 2))]);
        },
      })),
    });
    let count = 0;
    const lengths = fc.array(fc.oneof(fc.integer({ min: 0, max: 40 }), fc.constantFrom(65_536, 700_001)), { maxLength: 400, size: "max" });
    await fc.assert(
      fc.asyncProperty(lengths, async (sizes) => {
        const file = `file-${++count}`;
        const chunks = sizes.map((size, index) => Buffer.alloc(size, index % 251));
        await bodies.write("bucket", file, chunks);
        const found = Buffer.concat((await (await bodies.read("bucket", file))?.toArray()) ?? []);
        assert.ok(found.equals(Buffer.concat(chunks)));
        await bodies.remove("bucket", file);
      }),
      { seed: 6, numRuns: 8 },
    );
  });

  void it("shares the fsync of its folder with those that are made there at once", async (t) => {
    const all = 20;
    const held = deferred<void>();
    let syncs = 0;
    const { folder, write } = await openWorld(t, {
      async syncFolder(of) {
        if (of.endsWith("/bucket/fi") && ++syncs === 1) await held.promise;
        await syncFolder(of);
      },
    });
    const writing = Array.from({ length: all }, (_, index) => write(`file-${index}`, "text"));
    const named = (): number => (existsSync(join(folder, "bucket/fi")) ? readdirSync(join(folder, "bucket/fi")).length : 0);
    while (named() < all) await new Promise(setImmediate);
    held.resolve();
    await Promise.all(writing);
    assert.equal(syncs, 2);
  });
});

void describe("a disk that refuses", () => {
  void it("for want of room leaves no file, says so, and takes the next one", async (t) => {
    for (const [code, syscall, told] of [
      ["ENOSPC", "write", "StorageFull"],
      ["EDQUOT", "write", "StorageFull"],
      ["ENOSPC", "fdatasync", "StorageFull"],
      ["EIO", "write", "StorageStopped"],
      ["EIO", "fdatasync", "StorageStopped"],
    ] as const) {
      let writes = 0;
      let isFull = true;
      const refuse = async (): Promise<never> => {
        throw systemError(code, syscall);
      };
      const world = await openWorld(t, {
        open: opening((calls) =>
          syscall === "write"
            ? // The first ones fit.
              { writev: (chunks) => (isFull && ++writes > 3 ? refuse() : calls.writev(chunks)) }
            : { datasync: () => (isFull ? refuse() : calls.datasync()) },
        ),
      });
      const long = Array.from({ length: 40 }, () => Buffer.alloc(1024 * 1024));
      await assert.rejects(world.bodies.write("bucket", "file-1", long), failed(told), `${code} of ${syscall}`);
      assert.deepEqual(readdirSync(join(world.folder, ".incoming")), []);
      assert.equal(await world.text("file-1"), undefined);
      isFull = false;
      await world.write("file-1", "fits");
      assert.equal(await world.text("file-1"), "fits");
    }
  });

  void it("is not what a source that fails is taken for, and of that nothing is left either", async (t) => {
    const { folder, bodies } = await openWorld(t);
    const reset = systemError("ECONNRESET", "read");
    async function* source(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(3 * 1024 * 1024);
      throw reset;
    }
    await assert.rejects(bodies.write("bucket", "file", source()), (error) => error === reset);
    assert.deepEqual(readdirSync(join(folder, ".incoming")), []);
    assert.equal(await bodies.read("bucket", "file"), undefined);
  });

  void it("to keep a name is asked for nothing more, because a second fsync may succeed without it", async (t) => {
    let works = true;
    const { bodies, write, text } = await openWorld(t, {
      async syncFolder(of) {
        if (!works) throw systemError("EIO", "fsync");
        await syncFolder(of);
      },
    });
    await write("file-1", "kept");
    works = false;
    await assert.rejects(write("file-2", "lost"), failed("StorageStopped"));
    works = true;
    for (const refused of [
      () => write("file-3", "text"),
      () => bodies.link({ owner: "bucket", file: "file-1" }, { owner: "bucket", file: "file-4" }),
      () => bodies.remove("bucket", "file-1"),
      () => bodies.removeOwner("bucket"),
    ])
      await assert.rejects(refused(), failed("StorageStopped"));
    assert.equal(await text("file-1"), "kept");
  });

  void it("to open a folder, for want of descriptors, is asked again", async (t) => {
    let works = false;
    const { write, text } = await openWorld(t, {
      async syncFolder(of) {
        if (!works) throw systemError("EMFILE", "open");
        await syncFolder(of);
      },
    });
    await assert.rejects(write("file-1", "text"), failed("StorageStopped"));
    works = true;
    await write("file-2", "text");
    assert.equal(await text("file-2"), "text");
  });
});

void describe("another name for a body", () => {
  const from = { owner: "bucket", file: "file-1" };
  const to = { owner: "other", file: "file-2" };

  void it("is the same file, and stays when the first one goes", async (t) => {
    const { folder, bodies, write, text } = await openWorld(t);
    await write("file-1", "text");
    await bodies.link(from, to);
    const inode = (path: string): number => statSync(join(folder, path)).ino;
    assert.equal(inode("other/fi/file-2"), inode("bucket/fi/file-1"));
    await bodies.remove("bucket", "file-1");
    assert.deepEqual([await text("file-1"), await text("file-2", "other")], [undefined, "text"]);
    await assert.rejects(bodies.link(from, { owner: "other", file: "file-3" }), failed("NotFound"));
  });

  void it("is a copy where links are refused, and any other refusal is told", async (t) => {
    let code = "EMLINK";
    const refusing: typeof link = async () => {
      throw systemError(code, "link");
    };
    const { folder, bodies, write, text } = await openWorld(t, { link: refusing });
    await write("file-1", "text");
    await bodies.link(from, to);
    assert.equal(await text("file-2", "other"), "text");
    assert.equal(statSync(join(folder, "bucket/fi/file-1")).nlink, 1);
    assert.equal(statSync(join(folder, "other/fi/file-2")).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(folder, ".incoming")), []);
    code = "ENOSPC";
    await assert.rejects(bodies.link(from, { owner: "other", file: "file-3" }), failed("StorageFull"));
    code = "EIO";
    await assert.rejects(bodies.link(from, { owner: "other", file: "file-3" }), failed("StorageStopped"));
  });
});

void describe("removing bodies", () => {
  void it("twice, or what never was, is nothing; all of an owner's go at once", async (t) => {
    const { folder, bodies, write, text } = await openWorld(t);
    for (const file of ["file-1", "file-2", "other"]) await write(file, "text");
    await write("file-1", "text", "second");
    await bodies.remove("bucket", "file-1");
    await bodies.remove("bucket", "file-1");
    await bodies.remove("nobody", "file-1");
    assert.deepEqual([await text("file-1"), await text("file-2")], [undefined, "text"]);
    await bodies.removeOwner("bucket");
    await bodies.removeOwner("bucket");
    assert.equal(existsSync(join(folder, "bucket")), false);
    assert.equal(await text("file-1", "second"), "text");
  });

  void it("is durable when it resolves", async (t) => {
    const synced: string[] = [];
    const { folder, bodies, write } = await openWorld(t, {
      async syncFolder(of) {
        await syncFolder(of);
        synced.push(`${of.slice(folder.length)}/ with ${existsSync(join(folder, "bucket/fi/file-1")) ? "it" : "nothing"}`);
      },
    });
    await write("file-1", "text");
    synced.length = 0;
    await bodies.remove("bucket", "file-1");
    assert.deepEqual(synced, ["/bucket/fi/ with nothing"]);
    await bodies.removeOwner("bucket");
    assert.equal(synced.at(-1), "/ with nothing");
  });

  void it("does not disturb who reads", async (t) => {
    const { bodies, write } = await openWorld(t);
    await write("file-1", "x".repeat(1_000_000));
    const stream = await bodies.read("bucket", "file-1", { start: 1, end: 999_998 });
    await bodies.remove("bucket", "file-1");
    assert.equal((await textOf(stream))?.length, 999_998);
  });

  void it("while removals are held leaves what is removed to be read until the last who holds them lets go", async (t) => {
    const { folder, bodies, write, text } = await openWorld(t);
    for (const file of ["file-1", "file-2"]) await write(file, file);
    await write("file-1", "owner's", "second");
    const first = bodies.holdRemovals();
    await bodies.remove("bucket", "file-1");
    const second = bodies.holdRemovals();
    await bodies.removeOwner("second");
    await first();
    assert.deepEqual([await text("file-1"), await text("file-2"), await text("file-1", "second")], ["file-1", "file-2", "owner's"]);
    assert.equal(existsSync(join(folder, "bucket/fi/file-1")) || existsSync(join(folder, "second")), false);
    await second();
    assert.deepEqual([await text("file-1"), await text("file-2"), await text("file-1", "second")], [undefined, "file-2", undefined]);
    assert.deepEqual(readdirSync(join(folder, ".removed")), []);
    await bodies.remove("bucket", "file-2");
    assert.equal(await text("file-2"), undefined);
  });

  void it("that were held when the process was killed are gone at the next opening", async (t) => {
    const { folder, bodies, write } = await openWorld(t);
    await write("file-1", "text");
    bodies.holdRemovals();
    await bodies.remove("bucket", "file-1");
    const again = await openBodyFiles(folder);
    assert.equal(await again.read("bucket", "file-1"), undefined);
    assert.deepEqual(readdirSync(join(folder, ".removed")), []);
  });
});

void describe("the files there are", () => {
  void it("are listed with their owners, and what is no file of ours without", async (t) => {
    const { folder, bodies, write } = await openWorld(t);
    await write("file-1", "text");
    await write("other", "text", "second");
    mkdirSync(join(folder, "bucket/xx"));
    for (const path of ["notes.txt", "bucket/fi/a b", "bucket/xx/file-1"]) writeFileSync(join(folder, path), "");
    const listed = await Array.fromAsync(bodies.list());
    assert.deepEqual(
      new Map(listed.map(({ path, body }) => [path, body && `${body.owner} ${body.file}`])),
      new Map([
        ["bucket/fi/file-1", "bucket file-1"],
        ["second/ot/other", "second other"],
        ["notes.txt", undefined],
        ["bucket/fi/a b", undefined],
        ["bucket/xx/file-1", undefined],
      ]),
    );
    assert.equal(readFileSync(join(folder, "second/ot/other"), "utf8"), "text");
    rmSync(folder, { recursive: true });
  });

  void it("have names that lead nowhere else", async (t) => {
    const { bodies } = await openWorld(t);
    for (const [owner, file] of [
      ["..", "file"],
      ["bucket", "../../root-key"],
      [".incoming", "file"],
      ["bucket", "a"],
      ["bucket", ""],
      ["bucket", "a/b"],
    ] as const)
      await assert.rejects(bodies.read(owner, file), /names no file/);
  });
});
