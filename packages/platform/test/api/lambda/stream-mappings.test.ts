import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  UpdateEventSourceMappingCommand,
} from "@aws-sdk/client-lambda";
import { lambdaWireError } from "../../../src/api/lambda/errors.ts";
import { eventSourceMappingOperations } from "../../../src/api/lambda/event-source-mappings.ts";
import { loadService } from "../../../src/wire/index.ts";
import { known, refused } from "../../support/lambda-api.ts";
import { serveServices, TEST_KEY, testSecurity } from "../../support/api-client.ts";
import { QUEUE_ARN, REALM, STREAM_ARN, StreamWorld } from "../../sources/stream/world.ts";

const CLUSTER_ARN = "arn:aws:kafka:us-east-1:000000000000:cluster/lambent/11111111-2222-4333-8444-555555555555-1";
const FUNCTION_ARN = "arn:aws:lambda:us-east-1:000000000000:function:worker";
const OWN_BROKER = { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["127.0.0.1:9092"] } };

async function open(test: TestContext) {
  const world = await StreamWorld.open();
  await world.stream();
  const operations = eventSourceMappingOperations({ sources: world.sources });
  const service = { model: loadService("lambda"), operations, wireError: lambdaWireError, permission: () => undefined };
  const endpoint = await serveServices(test, [service], await testSecurity(test));
  const client = new LambdaClient({ endpoint, region: "us-east-1", credentials: TEST_KEY, maxAttempts: 1 });
  test.after(() => client.destroy());
  const map = (changed: Partial<CreateEventSourceMappingCommandInput> = {}) =>
    client.send(
      new CreateEventSourceMappingCommand({
        FunctionName: "worker",
        EventSourceArn: STREAM_ARN,
        StartingPosition: "TRIM_HORIZON",
        ...changed,
      }),
    );
  const read = async (UUID: string | undefined) => {
    await world.sources.settled();
    const {
      $metadata: _metadata,
      LastModified: _at,
      ...shape
    } = await client.send(new GetEventSourceMappingCommand({ UUID: known(UUID) }));
    return shape;
  };
  return { world, client, map, read };
}

const invalid = (message: RegExp) => refused("InvalidParameterValueException", 400, message);
const unbuilt = refused("NotImplemented", 501, /not built in Lambent/u);

test("a mapping of a stream reads back as AWS shows it, with its defaults", async (t) => {
  const { map, read } = await open(t);
  const { UUID, State } = await map();
  assert.equal(State, "Creating");
  assert.deepEqual(await read(UUID), {
    UUID,
    StartingPosition: "TRIM_HORIZON",
    BatchSize: 100,
    MaximumBatchingWindowInSeconds: 0,
    ParallelizationFactor: 1,
    EventSourceArn: STREAM_ARN,
    FunctionArn: FUNCTION_ARN,
    LastProcessingResult: "No records processed",
    State: "Enabled",
    StateTransitionReason: "User action",
    DestinationConfig: { OnFailure: {} },
    MaximumRecordAgeInSeconds: -1,
    BisectBatchOnFunctionError: false,
    MaximumRetryAttempts: -1,
    TumblingWindowInSeconds: 0,
    FunctionResponseTypes: [],
    EventSourceMappingArn: `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${UUID}`,
  });
});

test("every setting is kept, changed and taken away again", async (t) => {
  const { client, map, read, world } = await open(t);
  const settings = {
    BatchSize: 7,
    MaximumBatchingWindowInSeconds: 3,
    ParallelizationFactor: 10,
    BisectBatchOnFunctionError: true,
    MaximumRetryAttempts: 0,
    MaximumRecordAgeInSeconds: 60,
    DestinationConfig: { OnFailure: { Destination: QUEUE_ARN } },
    FunctionResponseTypes: ["ReportBatchItemFailures" as const],
    FilterCriteria: { Filters: [{ Pattern: '{"data":{"a":[1]}}' }] },
  };
  const at = new Date(world.clock.now() - 5_000);
  const { UUID } = await map({ ...settings, StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp: at });
  const made = await read(UUID);
  for (const [name, value] of Object.entries({ ...settings, StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp: at }))
    assert.deepEqual(made[name as keyof typeof made], value, name);
  const none = {
    MaximumRetryAttempts: -1,
    MaximumRecordAgeInSeconds: -1,
    DestinationConfig: { OnFailure: { Destination: "" } },
    ParallelizationFactor: 1,
  };
  await client.send(new UpdateEventSourceMappingCommand({ UUID, ...none, TumblingWindowInSeconds: 30, FilterCriteria: {} }));
  const { MaximumRetryAttempts, MaximumRecordAgeInSeconds, DestinationConfig, TumblingWindowInSeconds, FilterCriteria, BatchSize } =
    await read(UUID);
  assert.deepEqual(
    [MaximumRetryAttempts, MaximumRecordAgeInSeconds, DestinationConfig, TumblingWindowInSeconds, FilterCriteria, BatchSize],
    [-1, -1, { OnFailure: {} }, 30, undefined, 7],
  );
});

test("topics are mapped under a cluster's ARN or this server's own address, and shown under it", async (t) => {
  const { client, map, read } = await open(t);
  const managed = await map({ EventSourceArn: CLUSTER_ARN, Topics: ["clicks"] });
  const shape = await read(managed.UUID);
  assert.deepEqual(
    [shape.EventSourceArn, shape.Topics, shape.AmazonManagedKafkaEventSourceConfig, shape.ParallelizationFactor],
    [CLUSTER_ARN, ["clicks"], { ConsumerGroupId: managed.UUID }, undefined],
  );
  const own = { EventSourceArn: undefined, SelfManagedEventSource: OWN_BROKER, StartingPosition: undefined };
  const { UUID } = await map({ ...own, Topics: ["later"], SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: "g" } });
  const { SelfManagedEventSource, EventSourceArn, SelfManagedKafkaEventSourceConfig, StartingPosition } = await read(UUID);
  assert.deepEqual(
    [SelfManagedEventSource, EventSourceArn, SelfManagedKafkaEventSourceConfig, StartingPosition],
    [OWN_BROKER, undefined, { ConsumerGroupId: "g" }, "TRIM_HORIZON"],
  );
  const { EventSourceMappings = [] } = await client.send(new ListEventSourceMappingsCommand({ EventSourceArn: CLUSTER_ARN }));
  assert.deepEqual(
    EventSourceMappings.map((each) => each.UUID),
    [managed.UUID],
  );
  await assert.rejects(map({ EventSourceArn: CLUSTER_ARN }), invalid(/Value null at 'topics'/u));
  await assert.rejects(
    map({ EventSourceArn: CLUSTER_ARN, Topics: ["topic"], ParallelizationFactor: 2 }),
    invalid(/^Unsupported ParallelizationFactor/u),
  );
});

test("brokers elsewhere are mapped with how to sign in, which names no secret and stays as it is", async (t) => {
  const { client, map, read } = await open(t);
  const access = [{ Type: "BASIC_AUTH", URI: "env:LAMBENT_SECRET_BROKERS" }] as const;
  const brokers = { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ["kafka.example:9092"] } };
  const elsewhere = { EventSourceArn: undefined, SelfManagedEventSource: brokers, Topics: ["topic"], StartingPosition: undefined };
  const { UUID } = await map({ ...elsewhere, SourceAccessConfigurations: [...access] });
  const shape = await read(UUID);
  assert.deepEqual([shape.SelfManagedEventSource, shape.SourceAccessConfigurations], [brokers, access]);
  const update = (URI: string) =>
    client.send(new UpdateEventSourceMappingCommand({ UUID, SourceAccessConfigurations: [{ Type: "BASIC_AUTH", URI }] }));
  await update(access[0].URI);
  await assert.rejects(update("env:LAMBENT_SECRET_OTHERS"), unbuilt);
  await assert.rejects(
    map({ ...elsewhere, SourceAccessConfigurations: [{ Type: "BASIC_AUTH", URI: "env:HOME" }] }),
    invalid(/LAMBENT_SECRET_/u),
  );
  await assert.rejects(map({ ...elsewhere, SourceAccessConfigurations: [{ Type: "VIRTUAL_HOST", URI: "/" }] }), unbuilt);
  await assert.rejects(
    map({ EventSourceArn: CLUSTER_ARN, Topics: ["topic"], SourceAccessConfigurations: [...access] }),
    invalid(/SelfManagedEventSource/u),
  );
});

test("consumers have to be there, streams too, and of this account; a second mapping is refused with AWS's words", async (t) => {
  const { map, world } = await open(t);
  const createdAt = world.clock.now();
  await world.streams.update(REALM, "clicks", (record) => ({ ...record, consumers: [{ name: "fan", createdAt }] }));
  const consumer = `${STREAM_ARN}/consumer/fan:${Math.floor(createdAt / 1_000)}`;
  await assert.rejects(map({ EventSourceArn: `${STREAM_ARN}/consumer/fan:1` }), invalid(/^Consumer not found/u));
  assert.equal((await map({ EventSourceArn: consumer })).EventSourceArn, consumer);
  await assert.rejects(
    map(),
    refused("ResourceConflictException", 409, /provided mapping already exists\. Please update or delete the existing mapping with UUID/u),
  );
  await assert.rejects(map({ EventSourceArn: STREAM_ARN.replace("clicks", "none") }), invalid(/^Stream not found: arn/u));
  await assert.rejects(map({ EventSourceArn: STREAM_ARN.replace("000000000000", "111111111111") }), invalid(/another account or region/u));
});

test("settings that a stream does not take, or that do not go together, are refused", async (t) => {
  const { map, world } = await open(t);
  const cases: readonly (readonly [Partial<CreateEventSourceMappingCommandInput>, RegExp])[] = [
    [{ StartingPosition: undefined }, /Value null at 'startingPosition'/u],
    [{ StartingPosition: "AT_TIMESTAMP" }, /needs a StartingPositionTimestamp/u],
    [{ StartingPosition: "AT_TIMESTAMP", StartingPositionTimestamp: new Date(world.clock.now() + 60_000) }, /must not be in the future/u],
    [{ StartingPositionTimestamp: new Date(0) }, /is for the StartingPosition AT_TIMESTAMP/u],
    [{ ScalingConfig: { MaximumConcurrency: 2 } }, /^Unsupported ScalingConfig/u],
    [{ Topics: ["topic"] }, /^Unsupported Topics/u],
    [{ MaximumRecordAgeInSeconds: 59 }, /^MaximumRecordAgeInSeconds is 59; it is 60 to 604800\.$/u],
    [{ TumblingWindowInSeconds: 60, ParallelizationFactor: 2 }, /with a tumbling window it is 1/u],
    [{ DestinationConfig: { OnFailure: { Destination: FUNCTION_ARN } } }, /is none: it is the ARN of an SQS queue/u],
    [{ DestinationConfig: { OnSuccess: { Destination: QUEUE_ARN } } }, /^Unsupported DestinationConfig/u],
    [{ FilterCriteria: { Filters: [{ Pattern: "{" }] } }, /^Invalid filter pattern definition\.$/u],
  ];
  for (const [changed, message] of cases) await assert.rejects(map(changed), invalid(message));
  await assert.rejects(map({ DestinationConfig: { OnFailure: { Destination: "kafka://failed" } } }), unbuilt);
  await assert.rejects(map({ ParallelizationFactor: 11 }), /less than or equal to 10/u);
});
