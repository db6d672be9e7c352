import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAppDocument } from "../../src/apps/index.ts";
import { isLambentError } from "../../src/base/index.ts";
import { TRIGGER_DEFAULTS, triggerKey, type CurrentQueue, type QueueOptions, type Trigger } from "../../src/apps/wiring-form.ts";
import { planQueues, planTriggerRemovals, planTriggers, type CurrentWiring, type WiringRules } from "../../src/apps/wiring-plan.ts";

const NOTHING: CurrentWiring = { queues: new Map(), triggers: new Map() };
const RULES: WiringRules = { owned: new Set(), timeoutMs: () => 3_000, onlyUntouched: false };
const DEFAULTS: QueueOptions = {
  visibilityMs: 30_000,
  retentionMs: 345_600_000,
  delayMs: 0,
  deadLetter: undefined,
  contentDeduplication: false,
};
const trigger = (functionName: string, queueName: string, options = {}): Trigger => ({
  functionName,
  queueName,
  options: { ...TRIGGER_DEFAULTS, ...options },
});
const current = (queues: readonly CurrentQueue[], triggers: readonly Trigger[] = []): CurrentWiring => ({
  queues: new Map(queues.map((queue) => [queue.name, queue])),
  triggers: new Map(triggers.map((each) => [triggerKey(each), each])),
});

const DOCUMENT = `
app: shop
queues:
  orders:
    visibility: 2m
    retention: 4d
    deadLetter: { queue: failed, after: 3 }
  failed:
  line.fifo: { contentDeduplication: true }
functions:
  worker:
    code: worker.mjs
    triggers:
      - queue: orders
        batch: 50
        window: 5s
        filters: [{ body: { kind: [order] } }]
        reportFailures: true
      - { queue: line.fifo, concurrency: 4, enabled: false }
`;

test("a document names queues and triggers", () => {
  const { queues, triggers } = parseAppDocument(DOCUMENT, "lambent.yaml");
  assert.deepEqual(queues, [
    { name: "orders", options: { visibilityMs: 120_000, retentionMs: 345_600_000, deadLetter: { queue: "failed", after: 3 } } },
    { name: "failed", options: {} },
    { name: "line.fifo", options: { contentDeduplication: true } },
  ]);
  assert.deepEqual(triggers, [
    trigger("worker", "orders", { batchSize: 50, windowMs: 5_000, filters: ['{"body":{"kind":["order"]}}'], reportsFailures: true }),
    trigger("worker", "line.fifo", { concurrencyMax: 4, enabled: false }),
  ]);
});

test("a document that breaks a rule is refused with place, value and rule", () => {
  const refused = (text: string, message: RegExp): void =>
    assert.throws(
      () => parseAppDocument(text, "lambent.yaml"),
      (error) => isLambentError(error, "InvalidParameter") && message.test(error.message),
      text,
    );
  refused("functions: { a: { triggers: [{ batch: 5 }] } }", /functions\.a\.triggers\[0\] does not say what calls the function/u);
  refused("functions: { a: { triggers: [{ queue: q, batch: 10001 }] } }", /triggers\[0\]\.batch is 10001; it has to be 1 to 10000/u);
  refused("functions: { a: }\nqueues: { 'no spaces': }", /queues has an entry "no spaces" whose name is not allowed/u);
  refused("functions: { a: }\nqueues: { q: { visibility: 5 minutes } }", /queues\.q\.visibility is "5 minutes"/u);
  refused("functions: { a: }\nqueues: { q: { deadLetter: { queue: d } } }", /queues\.q\.deadLetter lacks "after"/u);
});

test("a queue that a function is to be triggered by hides messages six times as long as the function may take", () => {
  const wanted = { queues: [{ name: "orders", options: {} }], triggers: [trigger("slow", "orders"), trigger("quick", "orders")] };
  const timeoutMs = (name: string): number => (name === "slow" ? 20_000 : 1_000);
  const [change] = planQueues(NOTHING, wanted, { ...RULES, timeoutMs });
  assert.deepEqual(change, { kind: "createQueue", queueName: "orders", options: { visibilityMs: 120_000 } });
});

test("dead-letter queues come before the queues that name them", () => {
  const queues = [
    { name: "a", options: { deadLetter: { queue: "b", after: 1 } } },
    { name: "b", options: { deadLetter: { queue: "c", after: 1 } } },
    { name: "c", options: {} },
  ];
  assert.deepEqual(
    planQueues(NOTHING, { queues, triggers: [] }, RULES).map(({ queueName }) => queueName),
    ["c", "b", "a"],
  );
});

test("only what differs changes, and what a document leaves out of a queue stays", () => {
  const there = current([{ name: "orders", options: { ...DEFAULTS, visibilityMs: 60_000 } }], [trigger("worker", "orders")]);
  const same = { queues: [{ name: "orders", options: { retentionMs: DEFAULTS.retentionMs } }], triggers: [trigger("worker", "orders")] };
  assert.deepEqual([...planQueues(there, same, RULES), ...planTriggers(there, same, RULES)], []);
  const other = {
    queues: [{ name: "orders", options: { deadLetter: { queue: "failed", after: 3 } } }],
    triggers: [trigger("worker", "orders", { batchSize: 5 })],
  };
  assert.deepEqual(
    [...planQueues(there, other, RULES), ...planTriggers(there, other, RULES)].map((change) => ("fields" in change ? change.fields : [])),
    [[{ field: "deadLetter", from: "none", to: '{"queue":"failed","after":3}' }], [{ field: "batchSize", from: "10", to: "5" }]],
  );
});

test("a trigger that the application brought goes with its line; queues and other people's triggers stay", () => {
  const there = current([{ name: "orders", options: DEFAULTS }], [trigger("worker", "orders"), trigger("other", "orders")]);
  const wanted = { queues: [], triggers: [] };
  assert.deepEqual(planQueues(there, wanted, RULES), []);
  assert.deepEqual(planTriggerRemovals(there, wanted, { ...RULES, owned: new Set(["worker orders", "gone orders"]) }), [
    { kind: "removeTrigger", functionName: "worker", queueName: "orders" },
  ]);
});

test("examples change nothing that is there, and bring nothing back that a person took away", () => {
  const rules = { ...RULES, owned: new Set(["worker orders"]), onlyUntouched: true };
  const there = current([{ name: "orders", options: DEFAULTS }]);
  const wanted = {
    queues: [{ name: "orders", options: { visibilityMs: 60_000 } }],
    triggers: [trigger("worker", "orders"), trigger("other", "orders")],
  };
  assert.deepEqual(planQueues(there, wanted, rules), []);
  assert.deepEqual(
    planTriggers(there, wanted, rules).map(({ kind, queueName }) => [kind, queueName]),
    [["createTrigger", "orders"]],
  );
});
