import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  ListTagsCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { systemSecureRandom } from "../../../src/base/index.ts";
import { DEFAULT_QUEUE_SETTINGS, openQueues, type QueueSettings } from "../../../src/queues/index.ts";
import { openSources } from "../../../src/sources/index.ts";
import { known, refused, startLambda } from "../../support/lambda-api.ts";

const REALM = { account: "000000000000", region: "us-east-1" };
const arnOf = (name: string): string => `arn:aws:sqs:us-east-1:000000000000:${name}`;

async function open(test: TestContext) {
  const lambda = await startLambda(test);
  const queue = async (name: string, changed: Partial<QueueSettings> = {}): Promise<string> => {
    const kind = name.endsWith(".fifo") ? "fifo" : "standard";
    await lambda.queues.create(REALM, name, { ...DEFAULT_QUEUE_SETTINGS, kind, ...changed }, [], {});
    return arnOf(name);
  };
  await lambda.create();
  const map = (changed: Partial<CreateEventSourceMappingCommandInput>) =>
    lambda.client.send(new CreateEventSourceMappingCommand({ FunctionName: "hello", EventSourceArn: arnOf("orders"), ...changed }));
  const settled = async (changed: Partial<CreateEventSourceMappingCommandInput> = {}) => {
    const made = await map(changed);
    await lambda.sources.settled();
    return known(made.UUID);
  };
  return { ...lambda, queue, map, settled };
}

const invalid = (message: RegExp) => refused("InvalidParameterValueException", 400, message);

test("settings outside their bounds are refused with AWS's words where it has them", async (t) => {
  const { queue, map } = await open(t);
  await queue("orders");
  await queue("line.fifo");
  const fifo = { EventSourceArn: arnOf("line.fifo") };
  await assert.rejects(
    map({ BatchSize: 0 }),
    /'batchSize' failed to satisfy constraint: Member must have value greater than or equal to 1/u,
  );
  await assert.rejects(map({ BatchSize: 10_001 }), /less than or equal to 10000/u);
  await assert.rejects(
    map({ BatchSize: 11 }),
    invalid(/^Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10$/u),
  );
  await assert.rejects(
    map({ ...fifo, BatchSize: 11, MaximumBatchingWindowInSeconds: 1 }),
    invalid(/^BatchSize is 11; a FIFO queue allows 1 to 10\.$/u),
  );
  await assert.rejects(map({ ...fifo, MaximumBatchingWindowInSeconds: 1 }), invalid(/^Batching window is not supported for FIFO queues$/u));
  await assert.rejects(map({ MaximumBatchingWindowInSeconds: 301 }), /less than or equal to 300/u);
  await assert.rejects(map({ ScalingConfig: { MaximumConcurrency: 1 } }), /greater than or equal to 2/u);
  await assert.rejects(map({ ScalingConfig: { MaximumConcurrency: 1_001 } }), /less than or equal to 1000/u);
  await assert.rejects(map({ FunctionResponseTypes: ["Other" as "ReportBatchItemFailures"] }), /enum value set/u);
  await map({ BatchSize: 10_000, MaximumBatchingWindowInSeconds: 300, ScalingConfig: { MaximumConcurrency: 1_000 } });
  await map({ ...fifo, BatchSize: 10 });
});

test("filters are event patterns, ten at most", async (t) => {
  const { queue, map } = await open(t);
  await queue("orders");
  const filters = (...patterns: readonly string[]) => ({ FilterCriteria: { Filters: patterns.map((Pattern) => ({ Pattern })) } });
  await assert.rejects(map(filters("{")), invalid(/^Invalid filter pattern definition\.$/u));
  await assert.rejects(
    map(filters('{"body":"order"}')),
    invalid(/^Invalid filter pattern definition\. .*"body" must be an object or an array$/u),
  );
  await assert.rejects(map(filters('{"body":[{"PREFIX":"a"}]}')), invalid(/Unrecognized match type PREFIX$/u));
  await assert.rejects(map(filters(...Array.from({ length: 11 }, () => '{"body":["a"]}'))), invalid(/has 11 filters; at most 10/u));
  const { FilterCriteria } = await map(filters('{"body":["a"]}'));
  assert.deepEqual(FilterCriteria, { Filters: [{ Pattern: '{"body":["a"]}' }] });
});

test("the queue has to be there, of this account, and hide messages as long as the function may take", async (t) => {
  const { queue, map, create } = await open(t);
  await assert.rejects(map({}), invalid(/AWS\.SimpleQueueService\.NonExistentQueue/u));
  await queue("orders", { visibilityMs: 59_000 });
  await create({ FunctionName: "slow", Timeout: 60 });
  await assert.rejects(
    map({ FunctionName: "slow" }),
    invalid(/^Queue visibility timeout: 59 seconds is less than Function timeout: 60 seconds$/u),
  );
  await assert.rejects(map({ FunctionName: "nobody" }), refused("ResourceNotFoundException", 404, /Function not found/u));
  await assert.rejects(map({ EventSourceArn: "arn:aws:sqs:us-east-1:111111111111:orders" }), invalid(/another account or region/u));
  const { FunctionArn, EventSourceArn } = await map({ FunctionName: "arn:aws:lambda:us-east-1:000000000000:function:hello" });
  assert.deepEqual([FunctionArn, EventSourceArn], ["arn:aws:lambda:us-east-1:000000000000:function:hello", arnOf("orders")]);
});

test("the function's role has to be allowed to read the queue", async (t) => {
  const { queue, map, role } = await open(t);
  await queue("orders");
  role.mayRead = false;
  await assert.rejects(map({}), invalid(/^The function execution role does not have permissions to call ReceiveMessage on SQS$/u));
  role.mayRead = true;
  await map({});
});

test("other sources, and what only they have, are refused and said to be so", async (t) => {
  const { queue, map } = await open(t);
  await queue("orders");
  const unbuilt = refused("NotImplemented", 501, /not built in Lambent/u);
  await assert.rejects(map({ EventSourceArn: "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2026-01-01T00:00:00.000" }), unbuilt);
  await assert.rejects(map({ EventSourceArn: "arn:aws:mq:us-east-1:000000000000:broker:b:b-1", Queues: ["q"] }), unbuilt);
  await assert.rejects(map({ MetricsConfig: { Metrics: ["EventCount"] } }), unbuilt);
  await assert.rejects(
    map({ StartingPosition: "LATEST" }),
    invalid(/^Unsupported StartingPosition parameter for given event source mapping type\.$/u),
  );
  await assert.rejects(map({ MaximumRetryAttempts: 2 }), invalid(/^Unsupported MaximumRetryAttempts/u));
});

test("what is left out of an update stays, and what is emptied goes", async (t) => {
  const { queue, client, settled, sources } = await open(t);
  await queue("orders");
  const UUID = await settled({
    BatchSize: 5,
    FilterCriteria: { Filters: [{ Pattern: '{"body":["a"]}' }] },
    ScalingConfig: { MaximumConcurrency: 5 },
    FunctionResponseTypes: ["ReportBatchItemFailures"],
  });
  await client.send(new UpdateEventSourceMappingCommand({ UUID, BatchSize: 6 }));
  await sources.settled();
  const kept = await client.send(new GetEventSourceMappingCommand({ UUID }));
  assert.deepEqual(
    [kept.BatchSize, kept.ScalingConfig, kept.FunctionResponseTypes],
    [6, { MaximumConcurrency: 5 }, ["ReportBatchItemFailures"]],
  );
  await client.send(new UpdateEventSourceMappingCommand({ UUID, FilterCriteria: {}, ScalingConfig: {}, FunctionResponseTypes: [] }));
  await sources.settled();
  const emptied = await client.send(new GetEventSourceMappingCommand({ UUID }));
  assert.deepEqual([emptied.FilterCriteria, emptied.ScalingConfig, emptied.FunctionResponseTypes], [undefined, undefined, []]);
});

test("while a change is under way another one is refused", async (t) => {
  const { queue, client, map, sources } = await open(t);
  await queue("orders");
  const { UUID } = await map({});
  // The answer says Creating; whether it still is depends on who is quicker, so the change is asked for within the server.
  const changes = Promise.allSettled([
    sources.remove(REALM, known(UUID)),
    sources.update(REALM, known(UUID), { settings: {}, enabled: false }),
    sources.update(REALM, known(UUID), { settings: {}, enabled: false }),
  ]);
  const refusedOnes = (await changes).filter(({ status }) => status === "rejected");
  assert.ok(refusedOnes.length >= 2);
  await sources.settled();
  await assert.rejects(
    client.send(new DeleteEventSourceMappingCommand({ UUID: "00000000-0000-4000-8000-000000000000" })),
    refused("ResourceNotFoundException", 404, /does not exist/u),
  );
});

test("mappings have tags of their own", async (t) => {
  const { queue, client, map, sources } = await open(t);
  await queue("orders");
  const { EventSourceMappingArn: Resource } = await map({ Tags: { team: "orders" } });
  await sources.settled();
  await client.send(new TagResourceCommand({ Resource, Tags: { stage: "test" } }));
  await client.send(new UntagResourceCommand({ Resource, TagKeys: ["team"] }));
  assert.deepEqual((await client.send(new ListTagsCommand({ Resource }))).Tags, { stage: "test" });
  await assert.rejects(client.send(new TagResourceCommand({ Resource, Tags: { "aws:x": "y" } })), invalid(/reserved/u));
});

test("mappings are there after a restart, and a change that was under way is taken up", async (t) => {
  const { queue, map, world } = await open(t);
  await queue("orders");
  const { UUID } = await map({ BatchSize: 7 });
  const { store, clock, functions } = world;
  const onProblem = (error: unknown): void => assert.fail(String(error));
  const queues = await openQueues({ store, clock, secureRandom: systemSecureRandom, onProblem });
  const again = await openSources({
    store,
    clock,
    secureRandom: systemSecureRandom,
    queues,
    functions,
    onProblem,
    mayRead: () => true,
    invoker: { invoke: () => assert.fail("nothing is sent"), free: () => 0, onceFree: () => undefined },
  });
  again.start();
  await again.settled();
  const { settings, state } = again.get(REALM, known(UUID));
  assert.deepEqual([settings.batchSize, state.kind], [7, "enabled"]);
});
