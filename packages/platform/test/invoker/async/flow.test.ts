import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { choose, facetsOf, type Candidate } from "../../../src/invoker/async/flow.ts";
import { flowFromTags, flowSetting } from "../../../src/functions/rules/flow.ts";
import { isLambentError } from "../../../src/base/index.ts";
import { AsyncWorld, failed, NO_FLOW, ok } from "./world.ts";

const numbers = (world: AsyncWorld): number[] => world.calls.map(({ event }) => (event as { n: number }).n);

describe("concurrency per key", () => {
  test("runs so many events of a key at once, others meanwhile, each key in its order", async () => {
    const world = await AsyncWorld.open({ callMs: () => 100 });
    world.flow({ concurrency: { key: ["customer"], max: 1 } });
    for (const [n, customer] of [
      [1, "a"],
      [2, "a"],
      [3, "b"],
      [4, "a"],
      [5, "b"],
    ] as const)
      await world.accept({ n, customer });
    await world.accept({ n: 6 });
    await world.clock.advance(1_000);
    assert.deepEqual(numbers(world), [1, 3, 6, 2, 5, 4]);
    assert.deepEqual(world.moments, [0, 0, 0, 100, 100, 200]);
  });

  test("without a key bounds the function's events and not its other calls", async () => {
    const world = await AsyncWorld.open({ callMs: () => 100 });
    world.flow({ concurrency: { key: undefined, max: 2 } });
    for (let n = 0; n < 5; n++) await world.accept({ n });
    await world.clock.advance(1_000);
    assert.equal(world.runningMost, 2);
    assert.deepEqual(world.moments, [0, 0, 100, 100, 200]);
  });

  test("a key whose event waits for its next attempt does not keep the key's others waiting", async () => {
    const world = await AsyncWorld.open({ reaction: ({ event }) => ((event as { n: number }).n === 1 ? failed() : ok()) });
    world.flow({ concurrency: { key: ["k"], max: 1 } });
    await world.accept({ n: 1, k: "a" });
    await world.accept({ n: 2, k: "a" });
    await world.clock.advance(1_000);
    assert.deepEqual(numbers(world), [1, 2]);
  });
});

describe("a rate", () => {
  test("lets a full stretch begin at once, then evenly", async () => {
    const world = await AsyncWorld.open();
    world.flow({ rate: { max: 4, perMs: 1_000 } });
    for (let n = 0; n < 8; n++) await world.accept({ n });
    await world.clock.advance(10_000);
    assert.deepEqual(world.moments, [0, 0, 0, 0, 250, 500, 750, 1_000]);
    await world.accept({ n: 8 });
    await world.settle();
    assert.equal(world.calls.length, 9);
  });

  test("is never passed: of any two stretches in a row at most twice its number begins, whatever comes when", () => {
    const arrivals = fc.array(fc.integer({ min: 0, max: 300 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), arrivals, (max, gaps) => {
        const flow = { ...NO_FLOW, rate: { max, perMs: 1_000 } };
        let now = 0;
        let rateAt = 0;
        const begun: number[] = [];
        for (const gap of gaps) {
          now += gap;
          const candidates: Candidate[] = [{ id: "x", order: 1, priority: 0, key: undefined }];
          const choice = choose(flow, candidates, { running: new Map(), room: 1, rateAt, now });
          rateAt = choice.rateAt;
          if (choice.start.length > 0) begun.push(now);
          else assert.ok((choice.wakeAt ?? 0) > now);
        }
        return begun.every((at) => begun.filter((each) => each >= at && each < at + 1_000).length <= max * 2);
      }),
      { seed: 17, numRuns: 300 },
    );
  });
});

describe("priority", () => {
  test("lets the higher begin before the lower, and equals in their order", async () => {
    const world = await AsyncWorld.open({ capacity: 1, callMs: () => 100 });
    world.flow({ priority: ["p"] });
    await world.accept({ n: 1 });
    for (const [n, p] of [
      [2, 0],
      [3, 5],
      [4, -1],
      [5, 5],
      [6, 1],
    ] as const)
      await world.accept({ n, p });
    await world.clock.advance(1_000);
    assert.deepEqual(numbers(world), [1, 3, 5, 6, 2, 4]);
  });
});

describe("debounce", () => {
  test("handles the last event of a key, once it was left alone, and the others end as superseded", async () => {
    const world = await AsyncWorld.open();
    world.flow({ debounce: { key: ["k"], quietMs: 1_000 } });
    const ids: string[] = [];
    for (const n of [1, 2, 3]) {
      ids.push(await world.accept({ n, k: "a" }));
      await world.clock.advance(600);
    }
    const other = await world.accept({ n: 9, k: "b" });
    await world.clock.advance(5_000);
    assert.deepEqual(numbers(world), [3, 9]);
    assert.deepEqual(
      [await world.outcome(ids[0] ?? ""), await world.outcome(ids[1] ?? "")],
      ["discarded: superseded", "discarded: superseded"],
    );
    assert.deepEqual([await world.outcome(ids[2] ?? ""), await world.outcome(other)], ["handled", "handled"]);
    await world.accept({ n: 4, k: "a" });
    await world.clock.advance(1_010);
    assert.deepEqual(numbers(world), [3, 9, 4]);
  });

  test("knows across a crash which event is the newest", async () => {
    const world = await AsyncWorld.open();
    world.flow({ debounce: { key: undefined, quietMs: 1_000 } });
    const first = await world.accept({ n: 1 });
    await world.accept({ n: 2 });
    await world.crash();
    await world.clock.advance(5_000);
    assert.deepEqual(numbers(world), [2]);
    assert.equal(await world.outcome(first), "discarded: superseded");
  });

  test("lets an event without the key begin at once", async () => {
    const world = await AsyncWorld.open();
    world.flow({ debounce: { key: ["k"], quietMs: 1_000 } });
    await world.accept({ n: 1 });
    await world.settle();
    assert.deepEqual(numbers(world), [1]);
  });
});

describe("an idempotency key", () => {
  test("handles the first event of a key and no other within its time, across a crash", async () => {
    const world = await AsyncWorld.open();
    world.flow({ idempotency: { key: ["order", "id"], forMs: 60_000 } });
    const first = await world.accept({ n: 1, order: { id: 7 } });
    const second = await world.accept({ n: 2, order: { id: 7 } });
    await world.accept({ n: 3, order: { id: 8 } });
    await world.accept({ n: 4 });
    await world.clock.advance(100);
    await world.crash();
    const third = await world.accept({ n: 5, order: { id: 7 } });
    await world.clock.advance(100);
    assert.deepEqual(numbers(world), [1, 3, 4]);
    assert.equal(await world.outcome(first), "handled");
    for (const id of [second, third]) assert.equal(await world.outcome(id), "discarded: superseded");
    await world.clock.advance(60_000);
    await world.accept({ n: 6, order: { id: 7 } });
    await world.settle();
    assert.deepEqual(numbers(world), [1, 3, 4, 6]);
  });
});

describe("flow control as tags", () => {
  test("says what it means", () => {
    assert.deepEqual(
      flowFromTags({
        "lambent:async-concurrency": "2 per customer.id",
        "lambent:async-rate": "100/s",
        "lambent:async-debounce": "500ms",
        "lambent:async-priority": "meta.priority",
        "lambent:async-idempotency": "order.0.id for 1h",
        other: "tag",
      }),
      {
        concurrency: { key: ["customer", "id"], max: 2 },
        rate: { max: 100, perMs: 1_000 },
        debounce: { key: undefined, quietMs: 500 },
        priority: ["meta", "priority"],
        idempotency: { key: ["order", "0", "id"], forMs: 3_600_000 },
      },
    );
    assert.deepEqual(flowFromTags({}), NO_FLOW);
  });

  test("refuses what it does not mean, naming tag and form", () => {
    const wrong: readonly (readonly [string, string])[] = [
      ["concurrency", "0"],
      ["concurrency", "2 for a"],
      ["rate", "100"],
      ["rate", "1/d"],
      ["debounce", "2h"],
      ["debounce", "5s per "],
      ["priority", "a b"],
      ["priority", "a.b.c.d.e.f.g.h.i"],
      ["idempotency", "id for 25h"],
      ["idempotency", ""],
    ];
    for (const [setting, value] of wrong)
      assert.throws(
        () => flowSetting(`lambent:async-${setting}`, value),
        (error) => isLambentError(error, "InvalidParameter"),
        `${setting} ${value}`,
      );
    flowSetting("lambent:async-else", "anything");
  });

  test("reads keys of any kind, and of an event that is no object or no JSON none (P8)", () => {
    const flow = { ...NO_FLOW, concurrency: { key: ["k"], max: 1 }, priority: ["p"] };
    const facets = (event: string) => facetsOf(flow, Buffer.from(event));
    assert.equal(facets('{"k":{"a":[1,"x"]},"p":2.5}').concurrencyKey, '={"a":[1,"x"]}');
    assert.equal(facets('{"k":{"a":[1,"x"]},"p":2.5}').priority, 2.5);
    for (const event of ["[]", "3", "null", '"text"', "{", '{"p":"high","k":null}', '{"__proto__":{"k":1}}'])
      assert.deepEqual([facets(event).concurrencyKey, facets(event).priority], [undefined, 0], event);
    assert.equal(facets(`{"k":"${"x".repeat(500)}"}`).concurrencyKey?.length, 64);
  });
});
