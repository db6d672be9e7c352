import assert from "node:assert/strict";
import { describe, test, type TestContext } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { COMMIT_BYTES_MAX, OPS_PER_COMMIT_MAX, READ_BYTES_MAX, READ_KEYS_MAX, type Op, type Store } from "../../src/storage/index.ts";

/** Opens stores on one place; closing and opening again finds what was committed. */
export interface StorePlace {
  open(): Promise<Store>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined => (value ? new TextDecoder().decode(value) : undefined);
const put = (cell: string, key: string, value: string): Op => ({ kind: "put", cell, key, value: bytes(value) });
const append = (cell: string, value: string): Op => ({ kind: "append", cell, value: bytes(value) });

/** What every engine keeps (ARCHITECTURE.md §5). */
export function storageContract(engine: string, place: (test: TestContext) => StorePlace): void {
  describe(`storage contract: ${engine}`, () => {
    /** Runs `body` on an open store and closes it. */
    const on = (name: string, body: (store: Store, at: StorePlace) => Promise<void>): void => {
      void test(name, async (t) => {
        const at = place(t);
        const store = await at.open();
        t.after(() => store.close());
        await body(store, at);
      });
    };
    stateContract(on);
    logContract(on);
    revisionContract(on);
    refusalContract(on);
    closingContract(on);
  });
}

type On = (name: string, body: (store: Store, at: StorePlace) => Promise<void>) => void;

function stateContract(on: On): void {
  on("what was put is read, replaced and deleted", async (store) => {
    await store.commit("a/1", "any", [put("a/1", "k", "one"), put("a/1", "other", "")]);
    assert.equal(text(await store.get("a/1", "k")), "one");
    assert.equal(text(await store.get("a/1", "other")), "");
    await store.commit("a/1", "any", [
      put("a/1", "k", "two"),
      { kind: "delete", cell: "a/1", key: "other" },
      { kind: "delete", cell: "a/1", key: "never" },
    ]);
    assert.equal(text(await store.get("a/1", "k")), "two");
    assert.equal(await store.get("a/1", "other"), undefined);
    assert.equal(await store.get("b/1", "k"), undefined);
  });

  on("ops of one commit act in their order", async (store) => {
    await store.commit("a", "any", [put("a", "k", "1"), { kind: "delete", cell: "a", key: "k" }, put("a", "k", "2")]);
    assert.equal(text(await store.get("a", "k")), "2");
    await store.commit("a", "any", [put("a", "k", "3"), { kind: "delete", cell: "a", key: "k" }]);
    assert.equal(await store.get("a", "k"), undefined);
  });

  on("of keys that are alike up to a delimiter behind the prefix only the first is listed, if so asked", async (store) => {
    const keys = ["k/a", "k/a/1", "k/a/2", "k/b/1", "k/b/1/2", "k/bé/1", "k/bé/2", "k/c", "k/é", "k/\u{10000}/1", "k/\u{10000}/2", "l/a"];
    await store.commit(
      "c",
      "any",
      keys.map((key) => put("c", key, key)),
    );
    const list = async (prefix: string, limit: number, after?: string): Promise<string[]> =>
      (await store.list("c", { prefix, delimiter: "/", limit, ...(after === undefined ? {} : { after }) })).map((row) => row.key);
    assert.deepEqual(await list("", 100), ["k/a", "l/a"]);
    const firsts = ["k/a", "k/a/1", "k/b/1", "k/bé/1", "k/c", "k/é", "k/\u{10000}/1"];
    assert.deepEqual(await list("k/", 100), firsts);
    assert.deepEqual(await list("k/", 3), firsts.slice(0, 3));
    assert.deepEqual(await list("k/", 2, "k/a"), firsts.slice(1, 3));
    assert.deepEqual(await list("k/", 2, "k/a/1"), ["k/a/2", "k/b/1"], "behind a key, what is alike with it is told again");
    assert.deepEqual(await list("k/b/", 100), ["k/b/1", "k/b/1/2"]);
    const byWord = (await store.list("c", { prefix: "k/", delimiter: "é/", limit: 2, after: "k/b/1" })).map((row) => row.key);
    assert.deepEqual(byWord, ["k/b/1/2", "k/bé/1"]);
  });

  on("rows are listed in the order of their keys' UTF-8 bytes, by prefix, behind a key, to a limit", async (store) => {
    const keys = ["a", "ab", "b", "a\u0000", "a\uFFFF", "a\u{10000}", "aé", "a/1", "a/10", "a/2"];
    await store.commit(
      "c",
      "any",
      keys.map((key) => put("c", key, key)),
    );
    const sorted = keys.toSorted((left, right) => Buffer.compare(Buffer.from(left), Buffer.from(right)));
    const list = async (prefix: string, limit: number, after?: string): Promise<string[]> =>
      (await store.list("c", { prefix, limit, ...(after === undefined ? {} : { after }) })).map((row) => row.key);
    assert.deepEqual(await list("", 100), sorted);
    assert.deepEqual(await list("a/", 100), ["a/1", "a/10", "a/2"]);
    assert.deepEqual(await list("a/", 100, "a/1"), ["a/10", "a/2"]);
    assert.deepEqual(await list("a/", 1, "a/1"), ["a/10"]);
    assert.deepEqual(await list("a/", 100, "A"), ["a/1", "a/10", "a/2"]);
    assert.deepEqual(await list("a/", 100, "b"), []);
    assert.deepEqual(
      await list("a", 100),
      sorted.filter((key) => key.startsWith("a")),
    );
    assert.deepEqual(
      (await store.list("c", { prefix: "b", limit: 5 })).map((row) => text(row.value)),
      ["b"],
    );
  });

  on("several keys are read in the order they are asked for, absent ones and those asked for twice too", async (store) => {
    await store.commit("a", "any", [put("a", "x", "1"), put("a", "é", ""), put("a", "z", "3")]);
    const getAll = async (cell: string, keys: readonly string[]) => (await store.getAll(cell, keys)).map(text);
    assert.deepEqual(await getAll("a", ["z", "never", "é", "x"]), ["3", undefined, "", "1"]);
    assert.deepEqual(await getAll("a", ["x", "x"]), ["1", "1"]);
    assert.deepEqual(await getAll("a", []), []);
    assert.deepEqual(await getAll("never", ["x", "z"]), [undefined, undefined]);
    const most = Array.from({ length: READ_KEYS_MAX }, (_, index) => `most${index}`);
    await store.commit(
      "a",
      "any",
      most.map((key) => put("a", key, key)),
    );
    assert.deepEqual(await getAll("a", most.toReversed()), most.toReversed());
  });

  on("several keys are read as they were at one moment, beside commits that change all of them", async (store) => {
    const keys = ["a", "m", "z"];
    let reading = true;
    const writing = (async () => {
      for (let round = 0; reading; round++)
        await store.commit(
          "one",
          "any",
          keys.map((key) => put("one", key, String(round))),
        );
    })();
    try {
      for (let round = 0; round < 300; round++) {
        const values = (await store.getAll("one", keys)).map(text);
        assert.equal(new Set(values).size, 1, values.join(" "));
      }
    } finally {
      reading = false;
    }
    await writing;
  });

  on("a page ends early at its bound in bytes, and the next one goes on", async (store) => {
    const quarter = new Uint8Array(READ_BYTES_MAX / 10);
    for (let index = 0; index < 12; index++) {
      await store.commit("big", "any", [
        { kind: "put", cell: "big", key: `k${String(index).padStart(2, "0")}`, value: quarter },
        { kind: "delete", cell: "big", key: "none" },
      ]);
    }
    const first = await store.list("big", { prefix: "", limit: 1_000 });
    assert.equal(first.length, 10);
    const second = await store.list("big", { prefix: "", limit: 1_000, after: first.at(-1)?.key ?? "" });
    assert.deepEqual(
      second.map((row) => row.key),
      ["k10", "k11"],
    );
  });
}

function logContract(on: On): void {
  on("log rows get positions from 1 without gaps, each cell its own", async (store) => {
    await store.commit("x", "any", [append("x", "1"), append("x", "")]);
    await Promise.all([store.commit("y", "any", [append("y", "y1")]), store.commit("x", "any", [append("x", "3")], "log")]);
    const rows = await store.read("x", 1, 10);
    assert.deepEqual(
      rows.map((row) => [row.position, text(row.value)]),
      [
        [1, "1"],
        [2, ""],
        [3, "3"],
      ],
    );
    assert.deepEqual(
      (await store.read("x", 2, 1)).map((row) => row.position),
      [2],
    );
    assert.deepEqual(
      (await store.read("y", 0, 10)).map((row) => text(row.value)),
      ["y1"],
    );
    assert.deepEqual(await store.read("x", 4, 10), []);
    assert.deepEqual(await store.read("none", 1, 10), []);
  });

  on("what is trimmed is gone, and its positions are not given again", async (store, at) => {
    await store.commit("x", "any", [append("x", "1"), append("x", "2"), append("x", "3"), { kind: "trim", cell: "x", before: 3 }]);
    assert.deepEqual(
      (await store.read("x", 1, 10)).map((row) => row.position),
      [3],
    );
    await store.commit("x", "any", [{ kind: "trim", cell: "x", before: 1_000 }, append("x", "4")]);
    assert.deepEqual(
      (await store.read("x", 1, 10)).map((row) => row.position),
      [4],
    );
    await store.commit("x", "any", [{ kind: "trim", cell: "x", before: 2 }]);
    assert.deepEqual(
      (await store.read("x", 0, 10)).map((row) => text(row.value)),
      ["4"],
    );
    await store.commit("x", "any", [{ kind: "trim", cell: "x", before: 5 }]);
    await store.close();
    const again = await at.open();
    await again.commit("x", "any", [append("x", "5")]);
    assert.deepEqual(
      (await again.read("x", 1, 10)).map((row) => row.position),
      [5],
    );
    await again.close();
  });

  on("a log longer than one step of forgetting is trimmed whole", async (store, at) => {
    for (let round = 0; round < 3; round++) {
      await store.commit(
        "x",
        "any",
        Array.from({ length: OPS_PER_COMMIT_MAX }, (_, index) => append("x", String(round * OPS_PER_COMMIT_MAX + index + 1))),
      );
    }
    await store.commit("x", "any", [{ kind: "trim", cell: "x", before: 1_400 }]);
    await store.close();
    const again = await at.open();
    const rows = await again.read("x", 1, 1_000);
    assert.deepEqual([rows.length, rows[0]?.position, text(rows[0]?.value)], [101, 1_400, "1400"]);
    await again.close();
  });
}

function revisionContract(on: On): void {
  on("revisions count a cell's commits, and a commit on an old one is a conflict that changes nothing", async (store) => {
    assert.equal(await store.revision("r"), 0);
    assert.deepEqual(await store.commit("r", 0, [put("r", "k", "1")]), { kind: "committed", revision: 1 });
    assert.deepEqual(await store.commit("r", 0, [put("r", "k", "2")]), { kind: "conflict", revision: 1 });
    assert.deepEqual(await store.commit("r", 1, []), { kind: "committed", revision: 2 });
    assert.deepEqual(await store.commit("r", 7, [append("r", "x")]), { kind: "conflict", revision: 2 });
    assert.equal(text(await store.get("r", "k")), "1");
    assert.equal(await store.revision("r"), 2);
    assert.deepEqual(await store.read("r", 1, 10), []);
  });

  on("of commits on the same revision at once exactly one succeeds", async (store) => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => store.commit("r", 0, [put("r", "winner", String(index))])));
    assert.equal(results.filter((result) => result.kind === "committed").length, 1);
    assert.equal(text(await store.get("r", "winner")), "0");
    assert.equal(await store.revision("r"), 1);
  });

  on("a chain of commits made at once, each on the next revision, all succeed in their order", async (store) => {
    const results = await Promise.all(Array.from({ length: 50 }, (_, index) => store.commit("r", index, [append("r", String(index))])));
    assert.deepEqual(
      results.map((result) => result.revision),
      Array.from({ length: 50 }, (_, index) => index + 1),
    );
    assert.deepEqual(
      (await store.read("r", 1, 100)).map((row) => text(row.value)),
      Array.from({ length: 50 }, (_, index) => String(index)),
    );
  });

  on("cells are those that were committed, in order", async (store) => {
    for (const cell of ["b/2", "a/1", "b/1", "b/10", "c/1"]) await store.commit(cell, "any", [put(cell, "k", "v")]);
    await store.commit("b/never", 5, [put("b/never", "k", "v")]);
    assert.deepEqual(await store.cells({ prefix: "", limit: 10 }), ["a/1", "b/1", "b/10", "b/2", "c/1"]);
    assert.deepEqual(await store.cells({ prefix: "b/", limit: 2 }), ["b/1", "b/10"]);
    assert.deepEqual(await store.cells({ prefix: "b/", after: "b/10", limit: 2 }), ["b/2"]);
    assert.deepEqual(await store.cells({ prefix: "b/", after: "a", limit: 1 }), ["b/1"]);
  });

  on("values are the store's own: changing what was put or read changes nothing", async (store) => {
    const value = bytes("before");
    await store.commit("v", "any", [{ kind: "put", cell: "v", key: "k", value }]);
    value.fill(0);
    (await store.get("v", "k"))?.fill(0);
    assert.equal(text(await store.get("v", "k")), "before");
  });
}

function refusalContract(on: On): void {
  const bug = (pattern: RegExp) => (error: unknown) => error instanceof Error && !isLambentError(error) && pattern.test(error.message);

  on("a commit over two cells is refused whole, as a bug", async (store) => {
    await assert.rejects(store.commit("one", "any", [put("one", "k", "v"), put("two", "k", "v")]), bug(/of one cell/));
    assert.equal(await store.get("one", "k"), undefined);
    assert.equal(await store.revision("one"), 0);
  });

  on("a commit over the bounds of ops, bytes and keys is refused, as a bug", async (store) => {
    const many = Array.from({ length: OPS_PER_COMMIT_MAX + 1 }, () => append("x", "1"));
    await assert.rejects(store.commit("x", "any", many), bug(/at most 500 ops/));
    await assert.rejects(
      store.commit("x", "any", [{ kind: "append", cell: "x", value: new Uint8Array(COMMIT_BYTES_MAX) }]),
      bug(/weighs at most/),
    );
    await assert.rejects(store.commit("x", "any", [put("x", "k".repeat(2_049), "v")]), bug(/at most 2048 bytes/));
    await assert.rejects(store.commit("x", "any", [put("x", "", "v")]), bug(/well-formed/));
    await assert.rejects(store.commit("x", "any", [put("x", "\ud800", "v")]), bug(/well-formed/));
    await assert.rejects(store.commit("c".repeat(513), "any", []), bug(/at most 512 bytes/));
    await assert.rejects(store.commit("x", "any", [{ kind: "trim", cell: "x", before: -1 }]), bug(/no position/));
    await assert.rejects(store.list("x", { prefix: "", limit: 0 }), bug(/1 to 1000 rows/));
    await assert.rejects(store.read("x", 1, 1_001), bug(/1 to 1000 rows/));
    const keys = Array.from({ length: READ_KEYS_MAX + 1 }, (_, index) => `k${index}`);
    await assert.rejects(store.getAll("x", keys), bug(/at most 8 keys, this one of 9/));
    assert.equal(await store.revision("x"), 0);
  });

  on("a commit at the bounds is taken", async (store) => {
    const whole = Array.from({ length: OPS_PER_COMMIT_MAX }, () => ({ kind: "append", cell: "x", value: new Uint8Array(8_000) }) as const);
    assert.deepEqual(await store.commit("x", "any", whole), { kind: "committed", revision: 1 });
    assert.equal((await store.read("x", 1, 1_000)).length, OPS_PER_COMMIT_MAX);
  });
}

function closingContract(on: On): void {
  on("what was acknowledged is there after closing and opening again", async (store, at) => {
    await Promise.all(
      Array.from({ length: 64 }, (_, index) =>
        store.commit(`cell/${index}`, "any", [put(`cell/${index}`, "k", String(index)), append(`cell/${index}`, "row")]),
      ),
    );
    await store.close();
    const again = await at.open();
    for (let index = 0; index < 64; index++) {
      assert.equal(text(await again.get(`cell/${index}`, "k")), String(index));
      assert.equal(await again.revision(`cell/${index}`), 1);
      assert.deepEqual(
        (await again.read(`cell/${index}`, 1, 10)).map((row) => text(row.value)),
        ["row"],
      );
    }
    await again.close();
  });

  on("closing waits for what is under way; later calls are refused", async (store, at) => {
    const commits = Array.from({ length: 100 }, (_, index) => store.commit("x", "any", [append("x", String(index))]));
    await store.close();
    assert.deepEqual(
      (await Promise.all(commits)).map((result) => result.kind),
      Array.from({ length: 100 }, () => "committed"),
    );
    const shuttingDown = (error: unknown): boolean => isLambentError(error, "ShuttingDown");
    await assert.rejects(store.commit("x", "any", []), shuttingDown);
    await assert.rejects(store.get("x", "k"), shuttingDown);
    await assert.rejects(store.read("x", 1, 1), shuttingDown);
    await assert.rejects(store.cells({ prefix: "", limit: 1 }), shuttingDown);
    await store.close();
    const again = await at.open();
    assert.equal((await again.read("x", 1, 1_000)).length, 100);
    await again.close();
  });
}
