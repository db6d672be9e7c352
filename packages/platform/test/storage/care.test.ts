/** Verify, backup, restore and sweeping, on a data folder as a server keeps it. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { isLambentError, ManualClock, systemClock, systemSecureRandom } from "../../src/base/index.ts";
import {
  type BlobFolder,
  type BlobReferences,
  type DataFolder,
  type EmbeddedStore,
  lockDataFolder,
  openBlobs,
  openSqliteStore,
  restoreBackup,
  sweepBlobs,
  takeBackup,
  verifyDataFolder,
  verifyKept,
} from "../../src/storage/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const DAY_MS = 86_400_000;
/** Rows of cells `files/…` name a body. */
const REFERENCES: readonly BlobReferences[] = [
  { isIn: (cell) => cell.startsWith("files/"), of: (value) => [Buffer.from(value).toString()] },
];
const failed = (pattern: RegExp) => (error: unknown) => isLambentError(error, "BackupFailed") && pattern.test(error.message);
const put = (cell: string, key: string, value: string) => ({ kind: "put", cell, key, value: Buffer.from(value) }) as const;
const append = (cell: string, value: string) => ({ kind: "append", cell, value: Buffer.from(value) }) as const;

class Kept {
  readonly folder: DataFolder;
  readonly store: EmbeddedStore;
  readonly blobs: BlobFolder;
  readonly clock: ManualClock;

  constructor(folder: DataFolder, store: EmbeddedStore, blobs: BlobFolder, clock: ManualClock) {
    this.folder = folder;
    this.store = store;
    this.blobs = blobs;
    this.clock = clock;
  }

  static async open(path: string): Promise<Kept> {
    const folder = await lockDataFolder(path);
    // Ages are the file system's: the clock begins where it is.
    const clock = new ManualClock(systemClock.now());
    return new Kept(
      folder,
      await openSqliteStore({ file: folder.storeFile }),
      await openBlobs(folder.blobs, systemSecureRandom, clock),
      clock,
    );
  }

  /** A body and, in one of the files' cells, the row that refers to it. */
  async file(name: string, content: string): Promise<string> {
    const { digest } = await this.blobs.put(Buffer.from(content));
    await this.store.commit("files/0", "any", [put("files/0", name, digest)]);
    return digest;
  }

  verify() {
    return verifyKept({ ...this, storeFile: this.folder.storeFile, references: REFERENCES, structure: false });
  }

  sweep(): Promise<number> {
    return sweepBlobs({ ...this, references: REFERENCES });
  }

  backup(target: string) {
    const { store, blobs, clock } = this;
    return takeBackup({ store, blobs, clock, references: REFERENCES, dataFolder: this.folder.path, target, lambentVersion: "1.2.3" });
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.folder.release();
  }
}

/** A data folder with two cells, two bodies and a secret. */
async function filled(t: TestContext): Promise<Kept> {
  const kept = await Kept.open(join(temporaryFolder(t), "data"));
  t.after(() => kept.close());
  await kept.store.commit("a", "any", [
    put("a", "k", "v"),
    append("a", "1"),
    append("a", "2"),
    append("a", "3"),
    { kind: "trim", cell: "a", before: 2 },
  ]);
  await kept.file("one", "the first body");
  await kept.file("two", "the second body");
  writeFileSync(join(kept.folder.path, "cipher-key"), "secret");
  return kept;
}

void test("a whole store is verified through the running server, and again once it is stopped", async (t) => {
  const kept = await filled(t);
  const online = await kept.verify();
  assert.deepEqual(online, { ...online, cells: 2, rows: 5, blobs: 2, unreferencedBlobs: 0, faults: [], faultCount: 0 });
  await assert.rejects(verifyDataFolder(kept.folder.path, REFERENCES), (error) => isLambentError(error, "DataFolderLocked"));
  await kept.close();
  assert.deepEqual((await verifyDataFolder(kept.folder.path, REFERENCES)).faults, []);
});

void test("verify reads beside commits, trims and new cells without taking them for damage", async (t) => {
  const kept = await filled(t);
  let verifying = true;
  const writing = (async () => {
    for (let index = 0; verifying; index++) {
      const cell = `busy/${index % 7}`;
      await kept.store.commit(cell, "any", [
        append(cell, "x".repeat(500)),
        put(cell, `k${index % 50}`, "v"),
        { kind: "trim", cell, before: Math.floor(index / 10) },
      ]);
    }
  })();
  try {
    for (let round = 0; round < 10; round++) assert.deepEqual((await kept.verify()).faults, []);
  } finally {
    verifying = false;
  }
  await writing;
});

void test("a flipped bit is found by verify, which names the cell and stops it, and no other", async (t) => {
  for (const damage of [
    "update state set value = x'00' where cell = 1",
    "update log set value = x'00' where cell = 1 and position = 3",
    "update cell set crc = crc + 1 where id = 1",
    "update head set data = cast(substr(data, 1, 28) || x'ff' || substr(data, 30) as blob)",
  ]) {
    const kept = await filled(t);
    // Damage behind the server's back, in the middle of its life.
    const other = new DatabaseSync(kept.folder.storeFile);
    other.exec(damage);
    other.close();
    const { faults } = await kept.verify();
    assert.deepEqual(
      faults.map(({ kind, name }) => [kind, name]),
      [["cell", "a"]],
      damage,
    );
    await assert.rejects(
      kept.store.commit("a", "any", []),
      (error) => isLambentError(error, "StorageCorrupt") && /Cell a /.test(error.message),
    );
    // The whole cell's commit writes where both stand anew, from memory: that damage is gone then.
    const heals = damage.includes("head");
    if (!heals) assert.equal((await kept.store.commit("files/0", "any", [])).kind, "committed");
    await kept.close();
    assert.ok(
      (await verifyDataFolder(kept.folder.path, REFERENCES)).faults.some(({ name }) => name === "a"),
      damage,
    );
  }
});

void test("a byte of the file that no row is made of is found in the stopped folder", async (t) => {
  const kept = await filled(t);
  await kept.close();
  const database = new DatabaseSync(kept.folder.storeFile);
  database.exec("pragma writable_schema=on; insert into state values(99, x'41', 0, x'42')");
  database.close();
  const { faults } = await verifyDataFolder(kept.folder.path, REFERENCES);
  assert.deepEqual(
    faults.map(({ kind, what }) => [kind, what]),
    [["store", "1 rows of state belong to no cell"]],
  );
});

void test("a store that is cut, emptied or gone is a report that says to restore; its server refuses to start", async (t) => {
  for (const damage of [
    (file: string) => truncateSync(file, statSync(file).size - 4_096),
    (file: string) => truncateSync(file, 0),
    (file: string) => writeFileSync(file, "not a database".repeat(1_000)),
  ]) {
    const kept = await filled(t);
    await kept.close();
    damage(kept.folder.storeFile);
    const { faults } = await verifyDataFolder(kept.folder.path, REFERENCES);
    assert.match(faults[0]?.what ?? "", /lambent restore <backup> --data <folder>/);
    await assert.rejects(
      openSqliteStore({ file: kept.folder.storeFile }),
      (error) => isLambentError(error, "StorageCorrupt") && /lambent restore/.test(error.message),
    );
  }
});

void test("a store that is gone while its write-ahead log is there is not made anew", async (t) => {
  const kept = await filled(t);
  const left = temporaryFolder(t);
  for (const suffix of ["", "-wal"]) cpSync(kept.folder.storeFile + suffix, join(left, `store.db${suffix}`));
  rmSync(join(left, "store.db"));
  await assert.rejects(openSqliteStore({ file: join(left, "store.db") }), (error) => isLambentError(error, "StorageCorrupt"));
});

void test("a body that is missing, changed or no body at all is found, and what refers to it named", async (t) => {
  const kept = await filled(t);
  const gone = await kept.file("three", "gone");
  const changed = await kept.file("four", "changed");
  rmSync(kept.blobs.pathOf(gone));
  appendFileSync(kept.blobs.pathOf(changed), "!");
  writeFileSync(join(kept.folder.blobs, "notes.txt"), "");
  const { faults } = await kept.verify();
  assert.deepEqual(
    new Set(faults.map(({ kind, name }) => `${kind} ${name}`)),
    new Set([`blob ${gone}`, `blob ${changed}`, "blob notes.txt"]),
  );
  assert.match(faults.find(({ name }) => name === gone)?.what ?? "", /cell files\/0 refers to it/);
});

void test("a folder that is none is not made by verifying it", async (t) => {
  const path = join(temporaryFolder(t), "nothing");
  await assert.rejects(verifyDataFolder(path, REFERENCES), (error) => isLambentError(error, "NotFound"));
  assert.equal(existsSync(path), false);
});

void test("a body no row refers to is swept once it is a day old, and no other", async (t) => {
  const kept = await filled(t);
  const { digest: orphan } = await kept.blobs.put(Buffer.from("orphan"));
  assert.equal(await kept.sweep(), 0);
  await kept.clock.advance(DAY_MS + 60_000);
  const { digest: young } = await kept.blobs.put(Buffer.from("orphan, but asked for"));
  assert.equal(await kept.blobs.has(young), true);
  assert.equal(await kept.sweep(), 1);
  assert.equal(existsSync(kept.blobs.pathOf(orphan)), false);
  assert.ok(existsSync(kept.blobs.pathOf(young)));
  assert.deepEqual((await kept.verify()).faults, []);
});

void test("nothing is swept while a cell that may refer to it cannot be read", async (t) => {
  const kept = await filled(t);
  await kept.blobs.put(Buffer.from("orphan"));
  await kept.clock.advance(DAY_MS + 60_000);
  const other = new DatabaseSync(kept.folder.storeFile);
  other.exec("update state set crc = crc + 1 where key = cast('one' as blob)");
  other.close();
  assert.equal(await kept.sweep(), 0);
});

void test("a backup taken beside commits is one moment of all cells, and what is restored from it goes on", async (t) => {
  const kept = await filled(t);
  let copying = true;
  const committed = new Map<string, number>();
  const writing = Array.from({ length: 4 }, async (_, index) => {
    const cell = `count/${index}`;
    for (let count = 1; copying; count++) {
      await kept.store.commit(cell, "any", [put(cell, "count", String(count)), append(cell, "x".repeat(2_000))]);
      committed.set(cell, count);
    }
  });
  for (let turn = 0; turn < 10_000 && committed.size < 4; turn++) await kept.store.commit("a", "any", []);
  const before = new Map(committed);
  const target = join(temporaryFolder(t), "backup");
  const doomed = [...(await Array.fromAsync(kept.blobs.list()))][0]?.digest ?? "";
  const backup = kept.backup(target).finally(() => (copying = false));
  // Row and body go while the copy is made: the copy's rows refer to it.
  for (let turn = 0; turn < 10_000 && !existsSync(`${target}.lambent-incomplete/store.db`); turn++) await kept.store.commit("a", "any", []);
  await kept.blobs.delete(doomed);
  const report = await backup;
  await Promise.all(writing);
  assert.equal(report.blobs, 2);
  assert.equal(readdirSync(join(target, "..")).length, 1);
  assert.equal(existsSync(kept.blobs.pathOf(doomed)), false);
  assert.equal(statSync(target).mode & 0o777, 0o700);

  const path = join(temporaryFolder(t), "restored");
  await restoreBackup(target, path);
  assert.deepEqual((await verifyDataFolder(path, REFERENCES)).faults, []);
  assert.equal(readFileSync(join(path, "cipher-key"), "utf8"), "secret");
  const restored = await Kept.open(path);
  for (const [cell, count] of before) {
    assert.ok((await restored.store.revision(cell)) >= count, `${cell} is older than the backup's beginning`);
    assert.equal(Buffer.from((await restored.store.get(cell, "count")) ?? "").toString(), String(await restored.store.revision(cell)));
  }
  assert.equal(Buffer.from((await restored.store.get("a", "k")) ?? "").toString(), "v");
  assert.equal((await restored.store.commit("a", "any", [append("a", "4")])).kind, "committed");
  assert.ok((await restored.blobs.get(doomed))?.length);
  await restored.close();
});

void test("a second copy at the same time is refused, and the first is not disturbed", async (t) => {
  const kept = await filled(t);
  const folder = temporaryFolder(t);
  // Whichever comes to the copying first.
  const outcomes = await Promise.allSettled([kept.backup(join(folder, "1")), kept.backup(join(folder, "2"))]);
  const made = outcomes.flatMap((outcome, index) => (outcome.status === "fulfilled" ? [String(index + 1)] : []));
  assert.equal(made.length, 1);
  assert.ok(outcomes.some((outcome) => outcome.status === "rejected" && isLambentError(outcome.reason, "Conflict")));
  assert.deepEqual(readdirSync(folder), made);
});

void test("a backup is refused inside the data folder, over other things, and where it cannot be written", async (t) => {
  const kept = await filled(t);
  const full = temporaryFolder(t);
  writeFileSync(join(full, "thesis.txt"), "");
  await assert.rejects(kept.backup(join(kept.folder.path, "backup")), failed(/inside the data folder/));
  await assert.rejects(kept.backup(full), failed(/is not empty/));
  await assert.rejects(kept.backup("/proc/backup"), failed(/cannot be written/));
  assert.deepEqual(readdirSync(full), ["thesis.txt"]);
  assert.equal((await kept.store.commit("a", "any", [])).kind, "committed");
});

void test("what is damaged is not backed up: the cell or the body is named and nothing is left", async (t) => {
  const kept = await filled(t);
  const folder = temporaryFolder(t);
  const body = await kept.file("three", "good");
  writeFileSync(kept.blobs.pathOf(body), "bad");
  const damaged = (name: string) => (error: unknown) => isLambentError(error, "StorageCorrupt") && error.message.includes(name);
  await assert.rejects(kept.backup(join(folder, "b")), damaged(body));
  writeFileSync(kept.blobs.pathOf(body), "good");
  const other = new DatabaseSync(kept.folder.storeFile);
  other.exec("update state set value = x'00' where cell = 1");
  other.close();
  await assert.rejects(kept.backup(join(folder, "b")), damaged("cell a"));
  assert.deepEqual(readdirSync(folder), []);
});

/** A backup of a filled folder. */
async function backedUp(t: TestContext): Promise<string> {
  const kept = await filled(t);
  const target = join(temporaryFolder(t), "backup");
  await kept.backup(target);
  return target;
}

void test("a restore into a folder that holds anything is refused and changes nothing", async (t) => {
  const backup = await backedUp(t);
  const path = temporaryFolder(t);
  writeFileSync(join(path, "thesis.txt"), "");
  await assert.rejects(restoreBackup(backup, path), failed(/is not empty \(it has thesis.txt\)/));
  assert.deepEqual(readdirSync(path), ["thesis.txt"]);
});

void test("a restore that was killed leaves no data folder, and the next one is not hindered", async (t) => {
  const backup = await backedUp(t);
  const path = temporaryFolder(t);
  mkdirSync(join(path, "restoring"));
  writeFileSync(join(path, "restoring", "store.db"), "half");
  await assert.rejects(lockDataFolder(path), (error) => isLambentError(error, "DataFolderUnusable"));
  await restoreBackup(backup, path);
  assert.deepEqual((await verifyDataFolder(path, REFERENCES)).faults, []);
});

void test("a backup that is unfinished, changed, forged or of a newer Lambent is not restored", async (t) => {
  const original = await backedUp(t);
  const body = readdirSync(join(original, "blobs"), { recursive: true, encoding: "utf8" }).find((name) => /[0-9a-f]{64}$/.test(name)) ?? "";
  const rewritten = (change: (manifest: string) => string) => (backup: string) => {
    const path = join(backup, "manifest.json");
    writeFileSync(path, change(readFileSync(path, "utf8")));
  };
  const cases: readonly (readonly [RegExp, (backup: string) => void])[] = [
    [/has no manifest.json/, (backup) => rmSync(join(backup, "manifest.json"))],
    [/store\.db is damaged/, (backup) => appendFileSync(join(backup, "store.db"), "x")],
    [/is damaged/, (backup) => writeFileSync(join(backup, "blobs", body), "x")],
    [/cannot be restored/, (backup) => rmSync(join(backup, "blobs", body))],
    [/does not have its checksum/, rewritten((text) => text.replace(/"takenAt": "2/, '"takenAt": "3'))],
    [/newer Lambent \(1\.2\.3\)/, rewritten((text) => text.replace('"schema": 1', '"schema": 99'))],
    [/newer Lambent/, rewritten((text) => text.replace('"format": 1', '"format": 2'))],
    [/is not JSON/, rewritten((text) => text.slice(10))],
    [/is not what a manifest is/, rewritten(() => "[1]")],
  ];
  for (const [pattern, damage] of cases) {
    const folder = temporaryFolder(t);
    const backup = join(folder, "backup");
    cpSync(original, backup, { recursive: true });
    damage(backup);
    await assert.rejects(restoreBackup(backup, join(folder, "data")), failed(pattern));
    assert.equal(existsSync(join(folder, "data")), false);
    mkdirSync(join(folder, "own"));
    await assert.rejects(restoreBackup(backup, join(folder, "own")), failed(pattern));
    assert.deepEqual(readdirSync(join(folder, "own")), []);
  }
});
