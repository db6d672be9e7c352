import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { deferred, ManualClock } from "../../src/base/index.ts";
import { TMP_COUNT_PAUSE_MS, TmpWatch } from "../../src/runtime/tmp-watch.ts";
import { RuntimeWorld, valueOf } from "../support/runtime-world.ts";

describe("what lies in /tmp", () => {
  test("is counted behind calls, at most once in its pause, and never while no call ends (P6)", async () => {
    const clock = new ManualClock();
    let counts = 0;
    const watch = new TmpWatch({ clock, count: async () => (counts++, 0), bytesMax: 10, over: () => assert.fail("nothing is over") });
    await clock.advance(60_000);
    assert.equal(counts, 0);
    for (let call = 0; call < 50; call++) {
      watch.callEnded();
      await clock.advance(TMP_COUNT_PAUSE_MS / 10);
    }
    assert.equal(counts, 6, "at 0, 1, 2, 3, 4 and 5 seconds");
    await clock.advance(60_000);
    assert.equal(counts, 6);
    assert.equal(clock.pendingCount, 0);
  });

  test("is counted again for a call that ended while it was counted", async () => {
    const clock = new ManualClock();
    const counted = [deferred<number>(), deferred<number>()];
    let counts = 0;
    const overs: number[] = [];
    const watch = new TmpWatch({
      clock,
      count: () => counted[counts++]?.promise ?? assert.fail("counted too often"),
      bytesMax: 10,
      over: (bytes) => overs.push(bytes),
    });
    watch.callEnded();
    await clock.advance(0);
    watch.callEnded();
    counted[0]?.resolve(10);
    await clock.advance(TMP_COUNT_PAUSE_MS);
    counted[1]?.resolve(11);
    await clock.advance(0);
    watch.callEnded();
    await clock.advance(TMP_COUNT_PAUSE_MS);
    assert.deepEqual([counts, overs], [2, [11]], "and is told once");
  });

  test("is nobody's business once the instance is gone", async () => {
    const clock = new ManualClock();
    const count = deferred<number>();
    const watch = new TmpWatch({ clock, count: () => count.promise, bytesMax: 10, over: () => assert.fail("it is gone") });
    watch.callEnded();
    await clock.advance(0);
    watch.close();
    count.resolve(99);
    await clock.advance(TMP_COUNT_PAUSE_MS);
    assert.equal(clock.pendingCount, 0);
  });
});

describe("an instance whose /tmp is only counted", () => {
  let world: RuntimeWorld;
  before(async () => {
    world = await RuntimeWorld.open();
  });
  after(() => world.close());
  const files = {
    "index.mjs": `import { writeFileSync } from "node:fs";
export const handler = async ({ mb }) => { writeFileSync(process.env.TMPDIR + "/file", Buffer.alloc(mb << 20)); return mb; };`,
  };

  test("takes no further call once it holds more than its size, and its log says why", async () => {
    const instance = await world.instance(files, { tmpMb: 2 });
    assert.equal(valueOf(await instance.invoke(world.call({ mb: 1 }))), 1);
    assert.equal(valueOf(await instance.invoke(world.call({ mb: 3 }))), 3, "the call itself is answered");
    assert.deepEqual(await instance.gone, { kind: "drained" });
    assert.equal(instance.admitting, false);
    assert.match(world.texts(instance).join("\n"), /\/tmp holds 3 MB, and 2 MB is its size: this instance takes no further call/u);
  });
});
