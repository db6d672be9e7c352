/** Schedules in time: when targets get what, and what the ledger says of it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLambentError } from "../../src/base/index.ts";
import { DEAD, HOUR_MS, MINUTE_MS, openSchedulesWorld, REALM, settings, type SchedulesWorld, target, TAKEN } from "./world.ts";

const START = Date.UTC(2026, 0, 1);

const refusedAs = (code: string, message?: RegExp) => (error: unknown) =>
  isLambentError(error) && error.code === code && (message?.test(error.message) ?? true);

async function progress(world: SchedulesWorld, name: string) {
  return (await world.schedules.read(REALM, "default", name)).progress;
}

describe("a schedule", () => {
  it("with a rate is due at once and then at its period, never early", async () => {
    const world = await openSchedulesWorld();
    await world.make("often", { expression: "rate(5 minutes)" });
    await world.until(START + 16 * MINUTE_MS);
    assert.deepEqual(world.times(START), [0, 5 * MINUTE_MS, 10 * MINUTE_MS, 15 * MINUTE_MS]);
    const [first] = world.handed;
    assert.deepEqual(first?.parcel.sender, {
      kind: "service",
      realm: REALM,
      service: "scheduler.amazonaws.com",
      sourceArn: "arn:aws:scheduler:us-east-1:000000000000:schedule/default/often",
      roleArn: "arn:aws:iam::000000000000:role/scheduler",
    });
    assert.deepEqual([first.dueAt, first.subject, first.parcel.payload.toString()], [START, "often", "{}"]);
    assert.deepEqual(await progress(world, "often"), {
      last: START + 15 * MINUTE_MS,
      next: { dueAt: START + 20 * MINUTE_MS, fireAt: START + 20 * MINUTE_MS },
    });
    await world.schedules.close();
    assert.equal(world.clock.pendingCount, 0);
  });

  it("with a cron expression is due in its zone's time, between its start and its end", async () => {
    const world = await openSchedulesWorld();
    const [startAt, endAt] = [START + 24 * HOUR_MS, START + 80 * HOUR_MS];
    await world.make("daily", { expression: "cron(30 9 * * ? *)", zone: "Asia/Kolkata", startAt, endAt });
    await world.until(START + 120 * HOUR_MS);
    assert.deepEqual(world.times(START), [28 * HOUR_MS, 52 * HOUR_MS, 76 * HOUR_MS]);
    assert.deepEqual(await progress(world, "daily"), { last: START + 76 * HOUR_MS });
  });

  it("that is for once is due once, and goes when it is to go", async () => {
    const world = await openSchedulesWorld();
    await world.make("stays", { expression: "at(2026-01-01T00:00:30)" });
    await world.make("goes", { expression: "at(2026-01-01T00:00:30)", afterCompletion: "DELETE" });
    await world.make("past", { expression: "at(2025-12-31T23:00:00)", afterCompletion: "DELETE" });
    await world.make("just past", { expression: "at(2025-12-31T23:59:59)" });
    await world.until(START + HOUR_MS);
    assert.deepEqual(
      new Map(world.handed.map(({ subject, at }) => [subject, at - START])),
      new Map([
        ["just past", 0],
        ["goes", 30_000],
        ["stays", 30_000],
      ]),
    );
    assert.equal(world.handed.length, 3);
    assert.deepEqual(
      (await world.schedules.list(REALM, "default", { prefix: "", limit: 10 })).map(({ name }) => name),
      ["just past", "past", "stays"],
    );
  });

  it("with a window is due somewhere in it, and its next time counts from the one the expression says", async () => {
    const world = await openSchedulesWorld({ seed: 7 });
    await world.make("spread", { expression: "rate(1 hour)", windowMs: 30 * MINUTE_MS });
    await world.until(START + 10 * HOUR_MS - 1);
    const late = world.handed.map(({ at, dueAt = 0 }) => at - dueAt);
    assert.deepEqual(
      world.handed.map(({ dueAt = 0 }) => (dueAt - START) / HOUR_MS),
      [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
    );
    assert.ok(
      late.every((ms) => ms >= 0 && ms < 30 * MINUTE_MS),
      late.join(),
    );
    assert.ok(new Set(late).size > 5);
  });

  it("that is disabled is not due, and what passed meanwhile was not missed", async () => {
    const world = await openSchedulesWorld();
    await world.make("pause", { expression: "rate(10 minutes)" });
    await world.until(START + 11 * MINUTE_MS);
    await world.schedules.update(REALM, "default", "pause", settings({ expression: "rate(10 minutes)", state: "DISABLED" }));
    await world.until(START + 45 * MINUTE_MS);
    await world.schedules.update(REALM, "default", "pause", settings({ expression: "rate(10 minutes)" }));
    await world.until(START + 61 * MINUTE_MS);
    assert.deepEqual(
      world.times(START),
      [0, 10, 50, 60].map((minutes) => minutes * MINUTE_MS),
    );
    assert.ok((await world.records()).every(({ state }) => state.kind === "ended" && state.outcome.kind === "handled"));
  });

  it("that is changed within seconds before it is due follows the change", async () => {
    const world = await openSchedulesWorld();
    await world.make("first", { expression: "at(2026-01-01T00:10:00)" });
    await world.make("second", { expression: "at(2026-01-01T00:10:00)" });
    await world.make("third", { expression: "at(2026-01-01T00:10:00)" });
    await world.until(START + 10 * MINUTE_MS - 500);
    await world.schedules.update(REALM, "default", "first", settings({ expression: "at(2026-01-01T00:10:05)" }));
    await world.schedules.delete(REALM, "default", "second", "t");
    await world.make("fourth", { expression: "at(2026-01-01T00:10:00)" });
    await world.until(START + 20 * MINUTE_MS);
    assert.deepEqual(
      world.handed.map(({ subject, at }) => [subject, at - START - 10 * MINUTE_MS]),
      [
        ["fourth", 0],
        ["third", 0],
        ["first", 5_000],
      ],
    );
  });

  it("that is changed in the very moment it is due, or within its window, loses nothing when its times stay (P2)", async () => {
    const world = await openSchedulesWorld({ seed: 7 });
    const minutely = { expression: "rate(1 minute)", startAt: START };
    const windowed = { expression: "rate(1 hour)", windowMs: 30 * MINUTE_MS };
    await world.make("minutely", minutely);
    await world.make("windowed", windowed);
    const fireAt = (await progress(world, "windowed")).next?.fireAt ?? 0;
    assert.ok(fireAt > START + 2 * MINUTE_MS, "the window is still open when it is changed");
    await world.until(START + MINUTE_MS - 1);
    // The clock goes on, and nobody has had a turn yet: what is due then was not claimed.
    const advanced = world.clock.advance(3);
    const changed = world.schedules.update(REALM, "default", "minutely", settings({ ...minutely, description: "new" }));
    await Promise.all([advanced, changed]);
    await world.schedules.update(REALM, "default", "windowed", settings({ ...windowed, description: "new" }));
    await world.until(START + 59 * MINUTE_MS);
    const handed = (name: string) => world.handed.filter(({ subject }) => subject === name).map(({ dueAt = 0 }) => dueAt - START);
    assert.deepEqual(handed("windowed"), [0]);
    assert.deepEqual(
      handed("minutely"),
      Array.from({ length: 60 }, (_, minute) => minute * MINUTE_MS),
    );
  });

  it("that is given other times while an occurrence of the former ones is open does what it now says", async () => {
    const world = await openSchedulesWorld({ seed: 7 });
    await world.make("windowed", { expression: "cron(0 * * * ? *)", windowMs: 30 * MINUTE_MS });
    await world.until(START + 1);
    await world.schedules.update(REALM, "default", "windowed", settings({ expression: "cron(30 * * * ? *)" }));
    await world.until(START + HOUR_MS);
    assert.deepEqual(world.times(START), [30 * MINUTE_MS]);
  });

  it("fills in what its input asks for, and tells of itself without one", async () => {
    const world = await openSchedulesWorld();
    const input =
      '{"arn":"<aws.scheduler.schedule-arn>","at":"<aws.scheduler.scheduled-time>","try":"<aws.scheduler.attempt-number>","id":"<aws.scheduler.execution-id>"}';
    let refusals = 1;
    world.answer = () => (refusals-- > 0 ? { kind: "later", refusal: { code: "THROTTLING", message: "no" }, durationMs: 1 } : TAKEN);
    await world.make("told", { expression: "at(2026-01-01T00:01:00)", action: { kind: "target", target: target({ input }) } });
    await world.until(START + 2 * MINUTE_MS);
    const told = JSON.parse(world.handed[0]?.parcel.payload.toString() ?? "") as Record<string, string>;
    assert.match(told["id"] ?? "", /^[0-9a-f]{16}$/);
    assert.deepEqual(
      { ...told, id: "" },
      { arn: "arn:aws:scheduler:us-east-1:000000000000:schedule/default/told", at: "2026-01-01T00:01:00Z", try: "2", id: "" },
    );
    await world.make("plain", { expression: "at(2026-01-01T00:03:00)", action: { kind: "target", target: target({ input: undefined }) } });
    await world.until(START + 4 * MINUTE_MS);
    const [, plain] = world.handed;
    assert.deepEqual(JSON.parse(plain?.parcel.payload.toString() ?? ""), {
      version: "0",
      id: plain?.id,
      "detail-type": "Scheduled Event",
      source: "aws.scheduler",
      account: "000000000000",
      time: "2026-01-01T00:03:00Z",
      region: "us-east-1",
      resources: ["arn:aws:scheduler:us-east-1:000000000000:schedule/default/plain"],
      detail: "{}",
    });
  });

  it("tries its target as often as it says and tells the dead-letter queue in AWS's words", async () => {
    const world = await openSchedulesWorld();
    world.answer = ({ target: arn }) =>
      arn === DEAD ? TAKEN : { kind: "later", refusal: { code: "THROTTLING", message: "busy" }, durationMs: 1 };
    const action = { kind: "target", target: target({ retriesMax: 2, deadLetter: DEAD, input: "x" }) } as const;
    await world.make("vain", { expression: "at(2026-01-01T00:01:00)", action });
    await world.until(START + HOUR_MS);
    const [letter, ...more] = world.handed;
    assert.equal(more.length, 0);
    assert.deepEqual([letter?.parcel.target, letter?.parcel.payload.toString()], [DEAD, "x"]);
    const attributes = Object.fromEntries(
      Object.entries(letter?.parcel.options.attributes ?? {}).map(([name, { value }]) => [name, value]),
    );
    assert.match(String(attributes["EXECUTION_ID"]), /^[0-9a-f]{16}$/);
    assert.deepEqual(
      { ...attributes, EXECUTION_ID: "" },
      {
        ERROR_CODE: "THROTTLING",
        ERROR_MESSAGE: "busy",
        EXECUTION_ID: "",
        EXHAUSTED_RETRY_CONDITION: "MaximumRetryAttempts",
        IS_PAYLOAD_TRUNCATED: "false",
        RETRY_ATTEMPTS: "2",
        SCHEDULED_TIME: "2026-01-01T00:01:00Z",
        SCHEDULE_ARN: "arn:aws:scheduler:us-east-1:000000000000:schedule/default/vain",
        TARGET_ARN: "arn:aws:lambda:us-east-1:000000000000:function:work",
      },
    );
    const [record] = await world.records();
    assert.deepEqual(
      [record?.source, record?.dueAt, record?.attemptCount, record?.state.kind],
      ["schedule", START + MINUTE_MS, 3, "ended"],
    );
  });

  it("is due when the wall clock says so, also when that was put forward", async () => {
    const world = await openSchedulesWorld();
    await world.make("alarm", { expression: "at(2026-01-01T05:00:00)" });
    await world.until(START + MINUTE_MS);
    world.clock.jumpWall(6 * HOUR_MS);
    await world.clock.advance(MINUTE_MS);
    await world.settle();
    assert.equal(world.handed.length, 1);
  });

  it("of which very many are due at the same second is done whole, each once", async () => {
    const world = await openSchedulesWorld();
    for (let start = 0; start < 1_250; start += 250)
      await Promise.all(
        Array.from({ length: 250 }, (_, index) => world.make(`s-${start + index}`, { expression: "at(2026-01-01T01:00:00)" })),
      );
    await world.until(START + HOUR_MS - 1);
    assert.equal(world.handed.length, 0);
    await world.clock.advance(1);
    for (let turn = 0; turn < 200 && world.handed.length < 1_250; turn++) await world.settle();
    assert.equal(new Set(world.handed.map(({ subject }) => subject)).size, 1_250);
    assert.equal(world.handed.length, 1_250);
  });
});

describe("a schedule while nobody runs", () => {
  it("of every minute is done once after three hours, and each of the others is on record as missed", async () => {
    const world = await openSchedulesWorld();
    await world.make("often", { expression: "rate(1 minute)" });
    await world.until(START + 2 * MINUTE_MS + 1);
    await world.downFor(3 * HOUR_MS);
    const now = world.clock.now();
    assert.deepEqual(
      world.handed.map(({ at }) => at - START),
      [0, MINUTE_MS, 2 * MINUTE_MS, now - START],
    );
    assert.equal(world.handed.at(-1)?.dueAt, START + 182 * MINUTE_MS);
    const missed = (await world.records()).filter(({ state }) => state.kind === "ended" && state.outcome.kind === "discarded");
    assert.deepEqual(
      missed.map(({ dueAt = 0 }) => (dueAt - START) / MINUTE_MS),
      Array.from({ length: 179 }, (_, index) => index + 3),
    );
    assert.ok(
      missed.every(({ state }) => state.kind === "ended" && state.outcome.kind === "discarded" && state.outcome.reason === "missed"),
    );
    await world.until(START + 183 * MINUTE_MS);
    assert.equal(world.handed.at(-1)?.at, START + 183 * MINUTE_MS);
  });

  it("that is for once is done late when it is younger than its target's maximum age, and else missed", async () => {
    const world = await openSchedulesWorld();
    const expression = "at(2026-01-01T01:00:00)";
    await world.make("young", { expression });
    await world.make("old", { expression, action: { kind: "target", target: target({ ageMsMax: HOUR_MS }) }, afterCompletion: "DELETE" });
    await world.downFor(3 * HOUR_MS);
    assert.deepEqual(
      world.handed.map(({ subject, at }) => [subject, at - START]),
      [["young", 3 * HOUR_MS]],
    );
    const old = (await world.records()).find(({ subject }) => subject === "old");
    assert.deepEqual(old?.state.kind === "ended" && old.state.outcome, { kind: "discarded", reason: "missed" });
    assert.deepEqual(
      (await world.schedules.list(REALM, "default", { prefix: "", limit: 10 })).map(({ name }) => name),
      ["young"],
    );
  });

  it("for very long has a record for each of the last day's, and one for all before", async () => {
    const world = await openSchedulesWorld();
    await world.make("often", { expression: "rate(1 minute)" });
    await world.until(START + 1);
    await world.downFor(30 * 24 * HOUR_MS);
    const records = await world.records();
    const [, shared] = records;
    assert.equal(shared?.subject, "often: every occurrence before 2026-01-30T00:01:00Z");
    assert.equal(shared?.dueAt, START + MINUTE_MS);
    assert.equal(world.handed.length, 2);
    assert.equal((await progress(world, "often")).next?.dueAt, START + 30 * 24 * HOUR_MS + MINUTE_MS);
  });

  it("once a week, is on record week by week", async () => {
    const world = await openSchedulesWorld();
    await world.make("weekly", { expression: "cron(0 0 ? * MON *)" });
    await world.downFor(40 * 24 * HOUR_MS);
    const missed = (await world.records()).map(({ dueAt = 0 }) => new Date(dueAt).toISOString().slice(0, 10));
    // The last one was due on 9 February, a day and more before.
    assert.deepEqual(missed, ["2026-01-05", "2026-01-12", "2026-01-19", "2026-01-26", "2026-02-02", "2026-02-09"]);
    assert.equal(world.handed.length, 0);
  });
});

describe("requests that come again", () => {
  it("make a schedule once by their token, and are refused with another one", async () => {
    const world = await openSchedulesWorld();
    await world.make("one", { expression: "rate(1 hour)" }, { token: "a" });
    await world.make("one", { expression: "rate(1 hour)" }, { token: "a" });
    await assert.rejects(world.make("one", { expression: "rate(2 hours)" }, { token: "a" }), refusedAs("AlreadyExists"));
    await assert.rejects(
      world.make("one", { expression: "rate(1 hour)" }, { token: "b" }),
      refusedAs("AlreadyExists", /^Schedule one already exists\.$/),
    );
    await world.downFor(0);
    await world.make("one", { expression: "rate(1 hour)" }, { token: "a" });
    await world.settle();
    assert.equal(world.handed.length, 1);
    await world.schedules.delete(REALM, "default", "one", "x");
    await world.schedules.delete(REALM, "default", "one", "x");
    await assert.rejects(world.schedules.delete(REALM, "default", "one", "y"), refusedAs("NotFound", /^Schedule one does not exist\.$/));
  });

  it("at the same time make it once", async () => {
    const world = await openSchedulesWorld();
    const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, index) => world.make("one", {}, { token: `${index}` })));
    assert.equal(outcomes.filter(({ status }) => status === "fulfilled").length, 1);
  });
});

describe("groups", () => {
  it("hold schedules of the same name apart, and go with them", async () => {
    const world = await openSchedulesWorld();
    const { schedules } = world;
    await assert.rejects(world.make("same", {}, { group: "night" }), refusedAs("NotFound", /^Schedule group night does not exist\.$/));
    await schedules.createGroup(REALM, "night", { team: "a" }, "t");
    await schedules.createGroup(REALM, "night", { team: "a" }, "t");
    await assert.rejects(schedules.createGroup(REALM, "night", {}, "u"), refusedAs("AlreadyExists"));
    await world.make("same", { expression: "rate(1 hour)" });
    await world.make("same", { expression: "rate(2 hours)" }, { group: "night" });
    await world.until(START + HOUR_MS);
    assert.equal(world.handed.length, 3);
    assert.deepEqual(
      schedules.groups(REALM, { prefix: "", limit: 10 }).map(({ name, state }) => [name, state]),
      [
        ["default", "ACTIVE"],
        ["night", "ACTIVE"],
      ],
    );
    await schedules.deleteGroup(REALM, "night", "d");
    await assert.rejects(world.make("new", {}, { group: "night" }), refusedAs("NotFound"));
    await world.until(START + 5 * HOUR_MS);
    assert.equal(
      world.handed.filter(({ parcel }) => parcel.sender.kind === "service" && parcel.sender.sourceArn.includes("/night/")).length,
      1,
    );
    assert.throws(() => schedules.group(REALM, "night"), refusedAs("NotFound"));
    await schedules.deleteGroup(REALM, "night", "d");
    await assert.rejects(schedules.deleteGroup(REALM, "night", "e"), refusedAs("NotFound"));
    await assert.rejects(schedules.deleteGroup(REALM, "default", "e"), refusedAs("InvalidParameter"));
    await schedules.createGroup(REALM, "night", {}, "v");
    assert.deepEqual(await schedules.list(REALM, "night", { prefix: "", limit: 10 }), []);
  });

  it("that were being removed when the process ended are removed by the next one, and their ledger stays for a day", async () => {
    const world = await openSchedulesWorld();
    await world.schedules.createGroup(REALM, "night", {}, "t");
    await world.make("a", { expression: "rate(1 hour)" }, { group: "night" });
    await world.settle();
    const removal = world.schedules.deleteGroup(REALM, "night", "d");
    await world.downFor(2 * HOUR_MS);
    await removal;
    assert.throws(() => world.schedules.group(REALM, "night"), refusedAs("NotFound"));
    assert.equal(world.handed.length, 1);
    const cellsOf = async () => (await world.store.cells({ prefix: "000000000000.us-east-1/schedules/night/", limit: 10 })).length;
    const rowsLeft = async () => {
      const cells = await world.store.cells({ prefix: "000000000000.us-east-1/schedules/night/", limit: 10 });
      return (await Promise.all(cells.map((cell) => world.store.list(cell, { prefix: "", limit: 100 })))).flat().length;
    };
    assert.ok((await cellsOf()) === 1 && (await rowsLeft()) > 0);
    await world.downFor(25 * HOUR_MS);
    assert.equal(await rowsLeft(), 0);
  });
});

describe("settings of schedules", () => {
  it("that say nothing, or what never is, are refused with what is wrong", async () => {
    const world = await openSchedulesWorld();
    const refused = (more: Parameters<typeof settings>[0], message: string) =>
      assert.rejects(world.make("x", more), (error) => isLambentError(error, "InvalidParameter") && error.message === message);
    await refused({ expression: "rate(5 minute)" }, "Invalid Schedule Expression rate(5 minute).");
    await refused({ expression: "cron(0 0 31 2 ? *)" }, "Invalid Schedule Expression cron(0 0 31 2 ? *).");
    await refused({ expression: "cron(0 0 1 1 ? 2020)" }, "Invalid Schedule Expression cron(0 0 1 1 ? 2020).");
    await refused({ expression: "at(2026-03-29T02:30:00)", zone: "Europe/Berlin" }, "Invalid Schedule Expression at(2026-03-29T02:30:00).");
    await refused({ zone: "Mars/Olympus" }, "Invalid Schedule Expression Timezone Mars/Olympus.");
    await refused({ startAt: START - 301_000 }, "The StartDate you specify cannot be earlier than 5 minutes ago.");
    await refused({ endAt: START }, "The EndDate you specify cannot be in the past.");
    await refused({ startAt: START + 2, endAt: START + 1 }, "The EndDate you specify cannot be earlier than the StartDate.");
    await world.make("x", { startAt: START - 299_000, expression: "rate(1 day)" });
    await world.until(START + HOUR_MS);
    await world.schedules.update(
      REALM,
      "default",
      "x",
      settings({ startAt: START - 299_000, expression: "rate(1 day)", description: "d" }),
    );
    assert.equal((await world.schedules.read(REALM, "default", "x")).record.settings.description, "d");
  });
});
