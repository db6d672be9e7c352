import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { lockDataFolder } from "../../src/storage/index.ts";
import { mountedFileSystem, nameInMountTable, unusableFileSystem } from "../../src/storage/data-folder/file-systems.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const lockedBy = (pid: number) => (error: unknown) =>
  isLambentError(error, "DataFolderLocked") && error.message.includes(`process id ${pid}`) && error.details["pid"] === pid;
const unusable = (pattern: RegExp) => (error: unknown) => isLambentError(error, "DataFolderUnusable") && pattern.test(error.message);

void test("a new data folder is laid out, private, and free again after release", async (t) => {
  const path = join(temporaryFolder(t), "deep", "data");
  const folder = await lockDataFolder(path);
  assert.deepEqual(readdirSync(path).sort(), ["blobs", "format", "lock", "logs", "objects", "slots", "tmp"]);
  assert.equal(statSync(path).mode & 0o777, 0o700);
  assert.equal(folder.storeFile, join(path, "store.db"));
  await folder.release();
  assert.equal(existsSync(join(path, "lock")), false);
  await (await lockDataFolder(path)).release();
});

void test("a place where nobody can make a folder is refused at once, not tried for ever", async () => {
  for (const path of ["/proc/lambent-test", "/proc/lambent-test/deep/data"])
    await assert.rejects(
      lockDataFolder(path),
      unusable(/\/proc\/lambent-test cannot be used: ENOENT|\/proc\/lambent-test\/deep\/data cannot be used: ENOENT/),
    );
});

void test("a first start that was killed before the folder had its format does not hinder the next", async (t) => {
  const path = temporaryFolder(t);
  writeFileSync(join(path, "format.new"), "lamb");
  await (await lockDataFolder(path)).release();
  assert.equal(readFileSync(join(path, "format"), "utf8"), "lambent data folder 1\n");
  assert.equal(existsSync(join(path, "format.new")), false);
});

void test("a second server on the folder is refused, naming the first's process id", async (t) => {
  const path = temporaryFolder(t);
  const folder = await lockDataFolder(path);
  await assert.rejects(lockDataFolder(path), lockedBy(process.pid));
  await folder.release();
});

void test("a live process of another program holds its lock; once it is gone the lock is taken over", async (t) => {
  const path = temporaryFolder(t);
  const holder = spawn("sleep", ["60"]);
  await once(holder, "spawn");
  const pid = holder.pid as number;
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  writeFileSync(join(path, "lock"), `${pid} ${stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19]}\n`);
  await assert.rejects(lockDataFolder(path), lockedBy(pid));
  holder.kill("SIGKILL");
  await once(holder, "exit");
  const folder = await lockDataFolder(path);
  assert.ok(readFileSync(join(path, "lock"), "utf8").startsWith(`${process.pid} `));
  await folder.release();
});

void test("a process id that was given to another process since does not hold the lock", async (t) => {
  const path = temporaryFolder(t);
  writeFileSync(join(path, "lock"), `${process.pid} 1\n`);
  await (await lockDataFolder(path)).release();
});

void test("an empty or garbled lock file is nobody's", async (t) => {
  const path = temporaryFolder(t);
  for (const text of ["", "garbage\n", "-1 1\n", "0 0\n"]) {
    writeFileSync(join(path, "lock"), text);
    await (await lockDataFolder(path)).release();
  }
});

void test("of many that find a stale lock at once, exactly one gets the folder", async (t) => {
  const path = temporaryFolder(t);
  const gone = spawnSync("true").pid;
  for (let round = 0; round < 5; round++) {
    writeFileSync(join(path, "lock"), `${gone} 1\n`);
    const results = await Promise.allSettled(Array.from({ length: 4 }, () => lockDataFolder(path)));
    const taken = results.filter((result) => result.status === "fulfilled");
    assert.equal(taken.length, 1);
    await taken[0]?.value.release();
  }
});

void test("a folder that is somebody's is not used, nor one of a newer format", async (t) => {
  const path = temporaryFolder(t);
  writeFileSync(join(path, "thesis.txt"), "");
  await assert.rejects(lockDataFolder(path), unusable(/is not empty and is no Lambent data folder/));
  assert.deepEqual(readdirSync(path), ["thesis.txt"]);
  writeFileSync(join(path, "format"), "lambent data folder 7\n");
  await assert.rejects(lockDataFolder(path), unusable(/format 7, and this Lambent reads up to 1/));
  writeFileSync(join(path, "format"), "\u0000\u0001");
  await assert.rejects(lockDataFolder(path), unusable(/unreadable format file/));
});

void test("a data folder that is a file is refused with the reason", async (t) => {
  const path = join(temporaryFolder(t), "file");
  writeFileSync(path, "");
  await assert.rejects(lockDataFolder(path), unusable(/cannot be used/));
  mkdirSync(`${path}2`);
});

void test("network file systems are refused and local ones are not", () => {
  assert.equal(unusableFileSystem(0x6969, "nfs4"), "NFS");
  assert.match(unusableFileSystem(0x01021997, "9p") ?? "", /WSL/);
  // CIFS as a signed 32-bit number, as some kernels' interfaces give it.
  assert.equal(unusableFileSystem(0xff534d42 | 0, "cifs"), "CIFS");
  for (const local of [0xef53, 0x58465342, 0x9123683e, 0x01021994]) assert.equal(unusableFileSystem(local, "whatever"), undefined);
});

void test("FUSE file systems are refused by name, except those that keep their files on this machine", () => {
  const fuse = 0x65735546;
  assert.match(unusableFileSystem(fuse, "fuse.sshfs") ?? "", /^fuse\.sshfs/);
  assert.match(unusableFileSystem(fuse, undefined) ?? "", /^a FUSE file system/);
  for (const local of ["fuse.fuse-overlayfs", "fuseblk"]) assert.equal(unusableFileSystem(fuse, local), undefined);
});

void test("a folder's file system is named as the mount table has it for its device", async () => {
  const table = "36 35 0:42 / /far rw shared:1 - fuse.sshfs me@far: rw\n37 35 259:65537 / /near rw - ext4 /dev/nvme0n1 rw\n";
  assert.equal(nameInMountTable(table, 42), "fuse.sshfs");
  // 259 and 65537: both parts pass the eight bits they had once.
  assert.equal(nameInMountTable(table, 1 + 259 * 2 ** 8 + 2 ** 16 * 2 ** 12), "ext4");
  assert.equal(nameInMountTable(table, 7), undefined);
  assert.equal(typeof (await mountedFileSystem(statSync("/proc").dev)), "string");
});
