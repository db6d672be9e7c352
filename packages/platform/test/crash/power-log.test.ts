import assert from "node:assert/strict";
import { test } from "node:test";
import { seededRandom } from "../../src/base/index.ts";
import { PowerDisk, type PowerRecord } from "./power-log.ts";

const FOLDER = "/data";
const CUTS = 200;

/** Every disk, as one line, that a cut behind these records was seen to leave. */
function cutsOf(...records: readonly (Partial<PowerRecord> & Pick<PowerRecord, "operation" | "path">)[]): Set<string> {
  const disk = new PowerDisk(FOLDER);
  for (const record of records) disk.apply({ inode: 1, offset: 0, from: "", bytes: Buffer.alloc(0), ...record });
  const random = seededRandom(1);
  return new Set(
    Array.from({ length: CUTS }, () =>
      [...disk.cut(random)]
        .map(([path, content]) => `${path}=${content.toString("latin1").replaceAll(/(.)\1{99,}/gu, "$1…")}`)
        .toSorted()
        .join(" "),
    ),
  );
}

const created = { operation: "C", path: "/data/a" } as const;
const wrote = (text: string, offset = 0) => ({ operation: "W", path: "/data/a", offset, bytes: Buffer.from(text) }) as const;
const synced = (path = "/data/a", inode = 1) => ({ operation: "S", path, inode }) as const;
const folderSynced = synced("/data", 99);

test("what was synced is there, name and content", () => {
  assert.deepEqual(cutsOf(created, wrote("one"), synced(), folderSynced), new Set(["/data/a=one"]));
});

test("what was not synced is there or not", () => {
  assert.deepEqual(cutsOf(created, wrote("one"), synced(), folderSynced, wrote("two", 3)), new Set(["/data/a=one", "/data/a=onetwo"]));
  assert.deepEqual(cutsOf(created, wrote("one"), synced()), new Set(["", "/data/a=one"]));
});

test("a write of several pages may be torn", () => {
  const pages = "x".repeat(4_096) + "y".repeat(4_096);
  const zeros = "\0…";
  assert.deepEqual(
    cutsOf(created, synced(), folderSynced, wrote(pages)),
    new Set(["/data/a=", "/data/a=x…", `/data/a=${zeros}y…`, "/data/a=x…y…"]),
  );
});

test("a failed sync drops what was written, and the next one does not bring it back", () => {
  const failed = { operation: "F", path: "/data/a" } as const;
  assert.deepEqual(cutsOf(created, wrote("one"), failed, wrote("two", 3), synced(), folderSynced), new Set(["/data/a=\0\0\0two"]));
});

test("a rename is there or not until its folder is synced, and never half", () => {
  const renamed = { operation: "R", path: "/data/b", from: "/data/a" } as const;
  const before = [created, wrote("one"), synced(), folderSynced, renamed];
  assert.deepEqual(cutsOf(...before), new Set(["/data/a=one", "/data/b=one"]));
  assert.deepEqual(cutsOf(...before, folderSynced), new Set(["/data/b=one"]));
});

test("what is in a folder whose own name was not synced may be gone with it", () => {
  const made = { operation: "M", path: "/data/sub", inode: 7 } as const;
  const inside = { operation: "C", path: "/data/sub/a" } as const;
  assert.deepEqual(cutsOf(made, inside, synced("/data/sub", 7)), new Set(["", "/data/sub/a="]));
  assert.deepEqual(cutsOf(made, inside, synced("/data/sub", 7), folderSynced), new Set(["/data/sub/a="]));
});

test("a number that was given to another file has nothing of the first", () => {
  const removed = { operation: "U", path: "/data/a" } as const;
  assert.deepEqual(
    cutsOf(created, wrote("one"), synced(), folderSynced, removed, { ...created, path: "/data/b" }, folderSynced),
    new Set(["/data/b="]),
  );
});
