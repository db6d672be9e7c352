/** Verify, backup and restore of objects' files, on a data folder as a server keeps it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFileSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { isLambentError, systemClock, systemSecureRandom } from "../../src/base/index.ts";
import {
  type BlobFolder,
  type BodyFiles,
  type BodyReference,
  type BodyReferences,
  type DataFolder,
  type EmbeddedStore,
  lockDataFolder,
  openBlobs,
  openBodyFiles,
  openSqliteStore,
  restoreBackup,
  takeBackup,
  verifyDataFolder,
  verifyKept,
} from "../../src/storage/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const CELL = "000000000000.us-east-1/objects/photos/b1";
const OWNER = "bucket-1";
/** Rows `k/…` list files as JSON. */
const REFERENCES: readonly BodyReferences[] = [
  {
    isIn: (cell) => cell.includes("/objects/"),
    of: (_cell, key, value) => (key.startsWith("k/") ? (JSON.parse(Buffer.from(value).toString()) as BodyReference[]) : []),
  },
];

class Kept {
  readonly folder: DataFolder;
  readonly store: EmbeddedStore;
  readonly blobs: BlobFolder;
  readonly bodies: BodyFiles;

  constructor(folder: DataFolder, store: EmbeddedStore, blobs: BlobFolder, bodies: BodyFiles) {
    this.folder = folder;
    this.store = store;
    this.blobs = blobs;
    this.bodies = bodies;
  }

  static async open(path: string): Promise<Kept> {
    const folder = await lockDataFolder(path);
    const store = await openSqliteStore({ file: folder.storeFile });
    return new Kept(folder, store, await openBlobs(folder.blobs, systemSecureRandom), await openBodyFiles(folder.objects));
  }

  /** An object, of one file for each of `texts`. */
  async object(key: string, ...texts: readonly string[]): Promise<void> {
    const parts: BodyReference[] = [];
    for (const [index, text] of texts.entries()) {
      const file = `${key}-${index}`;
      await this.bodies.write(OWNER, file, [Buffer.from(text)]);
      parts.push({ owner: OWNER, file, bytes: text.length, md5: createHash("md5").update(text).digest("hex") });
    }
    await this.row(`k/${key}`, JSON.stringify(parts));
  }

  async row(key: string, value: string | undefined): Promise<void> {
    const row = { cell: CELL, key: `own/${key}` };
    await this.store.commit(CELL, "any", [
      value === undefined ? { kind: "delete", ...row } : { kind: "put", ...row, value: Buffer.from(value) },
    ]);
  }

  async text(file: string): Promise<string | undefined> {
    const stream = await this.bodies.read(OWNER, file);
    return stream && Buffer.concat(await stream.toArray()).toString();
  }

  pathOf(file: string): string {
    return join(this.folder.objects, OWNER, file.slice(0, 2), file);
  }

  #parts() {
    return { ...this, references: [], objects: { bodies: this.bodies, references: REFERENCES } };
  }

  verify() {
    return verifyKept({ ...this.#parts(), storeFile: this.folder.storeFile, structure: false });
  }

  backup(target: string) {
    return takeBackup({ ...this.#parts(), dataFolder: this.folder.path, target, lambentVersion: "1.2.3", clock: systemClock });
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.folder.release();
  }
}

/** Two objects in three files, and one file that nothing refers to. */
async function filled(t: TestContext): Promise<Kept> {
  const kept = await Kept.open(join(temporaryFolder(t), "data"));
  t.after(() => kept.close());
  await kept.object("cat-jpg", "a cat");
  await kept.object("film", "part one", "part two!");
  await kept.bodies.write(OWNER, "loose", [Buffer.from("being written")]);
  await kept.row("f/loose", "");
  return kept;
}

void test("objects' files are verified through the running server and in the stopped folder; loose ones are counted only", async (t) => {
  const kept = await filled(t);
  const expected = { objectFiles: 4, objectBytes: 5 + 8 + 9, unreferencedObjectFiles: 1, faults: [], faultCount: 0 };
  const online = await kept.verify();
  assert.deepEqual(online, { ...online, ...expected });
  await kept.close();
  const offline = await verifyDataFolder(kept.folder.path, [], REFERENCES);
  assert.deepEqual(offline, { ...offline, ...expected });
});

void test("an object's file that is missing, cut, changed or no file at all is found, and the row that refers to it named", async (t) => {
  const kept = await filled(t);
  rmSync(kept.pathOf("cat-jpg-0"));
  appendFileSync(kept.pathOf("film-0"), "!");
  writeFileSync(kept.pathOf("film-1"), "part too!");
  writeFileSync(join(kept.folder.objects, "notes.txt"), "");
  mkdirSync(kept.pathOf("unread-0"), { recursive: true });
  await kept.row("k/unread", JSON.stringify([{ owner: OWNER, file: "unread-0", bytes: 1, md5: "" }]));
  const { faults } = await kept.verify();
  const refers = (key: string): string => `row "k/${key}" of cell ${CELL} refers to it`;
  assert.deepEqual(
    new Set(faults.map(({ kind, name, what }) => `${kind} ${name}: ${what}`)),
    new Set([
      "object notes.txt: it is no object's file: nothing of Lambent is called so",
      `object ${OWNER}/cat-jpg-0: it is missing, and ${refers("cat-jpg")}`,
      `object ${OWNER}/film-0: it has 9 bytes instead of 8, and ${refers("film")}`,
      `object ${OWNER}/film-1: it does not have its MD5, and ${refers("film")}`,
      `object ${OWNER}/unread-0: it cannot be read, and ${refers("unread")}`,
    ]),
  );
});

void test("verify reads beside objects that are replaced and removed without taking them for damage", async (t) => {
  const kept = await filled(t);
  let verifying = true;
  const writing = (async () => {
    for (let round = 0; verifying; round++) {
      const key = `busy${round % 5}`;
      const file = `${key}-${round}`;
      await kept.bodies.write(OWNER, file, [Buffer.from(file)]);
      const before = await kept.store.get(CELL, `own/k/${key}`);
      await kept.row(
        `k/${key}`,
        JSON.stringify([{ owner: OWNER, file, bytes: file.length, md5: createHash("md5").update(file).digest("hex") }]),
      );
      if (before)
        for (const { file: replaced } of JSON.parse(Buffer.from(before).toString()) as BodyReference[])
          await kept.bodies.remove(OWNER, replaced);
    }
  })();
  try {
    for (let round = 0; round < 30; round++) assert.deepEqual((await kept.verify()).faults, []);
  } finally {
    verifying = false;
  }
  await writing;
});

void test("a backup has the files of the moment its store was copied, also those that are removed meanwhile, and no others", async (t) => {
  const kept = await filled(t);
  const target = join(temporaryFolder(t), "backup");
  const backup = kept.backup(target);
  // Object and files go while the copy is made: the copy's rows refer to them.
  const copied = `${target}.lambent-incomplete/store.db`;
  for (let turn = 0; turn < 10_000 && !existsSync(copied); turn++) await kept.store.commit("a", "any", []);
  await kept.row("k/film", undefined);
  for (const file of ["film-0", "film-1"]) await kept.bodies.remove(OWNER, file);
  const report = await backup;
  assert.equal(report.objectFiles, 3);
  assert.equal(await kept.text("film-0"), undefined);
  assert.deepEqual((await kept.verify()).faults, []);
  assert.equal(statSync(join(target, "objects", OWNER, "fi/film-0")).mode & 0o777, 0o600);
  assert.equal(existsSync(join(target, "objects", OWNER, "lo/loose")), false);
  assert.equal(existsSync(join(target, "store.db.lock")), false);

  const path = join(temporaryFolder(t), "restored");
  await restoreBackup(target, path);
  const restored = await verifyDataFolder(path, [], REFERENCES);
  assert.deepEqual(restored, { ...restored, objectFiles: 3, objectBytes: 22, unreferencedObjectFiles: 0, faults: [] });
  const again = await Kept.open(path);
  assert.deepEqual([await again.text("film-0"), await again.text("film-1")], ["part one", "part two!"]);
  await again.close();
});

void test("a damaged object's file is not backed up: file, row and cell are named and nothing is left", async (t) => {
  const kept = await filled(t);
  const folder = temporaryFolder(t);
  writeFileSync(kept.pathOf("film-1"), "part too!");
  await assert.rejects(
    kept.backup(join(folder, "backup")),
    (error) =>
      isLambentError(error, "StorageCorrupt") &&
      error.message.includes(`object ${OWNER}/film-1: it does not have its MD5, and row "k/film" of cell ${CELL} refers to it`),
  );
  assert.deepEqual(readdirSync(folder), []);
  // Removals are not held any more.
  await kept.bodies.remove(OWNER, "film-1");
  assert.equal(await kept.text("film-1"), undefined);
});

void test("a backup whose object's file was changed, or that names one elsewhere, is not restored", async (t) => {
  const kept = await filled(t);
  const original = join(temporaryFolder(t), "backup");
  await kept.backup(original);
  const cases: readonly (readonly [RegExp, (backup: string) => void])[] = [
    [/objects\/bucket-1\/fi\/film-0 is damaged/, (backup) => writeFileSync(join(backup, "objects", OWNER, "fi/film-0"), "part 1")],
    [/cannot be restored/, (backup) => rmSync(join(backup, "objects", OWNER, "fi/film-0"))],
    [
      /names a file that no backup has: "objects\/\.\.\/fi\/film-0"/,
      (backup) => {
        const path = join(backup, "manifest.json");
        const read = JSON.parse(readFileSync(path, "utf8").replaceAll(`objects/${OWNER}/fi/film-0`, "objects/../fi/film-0")) as {
          manifest: unknown;
        };
        const sha256 = createHash("sha256").update(JSON.stringify(read.manifest)).digest("hex");
        writeFileSync(path, JSON.stringify({ ...read, sha256 }));
      },
    ],
  ];
  for (const [pattern, damage] of cases) {
    const folder = temporaryFolder(t);
    const backup = join(folder, "backup");
    cpSync(original, backup, { recursive: true });
    damage(backup);
    await assert.rejects(
      restoreBackup(backup, join(folder, "data")),
      (error) => isLambentError(error, "BackupFailed") && pattern.test(error.message),
    );
    assert.equal(existsSync(join(folder, "data")), false);
  }
});
