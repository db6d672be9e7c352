import assert from "node:assert/strict";
import { InvalidParameterValueException, ResourceConflictException, ResourceNotFoundException } from "@aws-sdk/client-lambda";
import { ACCOUNT } from "../../support/javascript-clients.ts";
import { known, type OperationCase, type Stage } from "./cases.ts";

const NOWHERE = { UUID: "00000000-0000-4000-8000-000000000000" };
const arnOf = (name: string): string => `arn:aws:sqs:us-east-1:${ACCOUNT}:${name}`;
/** A mapping has no waiter in the SDK. */
const PATIENCE_MS = 10_000;

async function pair({ stage, made }: Stage, name: string): Promise<{ readonly FunctionName: string; readonly EventSourceArn: string }> {
  await stage.sqs.createQueue({ QueueName: name });
  return { FunctionName: await made(name), EventSourceArn: arnOf(name) };
}

async function untilState({ stage }: Stage, UUID: string, wanted: string): Promise<void> {
  for (const giveUpAt = performance.now() + PATIENCE_MS; ;) {
    const { State } = await stage.lambda.getEventSourceMapping({ UUID });
    if (State === wanted) return;
    assert.ok(performance.now() < giveUpAt, `the mapping is ${State}, not ${wanted}`);
  }
}

async function mapped(stage: Stage, name: string): Promise<string> {
  const { UUID } = await stage.stage.lambda.createEventSourceMapping(await pair(stage, name));
  await untilState(stage, known(UUID), "Enabled");
  return known(UUID);
}

/** Event source mappings. */
export const mappingCases: Readonly<Record<string, OperationCase>> = {
  CreateEventSourceMapping: {
    async does(stage) {
      const { js } = stage;
      const made = await js.lambda.createEventSourceMapping({
        ...(await pair(stage, "create-mapping")),
        BatchSize: 100,
        MaximumBatchingWindowInSeconds: 5,
        FilterCriteria: { Filters: [{ Pattern: '{"body":{"kind":["order"]}}' }] },
        ScalingConfig: { MaximumConcurrency: 2 },
        FunctionResponseTypes: ["ReportBatchItemFailures"],
        Tags: { team: "orders" },
      });
      assert.equal(made.State, "Creating");
      await untilState(stage, known(made.UUID), "Enabled");
      const { $metadata: _metadata, State: _state, ...got } = await stage.stage.lambda.getEventSourceMapping({ UUID: made.UUID });
      const { $metadata: _made, State: _creating, ...wanted } = made;
      assert.deepEqual(got, wanted);
      assert.deepEqual((await stage.stage.lambda.listTags({ Resource: made.EventSourceMappingArn })).Tags, { team: "orders" });
    },
    refuses: [
      async (stage) => {
        const wanted = await pair(stage, "mapping-twice");
        await stage.stage.lambda.createEventSourceMapping(wanted);
        return stage.js.lambda.createEventSourceMapping(wanted);
      },
      ResourceConflictException,
      409,
    ],
  },
  UpdateEventSourceMapping: {
    async does(stage) {
      const UUID = await mapped(stage, "update-mapping");
      const updated = await stage.js.lambda.updateEventSourceMapping({ UUID, BatchSize: 5, ScalingConfig: { MaximumConcurrency: 10 } });
      assert.deepEqual([updated.State, updated.BatchSize, updated.ScalingConfig], ["Updating", 5, { MaximumConcurrency: 10 }]);
      await untilState(stage, UUID, "Enabled");
      assert.equal((await stage.js.lambda.updateEventSourceMapping({ UUID, Enabled: false, ScalingConfig: {} })).State, "Disabling");
      await untilState(stage, UUID, "Disabled");
      assert.equal((await stage.stage.lambda.getEventSourceMapping({ UUID })).ScalingConfig, undefined);
    },
    refuses: [
      async (stage) => stage.js.lambda.updateEventSourceMapping({ UUID: await mapped(stage, "mapping-large"), BatchSize: 11 }),
      InvalidParameterValueException,
      400,
    ],
  },
  GetEventSourceMapping: {
    async does(stage) {
      const { BatchSize, EventSourceArn, State } = await stage.js.lambda.getEventSourceMapping({
        UUID: await mapped(stage, "get-mapping"),
      });
      assert.deepEqual([BatchSize, EventSourceArn, State], [10, arnOf("get-mapping"), "Enabled"]);
    },
    refuses: [({ js }) => js.lambda.getEventSourceMapping(NOWHERE), ResourceNotFoundException, 404],
  },
  ListEventSourceMappings: {
    async does(stage) {
      const UUID = await mapped(stage, "list-mappings");
      await stage.stage.sqs.createQueue({ QueueName: "list-mappings-too" });
      const { UUID: second } = await stage.stage.lambda.createEventSourceMapping({
        FunctionName: "list-mappings",
        EventSourceArn: arnOf("list-mappings-too"),
        Enabled: false,
      });
      await untilState(stage, known(second), "Disabled");
      const byQueue = await stage.js.lambda.listEventSourceMappings({ EventSourceArn: arnOf("list-mappings") });
      assert.deepEqual(
        byQueue.EventSourceMappings?.map((each) => each.UUID),
        [UUID],
      );
      const first = await stage.js.lambda.listEventSourceMappings({ FunctionName: "list-mappings", MaxItems: 1 });
      const rest = await stage.js.lambda.listEventSourceMappings({ FunctionName: "list-mappings", Marker: first.NextMarker });
      const all = [...known(first.EventSourceMappings), ...known(rest.EventSourceMappings)];
      assert.deepEqual(new Set(all.map((each) => each.UUID)), new Set([UUID, second]));
    },
    refuses: [({ js }) => js.lambda.listEventSourceMappings({ Marker: "bm9uZQ" }), InvalidParameterValueException, 400],
  },
  DeleteEventSourceMapping: {
    async does(stage) {
      const UUID = await mapped(stage, "delete-mapping");
      assert.equal((await stage.js.lambda.deleteEventSourceMapping({ UUID })).State, "Deleting");
      await assert.rejects(untilState(stage, UUID, "gone"), ResourceNotFoundException);
    },
    refuses: [({ js }) => js.lambda.deleteEventSourceMapping(NOWHERE), ResourceNotFoundException, 404],
  },
};
