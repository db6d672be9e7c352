/** Buses, rules and schedules of an application: read, named, planned. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  guessedRuleName,
  guessedScheduleName,
  parseAppDocument,
  readCron,
  readEvery,
  rulePermissionId,
  shortPattern,
} from "../../src/apps/index.ts";
import {
  type CurrentEventWiring,
  type EventWiring,
  ruleKey,
  type RuleTrigger,
  scheduleKey,
  type ScheduleTrigger,
} from "../../src/apps/event-form.ts";
import { triggerOfKey } from "../../src/apps/trigger-key.ts";
import { planBuses, planEventRemovals, planEventTriggers } from "../../src/apps/event-plan.ts";
import { isLambentError } from "../../src/base/index.ts";
import { nextAt, parseExpression } from "../../src/schedules/index.ts";

const NOTHING: CurrentEventWiring = { buses: new Map(), rules: new Map(), schedules: new Map() };
const ROLE = "arn:aws:iam::000000000000:role/worker";
const RULES = { owned: new Set<string>(), roleArn: () => ROLE, onlyUntouched: false };

const rule = (ruleName: string, options: Partial<RuleTrigger["options"]> = {}): RuleTrigger => ({
  ...{ functionName: "worker", busName: "shop", ruleName },
  options: { pattern: '{"source":["a"]}', format: "aws", enabled: true, ...options },
});
const schedule = (scheduleName: string, expression = "rate(1 hour)"): ScheduleTrigger => ({
  ...{ functionName: "worker", scheduleName },
  options: { expression, zone: "UTC", input: undefined, enabled: true },
});
const wiring = (wanted: Partial<EventWiring>): EventWiring => ({ buses: [], rules: [], schedules: [], ...wanted });
const current = (rules: readonly RuleTrigger[], schedules: readonly ScheduleTrigger[], permitted = true): CurrentEventWiring => ({
  buses: new Map([["shop", { name: "shop", description: undefined }]]),
  rules: new Map(rules.map((each) => [ruleKey(each), { ...each, permitted }])),
  schedules: new Map(schedules.map((each) => [scheduleKey(each), { ...each, roleArn: ROLE }])),
});

test("a document names buses, rules and schedules", () => {
  const document = parseAppDocument(
    `
buses: { shop: , depot: { description: parcels } }
functions:
  worker:
    triggers:
      - { on: { detail-type: [order.placed] }, bus: shop, format: cloudevent }
      - { on: "order.*", name: all-orders, enabled: false }
      - { every: 5 minutes, input: { kind: tick } }
      - { cron: 0 3 * * 1-5, timezone: Europe/Berlin }
`,
    "lambent.yaml",
  );
  assert.deepEqual(document.buses, [
    { name: "shop", description: undefined },
    { name: "depot", description: "parcels" },
  ]);
  const common = { functionName: "worker" };
  assert.deepEqual(document.rules, [
    {
      ...{ ...common, busName: "shop", ruleName: "worker-order.placed" },
      options: { pattern: '{"detail-type":["order.placed"]}', format: "cloudevent", enabled: true },
    },
    {
      ...{ ...common, busName: "default", ruleName: "all-orders" },
      options: { pattern: '{"detail-type":[{"prefix":"order."}]}', format: "aws", enabled: false },
    },
  ]);
  assert.deepEqual(document.schedules, [
    {
      ...{ ...common, scheduleName: "worker-every-5-minutes" },
      options: { expression: "rate(5 minutes)", zone: "UTC", input: '{"kind":"tick"}', enabled: true },
    },
    {
      ...{ ...common, scheduleName: "worker-cron-0-3-x-x-MON-FRI" },
      options: { expression: "cron(0 3 ? * MON-FRI *)", zone: "Europe/Berlin", input: undefined, enabled: true },
    },
  ]);
});

test("what does not go together is refused with place and rule, in one line", () => {
  const refused = (trigger: string, message: RegExp): void =>
    assert.throws(
      () => parseAppDocument(`functions: { a: { triggers: [${trigger}] } }`, "lambent.yaml"),
      (error) => isLambentError(error, "InvalidParameter") && message.test(error.message) && !error.message.includes("\n"),
      trigger,
    );
  refused(
    "{ batch: 5 }",
    /functions\.a\.triggers\[0\] does not say what calls the function: one of queue, kafka, stream, on, every, cron, upload\.$/u,
  );
  refused("{ queue: q, on: x }", /has queue and on; each is a trigger of its own\.$/u);
  refused("{ on: x, batch: 5 }", /has batch, which does not go with on; with it go bus, format, name, enabled\.$/u);
  refused("{ every: 1 minute, timezone: UTC }", /has timezone, which does not go with every/u);
  refused("{ on: { source: x } }", /triggers\[0\]\.on is no event pattern: .*"source" must be/u);
  refused("{ every: 30s }", /triggers\[0\]\.every: "30s" is not a number of whole minutes/u);
  refused('{ cron: "0 3 * * ? *", timezone: Mars }', /triggers\[0\]\.timezone: "Mars" is no time zone/u);
  refused('{ cron: "0 0 30 2 ? *" }', /triggers\[0\]\.cron: "0 0 30 2 \? \*" never comes/u);
  refused("{ cron: */5 * * * * }", /is not YAML: .* A value that begins with \* has to be quoted: "\*\/5 \* \* \* \*"\.$/u);
  refused("{ on: x, name: a b }", /triggers\[0\]\.name is "a b"; it has to be a name for the rule or the schedule: letters/u);
  refused("{ on: x, format: xml }", /triggers\[0\]\.format is "xml"/u);
});

test("short forms ask for the type of events", () => {
  assert.equal(shortPattern("order.placed"), '{"detail-type":["order.placed"]}');
  assert.equal(shortPattern("order.*"), '{"detail-type":[{"prefix":"order."}]}');
  assert.equal(shortPattern("*.placed"), '{"detail-type":[{"wildcard":"*.placed"}]}');
  assert.equal(shortPattern('"quoted"'), undefined);
});

test("guessed names tell patterns and expressions apart and fit AWS's rules", () => {
  assert.equal(guessedRuleName("hello", '{"detail-type":["order.placed"]}'), "hello-order.placed");
  assert.equal(guessedScheduleName("hello", "rate(1 minute)"), "hello-every-1-minute");
  assert.equal(guessedScheduleName("hello", "cron(0 3 * * ? *)"), "hello-cron-0-3");
  assert.notEqual(guessedScheduleName("hello", "cron(0 3 * * ? *)"), guessedScheduleName("hello", "cron(0 * 3 * ? *)"));
  assert.notEqual(guessedScheduleName("hello", "cron(0/5 3 * * ? *)"), guessedScheduleName("hello", "cron(0,5 3 * * ? *)"));
  const names = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/u);
  fc.assert(
    fc.property(names, fc.json({ maxDepth: 2 }), fc.string({ minLength: 1, maxLength: 80 }), (name, source, type) => {
      for (const pattern of [JSON.stringify({ source: [JSON.parse(source) as unknown] }), JSON.stringify({ "detail-type": [type] })]) {
        const guessed = guessedRuleName(name, pattern);
        assert.match(guessed, /^[A-Za-z0-9_.-]{1,64}$/u);
        assert.match(rulePermissionId("some.bus", guessed), /^[A-Za-z0-9_-]{1,100}$/u);
      }
    }),
    { numRuns: 200, seed: 5 },
  );
});

test("periods are read as people write them, and less than a minute is refused", () => {
  const read = (text: string): string => {
    const reading = readEvery(text);
    return reading.kind === "read" ? reading.expression : reading.why;
  };
  assert.deepEqual(["1 minute", "5 minutes", "5m", "minute", "2 hours", "1 H", "day", "120s", "rate(3 days)"].map(read), [
    "rate(1 minute)",
    "rate(5 minutes)",
    "rate(5 minutes)",
    "rate(1 minute)",
    "rate(2 hours)",
    "rate(1 hour)",
    "rate(1 day)",
    "rate(2 minutes)",
    "rate(3 days)",
  ]);
  for (const text of ["0m", "5ms", "x", "", "-1m", "1.5h", "5 m x", "constructor"]) assert.match(read(text), /is no period/u, text);
  for (const text of ["30s", "90 seconds"]) assert.match(read(text), /smallest unit/u, text);
});

test("a crontab's line means the same times as AWS's expression it becomes", () => {
  assert.deepEqual(readCron("0 3 * * 1-5"), { kind: "read", expression: "cron(0 3 ? * MON-FRI *)" });
  assert.deepEqual(readCron("*/10 9-17 * * 0,6"), { kind: "read", expression: "cron(*/10 9-17 ? * SUN,SAT *)" });
  assert.deepEqual(readCron("0 0 1 * *"), { kind: "read", expression: "cron(0 0 1 * ? *)" });
  for (const text of ["0 3 1 * 1", "0 3 * *", "0 3 * * 8", "0 3 * * * *", "61 3 * * *", "0 3 * * 5-1"])
    assert.equal(readCron(text).kind, "refused", text);
  const part = fc.oneof(
    fc.integer({ min: 0, max: 7 }).map((day) => ({ text: `${day}`, days: [day % 7] })),
    fc.tuple(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 6 }), fc.integer({ min: 1, max: 3 })).map(([from, more, step]) => {
      const to = Math.min(7, from + more);
      const days = [];
      for (let day = from; day <= to; day += step) days.push(day % 7);
      return { text: `${from}-${to}${step === 1 ? "" : `/${step}`}`, days };
    }),
    fc.constantFrom({ text: "*/2", days: [0, 2, 4, 6] }, { text: "wed", days: [3] }),
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const reading = readCron(`30 12 * * ${parts.map(({ text }) => text).join(",")}`);
      assert.equal(reading.kind, "read");
      const expression = reading.kind === "read" ? parseExpression(reading.expression) : undefined;
      assert.ok(expression);
      const wanted = new Set(parts.flatMap(({ days }) => days));
      // A week from a Sunday on.
      const start = Date.UTC(2026, 10, 22);
      const found = new Set<number>();
      for (let at: number | undefined = start - 1; ;) {
        at = nextAt(expression, { zone: "UTC", anchor: start }, at);
        if (at === undefined || at >= start + 7 * 86_400_000) break;
        found.add(new Date(at).getUTCDay());
      }
      assert.deepEqual(new Set(found), new Set(wanted));
    }),
    { numRuns: 200, seed: 5 },
  );
});

test("a bus that only a rule names is created, too; none is removed", () => {
  const changes = planBuses(
    NOTHING,
    wiring({ buses: [{ name: "depot", description: "parcels" }], rules: [rule("r1"), rule("r2")] }),
    RULES,
  );
  assert.deepEqual(
    changes.map((change) => ("bus" in change ? [change.kind, change.bus.name] : [])),
    [
      ["createBus", "depot"],
      ["createBus", "shop"],
    ],
  );
  assert.deepEqual(planBuses(current([], []), wiring({}), RULES), []);
});

test("only what differs of rules and schedules changes; a permission that is missing is a difference", () => {
  const same = wiring({ rules: [rule("r1")], schedules: [schedule("s1")] });
  assert.deepEqual(planEventTriggers(current([rule("r1")], [schedule("s1")]), same, RULES), []);
  const changes = planEventTriggers(current([rule("r1", { format: "cloudevent" })], [schedule("s1", "rate(2 hours)")], false), same, RULES);
  assert.deepEqual(
    changes.map((change) => ("fields" in change ? change.fields : [])),
    [
      [
        { field: "format", from: "cloudevent", to: "aws" },
        { field: "permission", from: "missing", to: "given" },
      ],
      [{ field: "expression", from: "rate(2 hours)", to: "rate(1 hour)" }],
    ],
  );
});

test("a function that gets another role takes its schedules along", () => {
  const [change] = planEventTriggers(current([], [schedule("s1")]), wiring({ schedules: [schedule("s1")] }), {
    ...RULES,
    roleArn: () => `${ROLE}-2`,
  });
  assert.deepEqual(change && "fields" in change ? change.fields : [], [{ field: "roleArn", from: ROLE, to: `${ROLE}-2` }]);
});

test("what the application brought goes with its line; what others brought stays", () => {
  const there = current([rule("r1"), rule("r2")], [schedule("s1"), schedule("s2")]);
  const owned = new Set([ruleKey(rule("r1")), scheduleKey(schedule("s1")), "worker orders", ruleKey(rule("gone"))]);
  assert.deepEqual(
    planEventRemovals(there, wiring({}), { ...RULES, owned }).map(({ kind }) => kind),
    ["removeRule", "removeSchedule"],
  );
  assert.deepEqual(planEventRemovals(there, wiring({ rules: [rule("r1")], schedules: [schedule("s1")] }), { ...RULES, owned }), []);
});

test("examples change nothing that is there, and bring nothing back that a person took away", () => {
  const rules = { ...RULES, owned: new Set([ruleKey(rule("r1"))]), onlyUntouched: true };
  const wanted = wiring({ rules: [rule("r1"), rule("r2")], schedules: [schedule("s1", "rate(5 hours)")] });
  assert.deepEqual(
    planEventTriggers(current([], [schedule("s1")]), wanted, rules).map((change) => ("rule" in change ? change.rule : undefined)),
    [rule("r2")],
  );
});

test("an application remembers each trigger by a key that says what it is", () => {
  assert.deepEqual(triggerOfKey("worker schedule"), { kind: "queue", functionName: "worker", queueName: "schedule" });
  assert.deepEqual(triggerOfKey(ruleKey(rule("r1"))), { kind: "rule", functionName: "worker", busName: "shop", ruleName: "r1" });
  assert.deepEqual(triggerOfKey(scheduleKey(schedule("s1"))), { kind: "schedule", functionName: "worker", scheduleName: "s1" });
  assert.throws(
    () => triggerOfKey("worker odd thing"),
    (error) => isLambentError(error, "StorageCorrupt"),
  );
});
