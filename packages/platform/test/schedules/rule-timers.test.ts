/** Rules with schedule expressions: what an occurrence sends is said by whoever keeps the rules. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isLambentError, systemSecureRandom, timeOrderedId } from "../../src/base/index.ts";
import { BACK_OFF_WAITS_MS, type NewDelivery } from "../../src/outbox/index.ts";
import { MINUTE_MS, openSchedulesWorld, REALM, type SchedulesWorld } from "./world.ts";

const START = Date.UTC(2026, 0, 1);
const arnOf = (name: string): string => `arn:aws:events:us-east-1:000000000000:rule/${name}`;
const timer = (name: string, expression: string, enabled = true) => ({ arn: arnOf(name), expression, enabled });

/** A rule with these targets, as a bus would answer. */
function rule(world: SchedulesWorld, name: string, ...targets: readonly string[]): void {
  world.rules.set(name, (dueAt) =>
    targets.map((target): NewDelivery => {
      const id = timeOrderedId(world.clock, systemSecureRandom);
      return {
        id,
        parcel: {
          target,
          sender: { kind: "service", realm: REALM, service: "events.amazonaws.com", sourceArn: arnOf(name) },
          payload: Buffer.from(JSON.stringify({ time: dueAt })),
          options: {},
          traceHeader: undefined,
        },
        source: "bus",
        origin: arnOf(name),
        subject: "Scheduled Event",
        cause: undefined,
        correlation: id,
        acceptedAt: world.clock.now(),
        dueAt,
        retry: { retriesMax: 3, ageMsMax: 60_000, waitsMs: BACK_OFF_WAITS_MS },
      };
    }),
  );
}

const shown = (world: SchedulesWorld): string[] => world.handed.map(({ at, parcel }) => `${(at - START) / MINUTE_MS} ${parcel.target}`);

describe("the timer of a rule", () => {
  it("is due a period after the rule was made, and sends to each of its targets", async () => {
    const world = await openSchedulesWorld();
    rule(world, "often", "a", "b");
    await world.timers.put(REALM, "often", timer("often", "rate(5 minutes)"));
    await world.until(START + 11 * MINUTE_MS);
    assert.deepEqual(shown(world).sort(), ["10 a", "10 b", "5 a", "5 b"]);
    assert.deepEqual(JSON.parse(world.handed[0]?.parcel.payload.toString() ?? ""), { time: START + 5 * MINUTE_MS });
  });

  it("keeps its course while its expression stays, and is not due while the rule is disabled, gone, or without targets", async () => {
    const world = await openSchedulesWorld();
    rule(world, "often", "a");
    const put = (expression: string, enabled = true) => world.timers.put(REALM, "often", timer("often", expression, enabled));
    await put("rate(5 minutes)");
    await world.until(START + 7 * MINUTE_MS);
    await put("rate(5 minutes)");
    await world.until(START + 12 * MINUTE_MS);
    await put("rate(5 minutes)", false);
    await world.until(START + 17 * MINUTE_MS);
    await put("rate(5 minutes)", true);
    await world.until(START + 22 * MINUTE_MS);
    world.rules.set("often", () => []);
    await world.until(START + 27 * MINUTE_MS);
    world.rules.delete("often");
    await world.until(START + 32 * MINUTE_MS);
    rule(world, "often", "a");
    await put("rate(7 minutes)");
    await world.until(START + 40 * MINUTE_MS);
    await world.timers.remove(REALM, "often");
    await world.timers.remove(REALM, "often");
    await world.until(START + 90 * MINUTE_MS);
    assert.deepEqual(shown(world), ["5 a", "10 a", "20 a", "39 a"]);
  });

  it("is made what the rules say after a crash between the two", async () => {
    const world = await openSchedulesWorld();
    rule(world, "stays", "a");
    rule(world, "new", "b");
    rule(world, "old", "c");
    await world.timers.put(REALM, "stays", timer("stays", "rate(10 minutes)"));
    await world.timers.put(REALM, "old", timer("old", "rate(10 minutes)"));
    await world.downFor(MINUTE_MS);
    const wanted = new Map([
      ["stays", timer("stays", "rate(10 minutes)")],
      ["new", timer("new", "cron(0/5 * * * ? *)")],
    ]);
    await world.timers.sync(REALM, wanted);
    await world.timers.sync(REALM, wanted);
    await world.until(START + 11 * MINUTE_MS);
    assert.deepEqual(shown(world).sort(), ["10 a", "10 b", "5 b"]);
  });

  it("missed is on record under the rule", async () => {
    const world = await openSchedulesWorld();
    rule(world, "often", "a");
    await world.timers.put(REALM, "often", timer("often", "rate(10 minutes)"));
    await world.downFor(35 * MINUTE_MS);
    assert.deepEqual(shown(world), ["35 a"]);
    const missed = (await world.records("~rules")).filter(({ state }) => state.kind === "ended" && state.outcome.kind === "discarded");
    assert.deepEqual(
      missed.map(({ origin, dueAt = 0 }) => [origin, (dueAt - START) / MINUTE_MS]),
      [
        [arnOf("often"), 10],
        [arnOf("often"), 20],
      ],
    );
  });

  it("that cannot be said what to send does not keep others waiting, and is on record", async () => {
    const world = await openSchedulesWorld();
    rule(world, "good", "a");
    world.rules.set("bad", () => assert.fail("a defect"));
    for (const name of ["bad", "good"]) await world.timers.put(REALM, name, timer(name, "rate(5 minutes)"));
    await world.clock.advance(6 * MINUTE_MS);
    assert.deepEqual(shown(world), ["5 a"]);
    assert.equal(world.problems.length, 1);
    const bad = (await world.records("~rules")).find(({ subject }) => subject === "bad");
    assert.deepEqual(
      [bad?.origin, bad?.state.kind === "ended" && bad.state.outcome],
      [arnOf("bad"), { kind: "discarded", reason: "missed" }],
    );
  });

  it("takes rates and cron expressions, and no times", async () => {
    const world = await openSchedulesWorld();
    for (const expression of ["at(2030-01-01T00:00:00)", "rate(1 minutes)", "cron(* * * * * *)", "soon"])
      assert.throws(
        () => world.timers.check(expression),
        (error) => isLambentError(error, "InvalidParameter") && error.message === "Parameter ScheduleExpression is not valid.",
      );
    world.timers.check("rate(1 minute)");
    // No group of this name is shown to anybody.
    await world.timers.put(REALM, "often", timer("often", "rate(10 minutes)"));
    assert.deepEqual(
      world.schedules.groups(REALM, { prefix: "", limit: 10 }).map(({ name }) => name),
      ["default"],
    );
    assert.throws(
      () => world.schedules.group(REALM, "~rules"),
      (error) => isLambentError(error, "NotFound"),
    );
  });
});
