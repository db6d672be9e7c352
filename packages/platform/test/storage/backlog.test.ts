import assert from "node:assert/strict";
import { test } from "node:test";
import { Backlog, STORAGE_PENDING_OPS_MAX, type Command } from "../../src/storage/sqlite/backlog.ts";
import { decideCheckpoint, WAL_BYTES_MAX, WAL_HELD_BYTES_MAX, WAL_SOFT_BYTES } from "../../src/storage/sqlite/checkpoints.ts";
import { CellDirectory } from "../../src/storage/sqlite/owned-cell.ts";
import { isLambentError } from "../../src/base/index.ts";
import type { CommitClass } from "../../src/storage/index.ts";

const KIB = 1_024;
const directory = new CellDirectory();

function command(cell: string, commitClass: CommitClass, weight: number, ops = 1): Command {
  const op = { kind: "append", cell, value: new Uint8Array(0) } as const;
  return {
    cell: directory.findOrMake(cell),
    expected: "any",
    ops: Array.from({ length: ops }, () => op),
    weight,
    commitClass,
    resolve: () => undefined,
    reject: () => undefined,
  };
}
const names = (commands: readonly Command[]): string[] => commands.map((one) => one.cell.key);

void test("a large log commit goes with every third transaction beside interactive work, not with each", () => {
  const backlog = new Backlog();
  for (let index = 0; index < 10; index++) backlog.push(command("bulk", "log", 512 * KIB));
  const withBulk: boolean[] = [];
  for (let turn = 0; turn < 9; turn++) {
    backlog.push(command("fast", "interactive", KIB));
    withBulk.push(names(backlog.take()).includes("bulk"));
  }
  assert.deepEqual(withBulk, [false, false, true, false, false, true, false, true, false]);
});

void test("log work alone is not held back, and does not pay for it later", () => {
  const backlog = new Backlog();
  for (let index = 0; index < 6; index++) backlog.push(command("bulk", "log", 512 * KIB));
  assert.equal(backlog.take().length, 2);
  assert.equal(backlog.take().length, 2);
  backlog.push(command("fast", "interactive", KIB));
  assert.deepEqual(names(backlog.take()), ["fast"]);
});

void test("maintenance moves on under constant interactive and log work", () => {
  const backlog = new Backlog();
  backlog.push(command("tidy", "maintenance", 100 * KIB));
  for (let turn = 1; ; turn++) {
    assert.ok(turn <= 2, "maintenance starves");
    backlog.push(command("fast", "interactive", KIB));
    backlog.push(command("log", "log", KIB));
    if (names(backlog.take()).includes("tidy")) break;
  }
});

void test("commands of a cell keep their order: an urgent one lifts those before it", () => {
  const backlog = new Backlog();
  const first = command("cell", "maintenance", 300 * KIB);
  const second = command("cell", "interactive", KIB);
  backlog.push(first);
  backlog.push(second);
  assert.deepEqual(backlog.take(), [first, second]);
  assert.ok(backlog.isEmpty);
});

void test("one commit of a cell holds at most 500 ops; the rest follows after the other cells' turn", () => {
  const backlog = new Backlog();
  for (let index = 0; index < 3; index++) backlog.push(command("hot", "interactive", KIB, 250));
  backlog.push(command("other", "interactive", KIB));
  assert.deepEqual(names(backlog.take()), ["hot", "hot", "other"]);
  assert.deepEqual(names(backlog.take()), ["hot"]);
});

void test("P7: the bound counts what waits and lets go of what was taken", () => {
  const backlog = new Backlog();
  for (let index = 0; index < STORAGE_PENDING_OPS_MAX / 256; index++) backlog.push(command(`cell-${index}`, "interactive", KIB, 256));
  assert.throws(
    () => backlog.admit(1, KIB),
    (error) => isLambentError(error, "StorageBusy"),
  );
  backlog.take();
  backlog.admit(1, KIB);
});

void test("the write-ahead log is copied beside commits, and begun anew only when little is left or at its bound", () => {
  const frames = (bytes: number): number => Math.ceil(bytes / 4_120);
  const decide = (bytes: number, copied: number, copying = false) =>
    decideCheckpoint({ frames: frames(bytes), copiedFrames: frames(copied), copying, bytesMax: WAL_BYTES_MAX, held: false });
  const mib = KIB * KIB;
  assert.deepEqual(decide(mib, 0), { restart: false, copy: false });
  assert.deepEqual(decide(4 * mib, 0), { restart: false, copy: true });
  assert.deepEqual(decide(4 * mib, 0, true), { restart: false, copy: false });
  assert.deepEqual(decide(WAL_SOFT_BYTES + mib, WAL_SOFT_BYTES), { restart: true, copy: false });
  assert.deepEqual(decide(WAL_SOFT_BYTES + mib, 0), { restart: false, copy: true });
  assert.deepEqual(decide(WAL_SOFT_BYTES + mib, WAL_SOFT_BYTES, true), { restart: false, copy: false });
  assert.deepEqual(decide(WAL_BYTES_MAX + mib, 0, true), { restart: true, copy: false });
});

void test("while a backup reads, the write-ahead log is not begun anew; behind it, its backlog is copied beside commits first", () => {
  const log = { frames: 100_000, copiedFrames: 0, copying: false, bytesMax: WAL_HELD_BYTES_MAX };
  assert.ok(log.frames * 4_120 > WAL_BYTES_MAX);
  assert.deepEqual(decideCheckpoint({ ...log, held: true }), { restart: false, copy: true });
  assert.deepEqual(decideCheckpoint({ ...log, held: false }), { restart: false, copy: true });
  assert.deepEqual(decideCheckpoint({ ...log, copiedFrames: 99_900, held: false }), { restart: true, copy: false });
  assert.deepEqual(decideCheckpoint({ ...log, copiedFrames: 99_900, held: true }), { restart: false, copy: false });
});
