import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { deferred, Later, LambentError } from "../../src/base/index.ts";

describe("what is opened later", () => {
  test("is not opened before somebody asks for it, and once for all who ask at the same time and afterwards", async () => {
    let openings = 0;
    const gate = deferred<string>();
    const later = new Later(() => {
      openings += 1;
      return gate.promise;
    });
    assert.deepEqual([openings, later.opened()], [0, undefined]);
    const asked = [later.get(), later.get()];
    assert.equal(later.opened(), undefined);
    gate.resolve("open");
    assert.deepEqual(await Promise.all([...asked, later.get()]), ["open", "open", "open"]);
    assert.deepEqual([openings, later.opened()], [1, "open"]);
  });

  test("that does not open tells all who wait, and is tried again by the next one", async () => {
    const outcomes = [Promise.reject(new LambentError("StorageCorrupt", "not now")), Promise.resolve("open")];
    outcomes[0]?.catch(() => undefined);
    const later = new Later(() => outcomes.shift() ?? Promise.resolve("a third time"));
    const [one, two] = await Promise.allSettled([later.get(), later.get()]);
    assert.deepEqual([one.status, two.status, later.opened()], ["rejected", "rejected", undefined]);
    assert.equal(await later.get(), "open");
  });

  test("is closed when it is open, once it is open, or never, and not opened afterwards", async () => {
    const closed: string[] = [];
    const close = async (value: string): Promise<void> => void closed.push(value);

    const open = new Later(() => Promise.resolve("open"));
    await open.get();
    await open.close(close);
    assert.deepEqual(closed, ["open"]);
    assert.equal(open.opened(), undefined);

    const gate = deferred<string>();
    const opening = new Later(() => gate.promise);
    const asked = opening.get();
    const closing = opening.close(close);
    gate.resolve("opening");
    await closing;
    assert.deepEqual([await asked, closed], ["opening", ["open", "opening"]]);
    assert.equal(opening.opened(), undefined);

    const untouched = new Later<string>(() => assert.fail("nobody asked for it"));
    await untouched.close(close);
    for (const each of [open, opening, untouched]) await assert.rejects(each.get(), { code: "ShuttingDown" });
    assert.deepEqual(closed, ["open", "opening"]);
  });

  test("that fails to open while it is closed needs no closing", async () => {
    const gate = deferred<string>();
    const later = new Later(() => gate.promise);
    const asked = later.get();
    const closing = later.close(() => assert.fail("nothing is open"));
    gate.reject(new LambentError("StorageStopped", "gone"));
    await closing;
    await assert.rejects(asked, { code: "StorageStopped" });
    await assert.rejects(later.get(), { code: "ShuttingDown" });
  });
});
