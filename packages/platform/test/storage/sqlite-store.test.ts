import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test, type TestContext } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { COMMIT_BYTES_MAX, openSqliteStore, type Store } from "../../src/storage/index.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const append = (cell: string, size: number) => ({ kind: "append", cell, value: new Uint8Array(size) }) as const;
const put = (cell: string, key: string, value: string) => ({ kind: "put", cell, key, value: Buffer.from(value) }) as const;

/** Fills a store, closes it, lets `damage` at its tables, and opens it again. */
async function reopenedAfter(test: TestContext, damage: (database: DatabaseSync, file: string) => void): Promise<Store> {
  const file = join(temporaryFolder(test), "store.db");
  const store = await openSqliteStore({ file });
  for (const cell of ["hurt", "whole"])
    await store.commit(cell, "any", [put(cell, "a", "1"), put(cell, "b", "2"), append(cell, 10), append(cell, 20)]);
  await store.close();
  const database = new DatabaseSync(file);
  damage(database, file);
  database.close();
  const again = await openSqliteStore({ file });
  test.after(() => again.close());
  return again;
}

const corrupt = (error: unknown): boolean => isLambentError(error, "StorageCorrupt") && /hurt/.test(error.message);

void test("P1: everything acknowledged before a SIGKILL is there afterwards, without gaps", async (t) => {
  const file = join(temporaryFolder(t), "store.db");
  for (const acknowledgements of [1, 400]) {
    const child = spawn(process.execPath, [join(import.meta.dirname, "commit-until-killed.ts"), file], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let output = "";
    for await (const chunk of child.stdout) {
      output += String(chunk);
      if (output.split("\n").length > acknowledgements && !child.killed) child.kill("SIGKILL");
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    const acknowledged = new Map<string, number>();
    for (const line of output.split("\n").slice(0, -1)) acknowledged.set(line.split(" ")[0] ?? "", Number(line.split(" ")[1]));
    const store = await openSqliteStore({ file });
    for (const [cell, count] of acknowledged) {
      assert.ok((await store.revision(cell)) >= count, `${cell} lost commits: ${count} were acknowledged`);
      const kept = Number(String(Buffer.from((await store.get(cell, "count")) ?? "")).split(" ")[1]);
      assert.ok(kept >= count);
    }
    const cells = await store.cells({ prefix: "", limit: 100 });
    for (const cell of cells) await store.commit(cell, "any", [{ kind: "trim", cell, before: 1_000_000 }]);
    await store.close();
  }
});

void test("a flipped bit in a state row stops that cell by name when it is read, and no other", async (t) => {
  const store = await reopenedAfter(t, (database) =>
    database.exec("update state set value = x'31ff' where cell = 1 and key = cast('a' as blob)"),
  );
  assert.equal(String(Buffer.from((await store.get("hurt", "b")) ?? "")), "2");
  await assert.rejects(store.get("hurt", "a"), corrupt);
  await assert.rejects(store.commit("hurt", "any", [put("hurt", "c", "3")]), corrupt);
  await assert.rejects(store.list("hurt", { prefix: "", limit: 10 }), corrupt);
  assert.deepEqual(
    (await store.list("whole", { prefix: "", limit: 10 })).map((row) => row.key),
    ["a", "b"],
  );
  assert.equal((await store.commit("whole", "any", [])).kind, "committed");
});

void test("a flipped bit in a state row is found by a list, which names the row", async (t) => {
  const store = await reopenedAfter(t, (database) =>
    database.exec("update state set value = x'31ff' where cell = 1 and key = cast('b' as blob)"),
  );
  assert.deepEqual(
    (await store.list("hurt", { prefix: "a", limit: 10 })).map((row) => row.key),
    ["a"],
  );
  await assert.rejects(store.list("hurt", { prefix: "", limit: 10 }), /its row "b" does not have its checksum/);
});

void test("a row that turns up under another key or in another cell is found out", async (t) => {
  const store = await reopenedAfter(t, (database) => {
    database.exec("delete from state where cell = 1 and key = cast('b' as blob)");
    database.exec("update state set key = cast('b' as blob) where cell = 1");
  });
  await assert.rejects(store.get("hurt", "b"), corrupt);
});

void test("a flipped bit in a log row is found when it is read", async (t) => {
  const store = await reopenedAfter(t, (database) => database.exec("update log set value = x'00' where cell = 1 and position = 2"));
  assert.equal((await store.read("hurt", 1, 1)).length, 1);
  await assert.rejects(store.read("hurt", 1, 10), corrupt);
});

void test("a missing log row, a wrong head and a wrong name are found at open, and name their cell", async (t) => {
  for (const damage of [
    "delete from log where cell = 1 and position = 1",
    "delete from log where cell = 1 and position = 2",
    // One byte of the head of cell 1, which begins at byte 29 of its block.
    "update head set data = cast(substr(data, 1, 28) || x'ff' || substr(data, 30) as blob)",
    "update cell set crc = crc + 1 where id = 1",
  ]) {
    const store = await reopenedAfter(t, (database) => database.exec(damage));
    await assert.rejects(store.get("hurt", "a"), corrupt, damage);
    assert.equal((await store.read("whole", 1, 10)).length, 2);
  }
});

void test("a store of a newer Lambent is refused", async (t) => {
  await assert.rejects(
    reopenedAfter(t, (database) => database.exec("update header set version = 99")),
    (error) => isLambentError(error, "DataFolderUnusable") && /schema version 99; this Lambent reads up to 1/.test(error.message),
  );
});

void test("a store of an older Lambent is brought up to date, and what it was is kept beside it", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "store.db");
  const old = new DatabaseSync(file);
  old.exec("pragma journal_mode=wal; create table header(format text not null, version integer not null)");
  old.exec("insert into header values('lambent store', 0)");
  old.close();
  // A copy that an earlier attempt was killed in.
  writeFileSync(`${file}.copying`, "half");
  const store = await openSqliteStore({ file });
  assert.equal((await store.commit("a", 0, [put("a", "k", "v")])).kind, "committed");
  await store.close();
  assert.deepEqual(readdirSync(folder).sort(), ["store.db", "store.db.lock", "store.db.version-0"]);
  const versionOf = (path: string): unknown => {
    const database = new DatabaseSync(path);
    try {
      return database.prepare("select version from header").get()?.["version"];
    } finally {
      database.close();
    }
  };
  assert.equal(versionOf(file), 1);
  assert.equal(versionOf(`${file}.version-0`), 0);
});

void test("what a killed process left in the write-ahead log is in the database before the next one writes", async (t) => {
  const file = join(temporaryFolder(t), "store.db");
  const child = spawn(process.execPath, [join(import.meta.dirname, "commit-until-killed.ts"), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  child.kill("SIGKILL");
  await once(child, "close");
  assert.ok(statSync(`${file}-wal`).size > 0);
  // Somebody looks into it: then its log cannot begin anew.
  const reader = new DatabaseSync(file);
  reader.exec("begin; select count(*) from header");
  await assert.rejects(
    openSqliteStore({ file }),
    (error) => isLambentError(error, "DataFolderLocked") && /another program/.test(error.message),
  );
  reader.close();
  const store = await openSqliteStore({ file });
  assert.equal(statSync(`${file}-wal`).size, 0);
  assert.ok((await store.cells({ prefix: "cell-", limit: 100 })).length > 0);
  await store.close();
});

void test("a store that another process has open is refused, also to one that cannot see that process; a killed one leaves it free", async (t) => {
  const file = join(temporaryFolder(t), "store.db");
  const child = spawn(process.execPath, [join(import.meta.dirname, "commit-until-killed.ts"), file], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  await assert.rejects(
    openSqliteStore({ file }),
    (error) => isLambentError(error, "DataFolderLocked") && /another process/.test(error.message),
  );
  child.stdout.resume();
  child.kill("SIGKILL");
  await once(child, "close");
  const store = await openSqliteStore({ file });
  await assert.rejects(openSqliteStore({ file }), (error) => isLambentError(error, "DataFolderLocked"));
  await store.close();
  await (await openSqliteStore({ file })).close();
});

void test("an emptied, a truncated and a foreign store are refused with the remedy", async (t) => {
  for (const damage of [
    (file: string) => truncateSync(file),
    (file: string) => truncateSync(file, statSync(file).size - 4_096),
    (file: string) => writeFileSync(file, "not a database at all".repeat(1_000)),
  ]) {
    const file = join(temporaryFolder(t), "store.db");
    const store = await openSqliteStore({ file });
    await store.commit("a", "any", [append("a", 10)]);
    await store.close();
    damage(file);
    await assert.rejects(
      openSqliteStore({ file }),
      (error) => isLambentError(error, "StorageCorrupt") && /Restore a backup/.test(error.message),
    );
  }
});

/** Names of this process's threads. */
function threadNames(): string[] {
  return readdirSync("/proc/self/task").map((id) => {
    try {
      return readFileSync(`/proc/self/task/${id}/comm`, "utf8").trim();
    } catch {
      // Ended since it was listed.
      return "";
    }
  });
}

void test("the reader's thread starts with the first read in the middle of writing, and not before", async (t) => {
  const store = await openSqliteStore({ file: join(temporaryFolder(t), "store.db") });
  t.after(() => store.close());
  const text = async (cell: string): Promise<string> => String(Buffer.from((await store.get(cell, "key")) ?? ""));
  await store.commit("a", "any", [put("a", "key", "1")]);
  assert.equal(await text("a"), "1");
  assert.ok(!threadNames().includes("storage reader"));
  const writing = store.commit("a", "any", [put("a", "key", "2")]);
  assert.match(await text("a"), /^[12]$/);
  assert.ok(threadNames().includes("storage reader"));
  await writing;
  assert.equal(await text("a"), "2");
});

void test("a start killed while it made the store leaves nothing that hinders the next", async (t) => {
  const file = join(temporaryFolder(t), "store.db");
  appendFileSync(`${file}.new`, "half a database");
  const store = await openSqliteStore({ file });
  assert.equal((await store.commit("a", 0, [])).kind, "committed");
  await store.close();
});

void test("a full disk stops acknowledging for good; what was acknowledged can still be read", async (t) => {
  const file = join(temporaryFolder(t), "store.db");
  const store = await openSqliteStore({ file, bytesMax: 1024 * 1024 });
  await store.commit("a", "any", [put("a", "k", "kept")]);
  const stopped = (error: unknown): boolean => isLambentError(error, "StorageStopped");
  const results = await Promise.allSettled(Array.from({ length: 4 }, () => store.commit("a", "any", [append("a", 900_000)])));
  assert.ok(results.every((result) => result.status === "fulfilled" || stopped(result.reason)));
  assert.ok(results.some((result) => result.status === "rejected"));
  await assert.rejects(store.commit("b", "any", [append("b", 1)]), stopped);
  assert.equal(String(Buffer.from((await store.get("a", "k")) ?? "")), "kept");
  await store.close();
  const again = await openSqliteStore({ file });
  assert.equal(await again.revision("a"), 1 + results.filter((result) => result.status === "fulfilled").length);
  await again.close();
});

void test("P7: commits over the pending bound are refused as busy, and those taken are kept", async (t) => {
  const store = await openSqliteStore({ file: join(temporaryFolder(t), "store.db") });
  const value = new Uint8Array(COMMIT_BYTES_MAX - 100);
  const results = await Promise.allSettled(
    Array.from({ length: 20 }, () => store.commit("a", "any", [{ kind: "put", cell: "a", key: "k", value }])),
  );
  const refused = results.filter((result) => result.status === "rejected");
  assert.equal(refused.length, 4);
  assert.ok(refused.every((result) => isLambentError(result.reason, "StorageBusy")));
  assert.equal(await store.revision("a"), 16);
  await store.close();
});

void test("a log trimmed while it is read answers with what is kept", async (t) => {
  const store = await openSqliteStore({ file: join(temporaryFolder(t), "store.db") });
  await store.commit(
    "x",
    "any",
    Array.from({ length: 400 }, () => append("x", 1_000)),
  );
  const reading = Array.from({ length: 30 }, async () => {
    const rows = await store.read("x", 1, 1_000);
    assert.deepEqual(
      rows.map((row) => row.position),
      rows.map((_, index) => (rows[0]?.position ?? 0) + index),
    );
  });
  const trimming = Array.from({ length: 40 }, (_, index) =>
    store.commit("x", "any", [{ kind: "trim", cell: "x", before: (index + 1) * 10 }]),
  );
  await Promise.all([...reading, ...trimming]);
  assert.deepEqual(
    (await store.read("x", 1, 1_000)).map((row) => row.position),
    [400],
  );
  await store.close();
});
