import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { accepted, ended } from "../../src/ledger/index.ts";
import { OUTBOX_DELIVERIES_MAX } from "../../src/outbox/index.ts";
import { DAY_MS, delivery, deadLetterAttributes, later, never, OutboxWorld, queueArnOf, RULE_ARN, taken } from "./world.ts";

const idsOf = (all: readonly { readonly id: string }[]): string[] => all.map(({ id }) => id);

describe("P1: what an outbox accepts", () => {
  test("is there after a crash, whole, with its record", async () => {
    const world = await OutboxWorld.open();
    const given = delivery("a", {
      parcel: {
        ...delivery("x").parcel,
        payload: Buffer.from([0, 255, 10]),
        traceHeader: "Root=1-2-3",
        options: {
          messageGroupId: "g",
          attributes: { text: { type: "String", value: "é" }, bytes: { type: "Binary", value: Buffer.from([0, 1]) } },
        },
      },
      dueAt: 7,
      deadLetter: queueArnOf("dead"),
    });
    await world.outbox.accept([given]);
    await world.crash();
    const found = await world.one();
    assert.deepEqual(found.parcel, given.parcel);
    assert.deepEqual([found.id, found.attempts, found.again, found.lane, found.dueAt], [given.id, 0, false, given.parcel.target, 7]);
    const { id, origin, subject, cause, correlation, acceptedAt } = given;
    assert.deepEqual(await world.record(id), {
      ...{ id, source: "bus", origin, subject, target: given.parcel.target, dueAt: 7, acceptedAt, cause, correlation },
      ...{ attemptCount: 0, attempts: [], state: { kind: "waiting" } },
    });
  });

  test("is refused when it is not committed, and then nothing of it is there", async () => {
    for (const kind of ["busy", "stopBefore"] as const) {
      const world = await OutboxWorld.open();
      world.faults = (step) => (step.kind === "commit" ? { kind } : undefined);
      const refused = world.outbox.accept([delivery("a")], { rows: [{ key: "own/a", value: Buffer.from("x") }] });
      await assert.rejects(refused, { code: kind === "busy" ? "StorageBusy" : "StorageStopped" });
      world.faults = () => undefined;
      await world.crash();
      assert.deepEqual([await world.due(), await world.records(), await world.outbox.readRows({ prefix: "own/", limit: 9 })], [[], [], []]);
    }
  });

  test("comes with the holder's own rows and records in the same commit", async () => {
    const world = await OutboxWorld.open();
    let commits = 0;
    world.faults = (step) => void (commits += step.kind === "commit" ? 1 : 0);
    const source = { id: "01890000-0000-7000-8000-0000000000aa", source: "bus", origin: undefined, target: "the bus" } as const;
    const event = ended(accepted({ ...source, acceptedAt: 5, cause: undefined }), 5, { kind: "handled" });
    await world.outbox.accept([delivery("a")], { rows: [{ key: "own/a", value: Buffer.from("x") }], records: [event] });
    assert.equal(commits, 1);
    await world.crash();
    assert.equal((await world.record(event.id))?.state.kind, "ended");
    assert.equal((await world.outbox.readRows({ prefix: "own/", limit: 9 })).length, 1);
    await world.outbox.accept([], { rows: [{ key: "own/b", value: Buffer.from("y") }] });
    assert.equal((await world.outbox.readRows({ prefix: "own/", limit: 9 })).length, 2);
    const rows = await world.outbox.getRows(["own/b", "own/c", "own/a"]);
    assert.deepEqual(
      rows.map((row) => row && Buffer.from(row).toString()),
      ["y", undefined, "x"],
    );
  });

  test("of more than a commit takes is all there: many deliveries, large ones, many records", async () => {
    const world = await OutboxWorld.open();
    const acceptedAt = 5;
    const records = Array.from({ length: 400 }, (_, index) => {
      const id = `01890000-0000-7000-8001-${String(index).padStart(12, "0")}`;
      const event = accepted({ id, source: "bus", origin: undefined, target: "the bus", acceptedAt, cause: undefined });
      return ended(event, 5, { kind: "discarded", reason: "inputTooLarge" });
    });
    const many = Array.from({ length: 250 }, (_, index) => delivery(`${index}`));
    // One that is larger than a commit wants to be, some that fill one, and their commands share turns.
    const large = [900_000, 600_000, 600_000, 1_048_576].map((size) => delivery("large", { payload: Buffer.alloc(size, "x") }));
    await Promise.all([world.outbox.accept(many, { records }), world.outbox.accept(large), world.outbox.accept(many.slice(0, 0))]);
    await world.crash();
    assert.equal(world.outbox.open, 254);
    assert.equal((await world.records()).length, 654);
    const found = new Set<string>();
    for (let left = 254; left > 0;) {
      const due = await world.due(100);
      for (const each of due) {
        found.add(each.id);
        await world.settle(each, taken());
      }
      left -= due.length;
    }
    assert.deepEqual([...found].sort(), idsOf([...many, ...large]).sort());
    assert.equal(world.outbox.open, 0);
  });

  test("has the holder's own rows and records only when all of it is there, so that what is missing is known behind a crash", async () => {
    for (const survivors of [0, 1, 2]) {
      const world = await OutboxWorld.open();
      let left = survivors;
      world.faults = ({ kind }) => (kind === "commit" && left-- <= 0 ? { kind: "stopBefore" } : undefined);
      const source = { id: "01890000-0000-7000-8000-0000000000ab", source: "bus", origin: undefined, target: "the bus" } as const;
      const event = ended(accepted({ ...source, acceptedAt: 5, cause: undefined }), 5, { kind: "handled" });
      const many = Array.from({ length: 250 }, (_, index) => delivery(`${index}`));
      await assert.rejects(world.outbox.accept(many, { rows: [{ key: "own/a", value: Buffer.from("x") }], records: [event] }));
      world.faults = () => undefined;
      await world.crash();
      assert.equal((await world.due(1_000)).length, survivors * 100);
      assert.deepEqual([await world.record(event.id), await world.outbox.readRows({ prefix: "own/", limit: 9 })], [undefined, []]);
    }
  });

  test("and of which a crash leaves a part has the holder's own rows only when all of it is there", async () => {
    const event = { id: "01890000-0000-7000-8000-0000000000bb", source: "bus", origin: undefined, target: "the bus" } as const;
    const record = ended(accepted({ ...event, acceptedAt: 5, cause: undefined }), 5, { kind: "handled" });
    for (let survivors = 0; survivors < 4; survivors++) {
      const world = await OutboxWorld.open();
      let left = survivors;
      world.faults = ({ kind }) => (kind === "commit" && left-- <= 0 ? { kind: "stopBefore" } : undefined);
      const deliveries = Array.from({ length: 250 }, (_, index) => delivery(`${index}`));
      const rows = [{ key: "own/a", value: Buffer.from("x") }];
      const told = await world.outbox.accept(deliveries, { rows, records: [record] }).then(
        () => "accepted",
        () => "refused",
      );
      world.faults = () => undefined;
      await world.crash();
      const isWhole = world.outbox.open === 250;
      assert.equal(told, isWhole ? "accepted" : "refused", `${survivors} commits survived`);
      assert.equal((await world.outbox.readRows({ prefix: "own/", limit: 9 })).length, isWhole ? 1 : 0);
      assert.equal((await world.record(event.id)) !== undefined, isWhole);
    }
  });

  test("is refused as too large when no commit takes it, as a whole", async () => {
    const world = await OutboxWorld.open();
    const many = Array.from({ length: 250 }, (_, index) => delivery(`${index}`));
    const deliveries = [...many, delivery("large", { payload: Buffer.alloc(2 * 1024 * 1024) })];
    await assert.rejects(world.outbox.accept(deliveries), { code: "RequestTooLarge" });
    assert.equal(world.outbox.open, 0);
  });

  test("P7: is bounded, and says so", async () => {
    const world = await OutboxWorld.open();
    const million = { length: OUTBOX_DELIVERIES_MAX + 1, [Symbol.iterator]: () => assert.fail("nothing is looked at") };
    await assert.rejects(world.outbox.accept(million as never), (error) => isLambentError(error, "Throttled"));
    assert.equal(world.outbox.open, 0);
  });

  test("is hidden for its delay", async () => {
    const world = await OutboxWorld.open();
    const given = delivery("a", { delayMs: 5_000 });
    await world.outbox.accept([given]);
    assert.deepEqual((await world.record(given.id))?.state, { kind: "waiting", nextAt: world.clock.now() + 5_000 });
    await world.clock.advance(4_999);
    assert.deepEqual(await world.due(), []);
    await world.clock.advance(1);
    assert.deepEqual(idsOf(await world.due()), [given.id]);
  });
});

describe("P2: a delivery's record", () => {
  test("says handled, with every attempt before", async () => {
    const world = await OutboxWorld.open();
    const given = delivery("a");
    await world.outbox.accept([given]);
    await world.settle(await world.one(), later("TIMEOUT"));
    const waiting = await world.record(given.id);
    assert.deepEqual(waiting?.state, { kind: "waiting", nextAt: world.clock.now() + 1_000 });
    await world.clock.advance(1_000);
    const second = await world.one();
    assert.deepEqual([second.attempts, second.again], [1, false]);
    await world.settle(second, taken());
    const done = await world.record(given.id);
    assert.deepEqual(done?.state, { kind: "ended", at: world.clock.now(), outcome: { kind: "handled" } });
    assert.deepEqual(
      done.attempts.map(({ result, error, at }) => [result, error, at]),
      [
        ["timeout", "TIMEOUT: not now", world.clock.now() - 1_000],
        ["ok", undefined, world.clock.now()],
      ],
    );
  });

  test("moves to the target that goes on with it", async () => {
    const world = await OutboxWorld.open();
    const [kept, moved] = [delivery("kept"), delivery("moved")];
    await world.outbox.accept([kept, moved]);
    for (const each of await world.due()) await world.settle(each, taken(each.id === moved.id));
    assert.deepEqual(idsOf(await world.records()), [kept.id]);
    assert.equal(world.outbox.open, 0);
  });

  test("says why it ended in vain where there is no dead-letter queue", async () => {
    const world = await OutboxWorld.open();
    const retry = { retriesMax: 0, ageMsMax: DAY_MS, waitsMs: [1_000] };
    const [refused, exhausted, old] = [
      delivery("r"),
      delivery("e", { retry }),
      delivery("o", { retry: { ...retry, retriesMax: 9, ageMsMax: 1_000 } }),
    ];
    await world.outbox.accept([refused, exhausted, old]);
    for (const each of await world.due()) await world.settle(each, each.id === refused.id ? never() : later());
    const outcomes = (await world.records()).map(({ state }) => state.kind === "ended" && state.outcome);
    assert.deepEqual(outcomes, [
      { kind: "discarded", reason: "targetGone" },
      { kind: "discarded", reason: "retriesExhausted" },
      { kind: "expired" },
    ]);
    assert.equal(world.outbox.open, 0);
  });

  test("keeps the count of attempts over crashes; one that a crash interrupted is no attempt, and the next one knows of it", async () => {
    const world = await OutboxWorld.open();
    await world.outbox.accept([delivery("a")]);
    await world.settle(await world.one(), later());
    await world.clock.advance(1_000);
    assert.equal((await world.one()).again, false);
    await world.crash();
    const interrupted = await world.one();
    assert.deepEqual([interrupted.attempts, interrupted.again], [1, true]);
    await world.settle(interrupted, later());
    await world.clock.advance(2_000);
    const next = await world.one();
    assert.deepEqual([next.attempts, next.again], [2, true], "an attempt that failed since says nothing of the interrupted one");
    await world.settle(next, taken());
    assert.equal((await world.records())[0]?.attemptCount, 3);
  });

  test("does not count what was not tried, and such a delivery was not handed over", async () => {
    const world = await OutboxWorld.open();
    await world.outbox.accept([delivery("a")]);
    for (let turn = 0; turn < 3; turn++) {
      const each = await world.one();
      assert.deepEqual([each.attempts, each.again], [0, false]);
      await world.settle(each, { kind: "wait", ms: 500 });
      await world.clock.advance(499);
      assert.deepEqual(await world.due(), []);
      await world.clock.advance(1);
    }
    assert.equal((await world.records())[0]?.attemptCount, 0);
    await world.settle(await world.one(), taken());
    assert.equal((await world.records())[0]?.attemptCount, 1);
  });

  test("is right wherever the power goes while it is tried, and nothing is lost", async () => {
    for (let survivors = 0; survivors < 6; survivors++) {
      for (const kind of ["stopBefore", "stopAfter"] as const) {
        const world = await OutboxWorld.open();
        let left = survivors;
        world.faults = (step) => (step.kind === "commit" && left-- <= 0 ? { kind } : undefined);
        const given = delivery("a");
        let isAccepted = true;
        await world.outbox.accept([given]).catch(() => (isAccepted = false));
        const tried = async (): Promise<boolean> => {
          const [each] = await world.due().catch(() => []);
          if (!each) return false;
          await world.settle(each, each.attempts === 0 ? later() : taken()).catch(() => undefined);
          await world.clock.advance(1_000);
          return true;
        };
        if (isAccepted) while (await tried());
        world.faults = () => undefined;
        await world.crash();
        await world.clock.advance(10_000);
        while (await tried());
        const record = await world.record(given.id);
        if (isAccepted || kind === "stopAfter") assert.equal(record?.state.kind, "ended", `${survivors} commits survived, ${kind}`);
        assert.equal(world.outbox.open, 0);
      }
    }
  });
});

describe("a delivery that ended in vain", () => {
  const dead = queueArnOf("dead");

  test("goes to its dead-letter queue with what the holder says of it, in the holder's name; its record says so", async () => {
    const world = await OutboxWorld.open({ deadLetterSender: (sender) => ({ ...sender, roleArn: undefined }) as never });
    const sender = { ...delivery("x").parcel.sender, roleArn: "arn:aws:iam::000000000000:role/calls" } as never;
    const given = delivery("a", {
      deadLetter: dead,
      retry: { retriesMax: 1, ageMsMax: DAY_MS, waitsMs: [1_000] },
      parcel: { ...delivery("x").parcel, sender, options: { messageGroupId: "g" } },
    });
    await world.outbox.accept([given]);
    await world.settle(await world.one(), later());
    await world.clock.advance(1_000);
    await world.settle(await world.one(), later("HTTP_500"));
    const record = await world.record(given.id);
    const outcome = { kind: "deadLettered", target: dead, reason: "retriesExhausted" };
    assert.deepEqual(record?.state, { kind: "ended", at: world.clock.now(), outcome });
    const letter = await world.one();
    assert.deepEqual([letter.id, letter.lane, letter.attempts], [given.id, dead, 0]);
    assert.deepEqual(letter.parcel.options, {
      attributes: {
        TARGET: { type: "String", value: given.parcel.target },
        WHY: { type: "String", value: "MaximumRetryAttempts" },
        CODE: { type: "String", value: "HTTP_500" },
        ATTEMPTS: { type: "Number", value: "2" },
      },
    });
    assert.deepEqual([letter.parcel.target, letter.parcel.payload], [dead, given.parcel.payload]);
    assert.equal((letter.parcel.sender as { roleArn?: string }).roleArn, undefined);
    await world.settle(letter, taken());
    assert.deepEqual(await world.record(given.id), record, "nothing more is said of it");
    assert.equal(world.outbox.open, 0);
  });

  test("says of each ending why, and keeps its outcome over a crash before the queue has it", async () => {
    for (const [outcome, why, reason] of [
      [never("NO_PERMISSIONS"), "refused", "targetGone"],
      [later("TIMEOUT", { retryAfterMs: DAY_MS }), "MaximumEventAgeInSeconds", "expired"],
    ] as const) {
      const world = await OutboxWorld.open();
      const given = delivery("a", { deadLetter: dead });
      await world.outbox.accept([given]);
      await world.settle(await world.one(), outcome);
      await world.crash();
      const letter = await world.one();
      assert.equal(letter.parcel.options.attributes?.["WHY"]?.value, why);
      await world.settle(letter, taken());
      const record = await world.record(given.id);
      assert.deepEqual(record?.state.kind === "ended" && record.state.outcome, { kind: "deadLettered", target: dead, reason });
    }
  });

  test("is tried at its dead-letter queue until that is gone or a day has passed: then the record says what was lost", async () => {
    for (const outcome of [never("RESOURCE_NOT_FOUND"), later("THROTTLING")]) {
      const world = await OutboxWorld.open();
      const given = delivery("a", { deadLetter: dead });
      await world.outbox.accept([given]);
      await world.settle(await world.one(), never());
      let attempts = 0;
      for (let [letter] = await world.due(); letter; [letter] = await world.due()) {
        attempts += 1;
        await world.settle(letter, outcome);
        await world.clock.advance(600_000);
      }
      const record = await world.record(given.id);
      assert.deepEqual(record?.state.kind === "ended" && record.state.outcome, { kind: "discarded", reason: "targetGone" });
      assert.deepEqual([record?.undelivered, world.outbox.open, world.outbox.ledger.counts.ended], [dead, 0, 1]);
      assert.ok(outcome.kind === "never" ? attempts === 1 : attempts > 140 && attempts <= 186, `${attempts} attempts`);
    }
  });

  test("that is too old when its target may be asked again ends then, and is not asked for", async () => {
    const refusal = { code: "TIMEOUT", message: "no answer" };
    const world = await OutboxWorld.open();
    const retry = { retriesMax: 185, ageMsMax: 60_000, waitsMs: [1_000] };
    const [lost, kept] = [delivery("lost", { retry }), delivery("kept", { retry, deadLetter: dead })];
    await world.outbox.accept([lost, kept]);
    for (const each of await world.due()) await world.settle(each, { kind: "wait", ms: 59_999, why: refusal });
    await world.clock.advance(59_999);
    for (const each of await world.due()) await world.settle(each, { kind: "wait", ms: 1, why: refusal });
    const outcomes = (await world.records()).map(({ state, attemptCount }) => [attemptCount, state.kind === "ended" && state.outcome]);
    assert.deepEqual(outcomes, [
      [0, { kind: "expired" }],
      [0, { kind: "deadLettered", target: dead, reason: "expired" }],
    ]);
    const letter = await world.one();
    assert.deepEqual(
      letter.parcel.options.attributes,
      deadLetterAttributes({ delivery: kept as never, attempts: 1, why: "MaximumEventAgeInSeconds", refusal }),
    );
    // One that waits for no fault of its target is tried whatever its age.
    const patient = delivery("patient", { retry });
    await world.outbox.accept([patient]);
    await world.clock.advance(1);
    const waiting = (await world.due()).find(({ id }) => id === patient.id);
    assert.ok(waiting && world.outbox.isTooOld(waiting));
    await world.settle(waiting, { kind: "wait", ms: 0 });
    assert.deepEqual(idsOf(await world.due()), [patient.id]);
  });
});

describe("an outbox that keeps an order", () => {
  test("P4: hands out of a lane only what is oldest, behind an attempt in vain, a wait and a crash", async () => {
    const world = await OutboxWorld.open({ ordering: "fifo" });
    const lanes = { a: ["a1", "a2", "a3"], b: ["b1"] };
    await world.outbox.accept(Object.entries(lanes).flatMap(([lane, names]) => names.map((name) => delivery(name, { lane }))));
    assert.equal(world.outbox.ordered, true);
    const subjects = async (max?: number) => (await world.due(max)).map((each) => each);
    const [first, other] = await subjects(1).then(async (one) => [...one, ...(await subjects(1))]);
    assert.deepEqual([first?.subject, other?.subject], ["a1", "b1"], "the lane of a1 is locked");
    assert.deepEqual(await subjects(), []);
    assert.ok(first);
    await world.settle(first, later());
    assert.deepEqual(await subjects(), [], "a2 waits behind a1");
    await world.clock.advance(1_000);
    const [again] = await subjects(1);
    assert.equal(again?.subject, "a1");
    await world.settle(again, { kind: "wait", ms: 10 });
    assert.deepEqual(await subjects(), []);
    await world.crash();
    await world.clock.advance(10);
    const all = await subjects();
    assert.deepEqual(
      all.filter(({ lane }) => lane === "a").map(({ subject }) => subject),
      ["a1", "a2", "a3"],
    );
  });

  test("hands nothing out of a lane that is held", async () => {
    for (const ordering of ["fair", "fifo"] as const) {
      const world = await OutboxWorld.open({ ordering });
      world.outbox.holdLane("a");
      await world.outbox.accept([delivery("a1", { lane: "a" }), delivery("b1", { lane: "b" })]);
      assert.deepEqual(
        (await world.due()).map(({ subject }) => subject),
        ["b1"],
      );
      world.outbox.freeLane("a");
      assert.deepEqual(
        (await world.due()).map(({ subject }) => subject),
        ["a1"],
      );
    }
  });
});

test("an outbox that is closed tells who waits, and takes nothing more", async () => {
  const world = await OutboxWorld.open();
  const waiting = world.outbox.take(1);
  await world.outbox.close();
  assert.equal(await waiting, undefined);
  await assert.rejects(world.outbox.accept([delivery("a", { origin: RULE_ARN })]), { code: "ShuttingDown" });
  assert.equal(world.clock.pendingCount, 0);
});

test("waits between attempts follow the factor of the server", async () => {
  const world = await OutboxWorld.open({ retryTimeFactor: 0.001 });
  await world.outbox.accept([delivery("a")]);
  await world.settle(await world.one(), later());
  assert.deepEqual(await world.due(), []);
  await world.clock.advance(1);
  assert.equal((await world.one()).attempts, 1);
});
